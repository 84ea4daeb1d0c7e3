"""Anthropic's Messages dialect as the service speaks it.

Sources: https://platform.claude.com/docs/en/api/messages, …/streaming, …/errors, …/models/list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from g4f_testkit.dialect import Asked, Feature
from g4f_testkit.dialects.reading import decode_base64, read_table, read_tables, read_text, split_text
from g4f_testkit.http import Reply, Request, reply_json, reply_stream, write_event
from g4f_testkit.script import Failure, Turn, Usage

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
_PING = write_event({"type": "ping"}, "ping")


class AnthropicDialect:
    """What Anthropic speaks: chats and the list of models."""

    lacks: frozenset[Feature] = frozenset()
    signs = True

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks."""
        if request.method == "GET" and request.path.endswith("/v1/models"):
            return Asked("models")
        return _read_chat(request.table) if request.path.endswith("/v1/messages") else None

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:  # noqa: ARG002 - others name URLs
        """Return the whole answer."""
        if asked.operation == "models":
            rows = [{"type": "model", "id": name, "created_at": "2026-01-01T00:00:00Z"} for name in turn.models]
            return reply_json({"data": rows, "has_more": False, "first_id": None, "last_id": None, **turn.extra})
        message = _write_message(asked, turn)
        usage = {} if turn.usage is None else {"usage": write_usage(turn.usage)}
        content = list(_list_blocks(turn))
        return reply_json({**message, "content": content, **_write_end(turn), **usage})

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Return the events of a stream, up to message_stop."""
        content = [write_event(event, event["type"]) for event in _list_events(asked, turn)]
        if turn.failure is not None:
            return reply_stream([*content, write_event(_describe(turn.failure), "error")], [b"\n"], _PING)
        usage = {} if turn.usage is None else {"usage": write_usage(turn.usage)}
        end = {"type": "message_delta", "delta": _write_end(turn), **usage, **turn.extra}
        stop = {"type": "message_stop"}
        return reply_stream(content, [write_event(end, "message_delta"), write_event(stop, "message_stop")], _PING)

    def write_error(self, failure: Failure) -> Reply:
        """Return an error object, and what stands in headers."""
        headers = {"request-id": failure.request_id}
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
        return reply_json(_describe(failure), failure.status, headers)


def _read_chat(body: dict[str, Any]) -> Asked:
    turns = read_tables(body.get("messages"))
    blocks = [block for turn in turns for block in _list_content(turn)]
    names = {block.get("id"): read_text(block.get("name")) for block in blocks if block.get("type") == "tool_use"}
    system = body.get("system")
    config, thinking = read_table(body.get("output_config")), read_table(body.get("thinking"))
    return Asked(
        "chat",
        model=read_text(body.get("model")),
        stream=body.get("stream") is True,
        texts=tuple(_join_text(_list_content(turn)) for turn in turns if turn.get("role") == "user"),
        system=read_text(system) or _join_text(read_tables(system)),
        pictures=tuple(_read_source(block) for block in blocks if block.get("type") == "image"),
        documents=tuple(
            decode_base64(read_table(block.get("source")).get("data"))
            for block in blocks
            if block.get("type") == "document"
        ),
        tools=tuple(read_text(tool.get("name")) for tool in read_tables(body.get("tools"))),
        calls=tuple(names.values()),
        results=tuple(
            (names.get(block.get("tool_use_id"), ""), _join_text(_list_content(block)))
            for block in blocks
            if block.get("type") == "tool_result"
        ),
        schema=read_table(config.get("format")).get("schema"),
        signatures=tuple(read_text(block.get("signature")) for block in blocks if block.get("type") == "thinking"),
        effort=read_text(config.get("effort")) or str(thinking.get("budget_tokens") or ""),
    )


def _list_content(holder: dict[str, Any]) -> list[dict[str, Any]]:
    content = holder.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else read_tables(content)


def _join_text(blocks: list[dict[str, Any]]) -> str:
    return "".join(read_text(block.get("text")) for block in blocks)


def _read_source(block: dict[str, Any]) -> bytes | str:
    source = read_table(block.get("source"))
    return read_text(source["url"]) if source.get("url") else decode_base64(source.get("data"))


def _write_message(asked: Asked, turn: Turn) -> dict[str, Any]:
    nulls = {"container": None, "context_management": None} if turn.nulls else {}
    head = {"id": "msg_g4f", "type": "message", "role": "assistant", "model": asked.model}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None, **nulls, **turn.extra}


def _write_end(turn: Turn) -> dict[str, Any]:
    return {"stop_reason": _STOPS[turn.finish_reason], "stop_sequence": None}


def _list_blocks(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.reasoning:
        yield {"type": "thinking", "thinking": "".join(turn.reasoning), "signature": turn.signature}
    if turn.text and not turn.calls:
        yield {"type": "text", "text": "".join(turn.text), **({"citations": None} if turn.nulls else {})}
    for call in turn.calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}


def write_usage(usage: Usage) -> dict[str, Any]:
    """Return the tokens of an answer; what was cached is not counted with the rest."""
    return {
        "input_tokens": usage.prompt - usage.cached,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": usage.answer,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def _list_events(asked: Asked, turn: Turn) -> Iterator[dict[str, Any]]:
    """Yield the events with content: blocks one after the other, each begun, told in pieces, and closed."""
    start = {} if turn.usage is None else {"usage": {**write_usage(turn.usage), "output_tokens": 1}}
    yield {"type": "message_start", "message": {**_write_message(asked, turn), **start}}
    for at, (block, deltas) in enumerate(_list_deltas(turn)):
        yield {"type": "content_block_start", "index": at, "content_block": block}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": at, "delta": delta}
        yield {"type": "content_block_stop", "index": at}


def _list_deltas(turn: Turn) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if turn.reasoning:
        told = [{"type": "thinking_delta", "thinking": piece} for piece in turn.reasoning]
        signature = {"type": "signature_delta", "signature": turn.signature}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*told, signature]
    if turn.text and not turn.calls:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in turn.text]
    for call in turn.calls:
        pieces = ["", *split_text(json.dumps(call.arguments), call.pieces)]
        told = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}, told


def _describe(failure: Failure) -> dict[str, Any]:
    kind = _TYPES.get(failure.status, "api_error") if failure.in_stream else failure.type
    details = {"error_code": failure.code}
    error = {"type": kind, "message": failure.message, "details": details}
    return {"type": "error", "error": error, "request_id": failure.request_id}
