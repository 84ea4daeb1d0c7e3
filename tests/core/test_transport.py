import asyncio
import gc
import gzip
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import traceback
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from g4f.context import HttpRequest, Limits, Timeout
from g4f.credentials import Access, Secret, find_origin, hide_proxy
from g4f.direct import Route
from g4f.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APITimeoutError,
    G4FError,
    InvalidInputError,
    StreamTruncatedError,
)
from g4f.manifest import Auth
from g4f.transport import BoundTransport, Pool
from loopback import Loopback, reply_json

KEY = "sk-a-key-that-nobody-may-see"
HEADER = Auth(kind="header")
FAST = Timeout(connect=0.3, stream_head=0.3, head=0.3, total=0.3)
GET = HttpRequest("GET", "/models")
POST = HttpRequest("POST", "/chat", b"{}", {"Content-Type": "application/json"})
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine that runs the tests may stand behind a proxy of its own."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True, params=["directly", "by the session"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether plain requests take the short way of `direct.py`: nothing here may depend on it."""
    if request.param == "by the session":
        monkeypatch.setattr(Route, "is_possible", staticmethod(lambda session: False))
    return str(request.param)


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """A client's connections."""
    pool = Pool()
    yield pool
    await pool.close()


def bind(
    pool: Pool,
    url: str,
    *,
    auth: Auth = HEADER,
    timeout: Timeout = Timeout(),  # noqa: B008 - frozen
    proxy: str | None = None,
    **changes: Any,
) -> BoundTransport:
    """The network of one attempt at `url`; `changes` are those of its `Access`."""
    access = Access(url, Secret(KEY), {}, {}, frozenset({find_origin(url)}))
    return BoundTransport(pool, attrs.evolve(access, **changes), auth, timeout, hide_proxy(proxy))


# --- Servers that misbehave ------------------------------------------------------------------------------------------


@attrs.define
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def list_values(self, name: str) -> list[str]:
        """Every header of that name."""
        return [value for key, value in self.headers if key == name]


@attrs.define
class Server:
    """What a server saw."""

    url: str = ""
    requests: list[Seen] = attrs.field(factory=list)
    connections: int = 0
    hung_up: asyncio.Event = attrs.field(factory=asyncio.Event)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Answer = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listen(talk: Talk) -> AsyncIterator[Server]:
    """A server of bytes; `talk` is the whole conversation of one connection."""
    server = Server()
    tasks = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        server.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
        finally:
            server.hung_up.set()
            writer.close()

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def serve(answer: Answer) -> AsyncIterator[Server]:
    """A server of HTTP, until `answer` closes the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            seen = await read_request(reader)
            server.requests.append(seen)
            await answer(seen, writer)

    async with listen(talk) as server:
        yield server


async def read_request(reader: asyncio.StreamReader) -> Seen:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    method, target, _ = first.split(" ")
    size = next((int(value) for name, value in headers if name == "content-length"), 0)
    return Seen(method, target, headers, await reader.readexactly(size))


def say(*pieces: bytes, close: bool = False) -> Answer:
    """Answer these bytes."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if close:
            writer.close()

    return answer


def repeat(start: bytes, piece: bytes, seconds: float = 0.0) -> Answer:
    """Answer `start`, and then `piece` for ever."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds)

    return answer


def make_answer(body: bytes, *headers: str, status: int = 200) -> bytes:
    head = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def redirect(location: str, status: int = 307) -> bytes:
    return make_answer(b"", f"Location: {location}", status=status)


async def stay_mute(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answer nothing."""
    await asyncio.Event().wait()


