"""JSON schemas as structured outputs take them: closed objects, few constraints.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations. What is not
known there is told to the model in the description, as the official SDK does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
_KNOWN = {"type", "enum", "const", "title", "description", "$ref", "default"}
_LISTS_OF_SCHEMAS = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_TABLES_OF_SCHEMAS = ("properties", "$defs", "definitions")
_OF_OBJECTS = {"properties", "required", "additionalProperties"}


def encode_schema(schema: Any) -> Any:
    """Write a schema without what the service refuses; what is left out stands in its description."""
    if not isinstance(schema, Mapping):
        return schema
    written: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in schema.items():
        if name in _TABLES_OF_SCHEMAS and isinstance(value, Mapping):
            written[name] = {key: encode_schema(item) for key, item in value.items()}
        elif name in _LISTS_OF_SCHEMAS and isinstance(value, (list, tuple)):
            written[_LISTS_OF_SCHEMAS[name]] = [encode_schema(item) for item in value]
        elif name == "items":
            written[name] = encode_schema(value)
        elif _is_taken(name, value):
            written[name] = value
        else:
            rest[name] = value
    return _close_object(_describe(written, rest))


def _is_taken(name: str, value: Any) -> bool:
    if name == "format":
        return value in _FORMATS
    if name == "minItems":
        return value in (0, 1)
    return name in _KNOWN or name in _OF_OBJECTS


def _describe(written: dict[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    if rest:
        told = "{" + ", ".join(f"{name}: {value}" for name, value in rest.items()) + "}"
        before = written.get("description")
        written["description"] = f"{before}\n\n{told}" if before else told
    return written


def _close_object(written: dict[str, Any]) -> dict[str, Any]:
    kind = written.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in written:
        written["additionalProperties"] = False
    return written


def has_open_objects(schema: Any) -> bool:
    """Tell whether there is an object in a schema whose members have no names, only a type.

    The service takes closed objects alone, and would answer with an empty one.
    """
    if isinstance(schema, Mapping):
        opened = schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping)
        return opened or any(map(has_open_objects, schema.values()))
    return isinstance(schema, (list, tuple)) and any(map(has_open_objects, schema))
