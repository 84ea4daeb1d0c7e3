import asyncio
import json
import pickle
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from g4f.chat import ChatRequest, Chunk
from g4f.context import Context, HttpRequest, HttpResponse, Limits, Timeout
from g4f.errors import (
    APIConnectionError,
    APIResponseError,
    AuthenticationError,
    G4FError,
    InternalServerError,
    RateLimitError,
    StreamTruncatedError,
)
from g4f.hookspecs import hookimpl
from g4f.http_provider import ChunkReader, HttpProvider
from g4f.images import ImageRequest
from g4f.manifest import Manifest, Model, StreamEnd
from g4f.plugin import Plugin
from g4f.stream import ChatStream
from g4f.wire.dialect import Wire
from g4f.wire.openai import OPENAI

CHAT = ChatRequest(({"role": "user", "content": "Hi"},), "m")
EVENTS = {"content-type": "text/event-stream"}


class ScriptedStream:
    """A body that comes in these pieces; one that is an exception is raised."""

    def __init__(self, status: int, headers: Mapping[str, str], pieces: list[Any]) -> None:
        self.status = status
        self.headers = CIMultiDict(headers)
        self.pieces = pieces
        self.finished = self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.pieces:
            piece = self.pieces.pop(0)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def wait(self) -> None:
        return None

    async def read(self, max_bytes: int) -> bytes:
        return b"".join([piece async for piece in self])[:max_bytes]

    async def finish(self) -> None:
        self.finished = True

    async def aclose(self) -> None:
        self.closed = True


class ScriptedTransport:
    """A network that answers what it is told."""

    def __init__(self, *pieces: Any, status: int = 200, headers: Mapping[str, str] = EVENTS) -> None:
        self.answer = ScriptedStream(status, headers, list(pieces))
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        self.requests.append(request)
        return HttpResponse(self.answer.status, self.answer.headers, await self.answer.read(10**9))

    async def stream(self, request: HttpRequest) -> ScriptedStream:
        self.requests.append(request)
        return self.answer


def make_context(transport: ScriptedTransport, stream_end: StreamEnd = "finish") -> Context:
    return Context(transport=transport, manifest=Manifest(stream_end=stream_end))


async def read(transport: ScriptedTransport, stream_end: StreamEnd = "finish") -> list[Chunk]:
    return [chunk async for chunk in HttpProvider().stream(CHAT, make_context(transport, stream_end))]


async def read_text(*pieces: Any, stream_end: StreamEnd = "finish") -> str:
    return join(await read(ScriptedTransport(*pieces), stream_end))


