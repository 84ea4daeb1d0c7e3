"""Plain requests without aiohttp's session, beside the same ones with it; what both keep is in test_transport.py."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

import aiohttp
import attrs
import pytest
from yarl import URL

from g4f.context import HttpRequest, Timeout
from g4f.credentials import Access, Secret, find_origin
from g4f.direct import Route, read_joined
from g4f.errors import APIConnectionError
from g4f.manifest import Auth
from g4f.transport import BoundTransport, Pool
from loopback import Loopback, Received, Reply, reply_json

POST = HttpRequest("POST", "/chat", b'{"a":1}', {"Content-Type": "application/json", "X-Own": "ä"}, {"q": "a b&c"})


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """A client's connections."""
    pool = Pool({})
    yield pool
    await pool.close()


def bind(pool: Pool, url: str) -> BoundTransport:
    access = Access(url, Secret("sk-secret"), {}, {"X-Organization": "org"}, frozenset({find_origin(url)}))
    return BoundTransport(pool, access, Auth(kind="header"), Timeout(total=5), None, "g4f-1")


async def test_a_service_sees_no_difference(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Method, target, headers and body are those that aiohttp's session sends."""
    with Loopback(reply_json({})) as server:
        assert (await bind(pool, f"{server.url}/v1").send(POST)).status == 200
        monkeypatch.setattr(Route, "is_possible", staticmethod(lambda session: False))
        other = Pool({})
        assert (await bind(other, f"{server.url}/v1").send(POST)).status == 200
        await other.close()

    ours, theirs = server.requests
    assert ours == theirs
    assert ours.key == "sk-secret"


async def test_connections_are_shared_with_the_session(pool: Pool) -> None:
    """A connection serves one request after the other, whichever way it takes."""
    with Loopback(reply_json({})) as server:
        transport = bind(pool, server.url)
        for request in (POST, HttpRequest("GET", "/models"), POST, attrs.evolve(POST, query={})):
            await transport.send(request)
        assert server.connections == 1


@pytest.mark.parametrize(("asked", "batches"), [(3, [3]), (40, [16, 16, 8])])
async def test_what_is_asked_in_one_turn_of_the_loop_leaves_together(
    pool: Pool, asked: int, batches: list[int]
) -> None:
    """A service on the same machine then wakes once, and not for each; but the first does not wait for hundreds."""
    if not isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop):
        pytest.skip("other loops send in their own code, which a profile does not show")
    seen = []

    def note_sending(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and isinstance(getattr(called, "__self__", None), socket.socket):
            seen.extend(["sent"] if called.__name__ == "send" else [])

    with Loopback(reply_json({})) as server:
        transport = bind(pool, server.url)

        async def ask() -> None:
            seen.append("asked")
            await transport.send(POST)

        await asyncio.gather(*[transport.send(POST) for _ in range(asked)])
        assert server.connections == asked
        sys.setprofile(note_sending)
        try:
            await asyncio.gather(*[ask() for _ in range(asked)])
        finally:
            sys.setprofile(None)
    assert seen == [what for count in batches for what in ["asked"] * count + ["sent"] * count]


async def test_a_client_that_is_closed_in_the_same_turn_sends_nothing(pool: Pool) -> None:
    """And says so to who asked."""
    with Loopback(reply_json({})) as server:
        transport = bind(pool, server.url)
        await transport.send(POST)
        asked = asyncio.create_task(transport.send(POST))
        await asyncio.sleep(0)  # until it has had its turn
        await pool.close()
        with pytest.raises(APIConnectionError):
            await asked
    assert len(server.requests) == 1


async def test_less_is_read_at_once_than_what_is_mapped_for_each_read(pool: Pool) -> None:
    """Glibc maps what is larger than 128 KiB, and unmaps it when it is shrunk to what came."""
    if not isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop):
        pytest.skip("other loops read into a buffer that they keep")
    sizes = []

    def note_reading(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and isinstance(getattr(called, "__self__", None), socket.socket):
            sizes.extend([frame.f_locals["self"].max_size] if called.__name__ == "recv" else [])

    with Loopback(reply_json({})) as server:
        sys.setprofile(note_reading)
        try:
            await bind(pool, server.url).send(POST)
        finally:
            sys.setprofile(None)
    assert sizes
    assert max(sizes) < 128 * 2**10


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET", "body": b""},
        {"body": b""},
        {"body": b"x" * (2**20 + 1)},
        {"headers": {}},
        {"headers": {"content-type": "x/y", "content-length": "7"}},
    ],
)
async def test_whatever_is_unusual_goes_by_the_session(
    pool: Pool, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other methods, bodies that are missing or large, headers that change how a request is sent."""
    monkeypatch.setattr(Route, "post", lambda *_: pytest.fail("it went directly"))

    with Loopback(reply_json({})) as server:
        assert (await bind(pool, server.url).send(attrs.evolve(POST, **changes))).status == 200


async def test_informational_answers_are_passed_over(pool: Pool) -> None:
    """Early hints before the answer are none."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2
        writer.write(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()
        await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        response = await bind(pool, f"http://127.0.0.1:{port}").send(POST)
        assert (response.status, response.body) == (200, b"ok")
        await over.wait()


async def test_an_answer_that_is_dropped_gives_its_connection_up(pool: Pool) -> None:
    """Whether or not anybody closes it, and without a word."""

    def answer(request: Received) -> Reply:
        return Reply(body=[b"begun", "stall"])

    with Loopback(answer) as server:
        stream = await bind(pool, server.url).stream(POST)
        assert server.connections == 1
        del stream
        await asyncio.sleep(0)
        assert await asyncio.to_thread(server.wait_until, lambda: not server.connections)


async def test_an_aiohttp_that_is_different_inside_is_used_by_its_session(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version costs time until somebody has looked, and no request."""
    monkeypatch.setattr(aiohttp, "__version__", "4.0.0")
    with Loopback(reply_json({})) as server:
        held = await pool.hold()
        assert held.find_route(URL(server.url)) is None
        assert (await bind(pool, server.url).send(POST)).status == 200


async def test_the_inner_interface_is_there_today() -> None:
    """This test fails when an aiohttp comes whose insides are others: then `direct.py` wants work, or an end."""
    async with aiohttp.ClientSession() as session:
        assert Route.is_possible(session)
        connector = session.connector
        assert connector is not None
        assert Route(session, URL("http://localhost"))._headers["Host"] == "localhost"


@pytest.mark.parametrize("url", ["http://[::1]:81", "http://localhost", "https://bücher.example:444", "http://a.test."])
async def test_a_host_is_named_as_the_session_names_it(url: str) -> None:
    """With brackets, with its port, in ASCII."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        request = aiohttp.ClientRequest("POST", URL(url) / "chat", loop=loop)
        assert Route(session, URL(url))._headers["Host"] == request.headers["Host"]


async def test_pieces_that_wait_are_read_as_one() -> None:
    """Those that come while it waits, too; the reader's own accounts are kept."""
    loop = asyncio.get_running_loop()
    protocol = aiohttp.client_proto.ResponseHandler(loop)
    protocol.connection_made(asyncio.Transport())
    reader = aiohttp.StreamReader(protocol, 2**16, loop=loop)

    def feed(*pieces: bytes) -> None:
        for piece in pieces:
            reader.feed_data(piece)

    feed(b"a", b"bc", b"def")
    assert await read_joined(reader) == b"abcdef"
    loop.call_soon(feed, b"gh", b"i")
    assert await read_joined(reader) == b"ghi"
    feed(b"jk", b"l")
    assert await reader.read(1) == b"j"
    assert await read_joined(reader) == b"kl"
    assert reader._size == 0
    loop.call_soon(reader.feed_eof)
    assert await read_joined(reader) == b""
    reader.set_exception(ConnectionResetError())
    with pytest.raises(ConnectionResetError):
        await read_joined(reader)


async def test_what_a_bomb_comes_to_is_read_a_part_at_a_time() -> None:
    """A second copy of it all would be as large; nothing of it is lost."""
    loop = asyncio.get_running_loop()
    protocol = aiohttp.client_proto.ResponseHandler(loop)
    protocol.connection_made(asyncio.Transport())
    reader = aiohttp.StreamReader(protocol, 2**30, loop=loop)
    whole = b"0123456789" * 2**18
    reader.feed_data(whole[:-100])
    reader.feed_data(whole[-100:])
    reader.feed_eof()
    parts = []
    while part := await read_joined(reader):
        parts.append(part)
    assert b"".join(parts) == whole
    assert max(map(len, parts)) <= 2**20


async def test_a_reader_that_looks_otherwise_inside_is_left_alone() -> None:
    """It is asked as its documentation says."""

    class Other:
        async def readany(self) -> bytes:
            return b"abc"

    assert await read_joined(Other()) == b"abc"  # type: ignore[arg-type]  # as one might be one day
