"""Tools: their definitions, which of them must be called, and the calls that a conversation holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from g4f.errors import APIResponseError
from g4f.wire.dialect import Warn
from g4f.wire.json import decode_exactly
from g4f_provider_anthropic.wire.families import Family
from g4f_provider_anthropic.wire.parts import Block
from g4f_provider_anthropic.wire.schema import encode_schema

_NO_ARGUMENTS = {"type": "object", "properties": {}}
_CHOICES = {"auto": "auto", "required": "any", "any": "any", "none": "none"}


def encode_tools(tools: Sequence[Any], warn: Warn) -> list[Block]:
    """Write definitions. Those that are not of OpenAI's form are the service's own and stay as they are."""
    written = []
    for tool in tools:
        if not isinstance(tool, Mapping):
            warn(f"A tool was left out: {tool!r} is no definition.")
        elif isinstance(tool.get("function"), Mapping):
            written.append(_encode_function(tool["function"], tool))
        elif isinstance(tool.get("custom"), Mapping):
            warn(f"The tool {tool['custom'].get('name')!r} was left out: Anthropic's tools take JSON, not free text.")
        else:
            written.append(dict(tool))
    return written


def _encode_function(function: Mapping[str, Any], tool: Mapping[str, Any]) -> Block:
    written: Block = {"name": function.get("name"), "input_schema": function.get("parameters") or dict(_NO_ARGUMENTS)}
    if function.get("description") is not None:
        written["description"] = function["description"]
    if function.get("strict"):
        written["strict"] = True
        written["input_schema"] = encode_schema(written["input_schema"])
    extra = {name: value for name, value in tool.items() if name not in ("type", "function") and value is not None}
    return {**written, **extra}


def encode_web_search(options: Mapping[str, Any], warn: Warn) -> Block:
    """Write OpenAI's `web_search_options` as the service's own search tool."""
    tool: Block = {"type": "web_search_20250305", "name": "web_search"}
    place = options.get("user_location")
    if isinstance(place, Mapping):
        tool["user_location"] = {"type": "approximate", **(place.get("approximate") or {})}
    if options.get("search_context_size"):
        warn("search_context_size was left out: Anthropic's search does not know it.")
    return tool


def encode_tool_choice(choice: Any, family: Family, warn: Warn) -> Block | None:
    """Write which tool must be called; None where the choice is the service's own default."""
    written = _read_choice(choice, warn)
    if written is not None and written["type"] in ("any", "tool") and not family.forces_tools:
        warn("tool_choice became 'auto': this model refuses to be forced to call a tool.")
        return {"type": "auto"}
    return written


def _read_choice(choice: Any, warn: Warn) -> Block | None:
    if choice is None:
        return None
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    if isinstance(choice, Mapping):
        function = choice.get("function")
        if isinstance(function, Mapping):
            return {"type": "tool", "name": function.get("name")}
        if choice.get("type") in ("auto", "any", "tool", "none"):
            return dict(choice)
    warn(f"tool_choice={choice!r} was left out: Anthropic does not know it.")
    return None


def encode_call(call: Any) -> Block:
    """Write one of an assistant's tool calls."""
    call = call if isinstance(call, Mapping) else {}
    function = call.get("function") or call.get("custom")
    function = function if isinstance(function, Mapping) else {}
    arguments = function.get("arguments", function.get("input"))
    return {
        "type": "tool_use",
        "id": encode_id(call.get("id")),
        "name": str(function.get("name") or "unnamed"),
        "input": _read_arguments(arguments),
    }


def _read_arguments(arguments: Any) -> dict[str, Any]:
    """Return what a tool was called with. Text that is no JSON object (a call that was cut) is kept as it is."""
    if isinstance(arguments, Mapping):
        return dict(arguments)
    text = arguments if isinstance(arguments, str) else ""
    if not text.strip():
        return {}
    try:
        value = decode_exactly(text.encode("utf-8", "surrogatepass"))
    except APIResponseError:
        value = text
    return value if isinstance(value, dict) else {"arguments": value}


def encode_id(value: Any) -> str:
    """Write a call's id with the letters that the service allows: other services use more."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", str(value or "")) or "unnamed"
