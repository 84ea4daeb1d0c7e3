"""OpenAI's dialect as a service speaks it.

Sources: https://platform.openai.com/docs/api-reference/chat, …/images, …/embeddings, …/models.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from itertools import zip_longest
from typing import Any

from g4f_testkit.dialect import Asked, Feature, Operation
from g4f_testkit.dialects.reading import (
    decode_base64,
    read_data,
    read_picture,
    read_table,
    read_tables,
    read_text,
    split_text,
)
from g4f_testkit.http import Reply, Request, reply_json, reply_stream, write_event
from g4f_testkit.script import Failure, ToolCall, Turn, Usage, make_vector

_OPERATIONS: tuple[tuple[str, Operation], ...] = (
    ("/chat/completions", "chat"),
    ("/images/generations", "image"),
    ("/images/edits", "image_edit"),
    ("/embeddings", "embed"),
    ("/models", "models"),
)
_DONE = write_event("[DONE]")
_HEAD = {"id": "chatcmpl-g4f", "created": 1764000000}


class OpenaiDialect:
    """What most services speak; one with a quirk overrides what differs."""

    lacks: frozenset[Feature] = frozenset()

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks; what stands before the operation in the path is the service's own."""
        operation = next((name for path, name in _OPERATIONS if request.path.endswith(path)), None)
        if operation is None or (request.method == "GET") != (operation == "models"):
            return None
        if operation == "chat":
            return _read_chat(request.table)
        return _read_form(request) if operation == "image_edit" else _read_other(operation, request.table)

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        """Return the whole answer."""
        return reply_json({**self._answer(asked, turn, request.origin), **turn.extra})

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Return the events of a stream, up to [DONE]."""
        content = [write_event(self._chunk(asked, turn, delta)) for delta in _list_deltas(turn)]
        if turn.failure is not None:
            return reply_stream([*content, write_event({"error": _describe(turn.failure)})], [_DONE])
        end = [self._chunk(asked, turn, {}, turn.finish_reason)]
        if turn.usage is not None and asked.tells_usage:
            end.append({**self._chunk(asked, turn, None), "usage": write_usage(turn.usage)})
        return reply_stream(content, [*map(write_event, end), _DONE])

    def write_error(self, failure: Failure) -> Reply:
        """Return an error object, and what stands in headers."""
        headers = {"x-request-id": failure.request_id}
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
        return reply_json({"error": _describe(failure)}, failure.status, headers)

    def _answer(self, asked: Asked, turn: Turn, origin: str) -> dict[str, Any]:
        if asked.operation == "chat":
            return _write_completion(asked, turn)
        if asked.operation == "embed":
            rows = [_write_vector(at, text) for at, text in enumerate(asked.texts)]
            usage = {"prompt_tokens": 4, "total_tokens": 4}
            return {"object": "list", "data": rows, "model": asked.model, "usage": usage}
        if asked.operation == "models":
            rows = [{"id": name, "object": "model", "created": 1, "owned_by": "g4f"} for name in turn.models]
            return {"object": "list", "data": rows}
        pictures = (turn.pictures * asked.count)[: asked.count]
        return {"created": _HEAD["created"], "data": [_write_picture(picture, turn, origin) for picture in pictures]}

    def _chunk(
        self, asked: Asked, turn: Turn, delta: dict[str, Any] | None, finish: str | None = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        nulls = {"usage": None, "system_fingerprint": None} if turn.nulls else {}
        choices = [] if delta is None else [choice]
        return {
            **_HEAD,
            "object": "chat.completion.chunk",
            "model": asked.model,
            **nulls,
            "choices": choices,
            **turn.extra,
        }


def _read_chat(body: dict[str, Any]) -> Asked:
    messages = read_tables(body.get("messages"))
    names = {call.get("id"): read_text(read_table(call.get("function")).get("name")) for call in _list_calls(messages)}
    system = [message for message in messages if message.get("role") in ("system", "developer")]
    form = read_table(read_table(body.get("response_format")).get("json_schema"))
    return Asked(
        "chat",
        model=read_text(body.get("model")),
        stream=body.get("stream") is True,
        texts=tuple(_join_text(message) for message in messages if message.get("role") == "user"),
        system="".join(map(_join_text, system)),
        pictures=tuple(read_picture(part.get("url")) for part in _list_parts(messages, "image_url")),
        documents=tuple(read_data(part.get("file_data")) for part in _list_parts(messages, "file")),
        sounds=tuple(decode_base64(part.get("data")) for part in _list_parts(messages, "input_audio")),
        tools=tuple(read_text(read_table(tool.get("function")).get("name")) for tool in read_tables(body.get("tools"))),
        calls=tuple(names.values()),
        results=tuple(
            (names.get(message.get("tool_call_id"), ""), _join_text(message))
            for message in messages
            if message.get("role") == "tool"
        ),
        schema=form.get("schema"),
        effort=read_text(body.get("reasoning_effort")),
        tells_usage=read_table(body.get("stream_options")).get("include_usage") is True,
    )


def _list_parts(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    parts = [part for message in messages for part in read_tables(message.get("content"))]
    return [read_table(part.get(kind)) for part in parts if part.get("type") == kind]


def _list_calls(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [call for message in messages for call in read_tables(message.get("tool_calls"))]


def _join_text(message: dict[str, Any]) -> str:
    content = message.get("content")
    return read_text(content) or "".join(read_text(part.get("text")) for part in read_tables(content))


def _read_other(operation: Operation, body: dict[str, Any]) -> Asked:
    given = body.get("input") if operation == "embed" else body.get("prompt")
    texts = given if isinstance(given, list) else [given]
    count = body.get("n") if isinstance(body.get("n"), int) else 1
    return Asked(operation, read_text(body.get("model")), texts=tuple(map(read_text, texts)), count=count or 1)


def _read_form(request: Request) -> Asked:
    """Read the form that brings a picture to change (RFC 7578)."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    fields = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
    texts = {str(name): _read_payload(part).decode(errors="replace") for name, part in fields.items()}
    pictures = [_read_payload(part) for name, part in fields.items() if str(name).removesuffix("[]") == "image"]
    count = int(texts["n"]) if re.fullmatch(r"\d+", texts.get("n", "")) else 1
    prompt = texts.get("prompt", "")
    return Asked("image_edit", texts.get("model", ""), texts=(prompt,), pictures=tuple(pictures), count=count)


