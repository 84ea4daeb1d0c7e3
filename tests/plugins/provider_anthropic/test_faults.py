"""The provider against a service and a network that misbehave, in this dialect's words."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import g4f
from g4f import AsyncClient, Timeout
from g4f.fold import fold_chunks
from loopback import CUT, STALL, Loopback, Piece, Received, Reply, reply_events, reply_json

SHORT = Timeout(connect=0.5, stream_head=0.5, head=0.5, first_content=0.5, gap=0.5, total=0.5)
USAGE = {"input_tokens": 5, "output_tokens": 1}
HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": []}
WHOLE = reply_json(
    {**HEAD, "content": [{"type": "text", "text": "This is"}], "stop_reason": "end_turn", "usage": USAGE}
)
START = {"type": "message_start", "message": {**HEAD, "usage": USAGE}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
BEGIN = (START, {"type": "ping"}, BLOCK)
END = (
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
)


def _say(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _error(kind: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": f"a {kind}"}, "request_id": "req_1"}


def _stream(*events: Any, end: tuple[Piece, ...] = (), size: int = 0) -> Reply:
    """A stream of named events."""
    named = [
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() if isinstance(event, dict) else event
        for event in events
    ]
    return reply_events(*named, end=end, size=size)


STREAM = _stream(*BEGIN, _say("This "), _say("is"), *END)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that each test gives its answers."""
    with Loopback(WHOLE) as server:
        yield server


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(provider="Anthropic", api_key="sk-ant-faults-0123", base_url=server.url, **more)


def _in_turn(*replies: Reply) -> Callable[[Received], Reply]:
    """Answer with one after the other, the last again and again."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


async def _ask(client: AsyncClient, *, stream: bool = False) -> str:
    if not stream:
        return (await client.chat.completions.create("Hi", "claude-haiku-4-5")).choices[0].message.content or ""
    chunks = [chunk async for chunk in client.chat.completions.stream("Hi", "claude-haiku-4-5")]
    return fold_chunks(chunks).choices[0].message.content or ""


STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@STREAMED
@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", g4f.BadRequestError),
        (401, "authentication_error", g4f.AuthenticationError),
        (402, "billing_error", g4f.APIStatusError),
        (403, "permission_error", g4f.PermissionDeniedError),
        (404, "not_found_error", g4f.NotFoundError),
        (413, "request_too_large", g4f.APIStatusError),
    ],
)
async def test_what_repeating_cannot_mend_is_asked_once(
    status: int, kind: str, error: type[g4f.APIError], stream: bool, server: Loopback
) -> None:
    """A wrong key, a wrong request: the error comes at once, with the service's words and the id of the request."""
    server.answer = lambda request: reply_json(_error(kind), status, request_id="req_header")
    async with _make_client(server) as client:
        with pytest.raises(error) as caught:
            await _ask(client, stream=stream)
    assert len(server.requests) == 1
    assert not caught.value.retryable
    assert isinstance(caught.value, g4f.APIStatusError)
    assert (caught.value.type, caught.value.request_id) == (kind, "req_header")


@STREAMED
async def test_a_rate_limit_is_waited_out(stream: bool, server: Loopback) -> None:
    """As long as retry-after says."""
    limit = reply_json(_error("rate_limit_error"), 429, retry_after="0.4")
    server.answer = _in_turn(limit, STREAM if stream else WHOLE)
    started = time.monotonic()
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "This is"
    assert time.monotonic() - started >= 0.4
    assert len(server.requests) == 2


@STREAMED
@pytest.mark.parametrize(("status", "kind"), [(500, "api_error"), (503, "overloaded_error"), (529, "overloaded_error")])
async def test_an_overloaded_service_is_asked_again(status: int, kind: str, stream: bool, server: Loopback) -> None:
    """Once broken, then well: the user gets the answer."""
    server.answer = _in_turn(reply_json(_error(kind), status), STREAM if stream else WHOLE)
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "This is"
    assert len(server.requests) == 2


async def test_an_overload_as_the_first_event_is_asked_again(server: Loopback) -> None:
    """Status 200 was told already, but nothing was delivered."""
    server.answer = _in_turn(_stream(_error("overloaded_error")), _stream(START, _error("overloaded_error")), STREAM)
    async with _make_client(server) as client:
        assert await _ask(client, stream=True) == "This is"
    assert len(server.requests) == 3


ERRORS = {
    "overloaded_error": (529, g4f.InternalServerError),
    "rate_limit_error": (429, g4f.RateLimitError),
    "api_error": (500, g4f.InternalServerError),
    "request_too_large": (413, g4f.APIStatusError),
    "invalid_request_error": (400, g4f.BadRequestError),
    "unheard_of_error": (500, g4f.InternalServerError),
}