async def reset(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Break the connection."""
    writer.transport.abort()


async def hear_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what comes, and say nothing."""
    while await reader.read(1000):
        pass


async def answer_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer whatever comes with HTTP, as a web server does that is greeted in TLS."""
    await reader.read(1)
    writer.write(make_answer(b"", status=400))


def expect_clean(error: BaseException | None) -> None:
    """No foreign exception in an error, and the key in nothing that a report of it would show."""
    shown = True
    while error is not None:
        assert isinstance(error, G4FError) or not shown, repr(error)
        assert KEY not in f"{error} {error!r} {vars(error)}"
        traceback: TracebackType | None = error.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if frame.f_globals["__name__"] != __name__:
                assert KEY not in repr(frame.f_locals), frame
            traceback = traceback.tb_next
        shown = shown and (error.__cause__ is not None or not error.__suppress_context__)
        error = error.__cause__ or error.__context__


# --- What is sent ----------------------------------------------------------------------------------------------------


async def test_a_whole_answer_comes_back(pool: Pool) -> None:
    """Status, body, address, and headers that are looked up in any case."""
    async with serve(say(make_answer(b"no", "X-Request-Id: 7", status=404))) as server:
        response = await bind(pool, server.url).send(POST)

    assert (response.status, response.body, response.url) == (404, b"no", f"{server.url}/chat")
    assert response.headers["x-request-id"] == response.headers["X-REQUEST-ID"] == "7"
    (seen,) = server.requests
    assert (seen.method, seen.target, seen.body) == ("POST", "/chat", b"{}")
    assert seen.list_values("authorization") == [f"Bearer {KEY}"]
    assert seen.list_values("content-type") == ["application/json"]


async def test_the_key_travels_as_the_manifest_says(pool: Pool) -> None:
    """In another header, with another prefix, or not at all; settings go along in theirs."""
    async with serve(say(OK)) as server:
        own_header = Auth(kind="header", header="x-api-key", prefix="")
        await bind(pool, server.url, auth=own_header, headers={"X-Organization": "us"}).send(GET)
        await bind(pool, server.url, auth=Auth(kind="own")).send(GET)
        await bind(pool, server.url, secret=None).send(GET)

    first, *others = server.requests
    assert first.list_values("x-api-key") == [KEY]
    assert first.list_values("authorization") == []
    assert first.list_values("x-organization") == ["us"]
    assert KEY not in str(others)


async def test_headers_of_the_request_replace_ours_in_any_letter_case(pool: Pool) -> None:
    """Nothing is sent twice."""
    async with serve(say(OK)) as server:
        await bind(pool, server.url).send(
            attrs.evolve(GET, headers={"authorization": "Bearer other", "USER-AGENT": "mine"})
        )

    (seen,) = server.requests
    assert seen.list_values("authorization") == ["Bearer other"]
    assert seen.list_values("user-agent") == ["mine"]


async def test_paths_and_queries_arrive_as_they_were_written(pool: Pool) -> None:
    """Escapes stay as they are, since they may be signed; what needs an escape gets one."""
    async with serve(say(OK)) as server:
        for path in ("/a%2Fb%7E?q=%20", "/ä b%20c", "/plain"):
            await bind(pool, server.url).send(HttpRequest("GET", path))
        await bind(pool, server.url).send(HttpRequest("GET", "/x", query={"key": "a b&c"}))

    assert [seen.target for seen in server.requests] == [
        "/a%2Fb%7E?q=%20",
        "/%C3%A4%20b%20c",
        "/plain",
        "/x?key=a+b%26c",
    ]


async def test_a_large_body_arrives_whole(pool: Pool) -> None:
    """A picture of some megabytes is nothing to warn of."""
    body = b"".join(at.to_bytes(4, "big") for at in range(3 * 2**18)) + b"the end"
    async with serve(say(OK)) as server:
        await bind(pool, server.url).send(attrs.evolve(POST, body=body))

    assert server.requests[0].body == body


@pytest.mark.parametrize("path", ["http://127.0.0.1:1/x", "https://127.0.0.1/x", "@127.0.0.1:1/x", ".evil.example/x"])
async def test_a_request_to_a_foreign_address_is_refused(pool: Pool, path: str) -> None:
    """Nothing is sent; the key goes to the provider's own origins only."""
    async with serve(say(OK)) as server:
        with pytest.raises(InvalidInputError) as caught:
            await bind(pool, server.url).send(HttpRequest("GET", path))

    expect_clean(caught.value)
    assert not server.requests


async def test_further_origins_of_the_manifest_get_the_key(pool: Pool) -> None:
    """A service may have a second host."""
    async with serve(say(OK)) as first, serve(say(OK)) as second:
        origins = frozenset({find_origin(first.url), find_origin(second.url)})
        await bind(pool, first.url, origins=origins).send(HttpRequest("GET", f"{second.url}/upload"))

    assert not first.requests
    assert second.requests[0].list_values("authorization") == [f"Bearer {KEY}"]


@given(
    st.lists(
        st.sampled_from(["a.example", "b", "@", "\\", "/", "//", ":", "443", "%40", "?", "#", "[::1]", "\t", " "]),
        max_size=6,
    )
)
def test_the_origin_that_is_checked_is_the_one_that_is_connected_to(parts: list[str]) -> None:
    """However a URL is written, both readers of it find the same host and port."""
    url = "https://" + "".join(parts)
    with suppress(G4FError, ValueError, IndexError):
        read = URL(url)
        assert find_origin(url) == find_origin(str(read.origin()))


# --- Redirects -------------------------------------------------------------------------------------------------------


async def test_a_redirect_to_the_same_origin_is_followed(pool: Pool) -> None:
    """307 and 308 repeat the request with its body and key; the query is the new address's own."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if seen.target.startswith("/new") else redirect("/new?page=1"))

    async with serve(answer) as server:
        response = await bind(pool, server.url).send(attrs.evolve(POST, query={"page": "1"}))

    assert response.body == b"ok"
    assert [seen.target for seen in server.requests] == ["/chat?page=1", "/new?page=1"]
    assert [(seen.method, seen.body) for seen in server.requests] == [("POST", b"{}")] * 2
    assert server.requests[1].list_values("authorization") == [f"Bearer {KEY}"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_get_is_redirected_with_every_status(pool: Pool, status: int) -> None:
    """Only what has a body is particular."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if seen.target == "/new" else redirect("/new", status))

    async with serve(answer) as server:
        assert (await bind(pool, server.url).send(GET)).body == b"ok"


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_post_is_not_turned_into_a_get(pool: Pool, status: int) -> None:
    """Such a redirect means that the base URL is wrong."""
    async with serve(say(redirect("/new", status))) as server:
        with pytest.raises(APIResponseError, match="check the base_url") as caught:
            await bind(pool, server.url).send(POST)

    expect_clean(caught.value)
    assert len(server.requests) == 1


async def test_a_redirect_to_another_origin_is_refused(pool: Pool) -> None:
    """The key does not go along, and neither does anything else."""
    async with serve(say(OK)) as other, serve(say(redirect(f"{other.url}/steal"))) as server:
        with pytest.raises(APIResponseError, match="which is not followed") as caught:
            await bind(pool, server.url).send(POST)

    expect_clean(caught.value)
    assert not other.connections


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "//evil.example/", "https://127.0.0.1/", "ftp://x", "http://["]
)
async def test_a_redirect_to_no_address_of_ours_is_refused(pool: Pool, location: str) -> None:
    """Whatever the location looks like."""
    async with serve(say(redirect(location))) as server:
        with pytest.raises(G4FError) as caught:
            await bind(pool, server.url).send(GET)

    expect_clean(caught.value)
    assert isinstance(caught.value, APIResponseError)


async def test_a_redirect_without_end_is_given_up(pool: Pool) -> None:
    """After five of them."""
    async with serve(say(redirect("/again"))) as server:
        with pytest.raises(APIResponseError, match="more than 5 times") as caught:
            await bind(pool, server.url).send(GET)

    expect_clean(caught.value)
    assert len(server.requests) == 6


