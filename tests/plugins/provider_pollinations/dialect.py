"""Pollinations as the conformance kit plays it: OpenAI's dialect, but for pictures to change and for errors."""

from __future__ import annotations

import attrs

from g4f_testkit import Asked, Failure, Reply, Request
from g4f_testkit.dialect import Feature
from g4f_testkit.dialects.openai import OpenaiDialect
from g4f_testkit.dialects.reading import read_picture, read_tables, read_text
from g4f_testkit.http import reply_json


class PollinationsDialect(OpenaiDialect):
    """What the service has of its own."""

    lacks: frozenset[Feature] = frozenset({"type"})

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks; pictures to change come as URLs in JSON."""
        if not request.path.endswith("/images/edits"):
            return super().read_request(request)
        body = request.table
        pictures = tuple(read_picture(image.get("image_url")) for image in read_tables(body.get("image")))
        return Asked(
            "image_edit", read_text(body.get("model")), texts=(read_text(body.get("prompt")),), pictures=pictures
        )

    def write_error(self, failure: Failure) -> Reply:
        """Return an error object with the id in it."""
        plain = super().write_error(attrs.evolve(failure, request_id=""))
        error = {"code": failure.code, "message": failure.message, "requestId": failure.request_id}
        body = {"status": failure.status, "success": False, "error": error}
        headers = {name: value for name, value in plain.headers.items() if name == "retry-after"}
        return reply_json(body, failure.status, headers)