def _read_payload(part: Any) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _write_completion(asked: Asked, turn: Turn) -> dict[str, Any]:
    text = "".join(turn.text)
    message: dict[str, Any] = {"role": "assistant", "content": None if turn.calls else text, "refusal": None}
    if turn.reasoning or turn.nulls:
        message["reasoning_content"] = "".join(turn.reasoning) or None
    if turn.calls or turn.nulls:
        message["tool_calls"] = [_write_call(call, call.arguments) for call in turn.calls] or None
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": turn.finish_reason}
    usage = None if turn.usage is None else write_usage(turn.usage, nulls=turn.nulls)
    nulls = {"service_tier": None, "system_fingerprint": None} if turn.nulls else {}
    whole = {**_HEAD, "object": "chat.completion", "model": asked.model, "choices": [choice], **nulls}
    return {**whole, "usage": usage} if usage or turn.nulls else whole


def _write_call(call: ToolCall, arguments: Any) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(arguments)}}


def write_usage(usage: Usage, *, nulls: bool = False) -> dict[str, Any]:
    """Return the tokens of an answer."""
    told: dict[str, Any] = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.answer,
        "total_tokens": usage.prompt + usage.answer,
    }
    if nulls:
        return {**told, "prompt_tokens_details": None, "completion_tokens_details": None}
    return {
        **told,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def _list_deltas(turn: Turn) -> Iterator[dict[str, Any]]:
    """Yield what the events of a stream add; the arguments of several calls come in turns."""
    nulls = {"refusal": None, "tool_calls": None, "reasoning_content": None} if turn.nulls else {}
    yield {"role": "assistant", "content": "" if not turn.calls else None, **nulls}
    for piece in turn.reasoning:
        yield {"reasoning_content": piece}
    for piece in () if turn.calls else turn.text:
        yield {**nulls, "content": piece}
    if turn.nulls:
        yield {"role": None, "content": None, **nulls}
    for at, call in enumerate(turn.calls):
        start = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": at, **start}]}
    pieces = [split_text(json.dumps(call.arguments), call.pieces) for call in turn.calls]
    for row in zip_longest(*pieces):
        for at, piece in enumerate(row):
            if piece is not None:
                yield {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}


def _write_vector(at: int, text: str) -> dict[str, Any]:
    return {"object": "embedding", "index": at, "embedding": make_vector(text)}


def _write_picture(picture: bytes, turn: Turn, origin: str) -> dict[str, Any]:
    if turn.picture_url:
        return {"url": (origin if turn.picture_url.startswith("/") else "") + turn.picture_url}
    nulls = {"url": None, "revised_prompt": None} if turn.nulls else {}
    return {"b64_json": base64.b64encode(picture).decode(), **nulls}


def _describe(failure: Failure) -> dict[str, Any]:
    return {"message": failure.message, "type": failure.type, "param": None, "code": failure.code}
