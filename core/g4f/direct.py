"""What is done beneath aiohttp's public interface: requests at half the cost, and bodies told to the last byte.

Pool, resolver, TLS, the writer of heads and the parser are aiohttp's own, used as its session uses them. As this is an
inner interface, each use looks whether it is there, and does without where it is not. What may be sent where, deadlines
and errors are left to `transport.py`, as are all requests that are in any way unusual: the session takes those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import aiohttp
from aiohttp import http_writer
from aiohttp.client_proto import ResponseHandler
from yarl import URL

if TYPE_CHECKING:
    from ssl import SSLContext

_MAX_BYTES = 2**20  # at a time
# From a socket at a time: asyncio's own 256 KiB, which end as a few, are mapped and unmapped by glibc for each read.
_READ_BYTES = 120 * 2**10
_MAX_UNSENT = 16  # requests: the first of hundreds shall not wait until all are made
_MAX_PIECES = 256  # at a time: what is read stays in the processor's cache until it is decoded


class _Protocol(ResponseHandler):
    """Does what aiohttp does not: it gives up connections with answers nobody asked for, and tells of broken framing.

    Where the framing of a body breaks, aiohttp hangs up, and lets its reader wait for ever.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            transport.max_size = _READ_BYTES

    def is_connected(self) -> bool:
        """Tell whether it may be used: what came while nobody waited would be taken for the next request's answer."""
        transport = self.transport
        return transport is not None and not transport.is_closing() and not self.should_close

    def set_exception(self, exc: BaseException, *args: Any, **kwargs: Any) -> None:
        super().set_exception(exc, *args, **kwargs)
        body = getattr(self, "_payload", None)
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError(type(exc).__name__))


def mend_connector(connector: aiohttp.TCPConnector) -> aiohttp.TCPConnector:
    """Have a connector make its connections as they are above."""
    inner: Any = connector
    if hasattr(inner, "_factory"):
        inner._factory = partial(_Protocol, loop=asyncio.get_running_loop())
    return connector


class Route:
    """The way to one origin, over the connections of a session.

    Args:
        session: Whose connections are used.
        origin: Where to.
        ssl_context: What certificates are trusted and shown; None stands for those of the system.
    """

    def __init__(self, session: aiohttp.ClientSession, origin: URL, ssl_context: SSLContext | None = None) -> None:
        self._connector: Any = session.connector
        self._loop = asyncio.get_running_loop()
        # Of asyncio's own loops. Others do not tell, as uvloop, which joins what is sent in one turn by itself.
        self._waiting: Sequence[object] = getattr(self._loop, "_ready", ())
        self._unsent: list[tuple[asyncio.Transport, bytes]] = []
        # What the connector is asked for connections with: it is never sent, and holds no key.
        self._request = aiohttp.ClientRequest("POST", origin, loop=self._loop, ssl=ssl_context or True)
        self._headers = self._request.headers.copy()
        self._serialize = http_writer._serialize_headers

    @classmethod
    def is_possible(cls, session: aiohttp.ClientSession) -> bool:
        """Tell whether this aiohttp has the inner interface as it is used here."""
        try:
            cls(session, URL("http://localhost"))
        except Exception:  # noqa: BLE001 - whatever is different, the session does the work
            return False
        return aiohttp.__version__.startswith("3.")

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, limits: aiohttp.ClientTimeout
    ) -> DirectResponse:
        """Send a request and return at the answer's head; of the time limits `connect` counts."""
        complete = self._headers.copy()
        complete.update(headers)
        complete["Content-Length"] = str(len(body))
        head = self._serialize(f"POST {url.raw_path_qs} HTTP/1.1", complete)
        connection = await self._connector.connect(self._request, [], limits)
        try:
            protocol = connection.protocol
            protocol.set_response_params(read_until_eof=True)
            transport = protocol.transport
            if transport is None or transport.is_closing():
                raise aiohttp.ServerDisconnectedError
            self._send(transport, head + body)
            message, content = await protocol.read()
            while message.code < 200 and message.code != 101:  # informational
                message, content = await protocol.read()
        except BaseException:
            connection.close()
            raise
        return DirectResponse(connection, message, content, url)

    def _send(self, transport: asyncio.Transport, data: bytes) -> None:
        """Send a request, together with some of those that others make whose turn it is now.

        What leaves without a pause wakes a service or proxy on this machine once, and not for each request: that takes
        longer than the sending.
        """
        self._unsent.append((transport, data))
        if not self._waiting or len(self._unsent) >= _MAX_UNSENT:
            self._send_all()
        elif len(self._unsent) == 1:
            self._loop.call_soon(self._send_all)

    def _send_all(self) -> None:
        unsent, self._unsent = self._unsent, []
        for transport, data in unsent:
            if not transport.is_closing():
                transport.write(data)


class DirectResponse:
    """An answer at its head: what `transport.py` uses of `aiohttp.ClientResponse`."""

    __slots__ = ("__weakref__", "_connection", "content", "headers", "status", "url")

    def __init__(self, connection: Any, message: Any, content: aiohttp.StreamReader, url: URL) -> None:
        self._connection = connection
        self.status: int = message.code
        self.headers = message.headers
        self.content = content
        self.url = url

    def close(self) -> None:
        """Give the connection back if the answer was read to its end, else close it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()  # which closes it where something of the answer is left


def wait_for_data(content: aiohttp.StreamReader) -> Awaitable[None] | None:
    """Return what to await until something has come; None where it has, or where the reader looks otherwise inside."""
    reader: Any = content
    try:
        waits = not reader._buffer and not reader._eof and reader._exception is None
        return cast(Awaitable[None], reader._wait("readany")) if waits else None
    except AttributeError:
        return None


async def read_joined(content: aiohttp.StreamReader) -> bytes:
    """Return what has come, as `content.readany()` does, in a seventh less of the time that a streamed chunk costs.

    aiohttp would hand it on in the pieces that the server sent it in; they are put together before. And it would drop
    what came before the connection broke, if nobody had read it by then. A reader that looks otherwise inside is left
    alone.
    """
    reader: Any = content
    waiting = wait_for_data(content)
    if waiting is not None:
        await waiting
    try:
        pieces = reader._buffer
        if reader._size > _MAX_BYTES or (pieces and reader._exception is not None):
            some: bytes = reader._read_nowait(_MAX_BYTES)  # what a bomb was decompressed to is not copied as a whole
            return some
        if len(pieces) > 1 and not reader._buffer_offset:
            joined = b"".join([pieces.popleft() for _ in range(min(len(pieces), _MAX_PIECES))])
            pieces.appendleft(joined)
            return await content.read(len(joined))
    except AttributeError:
        pass
    return await content.readany()
