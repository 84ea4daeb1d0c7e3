"""The provider against a service, a network and a user that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import g4f
from g4f import AsyncClient, Timeout
from loopback import CUT, STALL, Loopback, Piece, Received, Reply, make_chunk, make_completion, reply_events, reply_json

OK = reply_json(make_completion())
SHORT = Timeout(connect=0.5, stream_head=0.5, head=0.5, first_content=0.5, gap=0.5, total=0.5)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that each test gives its answers."""
    with Loopback(OK) as server:
        yield server


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(provider="OpenaiChat", api_key="sk-faults-0123", base_url=f"{server.url}/v1", **more)


def _in_turn(*replies: Reply) -> Callable[[Received], Reply]:
    """Answer with one after the other, the last again and again."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


async def _ask(client: AsyncClient, *, stream: bool = False, **more: Any) -> str:
    if not stream:
        completion = await client.chat.completions.create("Hi", "gpt-4o-mini", **more)
        return completion.choices[0].message.content or ""
    chunks = [chunk async for chunk in client.chat.completions.stream("Hi", "gpt-4o-mini", **more)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@STREAMED
async def test_a_refused_connection_is_repeated_and_then_told(stream: bool) -> None:
    """Nobody listens: three tries, then the error names the address and every try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with AsyncClient(provider="OpenaiChat", api_key="sk-1234", base_url=f"http://{address}") as client:
            with pytest.raises(g4f.APIConnectionError, match=address) as caught:
                await _ask(client, stream=stream)
    assert [type(attempt.error) for attempt in caught.value.attempts] == [g4f.APIConnectionError] * 3
    assert caught.value.retryable
    assert (caught.value.provider, caught.value.model) == ("OpenaiChat", "gpt-4o-mini")


@STREAMED
async def test_a_compressed_answer_that_is_cut_anywhere_is_whole_or_an_error(server: Loopback, stream: bool) -> None:
    """Though its frame says that nothing is missing: never a part of the text without an error."""
    text = "This is a test of some length, 0123456789"
    chunks = [*map(make_chunk, text.split(",")), make_chunk(finish_reason="stop")]
    plain = reply_events(*chunks) if stream else reply_json(make_completion(text))
    body = gzip.compress(b"".join(piece for piece in plain.list_pieces() if isinstance(piece, bytes)))
    whole, parts = [], set()
    async with _make_client(server, max_retries=0) as client:
        for end in range(len(body)):
            cut = Reply(200, {**plain.headers, "content-encoding": "gzip"}, body[:end], framing="length")
            server.answer = lambda request, cut=cut: cut
            try:
                whole.append(await _ask(client, stream=stream))
            except g4f.APIError as error:
                parts.add(error.partial or "")
    assert set(whole) == {text.replace(",", "") if stream else text}
    assert len(whole) < 20
    assert all(text.replace(",", "").startswith(part) for part in parts)


@STREAMED
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, g4f.BadRequestError),
        (401, g4f.AuthenticationError),
        (403, g4f.PermissionDeniedError),
        (404, g4f.NotFoundError),
        (422, g4f.UnprocessableEntityError),
    ],
)
async def test_what_repeating_cannot_mend_is_asked_once(
    status: int, kind: type[g4f.APIError], stream: bool, server: Loopback
) -> None:
    """A wrong key, a wrong request: the error comes at once."""
    server.answer = lambda request: reply_json({"error": {"message": "no", "code": "c", "type": "t"}}, status)
    async with _make_client(server) as client:
        with pytest.raises(kind) as caught:
            await _ask(client, stream=stream)
    assert len(server.requests) == 1
    assert not caught.value.retryable


@STREAMED
@pytest.mark.parametrize("headers", [{"retry_after": "0.4"}, {"retry_after_ms": "400", "retry_after": "30"}])
async def test_a_rate_limit_is_waited_out(headers: dict[str, str], stream: bool, server: Loopback) -> None:
    """The service says how long; the answer then tells of both tries."""
    limit = reply_json({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, 429, **headers)
    server.answer = _in_turn(limit, reply_events(make_chunk("Hi"), make_chunk(finish_reason="stop")) if stream else OK)
    started = time.monotonic()
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) in ("Hi", "This is a test")
    assert time.monotonic() - started >= 0.4
    assert len(server.requests) == 2


