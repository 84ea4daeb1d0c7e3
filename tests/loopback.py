"""An HTTP server on 127.0.0.1 in a thread of its own: it keeps what it receives and answers as a function says.

It speaks just enough HTTP/1.1 to misbehave at will: replies may pause, stall or be cut in the middle.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, Self
from urllib.parse import parse_qsl

import attrs

CUT: Final = "cut"  # in a reply's body: the connection is reset here
STALL: Final = "stall"  # in a reply's body: nothing more comes, until the client hangs up
KEY_HEADERS = ("x-goog-api-key", "x-key", "api-key")
Piece = bytes | float | Literal["cut", "stall"]


@attrs.frozen
class Received:
    """One request as it came; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def key(self) -> str | None:
        """What the request authorizes itself with."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        return bearer or next((self.headers[name] for name in KEY_HEADERS if name in self.headers), None)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The decoded query."""
        return parse_qsl(self.query)


@attrs.frozen
class Reply:
    """An answer. Numbers in `body` are pauses in seconds; a `size` cuts its bytes into pieces of so many.

    Attributes:
        framing: `chunked`; `length` sends Content-Length; `close` ends the body by closing the connection.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    body: bytes | Sequence[Piece] = b""
    framing: Literal["chunked", "length", "close"] = "chunked"
    size: int = 0

    def list_pieces(self) -> list[Piece]:
        """The body as what is written one after the other."""
        pieces = [self.body] if isinstance(self.body, bytes) else list(self.body)
        if not self.size:
            return [piece for piece in pieces if piece != b""]
        return [
            part
            for piece in pieces
            for part in (
                [piece[at : at + self.size] for at in range(0, len(piece), self.size)]
                if isinstance(piece, bytes)
                else [piece]
            )
        ]


def reply_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """An answer of JSON; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, {"content-type": "application/json", **named}, json.dumps(value).encode())


def reply_events(*events: Any, end: Sequence[Piece] = (b"data: [DONE]\n\n",), size: int = 0) -> Reply:
    """A stream of server-sent events; what is no JSON value but bytes, a number, CUT or STALL goes as it is."""
    pieces = [
        event
        if isinstance(event, (bytes, float)) or event in (CUT, STALL)
        else f"data: {json.dumps(event)}\n\n".encode()
        for event in events
    ]
    return Reply(200, {"content-type": "text/event-stream"}, [*pieces, *end], size=size)


def make_completion(text: str = "This is a test", model: str = "gpt-4o-mini", **more: Any) -> dict[str, Any]:
    """What the service answers to a chat."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1764000000,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9},
        **more,
    }


def make_chunk(text: str | None = None, finish_reason: str | None = None) -> dict[str, Any]:
    """One event of a streamed chat."""
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "gpt-4o-mini", "choices": [choice]}


Answer = Callable[[Received], Reply]


class Loopback:
    """The server; use it with `with`. It speaks https where it is given a `tls` context.

    Attributes:
        url: Its origin.
        requests: What it received.
        hang_ups: When (`time.monotonic()`) clients closed connections whose replies were not complete.
    """

    def __init__(self, answer: Answer | Reply, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = (lambda request: answer) if isinstance(answer, Reply) else answer
        self.requests: list[Received] = []
        self.hang_ups: list[float] = []
        self.url = ""
        self._tls = tls
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="loopback", daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def wait_until(self, condition: Callable[[], object], seconds: float = 5.0) -> bool:
        """Wait, from another thread than the server's, until `condition()` holds."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        # A client that keeps its connection says no goodbye: do not wait for it.
        secured: dict[str, Any] = {"ssl": self._tls, "ssl_shutdown_timeout": 0.1} if self._tls else {}
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, **secured)
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        server.close()
        for _ in range(10):  # turns in which those begin that were accepted last: only what has begun can be ended
            await asyncio.sleep(0)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while (request := await _read_request(reader)) is not None:
                self.requests.append(request)
                if not await self._reply(self.answer(request), reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _reply(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Send an answer and tell whether the connection may be used again."""
        pieces = reply.list_pieces()
        headers = dict(reply.headers)
        if reply.framing == "length":
            headers.setdefault("content-length", str(sum(len(part) for part in pieces if isinstance(part, bytes))))
        elif reply.framing == "chunked":
            headers["transfer-encoding"] = "chunked"
        else:
            headers["connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{head}\r\n".encode())
        hung_up = asyncio.ensure_future(reader.read(1))  # nobody sends before the answer is complete
        try:
            for piece in pieces:
                if piece == CUT:
                    await writer.drain()
                    writer.transport.abort()
                    return False
                if await self._send_piece(piece, reply.framing, writer, hung_up):
                    self.hang_ups.append(time.monotonic())
                    return False
            if reply.framing == "chunked":
                writer.write(b"0\r\n\r\n")
            await writer.drain()
            return reply.framing != "close"
        except ConnectionError:
            self.hang_ups.append(time.monotonic())
            return False
        finally:
            hung_up.cancel()
            await asyncio.gather(hung_up, return_exceptions=True)  # to suppress its end would swallow our own

    async def _send_piece(
        self, piece: Piece, framing: str, writer: asyncio.StreamWriter, hung_up: Awaitable[bytes]
    ) -> bool:
        """Send one piece, or wait; tell whether the client hung up meanwhile."""
        if isinstance(piece, bytes):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if framing == "chunked" else piece)
            await writer.drain()
            await asyncio.sleep(0)
            return False
        seconds = None if piece == STALL else float(piece)
        done, _ = await asyncio.wait([hung_up], timeout=seconds)
        return bool(done)


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None  # the client is done
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    path, _, query = target.partition("?")
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, query, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)
