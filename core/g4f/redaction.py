"""Taking keys out of what a service says: whole or cut at either end, plain or as JSON, URLs, HTML and base64 write it.

Small letters and capitals count as the same, since the name of a host is shown in small ones.

Only what went wrong comes through here. Where the keys come from is told by `credentials.py`.
"""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import unescape
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import attrs

SHORTEST = 4  # a text would fall apart without each of fewer characters
TELLING = 8  # so many characters in a row give a key away; services show fewer, to tell which one they mean
LONGEST = 2**18  # characters and values of an error that are kept: to search more would hold up everybody for seconds
_REDACTED = "[redacted]"
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[\"'/\\]|&#?\w{1,8};")
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)  # str.lower may change how many characters there are
_NESTED = 3  # JSON within JSON, as gateways pass on what they heard
_Traces = Mapping[int, frozenset[str]]


def redact(fields: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return texts, or what JSON can say, without any of the keys and without what is left of one that was cut.

    All fields together are cut after `LONGEST`, so the last ones suffer first.
    """
    traces = _list_traces(keys)
    search = _Search(traces)
    return {name: search.redact(value) if traces else value for name, value in fields.items()}


@attrs.define
class _Search:
    """What is looked for in one error, and how much of it may still be searched."""

    traces: _Traces
    left: int = LONGEST

    def redact(self, value: Any) -> Any:
        if isinstance(value, str):
            text = value[: max(0, self.left)]
            self.left -= len(text) + 1
            return _redact_text(text, self.traces)
        self.left -= 1
        if isinstance(value, dict):
            return {self.redact(key): self.redact(item) for key, item in value.items() if self.left > 0}
        if isinstance(value, (list, tuple)):
            return type(value)(self.redact(item) for item in value if self.left > 0)
        return value


def _list_traces(keys: Iterable[str]) -> _Traces:
    """Return, by length, what gives the keys away: each so many characters of how they may be written."""
    found: dict[int, set[str]] = {}
    for spelling in (spelling for key in keys for spelling in _spell(key) if len(spelling) >= SHORTEST):
        width, small = min(len(spelling), TELLING), spelling.translate(_SMALL)
        found.setdefault(width, set()).update(small[at : at + width] for at in range(len(small) - width + 1))
    return {width: frozenset(texts) for width, texts in found.items()}


def _spell(key: str) -> Iterator[str]:
    """Write a key as it is, and as base64 of a longer text writes it: that depends on how many bytes come before."""
    yield key
    data = key.encode()
    for before in range(3):
        first = -(-before * 4 // 3)  # the one before tells of other bytes, too
        last = -(-(before + len(data)) * 4 // 3)  # and this one of those behind, of which there are mostly none
        for encode in (b64encode, urlsafe_b64encode):
            yield encode(bytes(before) + data + bytes(2)).decode()[first:last]


def _redact_text(text: str, traces: _Traces) -> str:
    covered = bytearray(len(text))
    plain: str = text
    places: Sequence[int] = range(len(text) + 1)
    for _ in range(_NESTED):
        _cover(covered, plain, places, traces)
        if _ESCAPE.search(plain) is None:
            break
        plain, places = _unescape(plain, places)
    return _replace(text, covered) if any(covered) else text


def _cover(covered: bytearray, plain: str, places: Sequence[int], traces: _Traces) -> None:
    """Mark which characters of a text are a key's, where `places` tells what became of which."""
    small = plain.translate(_SMALL)
    for width, telling in traces.items():
        for at in range(len(small) - width + 1):
            if small[at : at + width] in telling:
                first, last = places[at], places[at + width]
                covered[first:last] = b"x" * (last - first)


def _unescape(text: str, places: Sequence[int]) -> tuple[str, list[int]]:
    """Return a text as it was before it was escaped, and where each of its characters comes from."""
    plain, origins, end = "", [], 0
    for found in _ESCAPE.finditer(text):
        meant = _decode(found[0])
        plain += text[end : found.start()] + meant
        origins += [*places[end : found.start()], *[places[found.start()]] * len(meant)]
        end = found.end()
    return plain + text[end:], [*origins, *places[end:]]


def _decode(escape: str) -> str:
    if escape[0] == "&":
        return unescape(escape)
    if escape[0] == "%":
        return chr(int(escape[1:], 16))
    return chr(int(escape[2:], 16)) if escape[1] in "ux" else escape[1]


def _replace(text: str, covered: bytearray) -> str:
    parts, end = [], 0
    for found in re.finditer(b"x+", covered):
        parts += [text[end : found.start()], _REDACTED]
        end = found.end()
    return "".join([*parts, text[end:]])
