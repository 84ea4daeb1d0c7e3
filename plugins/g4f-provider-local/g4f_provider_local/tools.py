"""Tool calls, which small models write as they like: pure functions that ask for them and recognize them.

The runtime knows a call by the marks that the model's template asks for. A small model leaves the marks away and writes
only the JSON, as `{"name": "get_weather", "arguments": {"city": "Paris"}}`, perhaps in a fence. And where a call is
required, the runtime only waits for one: we let it write nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from g4f.errors import InvalidInputError

_MAY_BEGIN_CALL = re.compile(r"\s*(`{1,2}|```(j|js|jso|json)?\s*(\{.*)?|\{.*)?", re.DOTALL)


def list_names(tools: Sequence[Mapping[str, Any]] | None, choice: object = None) -> frozenset[str]:
    """Return the names of the functions among `tools` that may be called."""
    return frozenset() if choice == "none" else frozenset(_list_functions(tools or ()))


def _list_functions(tools: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {tool["function"]["name"]: tool["function"] for tool in tools if "function" in tool}


def make_call_schema(tools: Sequence[Mapping[str, Any]], choice: object) -> dict[str, Any] | None:
    """Return the JSON schema of a call that `tool_choice` requires, or None where it requires none.

    Raises:
        InvalidInputError: There is no such function.
    """
    if choice != "required" and not isinstance(choice, Mapping):
        return None
    functions = _list_functions(tools)
    if isinstance(choice, Mapping):
        name = choice.get("function", {}).get("name")
        functions = {name: functions[name]} if name in functions else {}
    if not functions:
        raise InvalidInputError(
            f"tool_choice={choice!r} requires a call, and there is no such function among the tools."
        )
    # What the parameters of a function refer to, they refer to from the root.
    shared = {key: part for function in functions.values() for key, part in _read_definitions(function).items()}
    schema = {"anyOf": [_make_schema(function) for function in functions.values()]}
    return {**schema, "$defs": shared} if shared else schema


def _read_definitions(function: Mapping[str, Any]) -> Mapping[str, Any]:
    definitions: Mapping[str, Any] = (function.get("parameters") or {}).get("$defs") or {}
    return definitions


def _make_schema(function: Mapping[str, Any]) -> dict[str, Any]:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    arguments = {name: part for name, part in parameters.items() if name != "$defs"}
    return {
        "type": "object",
        "properties": {"name": {"const": function["name"]}, "arguments": arguments},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def may_begin_call(text: str) -> bool:
    """Tell whether a text that begins so could still become a call."""
    return _MAY_BEGIN_CALL.fullmatch(text) is not None


def read_calls(text: str, names: frozenset[str], answer_id: str) -> list[dict[str, Any]]:
    """Return the tool calls that a text is, or none where it is anything else.

    Args:
        text: The whole text of an answer.
        names: The functions that may be called.
        answer_id: The answer's id, from which those of the calls are made.
    """
    objects = _read_objects(_strip_fence(text.strip()))
    if not objects or not all(_is_call(found, names) for found in objects):
        return []
    return [
        {
            "id": f"call-{answer_id}-{at}",
            "type": "function",
            "function": {"name": found["name"], "arguments": json.dumps(found["arguments"], ensure_ascii=False)},
        }
        for at, found in enumerate(objects)
    ]


def _strip_fence(text: str) -> str:
    if not text.startswith("```"):
        return text
    return text.removeprefix("```").removeprefix("json").removesuffix("```")


def _read_objects(text: str) -> list[Any]:
    """Return the JSON values that a text is made of, or none if there is anything else in it."""
    decoder = json.JSONDecoder()
    found, text = [], text.strip()
    while text:
        try:
            value, end = decoder.raw_decode(text)
        except (ValueError, RecursionError):
            return []
        found.append(value)
        text = text[end:].lstrip(" \n\r\t,")
    return found


def _is_call(value: Any, names: frozenset[str]) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("arguments"), dict):
        return False
    return isinstance(value.get("name"), str) and value["name"] in names
