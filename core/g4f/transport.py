"""The network: aiohttp behind the `Transport` protocol. No other file opens a connection.

A `Pool` belongs to a client and holds sockets; a `BoundTransport` belongs to one attempt and holds what may be sent
where. Every exception of aiohttp, ssl and asyncio ends here: it becomes one of ours and is not chained, because
aiohttp's hold the request's headers and so the key. What an answer means is left to `wire`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import aiohttp.http_exceptions
import aiohttp.http_parser
import attrs
from multidict import CIMultiDict
from yarl import URL

from g4f import direct
from g4f.addresses import is_public_address, names_private_host
from g4f.context import DEFAULT_LIMITS, HttpRequest, HttpResponse, Limits, Timeout
from g4f.credentials import Access, Secret, find_origin, is_among, list_passwords
from g4f.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    InvalidInputError,
    StreamTruncatedError,
)
from g4f.manifest import Auth
from g4f.network_errors import (
    PrivateAddressError,
    convert_error,
    make_late_error,
    make_private_error,
    show_place,
)
from g4f.resolver import Resolver, look_up
from g4f.watch import Watch, forget_origin
from g4f.wire.json import FEW_BYTES, check_json

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

MAX_REDIRECTS = 5
FINISH_SECONDS = 0.1
_LOOK_UP_SECONDS = 2.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PARSED_BY_PYTHON = aiohttp.http_parser.HttpResponseParser is aiohttp.http_parser.HttpResponseParserPy
_AT_ONCE = 2**20  # aiohttp warns of larger bodies in one piece
_PIECE = 2**17  # of a larger body
_UNCOMPRESSED = {"Accept-Encoding": "identity"}  # for pictures: aiohttp does not tell that a compressed one was cut


@attrs.define(eq=False, repr=False)
class _Held:
    """A loop's session, and the ways that were taken without it; None where there can be none."""

    loop: asyncio.AbstractEventLoop
    session: aiohttp.ClientSession
    holder: AsyncGenerator[None, None]
    routes: dict[URL, direct.Route] | None
    ssl_context: ssl.SSLContext | None

    def find_route(self, url: URL) -> direct.Route | None:
        """Return the way to a URL's origin."""
        if self.routes is None or url.raw_user is not None:
            return None
        origin = url.origin()
        route = self.routes.get(origin)
        if route is None:
            route = self.routes[origin] = direct.Route(self.session, origin, self.ssl_context)
        return route


