"""OpenAI-shaped values: typed views on the JSON object that they came from.

A value keeps the decoded object and reads a field when it is asked for. So nothing that a service sends is lost, a
`null` or a missing field is that field's default, and a streamed chunk costs next to nothing until somebody looks at
it. What the fields are is left to `chat.py` and `images.py`.
"""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, dataclass_transform

V = TypeVar("V", bound="Value")
_new = object.__new__
_WHOLE = r"[0-9]{1,18}"
_SHOWN = 200  # characters of a text that a service sent beyond the declared fields, in what `repr` shows
Mode = Literal["json", "python"]


class _Field:
    """A declared field; turns itself into a property once it knows its name.

    Args:
        make_reader: Makes, for the field's name, the function that reads it: one call, since all that is in a stream
            is read by such.
    """

    def __init__(self, make_reader: Callable[[str], Callable[[Value], Any]]) -> None:
        self.make_reader = make_reader

    def __set_name__(self, owner: type[Value], name: str) -> None:
        setattr(owner, name, property(self.make_reader(name), lambda value, new: value._set(name, new)))
        owner._names = (*owner._names, name)


def field(*, default: Any) -> Any:
    """Declare a plain JSON field; `default` stands in where it is missing or null."""
    kind = type(default)

    def make_reader(name: str) -> Callable[[Value], Any]:
        def read(value: Value) -> Any:
            found = value._data.get(name)
            return default if found is None else found

        def read_plain(value: Value) -> Any:
            found = value._data.get(name)
            return found if found.__class__ is kind else default if found is None else _read_as(kind, found)

        return read_plain if kind in (str, int) else read

    return _Field(make_reader)


def _read_as(kind: type, found: Any) -> Any:
    """Read a number that a service wrote as a text, or a text that it wrote as a number; all else is told as it is."""
    if kind is str:
        return str(found) if type(found) is int else found
    whole = type(found) is float and found.is_integer()
    return int(found) if whole or (type(found) is str and re.fullmatch(_WHOLE, found)) else found


def one(
    kind: Callable[[], type[V]],
    *,
    default: None = None,  # noqa: ARG001 - it is here for type checkers
    default_factory: Callable[[], Any] | None = None,
) -> Any:
    """Declare a field that holds one object of `kind()`; with a `default_factory` it is never None."""
    part_type: type[V] | None = None

    def build(raw: Any) -> Any:
        nonlocal part_type
        if not isinstance(raw, dict):
            return default_factory() if default_factory else None
        if part_type is None:
            part_type = kind()
        part = _new(part_type)  # as `from_dict` does, whose calls are a thirtieth of what a streamed chunk costs
        part._data = raw
        part._parts = None
        return part

    return _Field(lambda name: _make_part_reader(name, build))


def many(kind: Callable[[], type[V]], *, default_factory: Callable[[], Any]) -> Any:
    """Declare a field that holds a list of objects of `kind()`; what is no object in it is passed over."""
    part_type: type[V] | None = None

    def build(raw: Any) -> Any:
        nonlocal part_type
        if not isinstance(raw, list):
            return default_factory()
        if part_type is None:
            part_type = kind()
        built = []
        for item in raw:
            if isinstance(item, dict):
                part = _new(part_type)
                part._data = item
                part._parts = None
                built.append(part)
        return built

    return _Field(lambda name: _make_part_reader(name, build))


def _make_part_reader(name: str, build: Callable[[Any], Any]) -> Callable[[Value], Any]:
    def read(value: Value) -> Any:
        parts = value._parts
        if parts is not None and name in parts:
            return parts[name]
        part = build(value._data.get(name))
        if part is not None:
            if parts is None:
                value._parts = {name: part}
            else:
                parts[name] = part
        return part

    return read


