"""What pydantic's models and dataclasses say of themselves, made strict; pydantic is imported only for such a class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TABLES = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def is_pydantic(kind: object) -> bool:
    """Tell a class of pydantic's kind."""
    return isinstance(kind, type) and hasattr(kind, "__pydantic_validator__")


def make_adapter(kind: type) -> Any:
    """Return what describes a class of pydantic's kind and reads its values."""
    from pydantic import TypeAdapter  # who has such a class has pydantic

    return TypeAdapter(kind)


def make_strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema as OpenAI's strict mode takes it: closed objects with all members required, and no defaults.

    What the service fills in by itself has no meaning there, and Azure refuses it. Source:
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas; as the official SDK does it.
    """
    tight: dict[str, Any] = _tighten(schema, schema)
    return tight


def _tighten(schema: Any, root: Mapping[str, Any]) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    schema = _unfold(schema, root)
    tight = {name: _tighten_part(name, part, root) for name, part in schema.items() if name != "default"}
    if tight.get("type") == "object":
        tight.setdefault("additionalProperties", False)
    if "properties" in tight:
        tight["required"] = list(tight["properties"])
    return tight


def _tighten_part(name: str, part: Any, root: Mapping[str, Any]) -> Any:
    if name in _TABLES:
        return {key: _tighten(item, root) for key, item in part.items()}
    if name in _LISTS:
        return [_tighten(item, root) for item in part]
    return _tighten(part, root) if name in ("items", "additionalProperties") else part


def _unfold(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put what a reference means in its place where something stands beside it, since strict mode takes it only alone.

    An `allOf` of one is written by older versions of pydantic for the same purpose.
    """
    if len(schema.get("allOf", ())) == 1:
        schema = {**schema["allOf"][0], **{name: part for name, part in schema.items() if name != "allOf"}}
    rest = {name: part for name, part in schema.items() if name not in ("$ref", "default")}
    if "$ref" not in schema or not rest:
        return schema
    meant: Any = root
    for key in schema["$ref"].removeprefix("#/").split("/"):
        meant = meant[key]
    return {**meant, **rest}
