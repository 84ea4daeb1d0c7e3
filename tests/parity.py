"""Requests of a vendor's SDK and of our provider for the same call, compared field by field.

What may differ stands in one table, docs/reference/wire-differences.md, which is read here: each row is one field of a
call with both values, so whatever else differs fails, and so does a row that nothing meets. How a call is made with
either client, and what the server answers, is left to the tests of the providers.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import pytest

from loopback import Received

TABLE = Path(__file__).parents[1] / "docs" / "reference" / "wire-differences.md"
RECORDED = Path(__file__).parents[2] / "shared" / "traffic" / "sdk_requests"
needs_recordings = pytest.mark.skipif(
    not RECORDED.is_dir(), reason="the recorded requests (../shared/traffic) are not here"
)
NOTHING = "nothing"
CANONICAL = {"chat", "parameters", "stream", "vision", "tools", "tool results", "JSON schema", "models"}
CANONICAL_IMAGES = {"image", "edit", "edit of several"}
_BOUNDARY = "boundary"
_MADE_UP = re.compile(r"(g4f-)[0-9a-f]{32}")  # anew for each call
# By these a client tells about itself or steers the connection; they are no part of the call.
_NOT_COMPARED = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",  # shown as the request's type, without the boundary
    "host",
    "transfer-encoding",
    "user-agent",
    "x-goog-api-client",
}
Ask = Callable[[Any], Awaitable[object]]
ReadBody = Callable[[bytes], Any]


@attrs.frozen
class Case:
    """One call, as users of either client write it.

    Attributes:
        recorded: The recording of the same call by the SDK, if there is one.
    """

    ours: Ask
    theirs: Ask
    recorded: str | None = None


@attrs.frozen
class Difference:
    """A field of a request, and what the two send there: JSON, or that it is not there."""

    field: str
    theirs: str
    ours: str


@attrs.frozen
class Row:
    """One row of the table.

    Attributes:
        provider: The names of providers, or `all`.
        calls: The names of calls; or `all`, with the names of those that it is not about behind `but`.
    """

    provider: str
    calls: str
    difference: Difference
    reason: str

    def names(self) -> set[str]:
        """The calls that it names."""
        return set(self.calls.removeprefix("all").removeprefix(" but ").split(", ")) - {""}

    def allows(self, provider: str, call: str) -> bool:
        """Tell whether the difference is allowed to a call."""
        is_meant = self.provider == "all" or provider in self.provider.split(", ")
        return is_meant and (call in self.names()) != self.calls.startswith("all")


def read_table() -> list[Row]:
    """Read the rows of the page's one table."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [_read_row([cell.strip() for cell in line.strip("|").split("|")]) for line in lines[2:]]


def _read_row(cells: list[str]) -> Row:
    provider, calls, *values, reason = cells
    return Row(provider, calls, Difference(*(value.strip("`") for value in values)), reason)


def list_allowed(provider: str, call: str) -> set[Difference]:
    """The differences that the table allows to a call."""
    return {row.difference for row in read_table() if row.allows(provider, call)}


def list_calls(provider: str) -> set[str]:
    """The calls of a provider that the table names."""
    return {call for row in read_table() if provider in row.provider.split(", ") for call in row.names()}


def find_differences(theirs: Received, ours: Received, read_body: ReadBody = json.loads) -> set[Difference]:
    """Compare two requests; `read_body` brings to one form what a service's protocol calls the same."""
    return set(_compare("", _describe(theirs, read_body), _describe(ours, read_body)))


def _compare(field: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in theirs | ours:
            yield from _compare(f"{field}.{name}".lstrip("."), theirs.get(name, ...), ours.get(name, ...))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, pair in enumerate(zip(theirs, ours, strict=True)):
            yield from _compare(f"{field}.{number}", *pair)
    elif theirs != ours or isinstance(theirs, bool) != isinstance(ours, bool):  # to Python, true is 1
        yield Difference(field, _write(theirs), _write(ours))


def _write(value: Any) -> str:
    return NOTHING if value is ... else _MADE_UP.sub(r"\1…", json.dumps(value, ensure_ascii=False))


def _describe(request: Received, read_body: ReadBody) -> dict[str, Any]:
    """What a request says, as JSON."""
    kind = request.headers.get("content-type", "") if request.body else ""
    query: dict[str, list[str]] = {}
    for name, text in parse_qsl(request.query, keep_blank_values=True):
        query.setdefault(name, []).append(text)
    return {
        "method": request.method,
        "path": request.path,
        "query": query,
        "type": kind.partition(";")[0],
        "headers": {name: text for name, text in request.headers.items() if _is_compared(name)},
        **(
            {"parts": _read_parts(kind, request.body)}
            if kind.startswith("multipart/")
            else {"body": read_body(request.body) if request.body else None}
        ),
    }


def _is_compared(header: str) -> bool:
    return header not in _NOT_COMPARED and not header.startswith("x-stainless-")


def _read_parts(kind: str, body: bytes) -> dict[str, list[Any]]:
    """Read form data with the standard library's reader of such messages."""
    parts: dict[str, list[Any]] = {}
    for part in BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body).get_payload():
        data = part.get_payload(decode=True)
        file = part.get_filename()
        shown = (
            {"file": file, "type": part.get_content_type(), "data": base64.b64encode(data).decode()}
            if file
            else data.decode()
        )
        parts.setdefault(str(part.get_param("name", header="content-disposition")), []).append(shown)
    return parts


def list_recordings(vendor: str) -> set[str]:
    """The names of a vendor's recorded requests."""
    return {path.stem for path in RECORDED.glob(f"{vendor}_*.json")}


def read_recording(name: str, key: str) -> Received:
    """Read a request of an SDK that was recorded; the key, which was left out there, is `key`."""
    recorded = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))["request"]
    return Received(
        recorded["method"],
        recorded["url_path"],
        recorded["query"],
        {name: text.replace("<key>", key).replace("<any>", _BOUNDARY) for name, text in recorded["headers"].items()},
        _write_recorded(recorded),
    )


def _write_recorded(recorded: dict[str, Any]) -> bytes:
    if "multipart" in recorded:
        return b"".join([*map(_write_part, recorded["multipart"]), f"--{_BOUNDARY}--\r\n".encode()])
    return b"" if recorded["body"] is None else json.dumps(recorded["body"]).encode()


def _write_part(part: dict[str, Any]) -> bytes:
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{part["name"]}"'
    if "filename" in part:
        head += f'; filename="{part["filename"]}"\r\nContent-Type: {part["content_type"]}'
    data = base64.b64decode(part["base64"]) if "base64" in part else part["text"].encode()
    return f"{head}\r\n\r\n".encode() + data + b"\r\n"
