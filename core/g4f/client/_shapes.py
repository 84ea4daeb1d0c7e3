"""Types as JSON schemas, and decoded JSON read as values of them.

Each kind of type has one function here, which makes both. The schemas are those of OpenAI's strict mode
(https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). Classes of pydantic's describe and read
themselves. Asking for answers of a type is left to `_parse.py`.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

import attrs

from g4f.client._pydantic import is_pydantic, make_adapter, make_strict
from g4f.client._records import (
    Member,
    MisfitError,
    Read,
    Schema,
    begin_schema,
    complain,
    is_record,
    list_members,
    name_type,
    read_record,
)

Arguments = tuple[Any, ...]

_PLAIN: Mapping[Any, tuple[str, str]] = {
    str: ("string", "a text"),
    bool: ("boolean", "true or false"),
    int: ("integer", "a whole number"),
    float: ("number", "a number"),
    type(None): ("null", "null"),
}
_FORMATS: Mapping[Any, tuple[str, Callable[[str], Any]]] = {
    datetime: ("date-time", datetime.fromisoformat),
    date: ("date", date.fromisoformat),
    time: ("time", time.fromisoformat),
    UUID: ("uuid", UUID),
}
_LISTS: Mapping[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    Iterable: list,
    Sequence: list,
    Set: frozenset,
}


@attrs.frozen
class Shape:
    """One type: its schema, and how a decoded value becomes one of it. `read` is told where the value stands."""

    schema: Schema
    read: Read


def describe_record(kind: type) -> Shape:
    """Make the shape of a dataclass, an attrs class or a typed dict.

    Raises:
        TypeError: It is none, or has a member whose type JSON cannot say.
    """
    if not is_record(kind):
        raise TypeError(
            f"Nothing can be read as {name_type(kind)}; it must be a dataclass, an attrs class, a TypedDict or a "
            "pydantic model."
        )
    shapes = Shapes()
    shape = shapes.make(kind, name_type(kind))
    root = shapes.definitions.pop(_make_key(kind))
    if _refers(root, shape.schema) or _refers(shapes.definitions, shape.schema):
        shapes.definitions[_make_key(kind)] = root
    return Shape({**root, "$defs": shapes.definitions} if shapes.definitions else root, shape.read)


def _make_key(kind: type) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name_type(kind))


def _refer(key: str) -> Schema:
    return {"$ref": f"#/$defs/{key}"}


def _refers(schema: Any, reference: Schema) -> bool:
    if isinstance(schema, Mapping):
        return schema == reference or any(_refers(part, reference) for part in schema.values())
    return isinstance(schema, list) and any(_refers(part, reference) for part in schema)


def _refuse_twins(key: str) -> TypeError:
    return TypeError(f"Two types are called {key}, which a JSON schema cannot tell apart: rename one.")


class Shapes:
    """Makes the shapes of one type and of all that it is made of.

    Attributes:
        definitions: The schemas of the classes among them, by name.
    """

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._made: dict[Any, Shape] = {}

    def make(self, hint: Any, where: str) -> Shape:
        """Make the shape of a type; `where` is the member that has it, for messages.

        Raises:
            TypeError: JSON cannot say it.
        """
        hint = getattr(hint, "__value__", hint)  # what `type Name = …` stands for
        origin, arguments = typing.get_origin(hint) or hint, typing.get_args(hint)
        make = _MAKERS.get(origin)
        return (make(self, origin, arguments, where) if make else None) or self._make_class(hint, where)

    def _make_class(self, kind: Any, where: str) -> Shape:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return _make_choice([(item.value, item) for item in kind])
        make = self._make_model if is_pydantic(kind) else self._make_record if is_record(kind) else None
        if make is None:
            raise TypeError(f"{where} is of the type {name_type(kind)}, for which g4f has no JSON schema.")
        return self._made.get(kind) or make(kind)

    def _make_record(self, kind: type) -> Shape:
        readers: list[tuple[Member, Read]] = []  # filled below: a class may hold values of itself
        key, schema = _make_key(kind), begin_schema(kind)
        shape = self._made[kind] = Shape(_refer(key), lambda value, where: read_record(kind, readers, value, where))
        if self.definitions.setdefault(key, schema) is not schema:
            raise _refuse_twins(key)
        for member in list_members(kind):
            made = self.make(member.hint, f"{name_type(kind)}.{member.name}")
            readers.append((member, made.read))
            schema["properties"][member.name] = made.schema
        schema["required"] = list(schema["properties"])
        return shape

    def _make_model(self, kind: type) -> Shape:
        adapter = make_adapter(kind)
        schema = make_strict(adapter.json_schema())
        for key, definition in {**schema.pop("$defs", {}), _make_key(kind): schema}.items():
            if self.definitions.setdefault(key, definition) != definition:
                raise _refuse_twins(key)
        shape = Shape(_refer(_make_key(kind)), lambda value, _: adapter.validate_json(json.dumps(value)))
        self._made[kind] = shape
        return shape


def _make_plain(_: Shapes, kind: Any, __: Arguments, ___: str) -> Shape:
    name, wanted = _PLAIN[kind]

    def read(value: Any, where: str) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value)
        if kind is int and type(value) is float and value.is_integer():  # 3.0 and 3 are one number in JSON
            return int(value)
        raise complain(where, wanted, value)

    return Shape({"type": name}, read)


def _make_formatted(_: Shapes, kind: Any, __: Arguments, ___: str) -> Shape:
    name, make = _FORMATS[kind]

    def read(value: Any, where: str) -> Any:
        try:
            return make(value)
        except (TypeError, ValueError, AttributeError):
            raise complain(where, f"a {name}", value) from None

    return Shape({"type": "string", "format": name}, read)


def _make_literal(_: Shapes, __: Any, arguments: Arguments, ___: str) -> Shape:
    return _make_choice([(value, value) for value in arguments])


def _make_choice(choices: Sequence[tuple[Any, Any]]) -> Shape:
    values = [value for value, _ in choices]
    kinds = {_PLAIN[type(value)][0] for value in values if type(value) in _PLAIN}
    schema = {"type": kinds.pop(), "enum": values} if len(kinds) == 1 else {"enum": values}

    def read(value: Any, where: str) -> Any:
        for written, meant in choices:
            if type(written) is type(value) and written == value:
                return meant
        raise complain(where, " or ".join(map(json.dumps, values)), value)

    return Shape(schema, read)


def _make_marked(shapes: Shapes, _: Any, arguments: Arguments, where: str) -> Shape:
    return shapes.make(arguments[0], where)


def _make_annotated(shapes: Shapes, _: Any, arguments: Arguments, where: str) -> Shape:
    """Take texts in `Annotated` as descriptions; a reference can have none."""
    shape = shapes.make(arguments[0], where)
    told = [mark for mark in arguments[1:] if isinstance(mark, str)]
    if not told or "$ref" in shape.schema:
        return shape
    return Shape({**shape.schema, "description": " ".join(told)}, shape.read)


def _make_union(shapes: Shapes, _: Any, arguments: Arguments, where: str) -> Shape:
    members = [shapes.make(argument, where) for argument in arguments]

    def read(value: Any, where: str) -> Any:
        reasons = []
        for member in members:
            try:
                return member.read(value, where)
            except ValueError as error:
                reasons.append(str(error))
        raise MisfitError("; or ".join(reasons))

    return Shape({"anyOf": [member.schema for member in members]}, read)


def _make_list(shapes: Shapes, kind: Any, arguments: Arguments, where: str) -> Shape | None:
    if not (len(arguments) == 1 or (kind is tuple and arguments[1:] == (...,))):
        return None
    item, build = shapes.make(arguments[0], where), _LISTS[kind]

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise complain(where, "a list", value)
        return build([item.read(each, f"{where}[{at}]") for at, each in enumerate(value)])

    return Shape({"type": "array", "items": item.schema}, read)


def _make_table(shapes: Shapes, _: Any, arguments: Arguments, where: str) -> Shape | None:
    if arguments[:1] != (str,):
        return None
    item = shapes.make(arguments[1], where)

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise complain(where, "an object", value)
        return {key: item.read(each, f"{where}.{key}") for key, each in value.items()}

    return Shape({"type": "object", "additionalProperties": item.schema}, read)


_MAKERS: Mapping[Any, Callable[[Shapes, Any, Arguments, str], Shape | None]] = {
    **dict.fromkeys(_PLAIN, _make_plain),
    **dict.fromkeys(_FORMATS, _make_formatted),
    **dict.fromkeys(_LISTS, _make_list),
    **dict.fromkeys((dict, Mapping), _make_table),
    **dict.fromkeys((typing.Union, types.UnionType), _make_union),
    **dict.fromkeys((typing.Required, typing.NotRequired), _make_marked),
    typing.Annotated: _make_annotated,
    typing.Literal: _make_literal,
}