def join(chunks: list[Chunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def write(text: str | None = None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
WHOLE = write("Häl") + write("lo😀") + write(None, "stop") + DONE
COMPLETION = json.dumps({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}).encode()


@pytest.mark.parametrize("header", ["X-Request-Id", "request-id"])
async def test_an_answer_has_the_services_id_of_the_request(header: str) -> None:
    """Whole, streamed, or cut: as an error that the service sends."""
    headers = {"content-type": "application/json", header: "r-1"}
    plugin = Plugin("It", HttpProvider(), Manifest())
    answer = await plugin.answer(CHAT, make_context(ScriptedTransport(COMPLETION, headers=headers)))
    stream = ChatStream(plugin.stream(CHAT, make_context(ScriptedTransport(WHOLE, headers={**EVENTS, header: "r-2"}))))
    broken = ScriptedTransport(write("Hi"), headers={**EVENTS, header: "r-3"})

    assert answer.request_id == "r-1"
    assert [chunk async for chunk in stream]
    assert stream.request_id == "r-2"
    assert pickle.loads(pickle.dumps(answer)).request_id == "r-1"  # noqa: S301 - our own
    with pytest.raises(StreamTruncatedError) as caught:
        async for _ in ChatStream(plugin.stream(CHAT, make_context(broken))):
            pass
    assert caught.value.request_id == "r-3"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("model", "effort", "sent", "told"),
    [
        ("m", "high", None, ["reasoning_effort was left out: m cannot reason."]),
        ("m", "none", None, []),
        ("thinker", "high", "high", []),
    ],
)
async def test_the_effort_of_a_model_that_cannot_reason_is_left_out(
    model: str, effort: str, sent: str | None, told: list[str], streamed: bool
) -> None:
    """The answer says so, unless none was asked for."""
    models = (Model("m"), Model("thinker", capabilities={"reasoning": "yes"}))
    manifest = Manifest(capabilities={"chat": "yes", "reasoning": "no"}, models=models)
    transport = ScriptedTransport(COMPLETION, headers={"content-type": "application/json"})
    context = Context(transport=transport, manifest=manifest)
    request = attrs.evolve(CHAT, model=model, options={"reasoning_effort": effort, "temperature": 0})
    if streamed:
        assert [chunk async for chunk in HttpProvider().stream(request, context)]
    else:
        await HttpProvider().chat(request, context)
    body = json.loads(transport.requests[0].body)
    assert (body.get("reasoning_effort"), body["temperature"], context.warnings) == (sent, 0, told)


async def test_a_whole_answer_is_asked_for_and_read() -> None:
    """Through the dialect's functions."""
    transport = ScriptedTransport(COMPLETION)
    completion = await HttpProvider().chat(CHAT, make_context(transport))

    assert completion.choices[0].message.content == "Hi"
    assert transport.requests[0].path == "/chat/completions"
    assert "stream" not in json.loads(transport.requests[0].body)


@given(st.lists(st.integers(0, len(WHOLE)), max_size=8))
async def test_a_stream_is_read_wherever_the_network_cuts_it(places: list[int]) -> None:
    """Inside a line end or a character as well."""
    bounds = [0, *sorted(places), len(WHOLE)]

    assert await read_text(*[WHOLE[start:end] for start, end in pairwise(bounds)]) == "Hällo😀"


async def test_a_stream_is_asked_for_finished_and_closed() -> None:
    """What is left after the end marker is read if it is nearly there, so that the connection is used again."""
    transport = ScriptedTransport(WHOLE)
    await read(transport)

    assert json.loads(transport.requests[0].body)["stream"] is True
    assert transport.answer.finished
    assert transport.answer.closed


async def test_nothing_after_the_end_marker_counts() -> None:
    """Nor is more waited for."""
    transport = ScriptedTransport(WHOLE + write("late"), AssertionError("read on"))

    assert join(await read(transport)) == "Hällo😀"


@pytest.mark.parametrize("last", [DONE, DONE.rstrip(), b"data: [DONE]\n", b"data:[DONE]\r"])
async def test_a_stream_may_lack_its_last_blank_line(last: bytes) -> None:
    """Some servers forget it."""
    assert await read_text(write("Hi"), last, stream_end="marker") == "Hi"


ENDS: tuple[StreamEnd, ...] = ("close", "finish", "marker")


@pytest.mark.parametrize("stream_end", ENDS)
@pytest.mark.parametrize(
    ("tail", "ends"),
    [
        (b"", {"close"}),
        (b": ping\n\n", {"close"}),
        (write("cut")[:-9], {"close"}),
        (write(None, "stop"), {"close", "finish"}),
        (write(None, "stop").rstrip(), {"close", "finish"}),
        (DONE, {"close", "finish", "marker"}),
    ],
)
async def test_a_stream_that_ends_too_early_is_an_error(tail: bytes, ends: set[str], stream_end: StreamEnd) -> None:
    """By the rule of the manifest; what came before is delivered."""
    transport = ScriptedTransport(write("Hi"), tail)
    chunks = []
    with nullcontext() if stream_end in ends else pytest.raises(StreamTruncatedError):
        async for chunk in HttpProvider().stream(CHAT, make_context(transport, stream_end)):
            chunks.append(chunk)

    assert join(chunks) == "Hi"
    assert transport.answer.closed


@pytest.mark.parametrize(
    "start", [b"data: {", b"\xef\xbb\xbfdata: {", b"\r\n\nevent: x", b": ping", b"id: 1", b"retry: 5"]
)
@pytest.mark.parametrize("size", [1, 100])
async def test_a_stream_that_was_cut_is_told_from_an_answer_that_is_none(start: bytes, size: int) -> None:
    """However small the pieces that it came in."""
    pieces = [start[at : at + size] for at in range(0, len(start), size)]
    with pytest.raises(StreamTruncatedError):
        await read_text(*pieces)


@pytest.mark.parametrize("size", [1, 100])
async def test_a_page_where_a_stream_should_be_is_shown(size: int) -> None:
    """It is no stream that was cut."""
    page = b"<html>Please log in</html>"
    with pytest.raises(APIResponseError, match="is no event stream: <html>Please log in") as caught:
        await read_text(*[page[at : at + size] for at in range(0, len(page), size)])
    assert not caught.value.retryable


async def test_an_empty_stream_may_be_tried_again() -> None:
    """Nothing came at all."""
    with pytest.raises(APIResponseError, match="is no event stream") as caught:
        await read_text()
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, COMPLETION),
        ({"Content-Type": "Application/JSON; charset=utf-8"}, b"\n" + COMPLETION),
        ({}, COMPLETION),
        (EVENTS, b"\xef\xbb\xbf" + COMPLETION),
    ],
)
async def test_a_whole_answer_where_a_stream_was_asked_for_is_told_as_one(headers: dict[str, str], body: bytes) -> None:
    """By its type, or because no event begins with a brace."""
    transport = ScriptedTransport(body[:9], body[9:], headers=headers)
    chunks = await read(transport)

    assert join(chunks) == "Hi"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert transport.answer.closed


