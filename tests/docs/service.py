"""A service on loopback that speaks OpenAI's dialect and a little of others: the programs of the pages talk with it."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from loopback import CUT, Received, Reply, make_chunk, make_completion, reply_events, reply_json

KEY = "sk-of-the-documents"
ANSWERS = {
    "What is the capital of France?": "The capital of France is Paris.",
    "What is in this picture?": "A white square.",
    "Count to three": "One, two, three.",
    "What does the document say?": "It is a report.",
    "Tell me about Paris": '{"name": "Paris", "country": "France", "landmarks": ["Eiffel Tower", "Louvre"]}',
    "What is the weather in Paris?": "It is 21 degrees in Paris.",
}
CALL = {"id": "call-1", "type": "function"}
# A stream that breaks, for the pages about errors.
BREAKS = "Tell me a story that breaks off"


def make_picture(red: int = 255, green: int = 255, blue: int = 255) -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(bytes([0, red, green, blue]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


def answer(request: Received) -> Reply:
    """Answer as the service would."""
    if request.path.startswith("/conversations"):
        return _say_copilot(request.path)
    return _generate(request) if request.path.startswith("/v1beta/models/") else _answer_others(request)


def _answer_others(request: Received) -> Reply:
    if request.key not in (KEY, None):
        return _refuse(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
    path = request.path.removeprefix("/openai").removeprefix("/v1")
    if path == "/models":
        return reply_json({"object": "list", "data": [{"id": "gpt-6-luna", "object": "model", "owned_by": "openai"}]})
    if path == "/chat/completions":
        return _chat(request.json)
    if path == "/messages":
        return reply_json(_say_anthropic(request.json))
    return _draw(request, path)


def _draw(request: Received, path: str) -> Reply:
    here = f"http://{request.headers['host']}"
    if path.removeprefix("/mai/v1") in ("/images/generations", "/images/edits"):
        picture = {"b64_json": base64.b64encode(make_picture()).decode()}
        count = request.json.get("n") or 1 if path == "/images/generations" else 1
        return reply_json({"created": 1764000000, "data": [picture] * count})
    if path == "/flux-2-pro":
        return reply_json({"id": "1", "polling_url": f"{here}/v1/get_result?id=1"})
    if path == "/get_result":
        return reply_json({"status": "Ready", "result": {"sample": f"{here}/1.png"}})
    if path == "/1.png":
        return Reply(200, {"content-type": "image/png"}, make_picture())
    return _refuse(404, f"Unknown URL: {request.method} {request.path}.", "invalid_request_error", "unknown_url")


def _say_copilot(path: str) -> Reply:
    messages = [{"text": "The question."}, {"text": "This is a test."}]
    return reply_json(
        {"id": "a-conversation", "turnCount": 1, "messages": messages}, 201 if path.count("/") == 1 else 200
    )


def _generate(request: Received) -> Reply:
    if request.headers["x-goog-api-key"] != KEY:
        return reply_json({"error": {"code": 403, "message": "No key.", "status": "PERMISSION_DENIED"}}, 403)
    prompt = request.json["contents"][-1]["parts"][0]["text"]
    content = {"role": "model", "parts": [{"text": ANSWERS.get(prompt.strip(), "This is a test.")}]}
    return reply_json({"candidates": [{"content": content, "finishReason": "STOP"}]})


def _refuse(status: int, message: str, kind: str, code: str) -> Reply:
    return reply_json({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)


def _chat(body: dict[str, Any]) -> Reply:
    model = body.get("model", "a model")
    if model == "gpt-none":
        return _refuse(404, f"The model `{model}` does not exist.", "invalid_request_error", "model_not_found")
    prompt = _read_prompt(body["messages"])
    if body.get("tools") and body["messages"][-1]["role"] != "tool":
        return _call(body)
    text = ANSWERS.get(prompt.strip(), "This is a test.")
    if not body.get("stream"):
        return reply_json(make_completion(text, model))
    words = [make_chunk(word) for word in _split_words(text)]
    if prompt == BREAKS:
        return reply_events(make_chunk("Once upon"), make_chunk(" a time"), end=(CUT,))
    usage = {**make_chunk(), "choices": [], "usage": make_completion()["usage"]}
    return reply_events(*words, make_chunk(finish_reason="stop"), usage)


def _call(body: dict[str, Any]) -> Reply:
    """Ask for the first tool, in one piece or in several."""
    name = body["tools"][0]["function"]["name"]
    pieces = ["", '{"city": ', '"Paris"}']
    if not body.get("stream"):
        call = {**CALL, "function": {"name": name, "arguments": "".join(pieces)}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        return reply_json(make_completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in pieces[1:]]
    deltas = [{**CALL, "index": 0, "function": {"name": name, "arguments": ""}}, *rest]
    chunks = [{"choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]} for delta in deltas]
    return reply_events(*chunks, make_chunk(finish_reason="tool_calls"))


def _say_anthropic(body: dict[str, Any]) -> dict[str, Any]:
    text = ANSWERS.get(_read_prompt(body["messages"]).strip(), "This is a test.")
    usage = {"input_tokens": 5, "output_tokens": 4}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "usage": usage,
    }


def _read_prompt(messages: list[dict[str, Any]]) -> str:
    content = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content if part["type"] == "text")


def _split_words(text: str) -> list[str]:
    first, *rest = text.split(" ")
    return [first, *(f" {word}" for word in rest)]
