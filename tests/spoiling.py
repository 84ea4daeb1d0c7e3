"""Answers that are nearly right: hypothesis takes one that is, and changes a little of it, as JSON or as bytes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

_LEAVES = st.sampled_from(
    [None, True, False, 0, -1, 7, 0.5, 1e300, 10**30, float("nan"), "", "x", "4", "\ud83d", "é", "[DONE]", "error"]
)
_SHAPES = ([], {}, [None], [[]], [{}], {"error": "x"}, {"type": "error"}, {"index": 10**9})
_JUNK = st.one_of(_LEAVES, st.sampled_from(_SHAPES), st.lists(_LEAVES, max_size=2)).map(copy.deepcopy)
_SPLINTERS = st.one_of(st.binary(max_size=3), st.sampled_from([b"", b"\n\n", b"}", b"null", b"\xff", b"\xef\xbb\xbf"]))
_WAYS = st.sampled_from(["replace", "remove", "move", "wrap", "rename"])
_EDITS = st.integers(0, 4)
_Place = tuple[Any, Any]  # a list or object, and an index or a key of it


@st.composite
def spoil_json(draw: st.DrawFn, values: Sequence[Any]) -> Any:
    """Return one of the values with up to four of its parts removed, replaced, moved, wrapped or renamed."""
    holder = [copy.deepcopy(_choose(draw, values))]
    for _ in range(draw(_EDITS)):
        places = list(_list_places(holder))
        if places:
            _spoil(draw, *_choose(draw, places), places)
    return holder[0] if holder else None


def _choose(draw: st.DrawFn, values: Sequence[Any]) -> Any:
    return values[draw(st.integers(0, len(values) - 1))]  # cheaper than sampled_from where values are new


def _list_places(value: Any) -> Iterator[_Place]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            if isinstance(value[key], (dict, list)):
                waiting.append(value[key])


def _spoil(draw: st.DrawFn, holder: Any, key: Any, places: list[_Place]) -> None:
    way = draw(_WAYS)
    if way == "replace":
        holder[key] = draw(_JUNK)
    elif way == "remove":
        del holder[key]
    elif way == "move":
        other, place = _choose(draw, places)
        holder[key] = copy.deepcopy(other[place])
    elif way == "wrap":
        holder[key] = [holder[key]]
    elif isinstance(holder, dict):
        keys = sorted({name for _, name in places if isinstance(name, str)})
        holder[_choose(draw, keys)] = holder.pop(key)


@st.composite
def spoil_bytes(draw: st.DrawFn, values: Sequence[bytes]) -> bytes:
    """Return one of the values cut, or with some bytes replaced, removed or put in."""
    data = _choose(draw, values)
    start = draw(st.integers(0, len(data)))
    end = _choose(draw, [start, start + 1, start + 9, len(data)])
    return bytes(data[:start] + draw(_SPLINTERS) + data[end:])


def spoil_body(values: Sequence[Any]) -> st.SearchStrategy[bytes]:
    """Return a body of JSON, spoiled in either way or replaced by anything else."""
    spoiled = spoil_json(values).map(write_json)
    return st.one_of(spoiled, spoiled, spoil_bytes([write_json(value) for value in values]), _JUNK.map(write_json))


def write_json(value: Any) -> bytes:
    """Return a value as JSON, in the way of services that escape what is not ASCII."""
    return json.dumps(value).encode()
