"""One small answer in the language of each service, told by the path that was asked.

For tests that ask whatever provider there is, and look at more than one. Answers with faults, streams and details are
left to the tests of the providers.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

from loopback import Received, Reply, make_completion, reply_json

TEXT = "This is a test"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
ANSWERS = (TEXT, base64.b64encode(PNG).decode())


def answer(request: Received) -> Reply:
    """Answer in the language that the path belongs to, or with 404."""
    for path, speak in _DIALECTS.items():
        if re.search(path, request.path):
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


def _begin_job(request: Received) -> Reply:
    return reply_json({"id": "1", "polling_url": f"http://{request.headers['host']}/get_result?id=1"})


def _finish_job(request: Received) -> Reply:
    return reply_json({"status": "Ready", "result": {"sample": f"http://{request.headers['host']}/sample.png"}})


def _begin_conversation(request: Received) -> Reply:
    return reply_json({"id": "1"}, 201)


def _converse(request: Received) -> Reply:
    return reply_json({"id": "1", "messages": [request.json["message"], {"text": TEXT}]})


def _show(request: Received) -> Reply:
    return Reply(200, {"content-type": "image/png"}, PNG)


_DIALECTS: dict[str, Callable[[Received], Reply]] = {
    r"/chat/completions$": _complete,
    r"/images/generations$": _draw,
    r"/messages$": _say_as_anthropic,
    r":generateContent$": _generate,
    r"/conversations$": _begin_conversation,
    r"/conversations/1/chat$": _converse,
    r"/flux-[^/]+$": _begin_job,
    r"/get_result$": _finish_job,
    r"/sample\.png$": _show,
}
