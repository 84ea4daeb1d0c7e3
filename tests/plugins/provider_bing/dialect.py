"""MAI-Image as the conformance kit plays it."""

from __future__ import annotations

import base64

import attrs

from g4f_testkit import Asked, Failure, Reply, Request, Turn
from g4f_testkit.dialect import Feature
from g4f_testkit.dialects.openai import OpenaiDialect
from g4f_testkit.http import reply_json

_ROOT = "/mai/v1/images"


class MaiDialect:
    """One picture a request; the form that brings one to change is OpenAI's."""

    lacks: frozenset[Feature] = frozenset({"usage", "type", "stream"})

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks; the service counts no pictures."""
        if request.method != "POST" or not request.path.startswith(_ROOT):
            return None
        asked = OpenaiDialect().read_request(request)
        return attrs.evolve(asked, count=1) if asked else None

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        """Return the picture in base64."""
        nulls = {"url": None, "revised_prompt": None} if turn.nulls else {}
        picture = {"b64_json": base64.b64encode(turn.pictures[0]).decode(), **nulls}
        return reply_json({"data": [picture], **turn.extra})

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Nothing is streamed."""
        raise NotImplementedError

    def write_error(self, failure: Failure) -> Reply:
        """Return an error object of Azure's, and what stands in headers."""
        headers = {"apim-request-id": failure.request_id}
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
        return reply_json({"error": {"code": failure.code, "message": failure.message}}, failure.status, headers)
