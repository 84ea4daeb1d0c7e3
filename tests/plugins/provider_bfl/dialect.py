"""Black Forest Labs as the conformance kit plays it: a job is begun, then asked for."""

from __future__ import annotations

from g4f_testkit import Asked, Failure, Reply, Request, Turn
from g4f_testkit.dialect import Feature
from g4f_testkit.dialects.reading import decode_base64, read_text
from g4f_testkit.http import reply_json
from g4f_testkit.server import PICTURE_PATH

_ASKS = "/v1/get_result"


class FluxDialect:
    """Each job is done when it is first asked for."""

    lacks: frozenset[Feature] = frozenset({"usage", "type", "stream", "repeats"})

    def read_request(self, request: Request) -> Asked | None:
        """Return what a job is to draw, or that one is asked for."""
        if request.path == _ASKS and "id" in request.query:
            return Asked("image", follows=True)
        if request.method != "POST" or not request.path.startswith("/v1/flux"):
            return None
        body = request.table
        given = [read_text(body[name]) for name in sorted(body) if name.startswith("input_image")]
        pictures = tuple(url if url.startswith("http") else decode_base64(url) for url in given)
        operation = "image_edit" if pictures else "image"
        return Asked(
            operation, request.path.removeprefix("/v1/"), texts=(read_text(body.get("prompt")),), pictures=pictures
        )

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        """Return the job, or its picture, which lies at an address."""
        if not asked.follows:
            return reply_json({"id": "task-1", "polling_url": f"{request.origin}{_ASKS}?id=task-1", **turn.extra})
        result = {"sample": f"{request.origin}{PICTURE_PATH}"}
        return reply_json({"id": "task-1", "status": "Ready", "result": result, "preview": None, **turn.extra})

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Nothing is streamed."""
        raise NotImplementedError

    def write_error(self, failure: Failure) -> Reply:
        """Return FastAPI's detail, or what the service says of its limits."""
        headers = {"x-request-id": failure.request_id}
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
        body = {"error": failure.code, "message": failure.message}
        return reply_json(body, failure.status, headers)
