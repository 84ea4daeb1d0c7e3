"""How records, our classes of attrs, are compared and shown: by one base class.

attrs would compile that anew for each class, which is half of what it takes to make one. A record is declared as
`@attrs.frozen(eq=False, repr=False)`, which leaves to this class what would be compiled.
"""

from __future__ import annotations

from typing import Any

import attrs


class Shown:
    """Base of a class of attrs whose objects are shown by their fields, those of `repr=False` left out."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = (field.name for field in _list_fields(self) if field.repr)
        inside = ", ".join(f"{name}={getattr(self, name, attrs.NOTHING)!r}" for name in shown)
        return f"{type(self).__name__}({inside})"


class Record(Shown):
    """Base of a frozen class of attrs whose objects are equal where their fields are, those of `eq=False` left out."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return NotImplemented if type(other) is not type(self) else _read(self) == _read(other)

    def __hash__(self) -> int:
        return hash((type(self), *_read(self)))


def _list_fields(record: object) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = getattr(record, "__attrs_attrs__", ())
    return fields


def _read(record: object) -> tuple[Any, ...]:
    return tuple(getattr(record, field.name) for field in _list_fields(record) if field.eq)