class Pool:
    """A client's connections: one aiohttp session for each event loop and process.

    A session is closed with the client, when nobody holds the pool any more, or when its loop shuts down its async
    generators (as `asyncio.run` does).

    Args:
        proxies: Proxy URL by scheme (`all`, `https`, `http`); None takes HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
        allow_private_urls: Whether `fetch` may download from private addresses.
        ssl_context: What certificates are trusted, and which of the user's own is shown to places that the user chose.

    Attributes:
        passwords: Those of the proxies, which may be in no error.
    """

    def __init__(
        self,
        proxies: Mapping[str, Secret] | None = None,
        *,
        allow_private_urls: bool = False,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.ssl_context = ssl_context
        self._proxies = proxies
        self._found_proxies = _find_proxies() if proxies is None else {}  # once: a third of a request's cost otherwise
        self.passwords = list_passwords((self._found_proxies if proxies is None else proxies).values())
        self._allow_private_urls = allow_private_urls
        self._held: dict[tuple[int, int, bool], _Held] = {}
        # The finalizer holds the sessions too. Else, where a pool is collected as garbage, they were so with it, and
        # complained of it; so only their generators are freed, whose loops then close the sessions.
        weakref.finalize(self, self._held.clear).atexit = False

    async def get_session(self, *, guarded: bool = False) -> aiohttp.ClientSession:
        """Return this loop's session; a `guarded` one connects to public addresses only."""
        return (await self.hold(guarded=guarded)).session

    async def hold(self, *, guarded: bool = False) -> _Held:
        """Return this loop's session with what belongs to it."""
        loop = asyncio.get_running_loop()
        key = (os.getpid(), id(loop), guarded)
        held = self._held.get(key)
        if held is None or held.loop is not loop or held.session.closed:
            held = self._held[key] = await self._hold_session(loop, guarded=guarded)
            for other, item in list(self._held.items()):  # a copy: other threads have their loops here too
                if item.loop.is_closed():
                    self._held.pop(other, None)
        return held

    async def _hold_session(self, loop: asyncio.AbstractEventLoop, *, guarded: bool) -> _Held:
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=Resolver(),
            socket_factory=_make_public_socket if guarded else _make_socket,
            enable_cleanup_closed=False,
        )
        session = aiohttp.ClientSession(
            connector=direct.mend_connector(connector),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        if hasattr(session, "_retry_connection"):
            session._retry_connection = False  # it is for g4f to say what is repeated, and how often
        holder = _close_at_the_end(session)
        await anext(holder)
        routes: dict[URL, direct.Route] | None = None if guarded or not direct.Route.is_possible(session) else {}
        return _Held(loop, session, holder, routes, self.ssl_context)

    def select_proxy(self, url: str) -> Secret | None:
        """Return the proxy that a request to `url` goes through."""
        if not (self._found_proxies or self._proxies):
            return None
        parts = urlsplit(url)
        proxies = self._found_proxies if self._proxies is None else self._proxies
        proxy = proxies.get(parts.scheme) or proxies.get("all")
        if proxy and self._proxies is None and proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        return _check_proxy(proxy)

    async def fetch(
        self,
        url: str,
        *,
        deadlines: Timeout,
        max_bytes: int = DEFAULT_LIMITS.download_bytes,
        trusted: frozenset[str] = frozenset(),
        proxy: Secret | None = None,
    ) -> HttpResponse:
        """Download a public URL without credentials.

        Args:
            url: An http or https URL. Its address is checked when the connection is made, for redirects as well.
            deadlines: `connect` and `total` count.
            max_bytes: How large the file may be.
            trusted: Origins that may be private, because the user configured them.
            proxy: A proxy for this download alone.

        Raises:
            APIConnectionError: It cannot be had, or the address is not public.
            APIResponseError: It is too large, or redirects without end.
        """
        with Watch(deadlines.total):
            return await self._download(url, deadlines.connect, max_bytes, trusted, _check_proxy(proxy))
        raise make_late_error(f"The download of {show_place(url)}", deadlines.total)

    async def _download(
        self, url: str, connect_seconds: float | None, max_bytes: int, trusted: frozenset[str], own_proxy: Secret | None
    ) -> HttpResponse:
        for _ in range(MAX_REDIRECTS + 1):
            chosen = _find_public_origin(url) in trusted
            free = self._allow_private_urls or chosen
            proxy = own_proxy or self.select_proxy(url)
            if not free and (names_private_host(url) or (proxy is not None and await _leads_inside(url))):
                raise make_private_error(url)
            session = await self.get_session(guarded=not free and proxy is None)
            outgoing = _Outgoing("GET", url, _UNCOMPRESSED, {}, b"", proxy, connect_seconds)
            outgoing.ssl_context = self.ssl_context if chosen else None  # strangers see no certificate of the user's
            response = await _open(session, outgoing)
            try:
                location = _read_location(response.status, response.headers)
                if location is None:
                    body = await _read_body(response, max_bytes)
                    return HttpResponse(response.status, response.headers, body, url)
            finally:
                response.close()
            url = _join(url, location)
        raise APIResponseError(f"The download of {show_place(url)} was redirected more than {MAX_REDIRECTS} times.")

    async def close(self) -> None:
        """Close all sessions of this process."""
        running = asyncio.get_running_loop()
        for key in [key for key in list(self._held) if key[0] == os.getpid()]:
            # A parent's sessions stay: even to drop them would take its sockets out of the epoll that both share.
            item = self._held.pop(key)
            if item.loop.is_closed():
                continue
            if item.loop is running:
                await item.holder.aclose()
            else:
                with suppress(RuntimeError):  # that loop is closing, and closes its session itself
                    item.loop.call_soon_threadsafe(item.loop.create_task, item.holder.aclose())


async def _close_at_the_end(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    # A suspended generator is the one thing that an event loop tells when it ends.
    try:
        yield
    finally:
        await session.close()


@attrs.define(eq=False, repr=False)
class BoundTransport:
    """The network for one attempt: a pool, and what may be sent where.

    With `timed` its user keeps the deadline of the whole, and there is none here.
    """

    pool: Pool
    access: Access
    auth: Auth
    timeout: Timeout
    proxy: Secret | None = None
    idempotency_key: str = ""
    timed: bool = False
    limits: Limits = DEFAULT_LIMITS

    def send(self, request: HttpRequest) -> Coroutine[Any, Any, HttpResponse]:
        """Send a request and read the whole answer; see `g4f.context.Transport`."""
        total = self.timeout.total
        return self._exchange(request) if total is None or self.timed else self._exchange_in_time(request, total)

    async def _exchange_in_time(self, request: HttpRequest, total: float) -> HttpResponse:
        with Watch(total):
            return await self._exchange(request)
        raise make_late_error("The whole answer", total)

    async def _exchange(self, request: HttpRequest) -> HttpResponse:
        total, head = self.timeout.total, self.timeout.head
        if head is None or (total is not None and total <= head):
            response = await self._open(request)  # the deadline of the whole comes first: one timer is enough
        else:
            response = await self._open_in_time(request, head)
        try:
            limits, expected = self.limits, request.max_bytes
            if response.status >= 400:
                body = await _read_body(response, limits.error_bytes, cut=True)
            else:
                limit = limits.json_bytes if expected is None else limits.images_bytes or expected
                body = await _read_body(response, limit)
                if limits is not DEFAULT_LIMITS or len(body) > FEW_BYTES:
                    check_json(body, limits)
            return HttpResponse(response.status, response.headers, body, str(response.url))
        finally:
            response.close()  # a no-op for a body that was read to its end: then the connection is reused

    async def stream(self, request: HttpRequest) -> AiohttpStream:
        """Send a request and return at the answer's head; see `g4f.context.Transport`."""
        return AiohttpStream(await self._open_in_time(request, self.timeout.stream_head))

    async def _open_in_time(self, request: HttpRequest, seconds: float | None) -> Response:
        if seconds is None:
            return await self._open(request)
        with Watch(seconds):
            return await self._open(request)
        raise make_late_error("The head of the answer", seconds)

    async def _open(self, request: HttpRequest) -> Response:
        url = self._locate(request.path)
        query: dict[str, str | Secret] = {**self.access.default_query, **request.query}
        held = await self.pool.hold()
        for _ in range(MAX_REDIRECTS + 1):
            response = await _open(held.session, self._make_outgoing(request, url, query), held)
            location = _read_location(response.status, response.headers)
            if location is None:
                return response
            response.close()
            url, query = self._follow(url, location, response.status, request.method), {}
        raise APIResponseError(f"{show_place(url)} redirects more than {MAX_REDIRECTS} times.")

    def _locate(self, path: str) -> str:
        url = path if path.startswith(("http://", "https://")) else self.access.base_url + path
        if not is_among(url, self.access.origins):
            raise InvalidInputError(f"{show_place(url)} is no address of this provider; its key does not go there.")
        return url

    def _follow(self, url: str, location: str, status: int, method: str) -> str:
        target = _join(url, location)
        if not target.startswith(("http://", "https://")) or not is_among(target, self.access.origins):
            raise APIResponseError(
                f"{show_place(url)} redirects to another place ({show_place(target)}), which is not followed."
            )
        if method != "GET" and status not in (307, 308):
            raise APIResponseError(f"{show_place(url)} redirects a {method} with status {status}; check the base_url.")
        return target

    def _make_outgoing(self, request: HttpRequest, url: str, given: Mapping[str, str | Secret]) -> _Outgoing:
        query = _reveal_all(given) if given else {}
        proxy = _check_proxy(self.proxy) or self.pool.select_proxy(url)
        headers, context = self._make_headers(request), self.pool.ssl_context
        return _Outgoing(request.method, url, headers, query, request.body, proxy, self.timeout.connect, context)

    def _make_headers(self, request: HttpRequest) -> Mapping[str, str]:
        headers = CIMultiDict({"User-Agent": "g4f", **self.access.headers})
        headers.update(request.headers)  # before the key is there: of what fails here a traceback shows all variables
        if self.access.default_headers:
            said = CIMultiDict(request.headers)
            headers.update(
                {name: value.reveal() for name, value in self.access.default_headers.items() if name not in said}
            )
        if self.access.secret is not None and self.auth.kind == "header":
            headers.setdefault(self.auth.header, self.auth.prefix + self.access.secret.reveal())
        if self.idempotency_key and request.method == "POST":
            headers.setdefault("Idempotency-Key", self.idempotency_key)  # who knows it does no work twice
        return headers


def _reveal_all(query: Mapping[str, str | Secret]) -> Mapping[str, str]:
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in query.items()}


class AiohttpStream:
    """The body of an answer, as it comes."""

    __slots__ = ("__weakref__", "_close", "_response", "headers", "status")

    def __init__(self, response: Response) -> None:
        self._response = response
        # The finalizer holds the response too. Else a stream that is collected as garbage took its connection along,
        # which complains of not having been closed.
        self._close = weakref.finalize(self, _close_response, response, asyncio.get_running_loop())
        self._close.atexit = False
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the decompressed bytes; no generator, so there is nothing to clean up when it is left."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next bytes.

        Raises:
            StreamTruncatedError: The connection broke.
        """
        content = self._response.content
        try:
            data = await direct.read_joined(content)
        except Exception as caught:  # noqa: BLE001 - whatever it is becomes ours
            error = convert_error(caught, str(self._response.url))
        else:
            if not data:
                raise StopAsyncIteration
            return data
        raise StreamTruncatedError(error.message) if type(error) is APIConnectionError else error

    def wait(self) -> Awaitable[None] | None:
        """Return what to await until something came; see `g4f.context.HttpStream`."""
        return direct.wait_for_data(self._response.content)

    async def read(self, max_bytes: int) -> bytes:
        """Return the first `max_bytes` of the rest."""
        return await _read_body(self._response, max_bytes, cut=True)

    async def finish(self) -> None:
        """Read what is left if it is nearly there: a server may also hold the connection open for ever."""
        content = self._response.content
        if content.at_eof():  # it nearly always came with the answer's last event
            return
        with suppress(Exception):
            async with asyncio.timeout(FINISH_SECONDS):
                while await content.readany():
                    pass

    async def aclose(self) -> None:
        """Close the connection unless the answer was read to its end."""
        self._close()


def _close_response(response: Response, loop: asyncio.AbstractEventLoop) -> None:
    """Close it in its loop: garbage is collected in any thread."""
    if loop.is_closed() or asyncio._get_running_loop() is loop:
        response.close()
    else:
        with suppress(RuntimeError):  # it is closed in this moment, and closes its connections itself
            loop.call_soon_threadsafe(response.close)


@attrs.define(eq=False, repr=False)
class _Outgoing:
    """One HTTP request, complete."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)  # also where the class has no repr: rich shows such fields
    query: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    proxy: Secret | None
    connect_seconds: float | None
    ssl_context: ssl.SSLContext | None = None


class _LargeBody(aiohttp.Payload):
    """A body that is sent in pieces, none of them a copy; of `io.BytesIO` aiohttp would copy the whole."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._body = body

    @property
    def size(self) -> int:
        return len(self._body)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._body.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        body = memoryview(self._body)
        for start in range(0, len(body), _PIECE):
            await writer.write(body[start : start + _PIECE])
            await asyncio.sleep(0)  # others have their turn


Response = aiohttp.ClientResponse | direct.DirectResponse


async def _open(session: aiohttp.ClientSession, outgoing: _Outgoing, held: _Held | None = None) -> Response:
    """Send a request and return at the answer's head; a plain one without the session, where `held` is given."""
    try:
        response = await _send(session, outgoing, held)
        if _PARSED_BY_PYTHON:
            _expect_one_length(response)
        return response
    except Exception as caught:  # noqa: BLE001 - whatever it is becomes ours
        error = convert_error(caught, outgoing.url)
    except BaseException as caught:  # a cancellation
        forget_origin(caught)
        raise
    # Outside of `except`: there the error's __context__ would hold aiohttp's, and that the key.
    try:
        raise error
    finally:
        del error  # which its traceback would hold: a circle


async def _send(session: aiohttp.ClientSession, outgoing: _Outgoing, held: _Held | None) -> Response:
    url = _make_url(outgoing.url)
    route = held.find_route(url) if held is not None and _is_plain(outgoing) else None
    if route is not None:
        target = url.extend_query(outgoing.query) if outgoing.query else url
        return await route.post(target, outgoing.headers, outgoing.body, _make_timeout(outgoing.connect_seconds))
    return await session.request(
        outgoing.method,
        url,
        params=outgoing.query or None,
        data=_LargeBody(outgoing.body) if len(outgoing.body) > _AT_ONCE else outgoing.body or None,
        headers=outgoing.headers,
        proxy=None if outgoing.proxy is None else outgoing.proxy.reveal(),
        allow_redirects=False,
        timeout=_make_timeout(outgoing.connect_seconds),
        ssl=outgoing.ssl_context or True,
    )


def _expect_one_length(response: Response) -> None:
    """Refuse an answer that says two lengths. aiohttp's parser in Python, alone, would cut it at the first."""
    lengths = response.headers.getall("Content-Length", [])
    if len(set(lengths)) > 1:
        response.close()
        raise aiohttp.http_exceptions.InvalidHeader("Content-Length")


@lru_cache(maxsize=16)
def _make_timeout(connect_seconds: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, connect=connect_seconds)


def _is_plain(outgoing: _Outgoing) -> bool:
    """Tell the requests that nearly all are: a body of known kind and length, straight to the service."""
    headers = outgoing.headers
    return (
        outgoing.method == "POST"
        and 0 < len(outgoing.body) <= _AT_ONCE
        and outgoing.proxy is None
        and "Content-Type" in headers
        and "Content-Length" not in headers  # this one and those below change how a request is sent
        and "Transfer-Encoding" not in headers
        and "Expect" not in headers
    )


async def _read_body(response: Response, limit: int, *, cut: bool = False) -> bytes:
    """Read a body of at most `limit` decompressed bytes; with `cut` the rest is left, else more is an error."""
    parts: list[bytes] = []
    left = limit
    error: APIError | None = None
    content = response.content
    while left >= 0:
        if content.at_eof() and content.exception() is None:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        try:
            data = await direct.read_joined(content)
        except Exception as caught:  # noqa: BLE001 - whatever it is becomes ours
            error = convert_error(caught, str(response.url))
            break
        parts.append(data)
        left -= len(data)
    if cut and left < 0:
        return b"".join(parts)[:limit]
    try:
        raise error or APIResponseError(f"The answer of {show_place(str(response.url))} is larger than {limit} bytes.")
    finally:
        del error  # which its traceback would hold: a circle


@lru_cache(maxsize=256)
def _make_url(url: str) -> URL:
    """Read a URL; one that is written properly is left as it is, since its escapes may be signed."""
    return URL(url, encoded="%" in url and url.isascii() and url.isprintable() and " " not in url)


def _read_location(status: int, headers: Mapping[str, str]) -> str | None:
    return headers.get("Location") if status in _REDIRECTS else None


def _find_proxies() -> Mapping[str, Secret]:
    return {scheme: Secret(url) for scheme, url in getproxies().items()}


def _check_proxy(proxy: Secret | None) -> Secret | None:
    """Complete a proxy's URL; `host:port` alone is what many systems have.

    Raises:
        InvalidInputError: It is of a kind that is not supported.
    """
    if proxy is None:
        return None
    scheme = _find_scheme(proxy)
    if scheme not in ("", "http", "https"):
        raise InvalidInputError(f"g4f goes through http:// and https:// proxies, and not through {scheme}://.")
    return proxy if scheme else Secret(f"http://{proxy.reveal()}")


def _find_scheme(proxy: Secret) -> str:
    scheme, separator, _ = proxy.reveal().partition("://")
    return scheme.lower() if separator else ""


def _join(url: str, location: str) -> str:
    with suppress(ValueError):
        return urljoin(url, location)
    raise APIResponseError(f"{show_place(url)} redirects to an address that cannot be read.")


async def _leads_inside(url: str) -> bool:
    """Tell whether a URL's name has an address here that is not public, since a proxy looks it up unseen."""
    with suppress(OSError, ValueError):  # a name that nobody knows here, or not in time, is left to the proxy
        async with asyncio.timeout(_LOOK_UP_SECONDS):
            found = await look_up(URL(url).raw_host or "", None, type=socket.SOCK_STREAM)
        return not all(is_public_address(str(address[0])) for *_, address in found)
    return False


def _find_public_origin(url: str) -> str:
    try:
        return find_origin(url)
    except InvalidInputError:
        pass  # a service named it, and not the user
    raise APIConnectionError(f"{show_place(url)} is no address that a file can be downloaded from.", retryable=False)


def _make_socket(addr_info: Any) -> socket.socket:
    family, kind, protocol, *_ = addr_info
    return socket.socket(family=family, type=kind, proto=protocol)


def _make_public_socket(addr_info: Any) -> socket.socket:
    if not is_public_address(addr_info[4][0]):
        # The same text each time: of several errors with different texts aiohappyeyeballs makes one of no kind.
        raise PrivateAddressError("not a public address")
    return _make_socket(addr_info)
