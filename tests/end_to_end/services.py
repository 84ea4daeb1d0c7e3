"""What the services answer, in their own words: builders of whole and of streamed answers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

from loopback import Reply, make_chunk, make_completion, reply_events, reply_json


def say_openai(message: dict[str, Any], finish_reason: str = "stop", **more: Any) -> Reply:
    """A whole answer of OpenAI's."""
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": finish_reason}
    return reply_json(make_completion(choices=[choice], **more))


def say_anthropic(*blocks: dict[str, Any], stop_reason: str = "end_turn", **more: Any) -> Reply:
    """A whole answer of Anthropic's."""
    usage = {"input_tokens": 5, "output_tokens": 4}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "claude", "content": list(blocks)}
    return reply_json({**message, "stop_reason": stop_reason, "usage": usage, **more})


def say_gemini(*parts: dict[str, Any], finish_reason: str = "STOP", **more: Any) -> Reply:
    """A whole answer of Gemini's."""
    candidate = {"index": 0, "content": {"role": "model", "parts": list(parts)}, "finishReason": finish_reason}
    return reply_json({"candidates": [candidate], **more})


def stream_openai(*deltas: dict[str, Any], finish_reason: str = "stop", **more: Any) -> Reply:
    """A streamed answer of OpenAI's; `more` stands in its last event."""
    chunks = [{"id": "c", "model": "gpt", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    return reply_events(*chunks, make_chunk(finish_reason=finish_reason), {"choices": [], **more})


def stream_anthropic(*blocks: Sequence[dict[str, Any]], stop_reason: str = "end_turn", **usage: Any) -> Reply:
    """A streamed answer of Anthropic's: each block is its start, then its deltas."""
    start = {"id": "m", "role": "assistant", "model": "claude", "content": [], "usage": {"input_tokens": 5}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, (first, *deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": first})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": stop_reason}
    events += [
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 4, **usage}},
        {"type": "message_stop"},
    ]
    return reply_events(*events, end=())


def stream_gemini(*pieces: Sequence[dict[str, Any]], **more: Any) -> Reply:
    """A streamed answer of Gemini's: each piece is the parts of one event."""
    events = [{"candidates": [{"index": 0, "content": {"parts": list(parts)}}]} for parts in pieces]
    end = {"candidates": [{"index": 0, "finishReason": "STOP"}], **more}
    return reply_events(*events, end, end=())


def make_picture() -> bytes:
    """A PNG of one pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixel = zlib.compress(bytes([0, 255, 255, 255]))
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