async def test_an_error_where_a_stream_was_asked_for_is_raised() -> None:
    """In JSON with status 200, as the first event, and in the middle after what came before."""
    body = json.dumps({"error": {"message": "Slow down", "code": 429}}).encode()
    with pytest.raises(RateLimitError):
        await read(ScriptedTransport(body, headers={"content-type": "application/json"}))
    with pytest.raises(RateLimitError):
        await read_text(b"data: " + body + b"\n\n")
    with pytest.raises(RateLimitError):
        await read_text(b"data: " + body)

    chunks = []
    with pytest.raises(RateLimitError):
        async for chunk in HttpProvider().stream(
            CHAT, make_context(ScriptedTransport(write("Hi") + b"data: " + body + b"\n\n"))
        ):
            chunks.append(chunk)
    assert join(chunks) == "Hi"


async def test_the_chunks_of_one_network_read_come_together() -> None:
    """Who can take them so need not wait for each."""
    stream = HttpProvider().stream(CHAT, make_context(ScriptedTransport(write("a") + write("b"), WHOLE)))
    assert isinstance(stream, ChunkReader)
    batches = []
    while (batch := await stream.read_batch()) is not None:
        batches.append(join(list(batch)))

    assert batches == ["ab", "Hällo😀"]


@pytest.mark.parametrize("event", [b"data: <html>\n\n", b'data: {"a\n\n', b"data: 5\n\n"])
async def test_what_came_before_a_broken_event_is_delivered(event: bytes) -> None:
    """Also out of the same read; and nothing that came after it."""
    transport = ScriptedTransport(write("Hi") + event + write("more"))
    stream, chunks = HttpProvider().stream(CHAT, make_context(transport)), []
    with pytest.raises(APIResponseError):
        async for chunk in stream:
            chunks.append(chunk)

    assert join(chunks) == "Hi"
    assert [chunk async for chunk in stream] == []
    assert transport.answer.closed


async def test_a_connection_that_breaks_in_a_stream_breaks_it() -> None:
    """The transport's error comes through, and the stream is closed."""
    transport = ScriptedTransport(write("Hi"), APIConnectionError("broke"))
    with pytest.raises(APIConnectionError, match="broke"):
        await read(transport)
    assert transport.answer.closed


async def test_leaving_a_stream_early_closes_it() -> None:
    """When its iterator is closed, as ChatStream does."""
    transport = ScriptedTransport(write("Hi"), WHOLE)
    stream = HttpProvider().stream(CHAT, make_context(transport))
    await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]  # it is a generator

    assert transport.answer.closed
    assert not transport.answer.finished


@pytest.mark.parametrize("method", ["chat", "stream", "image", "models"])
async def test_a_status_of_400_or_above_is_an_error(method: str) -> None:
    """Made of the body, for every hook."""
    body = json.dumps({"error": {"message": "Who are you?"}}).encode()
    transport = ScriptedTransport(body, status=401, headers={"X-Request-Id": "r-1"})
    context = make_context(transport)
    provider = HttpProvider()
    with pytest.raises(AuthenticationError, match="Who are you") as caught:
        if method == "chat":
            await provider.chat(CHAT, context)
        elif method == "stream":
            await anext(provider.stream(CHAT, context))
        elif method == "image":
            await provider.image(ImageRequest("x"), context)
        else:
            await provider.models(context)

    assert caught.value.request_id == "r-1"


async def test_the_page_of_a_streams_error_is_read_to_a_limit() -> None:
    """64 KiB are enough for what it says."""
    transport = ScriptedTransport(*[b"x" * 10_000] * 20, status=502)
    with pytest.raises(InternalServerError) as caught:
        await read(transport)

    assert len(caught.value.body) == 64 * 2**10
    assert transport.answer.closed