async def test_a_redirect_without_a_location_is_an_answer(pool: Pool) -> None:
    """There is nowhere to go."""
    async with serve(say(make_answer(b"", status=302))) as server:
        assert (await bind(pool, server.url).send(GET)).status == 302


# --- Deadlines -------------------------------------------------------------------------------------------------------

DRIPPED_HEAD = repeat(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.01)
DRIPPED_BODY = repeat(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.01)


@pytest.mark.parametrize("method", ["send", "stream"])
@pytest.mark.parametrize("answer", [DRIPPED_HEAD, stay_mute], ids=["dripping", "mute"])
async def test_a_head_that_is_not_complete_in_time_is_an_error(pool: Pool, method: str, answer: Answer) -> None:
    """The deadline is for the whole head, not for each read, and the connection is closed."""
    async with serve(answer) as server:
        with pytest.raises(APITimeoutError, match=r"head of the answer did not come within 0\.3 s") as caught:
            await getattr(bind(pool, server.url, timeout=attrs.evolve(FAST, total=9)), method)(POST)
        await server.hung_up.wait() if answer is DRIPPED_HEAD else None

    expect_clean(caught.value)
    assert caught.value.__context__ is None
    assert caught.value.retryable


async def test_a_body_that_is_not_complete_in_time_is_an_error(pool: Pool) -> None:
    """However steadily it drips."""
    async with serve(DRIPPED_BODY) as server:
        with pytest.raises(APITimeoutError, match=r"whole answer did not come within 0\.3 s") as caught:
            await bind(pool, server.url, timeout=FAST).send(POST)
        await server.hung_up.wait()

    expect_clean(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("method", ["send", "stream"])
async def test_tls_that_never_answers_runs_into_the_deadline_for_connecting(pool: Pool, method: str) -> None:
    """A connection stands when TLS does."""
    async with listen(hear_only) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(APITimeoutError, match=r"No connection to .* in time") as caught:
            await getattr(bind(pool, url, timeout=Timeout(connect=0.2)), method)(GET)

    expect_clean(caught.value)


async def test_cancelling_a_request_closes_its_connection(pool: Pool) -> None:
    """And comes through as what it is."""
    async with serve(DRIPPED_BODY) as server:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.2):
                await bind(pool, server.url).send(POST)
        await server.hung_up.wait()

    assert not isinstance(caught.value, G4FError)


# --- Answers that are none -------------------------------------------------------------------------------------------

CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIP = "Content-Encoding: gzip"
FAULTS: dict[str, tuple[Answer, type[APIError], str | None]] = {
    "closed at once": (say(close=True), APIConnectionError, "without an answer"),
    "reset at once": (reset, APIConnectionError, None),
    "no status line": (say(b"SSH-2.0-OpenSSH_9\r\n\r\n", close=True), APIResponseError, "no HTTP"),
    "no status": (say(b"HTTP/1.1 abc OK\r\n\r\n", close=True), APIResponseError, "no HTTP"),
    "binary": (say(bytes(range(256)) * 10 + b"\r\n\r\n", close=True), APIResponseError, "no HTTP"),
    "cut in the head": (say(b"HTTP/1.1 200 OK\r\nContent-", close=True), APIConnectionError, None),
    "cut in the body": (say(CUT, close=True), APIConnectionError, "broke"),
    "cut in a chunk": (say(CHUNKED + b"5\r\nab", close=True), APIConnectionError, "broke"),
    "no chunk size": (say(CHUNKED + b"zz\r\nab\r\n", close=True), APIError, None),
    "broken gzip": (say(make_answer(b"\x1f\x8b\x08junk" * 9, GZIP)), APIError, None),
    "endless headers": (repeat(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 9999 + b"\r\n"), APIResponseError, "no HTTP"),
    "two lengths": (say(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), APIError, None),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_answer_that_is_no_http_is_an_error_of_ours(pool: Pool, fault: str) -> None:
    """Nothing of aiohttp's comes through, and the error says what happened to whom."""
    answer, kind, words = FAULTS[fault]
    async with serve(answer) as server:
        with pytest.raises(kind, match=words) as caught:
            await bind(pool, server.url).send(POST)

    expect_clean(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_stream_that_is_no_http_is_an_error_of_ours(pool: Pool, fault: str) -> None:
    """Before its head or after it."""
    answer, _, _ = FAULTS[fault]
    async with serve(answer) as server:
        with pytest.raises(APIError) as caught:
            stream = await bind(pool, server.url).stream(POST)
            try:
                async for _ in stream:
                    pass
            finally:
                await stream.aclose()

    expect_clean(caught.value)


async def test_a_refused_connection_is_an_error_of_ours(pool: Pool) -> None:
    """It says so and may be tried again."""
    async with serve(stay_mute) as server:
        url = server.url
    with pytest.raises(APIConnectionError, match=r"No connection to 127\.0\.0\.1:.*refused") as caught:
        await bind(pool, url).send(POST)

    expect_clean(caught.value)
    assert caught.value.retryable


async def test_an_unknown_name_is_an_error_of_ours(pool: Pool) -> None:
    """The top-level name is reserved for names that do not exist (RFC 6761)."""
    with pytest.raises(APIConnectionError, match=r"nobody\.invalid") as caught:
        await bind(pool, "http://nobody.invalid").send(POST)

    expect_clean(caught.value)


@pytest.mark.parametrize("url", ["http://a..b", "http://" + "a" * 64 + ".example", "http://[::1%25x]:1", "http://x:0"])
async def test_an_address_that_cannot_be_used_is_an_error_of_ours(pool: Pool, url: str) -> None:
    """Whatever part of it is wrong."""
    with pytest.raises(G4FError) as caught:
        await bind(pool, url).send(POST)

    expect_clean(caught.value)


@pytest.mark.parametrize("value", ["b\r\nX-C: d", "b\n", "\rb", "b\0"])
async def test_a_header_that_cannot_be_sent_is_an_error_of_ours(pool: Pool, value: str) -> None:
    """A line break in it would begin another header; trying again does not help."""
    async with serve(say(OK)) as server:
        with pytest.raises(APIError, match="cannot be sent") as caught:
            await bind(pool, server.url).send(attrs.evolve(POST, headers={**POST.headers, "X-A": value}))

    expect_clean(caught.value)
    assert not caught.value.retryable
    assert not server.requests


async def test_a_request_that_a_provider_made_wrong_shows_no_key(pool: Pool) -> None:
    """In no variable of the frames of its traceback."""
    with pytest.raises(TypeError) as caught:
        await bind(pool, "http://127.0.0.1:1").send(attrs.evolve(POST, headers={b"X-A": "b"}))

    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "_make_headers" in shown
    assert KEY not in shown


async def test_tls_to_a_plain_port_is_an_error_of_ours(pool: Pool) -> None:
    """It says that the other side does not speak TLS."""
    async with listen(answer_at_once) as server:
        with pytest.raises(APIConnectionError, match="does not speak TLS") as caught:
            await bind(pool, server.url.replace("http:", "https:")).send(POST)

    expect_clean(caught.value)
    assert not caught.value.retryable


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
async def test_a_certificate_that_nobody_signed_is_an_error_of_ours(pool: Pool, tmp_path: Path) -> None:
    """It says that the certificate cannot be trusted, and is not tried again."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout key -out certificate"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)  # noqa: ASYNC221 - a moment
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate", tmp_path / "key")
    listener = await asyncio.start_server(hear_only, "127.0.0.1", 0, ssl=context)
    try:
        url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        with pytest.raises(APIConnectionError, match="certificate that cannot be trusted") as caught:
            await bind(pool, url).send(POST)
    finally:
        listener.close()

    expect_clean(caught.value)
    assert not caught.value.retryable


async def test_early_hints_are_passed_over(pool: Pool) -> None:
    """A 103 comes before the answer and is none."""
    async with serve(say(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK)) as server:
        assert (await bind(pool, server.url).send(GET)).body == b"ok"


# What a server says, the status and body that it means, and how many connections two such answers take.
ODD: dict[str, tuple[bytes, int, bytes, int]] = {
    "no body at all": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", 1),
    "a length of a body that is not sent": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b"", 1),
    "an empty body": (make_answer(b""), 200, b"", 1),
    "a cookie": (make_answer(b"ok", "Set-Cookie: a=b; Path=/"), 200, b"ok", 1),
    "compressed": (make_answer(gzip.compress(b"ok"), "Content-Encoding: gzip"), 200, b"ok", 1),
    "two answers": (OK + OK, 200, b"ok", 2),
    "the end of the connection": (make_answer(b"ok", "Connection: close"), 200, b"ok", 2),
    "HTTP of old": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", 2),
    "HTTP of old that goes on": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", 1,
    ),
    "another protocol": (
        b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 101, b"", 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
async def test_an_odd_answer_is_read_as_it_is_meant(pool: Pool, kind: str) -> None:
    """And its connection is used again where nothing speaks against it; a cookie is not kept."""
    answer, status, body, connections = ODD[kind]
    async with serve(say(answer)) as server:
        for _ in range(2):
            response = await bind(pool, server.url).send(POST)
            assert (response.status, response.body) == (status, body)

    assert server.connections == connections
    assert not any(seen.list_values("cookie") for seen in server.requests)


async def test_a_body_without_a_length_ends_with_its_connection(pool: Pool) -> None:
    """As in HTTP/1.0."""
    async with serve(say(b"HTTP/1.1 200 OK\r\n\r\nok", close=True)) as server:
        for _ in range(2):
            assert (await bind(pool, server.url).send(POST)).body == b"ok"

    assert server.connections == 2


@pytest.mark.parametrize(
    "head", [b"X-Long: " + b"x" * 9000 + b"\r\n", b"X-Many: x\r\n" * 200], ids=["one line", "all lines"]
)
async def test_a_head_that_is_too_large_is_an_error_of_ours(pool: Pool, head: bytes) -> None:
    """Nobody fills the memory with headers."""
    async with serve(say(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: 2\r\n\r\nok")) as server:
        with pytest.raises(APIResponseError, match="no HTTP") as caught:
            await bind(pool, server.url).send(POST)

    expect_clean(caught.value)


# --- Sizes -----------------------------------------------------------------------------------------------------------


async def test_the_page_of_an_error_is_read_to_a_limit(pool: Pool) -> None:
    """What is beyond it is left, also where it never ends, and the error's beginning is what counts."""
    async with serve(repeat(b"HTTP/1.1 500 X\r\n\r\n", b"x" * 9999)) as server:
        response = await bind(pool, server.url).send(POST)
        await server.hung_up.wait()

    assert response.status == 500
    assert response.body == b"x" * Limits().error_bytes


async def test_an_answer_that_is_too_large_is_an_error(pool: Pool) -> None:
    """At the request's own limit, or at the user's; up to it all is well."""
    async with serve(say(make_answer(b"x" * 1000))) as server:
        transport = bind(pool, server.url)
        for size, max_bytes, limits in (
            (1000, 1000, Limits(json_bytes=1)),
            (1000, 10, Limits(images_bytes=1000)),
            (1000, None, Limits(json_bytes=1000, images_bytes=1)),
            (999, 999, Limits(json_bytes=5000)),
            (999, 5000, Limits(images_bytes=999)),
            (999, None, Limits(json_bytes=999)),
        ):
            transport.limits, request = limits, attrs.evolve(GET, max_bytes=max_bytes)
            if size == 1000:
                assert len((await transport.send(request)).body) == 1000
            else:
                with pytest.raises(APIResponseError, match="larger than 999 bytes") as caught:
                    await transport.send(request)
                expect_clean(caught.value)


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_answers_are_read_and_bombs_are_not(
    pool: Pool, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    """The limit is for what comes out."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(
            make_answer(compress(b"x" * (2**26 if seen.target == "/bomb" else 9)), f"Content-Encoding: {coding}")
        )

    async with serve(answer) as server:
        transport = bind(pool, server.url)
        assert (await transport.send(GET)).body == b"x" * 9
        with pytest.raises(APIError) as caught:
            await transport.send(HttpRequest("GET", "/bomb"))

    expect_clean(caught.value)


# --- Streams ---------------------------------------------------------------------------------------------------------


async def test_a_stream_gives_bytes_as_they_come(pool: Pool) -> None:
    """The head first; then each piece when it is there, without waiting for the next."""
    go_on = asyncio.Event()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"3\r\none\r\n")
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    async with serve(answer) as server:
        stream = await bind(pool, server.url).stream(POST)
        pieces = []
        async for data in stream:
            pieces.append(data)
            go_on.set()
        await stream.aclose()

    assert stream.status == 200
    assert stream.headers["transfer-encoding"] == "chunked"
    assert pieces == [b"one", b"two"]


async def test_a_stream_that_breaks_is_one_that_was_cut(pool: Pool) -> None:
    """What came before is delivered."""
    async with serve(say(CHUNKED + b"3\r\none\r\n", close=True)) as server:
        stream = await bind(pool, server.url).stream(POST)
        pieces = []
        with pytest.raises(StreamTruncatedError, match="broke in the middle") as caught:
            async for data in stream:
                pieces.append(data)
        await stream.aclose()

    assert pieces == [b"one"]
    expect_clean(caught.value)


async def test_a_stream_whose_framing_breaks_is_told_of_at_once(pool: Pool) -> None:
    """Though the server holds the connection open, and there is no deadline."""
    go_on = asyncio.Event()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"3\r\none\r\n")
        await go_on.wait()
        writer.write(b"zz\r\nnonsense\r\n")
        await stay_mute(seen, writer)

    async with serve(answer) as server:
        transport = bind(pool, server.url, timeout=Timeout(total=None))
        stream = await transport.stream(POST)
        assert await anext(aiter(stream)) == b"one"
        asyncio.get_running_loop().call_soon(go_on.set)
        with pytest.raises(StreamTruncatedError, match="broke in the middle") as caught:
            await anext(aiter(stream))
        expect_clean(caught.value)
        await stream.aclose()
        go_on.clear()
        asyncio.get_running_loop().call_later(0.05, go_on.set)  # when its head was read; if not, it is no HTTP
        with pytest.raises(APIError) as caught_too:
            await transport.send(POST)
        expect_clean(caught_too.value)


async def test_what_came_before_a_break_is_delivered_to_a_slow_reader_too(pool: Pool) -> None:
    """It is read after the connection broke."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"3\r\none\r\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n5\r\nthr")
        writer.close()

    go_on = asyncio.Event()
    async with serve(answer) as server:
        stream = await bind(pool, server.url).stream(POST)
        pieces = [await anext(aiter(stream))]
        go_on.set()
        await server.hung_up.wait()
        response: Any = stream._response
        while response.content.exception() is None:  # noqa: ASYNC110 - aiohttp has no event for it
            await asyncio.sleep(0)
        with pytest.raises(StreamTruncatedError):
            async for data in stream:
                pieces.append(data)
        await stream.aclose()

    assert b"".join(pieces) == b"onetwothr"


async def test_closing_a_stream_hangs_up(pool: Pool) -> None:
    """The server need not write into the void."""
    async with serve(repeat(b"HTTP/1.1 200 OK\r\n\r\n", b"x", 0.01)) as server:
        stream = await bind(pool, server.url).stream(POST)
        assert await anext(aiter(stream))
        await stream.aclose()
        async with asyncio.timeout(1):
            await server.hung_up.wait()


async def test_the_rest_of_a_stream_can_be_read_to_a_limit(pool: Pool) -> None:
    """For the pages of errors."""
    async with serve(repeat(b"HTTP/1.1 500 X\r\n\r\n", b"x" * 999)) as server:
        stream = await bind(pool, server.url).stream(POST)
        assert await stream.read(1500) == b"x" * 1500
        await stream.aclose()


async def test_a_stream_that_is_nearly_over_is_finished_and_its_connection_used_again(pool: Pool) -> None:
    """The end of the body often comes after the end of the answer."""
    async with serve(say(CHUNKED + b"3\r\none\r\n", b"0\r\n\r\n")) as server:
        for _ in range(2):
            stream = await bind(pool, server.url).stream(POST)
            assert await anext(aiter(stream)) == b"one"
            await stream.finish()
            await stream.aclose()

    assert server.connections == 1


async def test_a_stream_that_is_held_open_is_not_waited_for(pool: Pool) -> None:
    """Some servers never end."""
    async with serve(say(CHUNKED + b"3\r\none\r\n")) as server:
        stream = await bind(pool, server.url).stream(POST)
        async with asyncio.timeout(5):
            await stream.finish()
        await stream.aclose()
        await server.hung_up.wait()


# --- Proxies ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def run_proxy(*, refuse: bool = False) -> AsyncIterator[Server]:
    """A proxy that passes on plain requests and tunnels, or wants to be paid in credentials first."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen = await read_request(reader)
            proxy.requests.append(seen)
            if refuse:
                writer.write(make_answer(b"who are you?", status=407))
            elif seen.method == "CONNECT":
                host, _, port = seen.target.rpartition(":")
                there_reader, there = await asyncio.open_connection(host, int(port))
                writer.write(b"HTTP/1.1 200 Go\r\n\r\n")
                await asyncio.wait(
                    [asyncio.create_task(pump(reader, there)), asyncio.create_task(pump(there_reader, writer))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                return
            else:
                writer.write(make_answer(b"from the proxy"))

    async with listen(talk) as proxy:
        yield proxy


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_proxy_for_all_schemes_is_used() -> None:
    """The server itself sees nothing."""
    async with run_proxy() as proxy, serve(say(OK)) as server:
        for proxies in ({"all": proxy.url}, {"http": proxy.url}, {"http": proxy.url.removeprefix("http://")}):
            pool = Pool({scheme: Secret(url) for scheme, url in proxies.items()})
            assert (await bind(pool, server.url).send(GET)).body == b"from the proxy"
            await pool.close()

    assert not server.requests
    assert {seen.target for seen in proxy.requests} == {f"{server.url}/models"}


async def test_a_proxy_for_another_scheme_or_none_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty mapping switches the environment's proxies off."""
    async with run_proxy() as proxy, serve(say(OK)) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        for proxies in ({"https": proxy.url}, {}):
            pool = Pool({scheme: Secret(url) for scheme, url in proxies.items()})
            assert (await bind(pool, server.url).send(GET)).body == b"ok"
            await pool.close()

    assert not proxy.requests


async def test_the_proxies_of_the_environment_are_used_but_for_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP_PROXY and NO_PROXY mean what they mean everywhere."""
    async with run_proxy() as proxy, serve(say(OK)) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        pool = Pool()
        assert (await bind(pool, server.url).send(GET)).body == b"from the proxy"
        monkeypatch.setenv("no_proxy", "example.org,127.0.0.1")
        other = Pool()
        assert (await bind(other, server.url).send(GET)).body == b"ok"
        await pool.close()
        await other.close()


async def test_a_proxy_of_one_call_comes_first(pool: Pool) -> None:
    """For requests and for downloads."""
    async with run_proxy() as proxy, serve(say(OK)) as server:
        assert (await bind(pool, server.url, proxy=proxy.url).send(GET)).body == b"from the proxy"
        url = f"{server.url}/x.png"
        trusted = frozenset({find_origin(url)})
        response = await pool.fetch(url, deadlines=Timeout(), trusted=trusted, proxy=Secret(proxy.url))
        assert response.body == b"from the proxy"

    assert not server.requests


async def test_a_tunnel_hides_the_key_from_the_proxy(pool: Pool) -> None:
    """It sees where the connection goes and nothing else; what does not speak TLS there is found out."""
    async with run_proxy() as proxy, listen(answer_at_once) as server:
        with pytest.raises(APIConnectionError, match="does not speak TLS") as caught:
            await bind(pool, server.url.replace("http:", "https:"), proxy=proxy.url).send(GET)

    assert [seen.method for seen in proxy.requests] == ["CONNECT"]
    assert KEY not in str(proxy.requests)
    expect_clean(caught.value)


async def test_a_proxy_that_wants_credentials_is_told_apart_from_the_service(pool: Pool) -> None:
    """A refused tunnel is no connection; a refused plain request is an answer with its status."""
    async with run_proxy(refuse=True) as proxy:
        with pytest.raises(APIConnectionError, match="The proxy refuses") as caught:
            await bind(pool, "https://api.example", proxy=proxy.url).send(GET)
        response = await bind(pool, "http://api.example", proxy=proxy.url).send(GET)

    assert response.status == 407
    expect_clean(caught.value)


async def test_credentials_of_a_proxy_go_to_the_proxy_and_are_not_shown(pool: Pool) -> None:
    """They stand in its URL."""
    async with run_proxy(refuse=True) as proxy:
        url = proxy.url.replace("//", f"//me:{KEY}@")
        with pytest.raises(APIConnectionError) as caught:
            await bind(pool, "https://api.example", proxy=url, secret=None).send(GET)

    assert proxy.requests[0].list_values("proxy-authorization")
    expect_clean(caught.value)


async def test_a_mute_proxy_runs_into_the_deadline_for_connecting(pool: Pool) -> None:
    """The tunnel belongs to the connection."""
    async with listen(hear_only) as proxy:
        with pytest.raises(APITimeoutError) as caught:
            await bind(pool, "https://api.example", proxy=proxy.url, timeout=Timeout(connect=0.2)).send(GET)

    expect_clean(caught.value)


async def test_a_proxy_that_is_not_there_is_an_error_of_ours(pool: Pool) -> None:
    """It says that the proxy is to blame."""
    async with listen(hear_only) as proxy:
        url = proxy.url
    with pytest.raises(APIConnectionError, match=r"proxy for api\.example cannot be reached") as caught:
        await bind(pool, "https://api.example", proxy=url).send(GET)

    expect_clean(caught.value)


@pytest.mark.parametrize("proxy", ["socks5://me:secret@127.0.0.1:1", "ftp://127.0.0.1:1"])
async def test_a_proxy_of_another_kind_is_refused(proxy: str) -> None:
    """Whether it was given or found, and it is never passed over in silence."""
    pool = Pool({"all": Secret(proxy)})
    for transport in (bind(pool, "http://api.example"), bind(pool, "http://api.example", proxy=proxy)):
        with pytest.raises(InvalidInputError, match="http:// and https:// proxies") as caught:
            await transport.send(GET)
        assert "secret" not in str(caught.value)
    with pytest.raises(InvalidInputError, match="http:// and https:// proxies"):
        await pool.fetch("http://93.184.215.14/", deadlines=Timeout())
    await pool.close()


# --- Downloads -------------------------------------------------------------------------------------------------------


async def test_a_name_that_leads_to_a_private_address_is_not_downloaded_from(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is checked where the connection is made, so a name cannot lead elsewhere in between."""
    looked_up = socket.getaddrinfo

    def look_up(host: Any, port: Any, **hints: Any) -> Any:
        return [
            answer
            for address in ("127.0.0.1", "10.0.0.1", "::1")
            for answer in looked_up(address if host == "rebound.example" else host, port, **hints)
        ]

    async with serve(say(OK)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        with pytest.raises(APIConnectionError, match="not a public address") as caught:
            await pool.fetch(server.url.replace("127.0.0.1", "rebound.example"), deadlines=Timeout())

    expect_clean(caught.value)
    assert not server.connections


@pytest.mark.parametrize(
    ("addresses", "asked"), [(["10.0.0.1"], False), (["8.8.8.8", "::1"], False), (["8.8.8.8"], True), ([], True)]
)
async def test_a_proxy_is_not_sent_to_a_name_that_is_private_here(
    addresses: list[str], asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any of its addresses will do; a name that nobody knows here is the proxy's to look up."""
    looked_up = socket.getaddrinfo

    def look_up(host: Any, port: Any, **hints: Any) -> Any:
        if host != "inside.example":
            return looked_up(host, port, **hints)
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [answer for address in addresses for answer in looked_up(address, port, **hints)]

    async with run_proxy() as proxy:
        pool = Pool({"all": Secret(proxy.url)})
        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        if asked:
            assert (await pool.fetch("http://inside.example/x.png", deadlines=Timeout())).body == b"from the proxy"
        else:
            with pytest.raises(APIConnectionError, match="not a public address") as caught:
                await pool.fetch("http://inside.example/x.png", deadlines=Timeout())
            expect_clean(caught.value)
        await pool.close()

    assert len(proxy.requests) == asked


async def test_a_redirect_does_not_lead_a_download_to_a_private_address(pool: Pool) -> None:
    """Only the user's own servers are trusted, and they vouch for nobody."""
    async with serve(say(OK)) as inner, serve(say(redirect(inner.url))) as outer:
        with pytest.raises(APIConnectionError, match="not a public address") as caught:
            await pool.fetch(outer.url, deadlines=Timeout(), trusted=frozenset({find_origin(outer.url)}))

    expect_clean(caught.value)
    assert not inner.connections


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://x/", "data:,x", "http://["])
async def test_a_download_is_redirected_to_http_only(pool: Pool, location: str) -> None:
    """It says that the service named no usable address."""
    async with serve(say(redirect(location))) as server:
        trusted = frozenset({find_origin(server.url)})
        with pytest.raises(APIError) as caught:
            await pool.fetch(server.url, deadlines=Timeout(), trusted=trusted)
        with pytest.raises(APIError):
            await pool.fetch(location, deadlines=Timeout())

    expect_clean(caught.value)


async def test_private_addresses_are_downloaded_from_where_the_user_allows_it() -> None:
    """All of them, or those of the servers that were configured; without the key, and through redirects."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK if seen.target == "/x.png" else redirect("/x.png", 302))

    async with serve(answer) as server:
        pool = Pool(allow_private_urls=True)
        assert (await pool.fetch(f"{server.url}/", deadlines=Timeout())).body == b"ok"
        await pool.close()
        pool = Pool()
        trusted = frozenset({find_origin(server.url)})
        assert (await pool.fetch(f"{server.url}/", deadlines=Timeout(), trusted=trusted)).body == b"ok"
        await pool.close()

    assert not any(seen.list_values("authorization") for seen in server.requests)


async def test_a_download_has_a_deadline_and_ends_at_redirects_without_end(pool: Pool) -> None:
    """In all, redirects included."""
    async with serve(DRIPPED_BODY) as slow, serve(say(redirect("/again"))) as endless:
        trusted = frozenset({find_origin(slow.url), find_origin(endless.url)})
        with pytest.raises(APITimeoutError, match=r"The download of 127\.0\.0\.1") as late:
            await pool.fetch(slow.url, deadlines=FAST, trusted=trusted)
        with pytest.raises(APIResponseError, match="more than 5 times") as lost:
            await pool.fetch(endless.url, deadlines=Timeout(), trusted=trusted)

    expect_clean(late.value)
    expect_clean(lost.value)


# --- The pool --------------------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again(pool: Pool) -> None:
    """By all attempts of a client, after errors of the service too."""
    async with serve(say(make_answer(b"busy", status=503))) as server:
        for _ in range(3):
            await bind(pool, server.url).send(POST)

    assert server.connections == 1


async def test_a_broken_connection_is_not_used_again(pool: Pool) -> None:
    """The next request makes a new one."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(CUT if len(server.requests) == 1 else OK)
        writer.close()

    async with serve(answer) as server:
        with pytest.raises(APIConnectionError):
            await bind(pool, server.url).send(POST)
        assert (await bind(pool, server.url).send(POST)).body == b"ok"


async def test_a_connection_that_was_closed_while_nobody_used_it_is_not_used_again(pool: Pool) -> None:
    """Servers close what was idle for some seconds."""
    closed = asyncio.Event()

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await closed.wait()
        writer.close()

    async with serve(answer) as server:
        assert (await bind(pool, server.url).send(POST)).body == b"ok"
        connector: Any = (await pool.get_session()).connector
        ((idle, _),) = next(iter(connector._conns.values()))
        closed.set()
        await asyncio.wait_for(idle.closed, 5)
        assert (await bind(pool, server.url).send(POST)).body == b"ok"

    assert server.connections == 2


async def test_what_a_used_connection_lost_is_sent_once(pool: Pool) -> None:
    """It is for g4f's retries to say what is repeated; aiohttp alone would send a GET again."""
    seen = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await reader.readuntil(b"\r\n\r\n")
        seen += 1
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        seen += 1
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        transport = bind(pool, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert (await transport.send(GET)).body == b"ok"
        with pytest.raises(APIConnectionError, match="without an answer"):
            await transport.send(GET)
    assert seen == 2


async def test_a_connection_with_an_unread_answer_is_not_used_again(pool: Pool) -> None:
    """The rest of it would be taken for the next answer."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(CUT if len(server.requests) == 1 else OK)

    async with serve(answer) as server:
        stream = await bind(pool, server.url).stream(POST)
        assert await stream.read(3) == b"som"
        await stream.aclose()
        assert (await bind(pool, server.url).send(POST)).body == b"ok"

    assert server.connections == 2


async def test_one_session_serves_a_loop_and_closing_twice_is_fine() -> None:
    """A pool that was closed begins anew when it is used."""
    pool = Pool()
    session = await pool.get_session()
    assert await pool.get_session() is session
    assert await pool.get_session(guarded=True) is not session
    await pool.close()
    assert session.closed
    await pool.close()
    other = await pool.get_session()
    assert other is not session
    await pool.close()
    assert other.closed


def test_a_hundred_loops_leave_nothing_open(recwarn: pytest.WarningsRecorder) -> None:
    """One pool, never closed: each loop's connections end with the loop."""
    pool = Pool()

    async def ask() -> int:
        return (await bind(pool, server.url).send(GET)).status

    with Loopback(reply_json({})) as server:
        assert asyncio.run(ask()) == 200
        assert server.wait_until(lambda: not server.connections)  # they are open files of this process, too
        gc.collect()
        before = count_open_files()
        for _ in range(100):
            assert asyncio.run(ask()) == 200
        assert server.wait_until(lambda: not server.connections)
        gc.collect()
        assert count_open_files() <= before
    assert not recwarn.list


def count_open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_pool_that_is_closed_in_one_loop_closes_those_of_others() -> None:
    """A session lives in its own loop, and is closed there."""
    pool = Pool()

    async def ask_there(opened: threading.Event, closed: threading.Event) -> bool:
        await bind(pool, server.url).send(GET)
        session = await pool.get_session()
        opened.set()
        await asyncio.to_thread(closed.wait)
        for _ in range(100):  # turns of this loop, in which it does what it was told
            await asyncio.sleep(0)
        return session.closed

    async def close_here() -> bool:
        opened, closed = threading.Event(), threading.Event()
        there = asyncio.create_task(asyncio.to_thread(asyncio.run, ask_there(opened, closed)))
        await asyncio.to_thread(opened.wait)
        await bind(pool, server.url).send(GET)
        await pool.close()
        closed.set()
        return await there

    with Loopback(reply_json({})) as server:
        assert asyncio.run(close_here())


DROP = """
import asyncio, gc, sys, threading
from g4f.context import HttpRequest, Timeout
from g4f.credentials import Access, find_origin
from g4f.manifest import Auth
from g4f.transport import BoundTransport, Pool

way, url = sys.argv[1:]
sessions = []

class Client:
    def __init__(self):
        self.pool = Pool({})
        self.me = self  # as a client and what it holds point to each other

async def ask(client):
    asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no fault
    access = Access(url, None, {}, {}, frozenset({find_origin(url)}))
    transport = BoundTransport(client.pool, access, Auth(), Timeout(total=5))
    assert (await transport.send(HttpRequest("GET", "/"))).status == 200
    sessions.append((await client.pool.get_session()).connector)

async def drop_here():
    client = Client()
    await ask(client)
    del client
    await gone()

async def drop_in_a_thread():
    client = [Client()]
    await ask(client[0])
    await asyncio.to_thread(lambda: (client.clear(), gc.collect()))
    await gone()

async def drop_at_the_end():
    await ask(Client())

async def gone():
    gc.collect()
    for _ in range(100):
        if sessions[-1].closed and len(asyncio.all_tasks()) == 1:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the connections are still open")

if way == "in a loop that stands":
    client = Client()
    loop = asyncio.new_event_loop()
    loop.run_until_complete(ask(client))
    del client
    gc.collect()
    loop.run_until_complete(gone())
    loop.close()
else:
    asyncio.run({"here": drop_here, "in a thread": drop_in_a_thread, "at the end": drop_at_the_end}[way]())
gc.collect()
assert sessions[-1].closed
"""


@pytest.mark.parametrize("way", ["here", "in a thread", "at the end", "in a loop that stands"])
def test_a_client_that_is_dropped_hangs_up_without_a_word(way: str) -> None:
    """Its connections are closed in their loop as soon as nobody holds it; nothing is left open or complained of."""
    with Loopback(reply_json({})) as server:
        command = [sys.executable, "-X", "dev", "-W", "error", "-c", DROP, way, server.url]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        assert server.wait_until(lambda: not server.connections)


FORK = """
import asyncio, os, sys
from g4f.context import HttpRequest, Timeout
from g4f.credentials import Access, find_origin
from g4f.manifest import Auth
from g4f.transport import BoundTransport, Pool

url = sys.argv[1]
pool = Pool({})
transport = BoundTransport(pool, Access(url, None, {}, {}, frozenset({find_origin(url)})), Auth(), Timeout(total=5))

async def ask():
    assert (await transport.send(HttpRequest("GET", "/"))).status == 200

async def ask_in_child():
    await ask()
    await pool.close()

loop = asyncio.new_event_loop()
loop.run_until_complete(ask())
child = os.fork()
if not child:
    asyncio.run(ask_in_child())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
loop.run_until_complete(ask())
loop.run_until_complete(pool.close())
loop.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_has_connections_of_its_own() -> None:
    """Parent and child never share a socket, and the child's closing leaves the parent's alone."""
    with Loopback(reply_json({})) as server:
        subprocess.run([sys.executable, "-W", "error", "-c", FORK, server.url], check=True, timeout=30)

        assert len(server.requests) == 3