async def test_a_used_up_quota_is_not_repeated(server: Loopback) -> None:
    """It is a 429 too, but waiting does not fill the account."""
    details = {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
    server.answer = lambda request: reply_json({"error": details}, 429)
    async with _make_client(server) as client:
        with pytest.raises(g4f.RateLimitError):
            await _ask(client)
    assert len(server.requests) == 1


async def test_a_wait_that_is_too_long_is_the_users_to_decide(server: Loopback) -> None:
    """Above a minute the error is raised at once and says how long."""
    server.answer = lambda request: reply_json({"error": {"message": "tomorrow"}}, 429, retry_after="86400")
    async with _make_client(server) as client:
        with pytest.raises(g4f.RateLimitError) as caught:
            await _ask(client)
    assert caught.value.retry_after == 86400
    assert len(server.requests) == 1


@STREAMED
@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
async def test_a_failure_of_the_service_is_repeated(status: int, stream: bool, server: Loopback) -> None:
    """Once broken, then well: the user gets the answer, and `attempts` tell of the failure."""
    good = reply_events(make_chunk("This is a test"), make_chunk(finish_reason="stop")) if stream else OK
    server.answer = _in_turn(reply_json({"error": {"message": "oops"}}, status), good)
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "This is a test"
    first, second = server.requests
    assert first.body == second.body


async def test_the_service_may_say_that_repeating_is_useless(server: Loopback) -> None:
    """`x-should-retry: false` wins over the status."""
    server.answer = lambda request: reply_json({"error": {"message": "oops"}}, 500, x_should_retry="false")
    async with _make_client(server) as client:
        with pytest.raises(g4f.InternalServerError):
            await _ask(client)
    assert len(server.requests) == 1


ENDS: dict[str, tuple[Piece, ...]] = {
    "the stream ends cleanly without its marker": (),
    "the connection is reset": (0.05, CUT),
    "an event is cut in the middle": (b'data: {"choices": [{"index": 0, "del',),
    "a character is cut in the middle": ('data: {"choices": [{"delta": {"content": "ü'.encode()[:-1],),
}


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_that_is_cut_tells_what_came(end: tuple[Piece, ...], framing: Any, server: Loopback) -> None:
    """What was delivered is not repeated: the error says that the answer is not whole, and carries its beginning."""
    events = reply_events(make_chunk("This "), make_chunk("is"), end=end)
    server.answer = lambda request: Reply(200, events.headers, events.body, framing)
    texts = []
    async with _make_client(server) as client:
        with pytest.raises(g4f.StreamTruncatedError) as caught:
            async for chunk in client.chat.completions.stream("Hi", "gpt-4o-mini"):
                texts.append(chunk.choices[0].delta.content)
    assert texts == ["This ", "is"]
    assert caught.value.partial == "This is"
    assert caught.value.retryable
    assert len(server.requests) == 1


async def test_a_stream_that_breaks_before_its_first_content_is_repeated(server: Loopback) -> None:
    """Nothing was delivered, so the user never notices."""
    role = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    good = reply_events(make_chunk("Hi"), make_chunk(finish_reason="stop"))
    server.answer = _in_turn(reply_events(role, end=(CUT,)), reply_events(role, end=()), good)
    async with _make_client(server) as client:
        stream = client.chat.completions.stream("Hi", "gpt-4o-mini")
        assert [chunk.choices[0].delta.content async for chunk in stream] == ["Hi", None]
    assert [attempt.error is None for attempt in stream.attempts] == [False, False, True]


JUNK = {
    "a page": Reply(200, {"content-type": "text/html"}, b"<html><title>Sign in</title></html>"),
    "nothing": Reply(200, {"content-type": "application/json"}, b""),
    "blanks": Reply(200, {"content-type": "application/json"}, b" \n"),
    "garbage": Reply(200, {"content-type": "application/json"}, b"\x00\xff{garbage"),
    "half an object": Reply(200, {"content-type": "application/json"}, b'{"choices": [{"mess'),
    "a list": Reply(200, {"content-type": "application/json"}, b"[1]"),
    "null": Reply(200, {"content-type": "application/json"}, b"null"),
    "no choices": reply_json({"id": "1", "choices": []}),
    "choices of null": reply_json({"id": "1", "choices": None}),
}


@STREAMED
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_a_success_that_is_none_is_an_error(junk: Reply, stream: bool, server: Loopback) -> None:
    """Status 200 with something else than an answer never becomes an empty answer."""
    server.answer = lambda request: junk
    async with _make_client(server, max_retries=0) as client:
        with pytest.raises(g4f.APIResponseError) as caught:
            await _ask(client, stream=stream)
    assert caught.value.provider == "OpenaiChat"


async def test_no_http_at_all_is_an_error(server: Loopback) -> None:
    """As from a port that speaks another protocol."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        async with AsyncClient(provider="OpenaiChat", api_key="sk-1234", base_url=url, max_retries=0) as client:
            with pytest.raises(g4f.APIError):
                await _ask(client)


@pytest.mark.parametrize("stall", ["before the head", "before the body", "in the body"])
@STREAMED
async def test_silence_is_a_timeout(stall: str, stream: bool, server: Loopback) -> None:
    """Whenever it begins, the call ends at its deadline, and the server sees the connection closed."""
    if stall == "before the head":
        server.answer = lambda request: time.sleep(0.8) or OK  # type: ignore[func-returns-value]
    elif stall == "before the body":
        server.answer = lambda request: Reply(200, {"content-type": "text/event-stream"}, [STALL])
    else:
        start = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n' if stream else b'{"choices": '
        server.answer = lambda request: Reply(200, {"content-type": "text/event-stream"}, [start, STALL])
    async with _make_client(server, timeout=SHORT, max_retries=0) as client:
        with pytest.raises(g4f.APITimeoutError) as caught:
            await _ask(client, stream=stream)
    assert caught.value.retryable
    assert caught.value.partial in (None, "", "Hi")
    if stall != "before the head":
        assert server.wait_until(lambda: server.hang_ups, 1.0)


async def test_pings_do_not_keep_a_silent_stream_alive(server: Loopback) -> None:
    """Comments and empty chunks are no content: the deadline counts from the last word."""
    ping = [b": ping\n\n", b'data: {"choices": []}\n\n', 0.1]
    server.answer = lambda request: reply_events(make_chunk("Hi"), end=[*ping * 20])
    async with _make_client(server, timeout=SHORT) as client:
        with pytest.raises(g4f.APITimeoutError) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "Hi"


async def test_a_slow_reader_is_no_silence(server: Loopback) -> None:
    """The consumer's own time between two chunks does not count."""
    chunks = [make_chunk(str(number)) for number in range(4)]
    server.answer = lambda request: reply_events(*chunks, make_chunk(finish_reason="stop"))
    async with _make_client(server, timeout=SHORT) as client:
        async for _ in client.chat.completions.stream("Hi", "gpt-4o-mini"):
            await asyncio.sleep(0.3)


async def test_a_loop_that_was_held_up_is_no_silence(server: Loopback) -> None:
    """What came meanwhile is read before anybody calls it late."""
    texts = [str(number) for number in range(3)]
    pieces = [piece for text in texts for piece in (f"data: {json.dumps(make_chunk(text))}\n\n".encode(), 0.1)]
    server.answer = lambda request: reply_events(end=[*pieces, STALL])
    async with _make_client(server, timeout=SHORT) as client:
        seen = []
        with pytest.raises(g4f.APITimeoutError):
            async for chunk in client.chat.completions.stream("Hi", "gpt-4o-mini"):
                seen.append(chunk.choices[0].delta.content)
                if len(seen) == 1:
                    asyncio.get_running_loop().call_soon(time.sleep, 1)  # twice the gap, while the stream is waited for
    assert seen == texts


LONG = [piece for number in range(300) for piece in (f"data: {json.dumps(make_chunk(str(number)))}\n\n".encode(), 0.02)]


@pytest.mark.parametrize("held", [True, False], ids=["a variable holds the stream", "nothing holds the stream"])
async def test_leaving_a_loop_closes_the_connection(held: bool, server: Loopback) -> None:
    """The server sees it within a second of the `break`."""
    server.answer = lambda request: reply_events(end=LONG)
    client = _make_client(server)
    if held:
        stream = client.chat.completions.stream("Hi", "gpt-4o-mini")
        async for _ in stream:
            break
    else:
        async for _ in client.chat.completions.stream("Hi", "gpt-4o-mini"):
            break
    left = time.monotonic()
    assert await asyncio.to_thread(server.wait_until, lambda: server.hang_ups, 2.0)
    assert server.hang_ups[0] - left < 1.0
    await client.close()


def test_leaving_a_synchronous_loop_closes_the_connection(server: Loopback) -> None:
    """The same for the synchronous client."""
    server.answer = lambda request: reply_events(end=LONG)
    with g4f.Client(provider="OpenaiChat", api_key="sk-1234", base_url=server.url) as client:
        for _ in client.chat.completions.stream("Hi", "gpt-4o-mini"):
            break
        left = time.monotonic()
        assert server.wait_until(lambda: server.hang_ups, 2.0)
        assert server.hang_ups[0] - left < 1.0


@pytest.mark.parametrize("moment", ["before the answer", "in the stream"])
async def test_a_cancelled_call_closes_the_connection(moment: str, server: Loopback) -> None:
    """Cancelling stays a cancellation, and nothing goes on behind it."""
    stream = moment == "in the stream"
    server.answer = lambda request: reply_events(end=LONG) if stream else Reply(200, {}, [STALL])
    client = _make_client(server)
    task = asyncio.create_task(_ask(client, stream=stream))
    assert await asyncio.to_thread(server.wait_until, lambda: server.requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    cancelled = time.monotonic()
    assert await asyncio.to_thread(server.wait_until, lambda: server.hang_ups, 2.0)
    assert server.hang_ups[0] - cancelled < 1.0
    assert len(server.requests) == 1
    await client.close()


ERRORS_IN_STREAMS = {
    "OpenAI's": ({"error": {"message": "The server had an error", "type": "server_error"}}, g4f.InternalServerError),
    "a rate limit": (
        {"error": {"message": "slow", "code": "rate_limit_exceeded"}},
        g4f.RateLimitError,
    ),
    "a number as code": ({"error": {"message": "no credits", "code": 402}}, g4f.APIStatusError),
    "a text": ({"error": "broken"}, g4f.APIStatusError),
}


@pytest.mark.parametrize(("event", "kind"), ERRORS_IN_STREAMS.values(), ids=ERRORS_IN_STREAMS)
async def test_an_error_inside_a_stream_is_raised(event: Any, kind: type[g4f.APIError], server: Loopback) -> None:
    """Status 200 was told already: the error comes as an event, after what came before it."""
    server.answer = lambda request: reply_events(make_chunk("Hi"), event)
    async with _make_client(server, max_retries=0) as client:
        with pytest.raises(kind) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "Hi"


async def test_an_error_in_a_successful_body_is_raised(server: Loopback) -> None:
    """Some gateways answer 200 and mean it otherwise."""
    server.answer = lambda request: reply_json({"error": {"message": "no such model", "code": 404}})
    async with _make_client(server) as client:
        with pytest.raises(g4f.NotFoundError, match="no such model"):
            await _ask(client)


async def test_json_where_a_stream_was_asked_for_is_an_answer(server: Loopback) -> None:
    """The whole answer comes in chunks."""
    async with _make_client(server) as client:
        assert await _ask(client, stream=True) == "This is a test"


async def test_a_stream_where_json_was_asked_for_is_an_answer(server: Loopback) -> None:
    """The chunks make one answer; a stream that is cut makes none."""
    chunks = (make_chunk("This "), make_chunk("is"), make_chunk(finish_reason="stop"))
    server.answer = _in_turn(reply_events(*chunks), reply_events(*chunks[:2], end=()))
    async with _make_client(server, max_retries=0) as client:
        assert await _ask(client) == "This is"
        with pytest.raises(g4f.APIResponseError, match="ends too early"):
            await _ask(client)


@pytest.mark.parametrize("status", [400, 500])
async def test_an_error_page_is_shown_in_short(status: int, server: Loopback) -> None:
    """Of a megabyte of HTML the title is enough."""
    page = b"<html><head><title>  Bad\n gateway </title></head>" + b"<p>x</p>" * 200_000
    server.answer = lambda request: Reply(status, {"content-type": "text/html"}, page)
    async with _make_client(server, max_retries=0) as client:
        for stream in (False, True):
            with pytest.raises(g4f.APIStatusError) as caught:
                await _ask(client, stream=stream)
            assert caught.value.message == "Bad gateway"
            assert len(caught.value.body) <= 64 * 2**10


def _list_sockets() -> set[str]:
    """The sockets that this process has open."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own
            found.add(str(entry.readlink()))
    return {name for name in found if name.startswith("socket:")}


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system does not list open descriptors")
def test_a_hundred_runs_leave_nothing_open(server: Loopback) -> None:
    """Each `asyncio.run` closes its own connections, though the client is never closed."""
    server.answer = lambda request: (
        reply_events(make_chunk("Hi"), make_chunk(finish_reason="stop")) if request.json.get("stream") else OK
    )
    before = _list_sockets()
    client = _make_client(server)
    for number in range(100):
        asyncio.run(_ask(client if number % 2 else _make_client(server), stream=number % 3 == 0))
    assert len(server.requests) == 100
    assert server.wait_until(lambda: server.connections == 0)
    assert len(_list_sockets() - before) == 0


def test_a_program_that_closes_nothing_ends_without_a_word(server: Loopback, tmp_path: Path) -> None:
    """A stream half read, a client never closed: no warning, no traceback, no delay at the interpreter's end."""
    server.answer = lambda request: reply_events(end=LONG) if request.json.get("stream") else OK
    program = f"""
        import asyncio, g4f

        async def main():
            client = g4f.AsyncClient(provider="OpenaiChat", api_key="sk-1234", base_url={server.url!r})
            print((await client.chat.completions.create("Hi")).choices[0].message.content)
            async for chunk in client.chat.completions.stream("Hi"):
                break

        asyncio.run(main())
        client = g4f.Client(provider="OpenaiChat", api_key="sk-1234", base_url={server.url!r})
        print(client.chat.completions.create("Hi").choices[0].message.content)
        stream = client.chat.completions.stream("Hi")
        print(next(iter(stream)).choices[0].delta.content)
        """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n") == ["This is a test", "This is a test", "0", ""]
