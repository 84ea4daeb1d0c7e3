"""Server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from g4f.context import DEFAULT_LIMITS
from g4f.errors import APIResponseError

Event = tuple[str, bytes]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_START = b"data: "  # of an event of the plainest kind
_EVENTS = re.compile(rb"(\xef\xbb\xbf)?\s*(data|event|id|retry)?:")
_FEW_BYTES = 2**16
_MANY_BYTES = 2**20
_MOST_LINES = 2**20


class SseDecoder:
    """Turns network reads into events `(type, data)`; data stays UTF-8 bytes, since what reads it wants bytes.

    Lines end at LF, CR or CRLF only. A byte-order mark at the start is dropped. An event that the stream's end cuts off
    is dropped as well, as the specification says.

    Args:
        max_event_bytes: How large one line, and the data of one event, may grow; its lines are a million at most.

    Attributes:
        largest: How large an event was so far, in bytes, where it was a mebibyte and more.
    """

    __slots__ = (
        "_after_cr", "_data", "_data_size", "_head", "_max", "_max_plain", "_rest", "_rest_size", "_too_large", "_type",
        "largest",
    )  # fmt: skip

    def __init__(self, max_event_bytes: int = DEFAULT_LIMITS.event_bytes) -> None:
        self._max = max_event_bytes
        self._max_plain = min(max_event_bytes, _MANY_BYTES)
        self._head: bytes | None = b""  # the first bytes, until it is known whether they are a byte-order mark
        self._rest: list[bytes] = []  # the line that no read has ended yet
        self._rest_size = 0
        self._after_cr = False
        self._type = ""
        self._data: list[bytes] = []
        self._data_size = 0
        self._too_large = False
        self.largest = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes.

        Raises:
            APIResponseError: An event is too large. Events before it in the same read are returned first.
        """
        events = self._read_plain(data)
        if events is not None:
            return events
        events = []
        if not self._too_large:
            self._read(data, events)
        if self._too_large and not events:
            what = "of more lines than a million" if len(self._data) > _MOST_LINES else f"larger than {self._max} bytes"
            raise APIResponseError(f"One event of the stream is {what}.")
        return events

    def _read_plain(self, data: bytes) -> list[Event] | None:
        """Read at once what is nothing but whole events of one line `data: …`, as nearly every read of a service is.

        Returns:
            The events, or None, and nothing read, where there is anything else.
        """
        if self._head or self._after_cr or self._data or self._type or self._rest_size > _FEW_BYTES:
            return None
        if self._rest_size:
            data = b"".join([*self._rest, data])
        if not data.startswith(_START) or b"\r" in data or len(data) > self._max_plain:
            return None
        values = data.split(b"\n\n" + _START)
        last = values.pop()
        whole, blank_line, rest = last.rpartition(b"\n\n")
        if blank_line:
            values.append(whole)
        else:
            rest = _START + last
        if not values or b"\n" in rest:
            return None
        values[0] = values[0].removeprefix(_START)
        events = []
        for value in values:
            if value.find(b"\n") >= 0:  # `in` first takes it for a number, and fails
                return None
            events.append(("message", value))
        self._head = None
        self._rest, self._rest_size = [rest] if rest else [], len(rest)
        return events

    def _read(self, data: bytes, events: list[Event]) -> None:
        if self._head is not None:
            data = self._drop_mark(self._head + data)
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        for line in self._split_lines(data):
            if line:
                self._read_line(line)
                if self._too_large:
                    return
            elif self._data or self._type:
                self._close_event(events)
        self._too_large = self._rest_size > self._max

    def _drop_mark(self, data: bytes) -> bytes:
        if codecs.BOM_UTF8.startswith(data) and len(data) < len(codecs.BOM_UTF8):
            self._head = data
            return b""
        self._head = None
        return data.removeprefix(codecs.BOM_UTF8)

    def _split_lines(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` ends, and keep what is left of it."""
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            lines = _LINE_END.split(data)
        else:
            lines = data.split(b"\n")
        if len(lines) > 1:
            lines[0] = b"".join([*self._rest, lines[0]])
            self._rest, self._rest_size = [], 0
        rest = lines.pop()
        self._rest.append(rest)
        self._rest_size += len(rest)
        return lines

    def _read_line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._data_size += len(value) + 1
        elif name == b"event":
            self._type = value.decode("utf-8", "replace")
        # id and retry serve reconnecting, which no AI service offers; other fields and comments mean nothing.
        # Each line is an object besides: a short one takes thirty times its bytes.
        self._too_large = len(line) > self._max or self._data_size > self._max or len(self._data) > _MOST_LINES

    def _close_event(self, events: list[Event]) -> None:
        if self._data:
            if self._data_size > _MANY_BYTES:
                self.largest = max(self.largest, self._data_size)
            events.append((self._type or "message", b"\n".join(self._data)))
            self._data, self._data_size = [], 0
        self._type = ""


def is_event_stream(body: bytes) -> bool:
    """Tell a stream from JSON, of which some services send one where the other was asked for."""
    return _EVENTS.match(body) is not None


def split_events(body: bytes) -> Iterator[Event]:
    """Return the events of a stream that came as a whole, even if the last one lacks its blank line.

    They are made when they are taken: a body of nothing but line ends would fill the memory with them.

    Raises:
        APIResponseError: An event is too large, or there are a million lines, which takes seconds to read.
    """
    if body.count(b"\n") + body.count(b"\r") > _MOST_LINES:
        raise APIResponseError(f"The answer is a stream of more than {_MOST_LINES} lines.")
    decoder = SseDecoder()
    for start in range(0, len(body), _FEW_BYTES):
        yield from decoder.feed(body[start : start + _FEW_BYTES])
    yield from decoder.feed(b"\n\n")
