"""HTTP/1.1 as a server sees it, as plain values: requests as they came, answers, and how their bytes go out.

By hand, since a server of a library could not misbehave. Sockets are left to `server.py`.
"""

from __future__ import annotations

import json
from asyncio import IncompleteReadError, StreamReader
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import attrs

CUT: Final = "cut"  # the connection is reset
STALL: Final = "stall"  # nothing more comes, until the client hangs up
Step = bytes | float | Literal["cut", "stall"]  # a number is a pause in seconds
Framing = Literal["length", "chunked", "close"]


@attrs.frozen
class Request:
    """A request as it came; header names are in lower case, `raw` is all of it."""

    method: str
    path: str
    url: str = ""
    query: Mapping[str, str] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes = attrs.field(default=b"", repr=False)
    raw: bytes = attrs.field(default=b"", repr=False)

    @property
    def json(self) -> Any:
        """The decoded body; None where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def table(self) -> dict[str, Any]:
        """The decoded body if it is an object, else an empty one."""
        value = self.json
        return value if isinstance(value, dict) else {}

    @property
    def origin(self) -> str:
        """Where the client sent it."""
        return f"http://{self.headers.get('host', '')}"


@attrs.frozen
class Reply:
    """An answer as it should be, before anything goes wrong with it.

    Attributes:
        status: Its HTTP status.
        headers: Its headers, without those that say where the body ends.
        pieces: The body. Each piece of a stream is one event.
        end: Where in a stream's pieces those begin that say that the answer is whole: its finish reason, its marker.
        ping: What keeps a stream alive and says nothing.
        origin: Where the client sent its request.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    pieces: tuple[bytes, ...] = (b"",)
    end: int = 0
    ping: bytes = b": ping\n\n"
    origin: str = ""

    @property
    def streams(self) -> bool:
        """Whether it is a stream."""
        return self.end > 0

    @property
    def begun(self) -> list[bytes]:
        """What of it can come without its being whole: a stream's content, else half of the body."""
        body = b"".join(self.pieces)
        return list(self.pieces[: self.end]) if self.streams else [body[: len(body) // 2]]


@attrs.frozen
class Delivery:
    """How an answer goes out, byte by byte.

    Attributes:
        steps: What is written, and the waits between.
        keep: Whether the connection may be used again afterwards.
    """

    steps: Iterable[Step]
    keep: bool = True


def reply_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an answer of JSON."""
    return Reply(status, {"content-type": "application/json", **(headers or {})}, (json.dumps(value).encode(),))


def reply_stream(events: Iterable[bytes], end: Iterable[bytes], ping: bytes = b": ping\n\n") -> Reply:
    """Return a stream of server-sent events: those with content, then those that say that it is whole."""
    content = tuple(events)
    return Reply(200, {"content-type": "text/event-stream"}, (*content, *end), len(content), ping)


def write_event(value: Any, kind: str = "", newline: str = "\n") -> bytes:
    """Return a server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    lines = [f"event: {kind}"] if kind else []
    data = value if isinstance(value, str) else json.dumps(value)
    return newline.join([*lines, f"data: {data}", "", ""]).encode()


def write_head(status: int, headers: Mapping[str, str]) -> bytes:
    """Return a status line and headers."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} G4F\r\n{lines}\r\n".encode("latin-1")


def frame(steps: Iterable[Step], framing: Framing, *, complete: bool = True) -> Iterator[Step]:
    """Yield a body as it is written; an incomplete one lacks the last chunk, which says that there are no more."""
    for step in steps:
        yield b"%x\r\n%s\r\n" % (len(step), step) if framing == "chunked" and isinstance(step, bytes) and step else step
    if framing == "chunked" and complete:
        yield b"0\r\n\r\n"


def deliver(
    reply: Reply, steps: Iterable[Step] | None = None, framing: Framing | None = None, *, complete: bool = True
) -> Delivery:
    """Return how an answer goes out: as it should, but for other `steps` of its body if they are given."""
    framing = framing or ("chunked" if reply.streams else "length")
    body = list(reply.pieces) if steps is None else steps
    headers = dict(reply.headers)
    if framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif framing == "length":
        headers["content-length"] = str(sum(map(len, reply.pieces)))
    else:
        headers["connection"] = "close"
    return Delivery(
        _join(write_head(reply.status, headers), frame(body, framing, complete=complete)),
        keep=framing != "close" and complete,
    )


def _join(head: bytes, body: Iterable[Step]) -> Iterator[Step]:
    yield head
    yield from body


def cut_pieces(steps: Iterable[Step], size: int) -> Iterator[Step]:
    """Cut what is written into pieces of `size` bytes."""
    for step in steps:
        if isinstance(step, bytes):
            yield from (step[at : at + size] for at in range(0, len(step), size))
        else:
            yield step


async def read_request(reader: StreamReader) -> Request | None:
    """Read a request; None where the client is done.

    Raises:
        IncompleteReadError, ValueError: It breaks off, or is no HTTP.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path, _, query = target.partition("?")
    body = await _read_body(reader, headers)
    return Request(method, path, target, dict(parse_qsl(query)), headers, body, head + body)


async def _read_body(reader: StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