@pytest.mark.parametrize("kind", ERRORS)
async def test_an_error_inside_a_stream_is_raised(kind: str, server: Loopback) -> None:
    """After what came before it, with the status that it would have had; nothing is asked again."""
    status, error = ERRORS[kind]
    server.answer = lambda request: _stream(*BEGIN, _say("Hi"), _error(kind))
    async with _make_client(server) as client:
        with pytest.raises(error) as caught:
            await _ask(client, stream=True)
    assert isinstance(caught.value, g4f.APIStatusError)
    assert (caught.value.status_code, caught.value.type, caught.value.partial) == (status, kind, "Hi")
    assert caught.value.request_id == "req_1"
    assert len(server.requests) == 1


async def test_an_error_in_a_successful_body_is_raised(server: Loopback) -> None:
    """Some gateways answer 200 and mean it otherwise."""
    server.answer = lambda request: reply_json(_error("not_found_error"))
    async with _make_client(server) as client:
        with pytest.raises(g4f.NotFoundError, match="a not_found_error"):
            await _ask(client)


ENDS: dict[str, tuple[Piece, ...]] = {
    "the stream ends cleanly without message_stop": (),
    "the connection is reset": (0.05, CUT),
    "an event is cut in the middle": (b"event: content_block_delta\ndata: {",),
    "a character is cut in the middle": ('data: {"type": "ü'.encode()[:-1],),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_that_is_cut_tells_what_came(end: tuple[Piece, ...], server: Loopback) -> None:
    """Also where the reason of the end was told: only message_stop makes it whole."""
    for events in ((_say("This "), _say("is")), (_say("This "), _say("is"), *END[:-1])):
        server.answer = lambda request, events=events: _stream(*BEGIN, *events, end=end)
        async with _make_client(server) as client:
            with pytest.raises(g4f.StreamTruncatedError) as caught:
                await _ask(client, stream=True)
        assert caught.value.partial == "This is"


async def test_a_stream_that_says_only_that_it_is_complete_is_no_answer(server: Loopback) -> None:
    """Without content it must have said why it ended; with some, that stays untold."""
    server.answer = _in_turn(_stream(START, END[-1]), _stream(*BEGIN, _say("This is"), END[0], END[-1]))
    async with _make_client(server, max_retries=0) as client:
        with pytest.raises(g4f.APIResponseError, match="without any content"):
            await _ask(client, stream=True)
        chunks = [chunk async for chunk in client.chat.completions.stream("Hi", "claude-haiku-4-5")]
    choice = fold_chunks(chunks).choices[0]
    assert (choice.message.content, choice.finish_reason) == ("This is", None)


@pytest.mark.parametrize("pings", [False, True], ids=["nothing comes", "pings come"])
async def test_a_stream_that_stalls_is_left(pings: bool, server: Loopback) -> None:
    """Pings are no content: the deadline passes, and the connection is closed."""
    waiting: tuple[Any, ...] = (0.1, {"type": "ping"}) * 40 if pings else ()
    server.answer = lambda request: _stream(*BEGIN, _say("Hi"), *waiting, end=() if pings else (STALL,))
    async with _make_client(server, timeout=SHORT) as client:
        with pytest.raises(g4f.APITimeoutError) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "Hi"
    assert server.wait_until(lambda: server.hang_ups)


async def test_events_that_nobody_knows_are_passed_over(server: Loopback) -> None:
    """Events, blocks and deltas of later versions do no harm; a block of an unknown kind is kept."""
    odd = {"type": "content_block_start", "index": 1, "content_block": {"type": "sonnet", "lines": 14}}
    events = (
        {"type": "weather", "error": None},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "rhyme_delta", "rhyme": "moon"}},
        {"type": "content_block_delta", "index": 7},
        odd,
        {"type": "content_block_stop", "index": 1},
        {"type": "content_block_stop", "index": 9},
    )
    server.answer = lambda request: _stream(*BEGIN, *events, _say("Hi"), *END, b"data: after the end\n\n", size=11)
    async with _make_client(server) as client:
        chunks = [chunk async for chunk in client.chat.completions.stream("Hi", "claude-haiku-4-5")]
    message = fold_chunks(chunks).choices[0].message
    assert message.content == "Hi"
    assert {"type": "sonnet", "lines": 14} in message.model_extra["content_blocks"]


@pytest.mark.parametrize(("last", "count"), [(0, 1), (2, 3), (10**9, 20)], ids=["one", "three", "without end"])
async def test_the_list_of_models_is_read_page_by_page(last: int, count: int, server: Loopback) -> None:
    """Each page names the model after which the next begins; a service that never ends is left."""

    def answer(request: Received) -> Reply:
        after = int(dict(request.pairs).get("after_id", "m-0")[2:])
        row = {"type": "model", "id": f"m-{after + 1}", "created_at": "2026-10-07T00:00:00Z"}
        return reply_json({"data": [row], "has_more": after < last, "last_id": row["id"]})

    server.answer = answer
    async with _make_client(server) as client:
        listed = [model for model in await client.models.list() if model.id.startswith("m-")]
    assert {model.id for model in listed} == {f"m-{number}" for number in range(1, count + 1)}
    assert {model.created for model in listed} == {1791331200}
