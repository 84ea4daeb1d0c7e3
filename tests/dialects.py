"""One small answer in the language of each service, told by the path that was asked.

For tests that ask whatever provider there is, and look at more than one. Answers with faults, streams and details are
left to the tests of the providers.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from loopback import Received, Reply, make_completion, reply_json

TEXT = "This is a test"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
ANSWERS = (TEXT, base64.b64encode(PNG).decode())


def answer(request: Received) -> Reply:
    """Answer in the language that the path belongs to, or with 404."""
    for end, speak in _DIALECTS.items():
        if request.path.endswith(end):
            return speak(request)
    return reply_json({"error": {"message": f"Nobody answers at {request.path}."}}, 404)


def _complete(request: Received) -> Reply:
    return reply_json(make_completion(TEXT, request.json.get("model", "a-model")))


def _draw(request: Received) -> Reply:
    return reply_json({"created": 1764000000, "data": [{"b64_json": ANSWERS[1]}]})


def _say_as_anthropic(request: Received) -> Reply:
    content = [{"type": "text", "text": TEXT}]
    usage = {"input_tokens": 5, "output_tokens": 4}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": request.json["model"]}
    return reply_json({**message, "content": content, "stop_reason": "end_turn", "usage": usage})


def _generate(request: Received) -> Reply:
    is_picture = "IMAGE" in request.json.get("generationConfig", {}).get("responseModalities", [])
    picture = {"inlineData": {"mimeType": "image/png", "data": ANSWERS[1]}}
    content = {"role": "model", "parts": [picture if is_picture else {"text": TEXT}]}
    return reply_json({"candidates": [{"content": content, "finishReason": "STOP"}]})


_DIALECTS: dict[str, Callable[[Received], Reply]] = {
    "/chat/completions": _complete,
    "/images/generations": _draw,
    "/messages": _say_as_anthropic,
    ":generateContent": _generate,
}
