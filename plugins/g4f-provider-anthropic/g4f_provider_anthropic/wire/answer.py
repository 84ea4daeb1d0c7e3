"""The dialect's content blocks become OpenAI's message, for whole answers and for streams.

What OpenAI's message cannot say stands beside it: `thinking_blocks` (with the signatures that the service wants back)
and, where the blocks are more than thinking, a text and calls, `content_blocks`: all of them, as they came. Sent back
in the messages of the next request, both return to the service unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from g4f.wire.json import encode_json
from g4f_provider_anthropic.wire.parts import Block

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
THOUGHTS = ("thinking", "redacted_thinking")
# Of a message, what goes into the choice, or nowhere since OpenAI's form says it otherwise.
_OF_CHOICE = ("stop_reason", "stop_sequence", "stop_details")
_SAID_OTHERWISE = ("type", "role", "content", "usage", *_OF_CHOICE)
_PLAIN_FIELDS = {
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "text": {"type", "text"},
    "tool_use": {"type", "id", "name", "input"},
}
_PLAIN_ORDER = {"thinking": 0, "redacted_thinking": 0, "text": 1, "tool_use": 2}
_DIRECT = {"type": "direct"}


def build_head(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the id, the model and all else that a message says about itself."""
    head = {name: value for name, value in message.items() if name not in _SAID_OTHERWISE and value is not None}
    return {**head, "id": read_text(message, "id"), "model": read_text(message, "model")}


def build_message(blocks: Sequence[Block]) -> dict[str, Any]:
    """Return the fields of OpenAI's message, and those beside it, that some blocks make."""
    texts = [read_text(block, "text") for block in blocks if block.get("type") == "text"]
    thoughts = [block for block in blocks if block.get("type") in THOUGHTS]
    calls = [build_call(block) for block in blocks if block.get("type") == "tool_use"]
    thinking = "".join(read_text(block, "thinking") for block in thoughts)
    message: dict[str, Any] = {"content": "".join(texts) if texts else None}
    if thinking:
        message["reasoning_content"] = thinking
    if thoughts:
        message["thinking_blocks"] = [dict(block) for block in thoughts]
    if calls:
        message["tool_calls"] = calls
    if not is_plain(blocks):
        message["content_blocks"] = [dict(block) for block in blocks]
    return message


def build_call(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call."""
    given = block.get("input")
    arguments = encode_json({} if given is None else given).decode("utf-8", "surrogatepass")
    function = {"name": read_text(block, "name"), "arguments": arguments}
    return {"id": read_text(block, "id"), "type": "function", "function": function}


def is_plain(blocks: Sequence[Block]) -> bool:
    """Tell whether OpenAI's message and the thinking beside it say all: thoughts, then a text, then calls."""
    order = [_PLAIN_ORDER.get(str(block.get("type")), -1) for block in blocks]
    return -1 not in order and order == sorted(order) and order.count(1) <= 1 and all(map(_is_plain_block, blocks))


def _is_plain_block(block: Mapping[str, Any]) -> bool:
    fields = {name for name, value in block.items() if value not in (None, []) and (name, value) != ("caller", _DIRECT)}
    return fields <= _PLAIN_FIELDS[block["type"]]


def build_end(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return why an answer ended, in OpenAI's word and in the service's own."""
    reason = message.get("stop_reason")
    own = {name: message[name] for name in _OF_CHOICE if message.get(name) is not None}
    finish = FINISH_REASONS.get(reason, "stop") if isinstance(reason, str) else "stop"
    return {"finish_reason": finish, **own}


def build_usage(usage: Any) -> dict[str, Any] | None:
    """Return the tokens that an answer took: OpenAI's fields, and the service's own beside them."""
    if not isinstance(usage, dict):
        return None
    cached = _read_count(usage, "cache_read_input_tokens")
    prompt = _read_count(usage, "input_tokens") + cached + _read_count(usage, "cache_creation_input_tokens")
    answer = _read_count(usage, "output_tokens")
    built = {
        **usage,
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    details = usage.get("output_tokens_details")
    if isinstance(details, dict):
        built["completion_tokens_details"] = {"reasoning_tokens": _read_count(details, "thinking_tokens")}
    return built


def _read_count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def read_text(block: Mapping[str, Any], name: str) -> str:
    """Return a field that should be a text."""
    value = block.get(name)
    return value if isinstance(value, str) else ""