async def test_images_and_models_are_asked_for_and_read() -> None:
    """Through the dialect's functions."""
    images = await HttpProvider().image(ImageRequest("x"), make_context(ScriptedTransport(b'{"data": [{"url": "u"}]}')))
    models = await HttpProvider().models(make_context(ScriptedTransport(b'{"data": [{"id": "a"}]}')))

    assert images.data[0].url == "u"
    assert models == [{"id": "a"}]


@given(st.lists(st.binary(max_size=20) | st.sampled_from([write("a"), DONE, b"data: ", b"\n\n", b"{"]), max_size=6))
async def test_whatever_a_server_streams_is_chunks_or_an_error_of_ours(pieces: list[bytes]) -> None:
    """Nothing else comes out."""
    try:
        chunks = await read(ScriptedTransport(*pieces))
    except G4FError:
        return
    assert all(isinstance(chunk, Chunk) for chunk in chunks)


async def test_a_provider_has_the_last_word_on_what_is_sent() -> None:
    """Whole answers, streams and lists: with what the settings decide, of which the wire knows nothing."""

    class Dated(HttpProvider):
        def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
            return attrs.evolve(request, query={"version": context.settings["version"]})

    transport = ScriptedTransport(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
    context = attrs.evolve(make_context(transport), settings={"version": "2"})
    assert [chunk async for chunk in Dated().stream(CHAT, context)]
    transport.answer.pieces = [b'{"data": []}']
    assert await Dated().models(context) == []
    assert [request.query for request in transport.requests] == [{"version": "2"}] * 2


class Painter(HttpProvider):
    wire = Wire(encode_image=OPENAI.encode_image, decode_image=OPENAI.decode_image)


class Guesser(Painter):
    @hookimpl
    async def models(self) -> list[dict[str, Any]]:
        return [{"id": "guess"}]


@pytest.mark.parametrize(
    ("kind", "hooks"),
    [
        (HttpProvider, {"chat", "stream", "image", "embed", "models"}),
        (Painter, {"image"}),
        (Guesser, {"image", "models"}),
    ],
)
def test_a_provider_has_the_hooks_that_its_dialect_has_words_for(kind: type[HttpProvider], hooks: set[str]) -> None:
    """And those that it writes itself; so that nobody asks it for what it could only refuse."""
    plugin = Plugin("Any", kind(), Manifest())
    assert {hook for hook in ("chat", "stream", "image", "embed", "models") if plugin.implements(hook)} == hooks


class OpenStream(ScriptedStream):
    """One whose connection stays open after its last piece."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
        await asyncio.Event().wait()


async def test_a_stream_that_is_held_open_after_its_finish_reason_ends() -> None:
    """Half of the deadline between contents is time enough for what may still come, as the usage."""
    usage = b'data: {"choices": [], "usage": {"total_tokens": 9}}\n\n'
    transport = ScriptedTransport()
    transport.answer = OpenStream(200, EVENTS, [write("Hi"), write(None, "stop"), usage])
    context = attrs.evolve(make_context(transport), timeout=Timeout(gap=0.1))
    async with asyncio.timeout(5):
        chunks = [chunk async for chunk in HttpProvider().stream(CHAT, context)]

    assert join(chunks) == "Hi"
    assert chunks[-1].usage is not None
    assert transport.answer.closed


async def test_an_answer_in_place_of_a_stream_may_be_too_large() -> None:
    """It is not read as if it ended there."""
    with pytest.raises(APIResponseError, match="larger than 33554432 bytes"):
        await read(ScriptedTransport(b'{"id": "', b"x" * Limits().json_bytes))


def test_a_wire_that_is_none_is_told_where_the_class_is_made() -> None:
    """In one sentence."""
    with pytest.raises(TypeError, match=r"Odd\.wire must be a g4f\.wire\.dialect\.Wire, as .*OPENAI, not str"):

        class Odd(HttpProvider):
            wire = "openai"  # type: ignore[assignment]  # the slip


def test_a_body_is_bytes() -> None:
    """The network would make a form of a dict."""
    with pytest.raises(TypeError, match=r"HttpRequest\.body must be bytes, as .*encode_json.* makes them, not dict"):
        HttpRequest("POST", "/chat", {"q": "x"})  # type: ignore[arg-type]  # the slip
