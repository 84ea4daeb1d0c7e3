"""Records: what attrs would compile for each class, from one base class."""

from __future__ import annotations

import attrs
import pytest

from g4f.record import Record, Shown


@attrs.frozen(eq=False, repr=False)
class Point(Record):
    x: int
    y: int = 0
    note: str = attrs.field(default="", eq=False, repr=False)


@attrs.frozen(eq=False, repr=False)
class Place(Point):
    name: str = ""


def test_records_are_equal_where_their_fields_are() -> None:
    """And so are their hashes; fields that say so are left out, and another class is another thing."""
    assert Point(1, 2, "here") == Point(1, 2, "there")
    assert hash(Point(1, 2, "here")) == hash(Point(1, 2, "there"))
    assert Point(1, 2) != Point(2, 1)
    assert Point(1, 2) != Place(1, 2)
    assert Point(1, 2) != (1, 2)


def test_a_record_is_shown_as_it_is_made() -> None:
    """With its fields in order, those of its bases first, but for those that say so."""
    assert repr(Place(1, note="secret", name="home")) == "Place(x=1, y=0, name='home')"


def test_what_is_only_shown_is_equal_to_itself_alone() -> None:
    """Its fields may be what cannot be compared."""

    @attrs.define(eq=False, repr=False)
    class Attempt(Shown):
        at: int

    assert Attempt(1) != Attempt(1)
    assert repr(Attempt(1)) == "Attempt(at=1)"


def test_a_record_that_is_half_made_can_be_shown() -> None:
    """A report of an error with variables has it as `self`."""
    assert repr(Point.__new__(Point)) == "Point(x=NOTHING, y=NOTHING)"


def test_a_record_of_what_cannot_be_hashed_has_no_hash() -> None:
    """As a tuple of the same has none."""
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point([]))  # type: ignore[arg-type]  # what no checker lets pass