@dataclass_transform(kw_only_default=True, field_specifiers=(field, one, many))
class _ValueType(type):
    """Makes every kind of value slotted, since a field lives in the JSON object and not in the instance."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        namespace.setdefault("__slots__", ())
        return super().__new__(mcs, name, bases, namespace)


class Value(metaclass=_ValueType):
    """Base of every OpenAI-shaped value.

    Made from keywords (`Message(content="Hi")`) or, leniently, from what a service sent (`Message.from_dict(data)`).
    What the service sent beyond the declared fields can be read as attributes, too (`message.thinking_blocks[0].text`).
    """

    __slots__ = ("_data", "_parts")
    _names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **fields: Any) -> None:
        self._data: dict[str, Any] = {}
        self._parts: dict[str, Any] | None = None
        unknown = fields.keys() - set(self._names)
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no field {sorted(unknown)[0]!r}; it has {', '.join(self._names)}"
            )
        for name, value in fields.items():
            self._set(name, value)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Wrap a decoded JSON object. The value owns `data` from now on; unknown keys are kept."""
        self = _new(cls)
        self._data = data
        self._parts = None
        return self

    @classmethod
    def model_validate(cls, data: dict[str, Any] | Self) -> Self:
        """Do what `from_dict` does, under the name that OpenAI's users know."""
        return data if isinstance(data, cls) else cls.from_dict(data)  # type: ignore[arg-type]  # mypy takes a Self for a dict

    @classmethod
    def model_validate_json(cls, text: str | bytes) -> Self:
        """Make the value that `to_json` wrote."""
        return cls.from_dict(json.loads(text))

    def to_dict(
        self,
        *,
        mode: Mode = "python",  # noqa: ARG002 - what is in a value is JSON anyway
        exclude_none: bool = False,
        exclude_unset: bool = True,  # noqa: ARG002 - what is unset is not in a value
    ) -> dict[str, Any]:
        """Return a new dict of all that is known, unknown keys included, ready for `json.dumps`.

        Nothing in it is shared with the value.

        Args:
            mode: Taken as OpenAI's users give it; both modes are the same here.
            exclude_none: Whether to leave out what is null, at every depth.
            exclude_unset: Taken as OpenAI's users give it; what was neither sent nor set is never there.
        """
        plain: dict[str, Any] = _copy_without_null(self._view()) if exclude_none else _to_plain(self)
        return plain

    def to_json(
        self,
        *,
        indent: int | None = 2,
        exclude_none: bool = False,
        exclude_unset: bool = True,  # noqa: ARG002 - as above
    ) -> str:
        """Return the value as JSON text; see `to_dict`. A number that is none (NaN, infinite) becomes null."""
        data = _copy_without_null(self._view()) if exclude_none else self._view()
        try:
            return json.dumps(data, indent=indent, ensure_ascii=False, allow_nan=False)
        except ValueError:  # what services send is not always JSON
            return json.dumps(_copy_without_nan(data), indent=indent, ensure_ascii=False)

    def model_dump(
        self,
        *,
        mode: Mode = "python",  # noqa: ARG002 - as above
        exclude_none: bool = False,
        exclude_unset: bool = False,  # noqa: ARG002
        by_alias: bool | None = None,  # noqa: ARG002 - there are no aliases
    ) -> dict[str, Any]:
        """Do what `to_dict` does, under the name that OpenAI's users know."""
        return self.to_dict(exclude_none=exclude_none)

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        exclude_none: bool = False,
        exclude_unset: bool = False,  # noqa: ARG002 - as above
        by_alias: bool | None = None,  # noqa: ARG002
    ) -> str:
        """Do what `to_json` does, under the name that OpenAI's users know."""
        return self.to_json(indent=indent, exclude_none=exclude_none)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy, with other values for the fields in `update`; the parts are shared unless it is `deep`."""
        other = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            other._set(name, value)
        return other

    @property
    def model_extra(self) -> dict[str, Any]:
        """What the service sent beyond the declared fields."""
        return {key: value for key, value in self._data.items() if key not in self._names}

    if not TYPE_CHECKING:  # a checker shall find misspelled fields; typed programs read `model_extra`

        def __getattr__(self, name: str) -> Any:
            """Return what the service sent beyond the declared fields, objects in it as values."""
            if name.startswith("_") or name not in self._data:
                raise AttributeError(self._describe_missing(name), name=name, obj=self)
            found = self._data[name]
            return _make_part_reader(name, _open)(self) if isinstance(found, (dict, list)) else found

    def _describe_missing(self, name: str) -> str:
        has = ", ".join(self._names) or "no fields of its own"
        if name.startswith("_"):  # asked by `copy` and its like, maybe of what is not made yet
            return f"{type(self).__name__} has no {name!r}"
        sent = ", ".join(self.model_extra) or "nothing"
        return f"{type(self).__name__} has no {name!r}; it has {has}, and beside them the service sent {sent}"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self._data if key.isidentifier())]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Go over the names and values of all that is known, as pydantic's models do: `dict(value)` is one level."""
        return ((name, getattr(self, name) if name in self._names else item) for name, item in self._view().items())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Tell pydantic how a field of this type is validated and written, and FastAPI with it.

        Source: https://docs.pydantic.dev/latest/concepts/types/#customizing-validation-with-__get_pydantic_core_schema__.
        """
        from pydantic_core import core_schema  # pydantic is no requirement, and here it is who asks

        made = core_schema.no_info_after_validator_function(cls.from_dict, core_schema.dict_schema())
        return core_schema.json_or_python_schema(
            made,
            core_schema.union_schema([core_schema.is_instance_schema(cls), made]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.to_dict(), return_schema=core_schema.dict_schema()
            ),
        )

    def _view(self) -> dict[str, Any]:
        """Return what `to_dict` does at a fraction of its cost: the parts are shared and must not be changed."""
        plain = dict(self._data)
        for name, part in (self._parts or {}).items():
            built = _view_part(part)
            if built != _keep_objects(plain.get(name), built):  # to have looked at a part changes nothing
                plain[name] = built
        return plain

    def _set(self, name: str, value: Any) -> None:
        if self._parts:
            self._parts.pop(name, None)
        self._data[name] = _to_plain(value)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._view() == other._view()

    __hash__ = None  # type: ignore[assignment]  # mutable, like the dict that it holds

    def __repr__(self) -> str:
        if not hasattr(self, "_data"):
            return f"<{type(self).__name__} not made>"
        shown = {name: self._show(name) for name in self._list_shown()}
        inside = ", ".join(f"{name}={value!r}" for name, value in shown.items() if value not in (None, [], ""))
        return f"{type(self).__name__}({inside})"

    def _list_shown(self) -> Iterable[str]:
        """Return the fields that `repr` shows."""
        return self._names

    def _show(self, name: str) -> Any:
        """Return what `repr` shows of a field."""
        return getattr(self, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self._view(),)


class Extra(Value):
    """An object that no class declares: each key that the service sent is an attribute.

    A key that is the name of a method, as `to_dict`, is in `model_extra` alone.
    """

    def _list_shown(self) -> Iterable[str]:
        return self._data

    def _show(self, name: str) -> Any:
        """Show the beginning of what may be megabytes of base64."""
        value = self._data[name]
        return f"{value[:_SHOWN]}…" if isinstance(value, str) and len(value) > _SHOWN else value


def _open(raw: Any) -> Any:
    """Return JSON with each object in it as a value."""
    if isinstance(raw, dict):
        return Extra.from_dict(raw)
    if isinstance(raw, list) and any(isinstance(item, (dict, list)) for item in raw):
        return [_open(item) for item in raw]
    return raw


def _keep_objects(raw: Any, built: Any) -> Any:
    """Return of a raw field what a part that nobody changed is built from."""
    if isinstance(built, list):
        return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []
    return raw if isinstance(raw, dict) else {}


def _view_part(part: Any) -> Any:
    if isinstance(part, Value):
        return part._view()
    if isinstance(part, list):
        return [_view_part(item) for item in part]
    return _to_plain(part)  # the user put it there


def _to_plain(value: Any) -> Any:
    """Return a value as JSON that shares nothing with it."""
    if isinstance(value, Value):
        value = value._view()
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    return value


def _copy_without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy_without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_copy_without_null(item) for item in value]
    return value


def _copy_without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy_without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
