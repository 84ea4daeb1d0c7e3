"""Messages: OpenAI's list becomes the system's words and turns of user and assistant that alternate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from g4f.errors import InvalidInputError
from g4f.wire.dialect import Warn
from g4f_provider_anthropic.wire.parts import Block, encode_parts, is_blank
from g4f_provider_anthropic.wire.tools import encode_call, encode_id

_SYSTEM = ("system", "developer")
_RESULTS = ("tool", "function")
Turn = dict[str, Any]


def encode_messages(
    messages: Sequence[Mapping[str, Any]], instruction: str | None, warn: Warn
) -> tuple[str | list[Block] | None, list[Turn]]:
    """Write a conversation.

    Args:
        messages: OpenAI's message objects.
        instruction: A sentence to add to the system's words.
        warn: Tells what was changed.

    Returns:
        What goes into `system`, and the turns.

    Raises:
        InvalidInputError: A message cannot be understood, or none has content.
        UnsupportedError: A message has a part that the service cannot read.
    """
    system: list[Any] = []
    turns: list[Turn] = []
    for message in messages:
        if message.get("role") in _SYSTEM:
            if turns:
                warn("A system message inside the conversation was moved to its beginning.")
            system.append(message.get("content"))
        else:
            _add_turn(turns, *_encode_message(message, warn))
    if not turns and system:
        warn("The system message was sent as the user's: Anthropic answers no conversation without one.")
        _add_turn(turns, "user", [block for content in system for block in encode_parts(content)])
        system = []
    if not turns:
        raise InvalidInputError("There is nothing to send: no message has content.")
    return _encode_system([*system, *([instruction] if instruction else [])]), turns


def _encode_system(contents: Sequence[Any]) -> str | list[Block] | None:
    given = [content for content in contents if encode_parts(content)]
    if len(given) == 1 and isinstance(given[0], str):
        return given[0]
    return [block for content in given for block in encode_parts(content)] or None


def _encode_message(message: Mapping[str, Any], warn: Warn) -> tuple[str, str | list[Block]]:
    """Return whose turn a message belongs to, and its content there."""
    role, content = message.get("role"), message.get("content")
    if message.get("name") and role != "function":
        warn("The name of a message's author was left out: Anthropic does not know it.")
    if role in _RESULTS:
        return "user", [_encode_result(message)]
    if role == "user":
        return "user", content if isinstance(content, str) and content.strip() else encode_parts(content)
    if role == "assistant":
        blocks = _encode_assistant(message)
        plain = isinstance(content, str) and [block["type"] for block in blocks] == ["text"]
        return "assistant", str(content) if plain else blocks
    raise InvalidInputError(f"A message has the role {role!r}; known are system, developer, user, assistant and tool.")


def _add_turn(turns: list[Turn], role: str, content: str | list[Block]) -> None:
    """Add a message to the turn that it continues, or begin one; a message without content is none."""
    if not content:
        return
    if not turns or turns[-1]["role"] != role:
        turns.append({"role": role, "content": content})
        return
    turn = turns[-1]
    blocks = [*encode_parts(turn["content"]), *encode_parts(content)]
    if role == "user":  # the service wants the results of tools before everything else
        blocks.sort(key=lambda block: block.get("type") != "tool_result")
    turn["content"] = blocks


def _encode_result(message: Mapping[str, Any]) -> Block:
    identity = message.get("tool_call_id") or message.get("name")
    content = message.get("content")
    blocks = [
        {name: value for name, value in block.items() if name != "title"} if block["type"] == "image" else block
        for block in encode_parts(content)
    ]
    result: Block = {"type": "tool_result", "tool_use_id": encode_id(identity)}
    if blocks:
        result["content"] = content if isinstance(content, str) else blocks
    kept = {name: message[name] for name in ("is_error", "cache_control") if message.get(name) is not None}
    return {**result, **kept}


def _encode_assistant(message: Mapping[str, Any]) -> list[Block]:
    told = message.get("content_blocks")
    if isinstance(told, list) and _is_unchanged(told, message):
        return [dict(block) for block in told if not is_blank(block)]
    return [
        *_encode_thoughts(message.get("thinking_blocks")),
        *encode_parts(message.get("content")),
        *_list_calls(message),
    ]


def _list_calls(message: Mapping[str, Any]) -> list[Block]:
    calls = message.get("tool_calls")
    found = [encode_call(call) for call in calls] if isinstance(calls, (list, tuple)) else []
    function = message.get("function_call")  # as OpenAI's first models called functions: by name, without an id
    if isinstance(function, Mapping):
        found.append(encode_call({"id": function.get("name"), "function": function}))
    return found


def _is_unchanged(told: list[Any], message: Mapping[str, Any]) -> bool:
    """Tell whether `content_blocks` still say what the message says: the user may have edited the latter."""
    if not all(isinstance(block, Mapping) for block in told):
        return False
    text = "".join(str(block.get("text") or "") for block in told if block.get("type") == "text")
    calls = [encode_id(block.get("id")) for block in told if block.get("type") == "tool_use"]
    return text == (message.get("content") or "") and calls == [call["id"] for call in _list_calls(message)]


def _encode_thoughts(thoughts: Any) -> list[Block]:
    """Write thinking back as it came; without its signature the service would refuse it."""
    if not isinstance(thoughts, (list, tuple)):
        return []
    return [
        {name: value for name, value in thought.items() if name != "index"}
        for thought in thoughts
        if isinstance(thought, Mapping) and (thought.get("signature") or thought.get("data"))
    ]
