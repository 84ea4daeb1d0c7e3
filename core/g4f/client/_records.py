"""Dataclasses, attrs classes and typed dicts as what JSON objects are: their members, and values of them."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

Schema = dict[str, Any]
Read = Callable[[Any, str], Any]


class MisfitError(ValueError):
    """A value that is not of the type that was asked for; the text says where and why."""


def complain(where: str, wanted: str, value: Any) -> MisfitError:
    """Make the error that says what should be where."""
    shown = json.dumps(value, ensure_ascii=False)
    return MisfitError(f"{where} must be {wanted}, not {shown if len(shown) <= 80 else shown[:79] + '…'}")


@attrs.frozen
class Member:
    """A member of an object: its name in the JSON, the argument that its class takes, its type."""

    name: str
    argument: str
    hint: Any
    optional: bool


def is_record(kind: object) -> bool:
    """Tell such a class."""
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or attrs.has(kind) or typing.is_typeddict(kind))


def name_type(kind: Any) -> str:
    """Return what a type is called."""
    return getattr(kind, "__name__", None) or str(kind)


def begin_schema(kind: type) -> Schema:
    """Return the schema of a class without its members, described by its docstring."""
    schema: Schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    told = (kind.__dict__.get("__doc__") or "").strip()
    made_up = told.startswith(f"{kind.__name__}(")  # by the decorator of dataclasses
    return {"description": told, **schema} if told and not made_up else schema


def list_members(kind: type) -> list[Member]:
    """Return the members of a dataclass, an attrs class or a typed dict.

    Raises:
        TypeError: The name of a type leads nowhere.
    """
    try:
        hints = typing.get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise TypeError(f"A type in {name_type(kind)} is not known where the class stands: {error}.") from None
    return [Member(name, argument, hints[name], optional) for name, argument, optional in _list_names(kind, hints)]


def _list_names(kind: Any, hints: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    if typing.is_typeddict(kind):  # it cannot itself see the marks where annotations are texts
        marked = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.NotRequired}
        return [(name, name, name in marked | kind.__optional_keys__) for name in hints]
    if attrs.has(kind):
        taken = [item for item in attrs.fields(kind) if item.init]
        return [(item.name, item.alias or item.name, item.default is not attrs.NOTHING) for item in taken]
    return [
        (item.name, item.name, not (item.default is item.default_factory is dataclasses.MISSING))
        for item in dataclasses.fields(kind)
        if item.init
    ]


def read_record(kind: Any, readers: Sequence[tuple[Member, Read]], value: Any, where: str) -> Any:
    """Make a value of a class from a decoded object.

    Raises:
        MisfitError: It does not fit.
    """
    if not isinstance(value, dict):
        raise complain(where, "an object", value)
    unknown = value.keys() - {member.name for member, _ in readers}
    if unknown:
        raise MisfitError(f"{where} has no member {sorted(unknown)[0]!r}")
    arguments = {}
    for member, read in readers:
        if member.name in value:
            arguments[member.argument] = read(value[member.name], f"{where}.{member.name}")
        elif not member.optional:
            raise MisfitError(f"{where} lacks {member.name!r}")
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:  # it checks its values
        raise MisfitError(f"{where} is no {name_type(kind)}: {error}") from error
