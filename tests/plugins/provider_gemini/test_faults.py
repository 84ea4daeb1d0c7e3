"""The provider against a service and a network that misbehave, where its dialect makes a difference."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import g4f
from g4f import AsyncClient, Timeout
from loopback import CUT, Loopback, Piece, Received, Reply, reply_json

KEY = "AIza-faults-0123456789"
PNG = b"\x89PNG\r\n\x1a\nsmall"
SHORT = Timeout(connect=0.5, stream_head=0.5, head=0.5, first_content=0.5, gap=0.5, total=0.5)
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def _say(text: str, **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, **more}]}


def _event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\r\n\r\n".encode()


def _reply_events(*pieces: Any, framing: Any = "chunked") -> Reply:
    body = [_event(piece) if isinstance(piece, dict) else piece for piece in pieces]
    return Reply(200, {"content-type": "text/event-stream"}, body, framing)


def _refuse(status: int, word: str, *details: dict[str, Any]) -> Reply:
    return reply_json({"error": {"code": status, "message": "no", "status": word, "details": list(details)}}, status)


OK = reply_json(_say("Hi", finishReason="STOP"))
STREAM = _reply_events(_say("H"), _say("i", finishReason="STOP"))
RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.4s"}
DAY = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
WRONG_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that each test gives its answers."""
    with Loopback(OK) as server:
        yield server


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    return AsyncClient(provider="Gemini", api_key=KEY, base_url=server.url, **more)


def _in_turn(*replies: Reply) -> Callable[[Received], Reply]:
    """Answer with one after the other, the last again and again."""
    left = list(replies)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


async def _ask(client: AsyncClient, *, stream: bool = False, **more: Any) -> str:
    if not stream:
        completion = await client.chat.completions.create("Hi", **more)
        return completion.choices[0].message.content or ""
    chunks = [chunk async for chunk in client.chat.completions.stream("Hi", **more)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@STREAMED
async def test_a_rate_limit_is_waited_out(stream: bool, server: Loopback) -> None:
    """How long stands in the body."""
    server.answer = _in_turn(_refuse(429, "RESOURCE_EXHAUSTED", RETRY), STREAM if stream else OK)
    started = time.monotonic()
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "Hi"
    assert time.monotonic() - started >= 0.4
    assert len(server.requests) == 2


@STREAMED
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (_refuse(429, "RESOURCE_EXHAUSTED", DAY, RETRY), g4f.RateLimitError),
        (_refuse(400, "INVALID_ARGUMENT", WRONG_KEY), g4f.AuthenticationError),
        (_refuse(400, "FAILED_PRECONDITION"), g4f.BadRequestError),
        (_refuse(403, "PERMISSION_DENIED"), g4f.PermissionDeniedError),
        (_refuse(404, "NOT_FOUND"), g4f.NotFoundError),
    ],
)
async def test_what_repeating_cannot_mend_is_asked_once(
    reply: Reply, kind: type[g4f.APIStatusError], stream: bool, server: Loopback
) -> None:
    """A wrong key, a used-up day, a wrong request: the error comes at once."""
    server.answer = lambda request: reply
    async with _make_client(server) as client:
        with pytest.raises(kind) as caught:
            await _ask(client, stream=stream)
    assert type(caught.value) is kind
    assert len(server.requests) == 1


@STREAMED
@pytest.mark.parametrize("status", [500, 503, 504])
async def test_a_failure_of_the_service_is_repeated(status: int, stream: bool, server: Loopback) -> None:
    """Once overloaded, then well: the user gets the answer."""
    server.answer = _in_turn(_refuse(status, "UNAVAILABLE"), STREAM if stream else OK)
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "Hi"
    first, second = server.requests
    assert first.body == second.body


ENDS: dict[str, tuple[Piece, ...]] = {
    "the stream ends cleanly without a finish reason": (),
    "the connection is reset": (0.05, CUT),
    "an event is cut in the middle": (b'data: {"candidates": [{"content": {"par',),
    "a character is cut in the middle": ('data: {"candidates": [{"content": "ü'.encode()[:-1],),
}


@pytest.mark.parametrize("framing", ["chunked", "close"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_stream_that_is_cut_tells_what_came(end: tuple[Piece, ...], framing: str, server: Loopback) -> None:
    """There is no end marker: without a finish reason the answer is not whole."""
    server.answer = lambda request: _reply_events(_say("This "), _say("is"), *end, framing=framing)
    async with _make_client(server) as client:
        with pytest.raises(g4f.StreamTruncatedError) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "This is"
    assert caught.value.retryable
    assert len(server.requests) == 1


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\n\r\n: ping\r\n\r\n"])
async def test_a_finish_reason_and_the_end_are_a_whole_answer(end: bytes, server: Loopback) -> None:
    """Also without the last blank line."""
    whole = _event(_say("Hi", finishReason="STOP")).rstrip(b"\r\n")
    server.answer = lambda request: _reply_events(whole, end, framing="close")
    async with _make_client(server) as client:
        assert await _ask(client, stream=True) == "Hi"


async def test_a_stream_that_breaks_before_its_first_content_is_repeated(server: Loopback) -> None:
    """Nothing was delivered, so the user never notices."""
    empty = {"usageMetadata": {"promptTokenCount": 1}}
    server.answer = _in_turn(_reply_events(empty, CUT), _reply_events(empty), STREAM)
    async with _make_client(server) as client:
        assert await _ask(client, stream=True) == "Hi"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("end", "kind", "text"),
    [
        ({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}, g4f.InternalServerError, "overl"),
        ({"error": "gone"}, g4f.APIStatusError, "gone"),
        ({"candidates": [{"finishReason": "STOP"}], "error": {"code": 429}}, g4f.RateLimitError, "429"),
        (b"data: <html>\r\n\r\n", g4f.APIResponseError, "html"),
        (b"data: 7\r\n\r\n", g4f.APIResponseError, "7"),
    ],
)
async def test_an_error_in_mid_stream_is_raised_with_what_came(
    end: Any, kind: type[g4f.APIError], text: str, server: Loopback
) -> None:
    """With its own class; nothing is asked again."""
    server.answer = lambda request: _reply_events(_say("This"), end)
    async with _make_client(server) as client:
        with pytest.raises(kind, match=text) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "This"
    assert len(server.requests) == 1


@STREAMED
async def test_a_call_that_the_model_spoilt_is_asked_again(stream: bool, server: Loopback) -> None:
    """It came to nothing by chance, and nothing was delivered."""
    spoilt = {"candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}]}
    server.answer = _in_turn(_reply_events(spoilt) if stream else reply_json(spoilt), STREAM if stream else OK)
    async with _make_client(server) as client:
        assert await _ask(client, stream=stream) == "Hi"


@STREAMED
async def test_a_blocked_prompt_is_answered_once_with_the_reason(stream: bool, server: Loopback) -> None:
    """It is no failure that another try mends, and no empty success."""
    blocked = {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    server.answer = lambda request: _reply_events(blocked) if stream else reply_json(blocked)
    async with _make_client(server) as client:
        if stream:
            [chunk] = [chunk async for chunk in client.chat.completions.stream("Hi")]
            choice: Any = chunk.choices[0]
            assert "PROHIBITED_CONTENT" in choice.delta.refusal
        else:
            choice = (await client.chat.completions.create("Hi")).choices[0]
            assert "PROHIBITED_CONTENT" in choice.message.refusal
    assert choice.finish_reason == "content_filter"
    assert len(server.requests) == 1


JUNK = {
    "a page": Reply(200, {"content-type": "text/html"}, b"<html><title>Sign in</title></html>"),
    "nothing": Reply(200, {"content-type": "application/json"}, b""),
    "half an object": Reply(200, {"content-type": "application/json"}, b'{"candidates": [{"con'),
    "an empty list": Reply(200, {"content-type": "application/json"}, b"[]"),
    "a list of numbers": Reply(200, {"content-type": "application/json"}, b"[1]"),
    "null": Reply(200, {"content-type": "application/json"}, b"null"),
    "no candidates": reply_json({"candidates": []}),
    "usage alone": reply_json({"usageMetadata": {"totalTokenCount": 1}}),
    "deep nesting": Reply(200, {"content-type": "application/json"}, b'{"candidates":' * 100_000),
}


@STREAMED
@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
async def test_a_success_that_is_none_is_an_error(junk: Reply, stream: bool, server: Loopback) -> None:
    """Status 200 with something else than an answer never becomes an empty answer."""
    server.answer = lambda request: junk
    async with _make_client(server, max_retries=0) as client:
        with pytest.raises(g4f.APIResponseError) as caught:
            await _ask(client, stream=stream)
    assert caught.value.provider == "Gemini"


async def test_silence_in_a_stream_is_a_timeout(server: Loopback) -> None:
    """Events without content do not keep it alive, and the server sees the connection closed."""
    server.answer = lambda request: _reply_events(_say("Hi"), *[0.2, {"usageMetadata": {}}] * 20)
    async with _make_client(server, timeout=SHORT) as client:
        with pytest.raises(g4f.APITimeoutError) as caught:
            await _ask(client, stream=True)
    assert caught.value.partial == "Hi"
    assert await asyncio.to_thread(server.wait_until, lambda: server.hang_ups, 1.0)


async def test_leaving_a_stream_early_closes_it(server: Loopback) -> None:
    """`break` is enough, though our generator stands around the core's."""
    server.answer = lambda request: _reply_events(*[_say("more "), 0.01] * 500)
    async with _make_client(server) as client:
        async for _ in client.chat.completions.stream("Hi"):
            break
        assert await asyncio.to_thread(server.wait_until, lambda: server.hang_ups, 1.0)


# Pictures


def _reply_picture(**more: Any) -> Reply:
    blob = {"mimeType": "image/jpeg", "data": base64.b64encode(PNG).decode()}
    answer = {"candidates": [{"content": {"parts": [{"inlineData": blob}]}, "finishReason": "STOP"}]}
    return reply_json({**answer, "usageMetadata": {"promptTokenCount": 2, "totalTokenCount": 5}, **more})


async def test_several_pictures_are_several_requests_at_once(server: Loopback) -> None:
    """Their tokens are added up."""
    slow = Reply(200, _reply_picture().headers, [0.3, _reply_picture().list_pieces()[0]])
    server.answer = lambda request: slow
    async with _make_client(server) as client:
        images = await client.images.generate("a cat", n=4, response_format="b64_json")
        assert server.connections == 4  # one after the other they would have shared one
    assert [base64.b64decode(image.b64_json or "") for image in images.data] == [PNG] * 4
    assert images.usage is not None
    assert (images.usage.input_tokens, images.usage.total_tokens) == (8, 20)
    assert len({request.body for request in server.requests}) == 1
    assert len(server.requests) == 4


async def test_the_pictures_that_came_are_delivered(server: Loopback) -> None:
    """And a warning tells of the others, which were paid for by nobody."""
    server.answer = _in_turn(_reply_picture(), _refuse(503, "UNAVAILABLE"), _reply_picture())
    async with _make_client(server, max_retries=0) as client:
        images = await client.images.generate("a cat", n=3, response_format="b64_json")
    assert len(images.data) == 2
    assert images.warnings == ["1 of 3 images failed: The service answered 503: no"]


async def test_when_no_picture_comes_the_first_error_is_raised(server: Loopback) -> None:
    """As for one."""
    server.answer = lambda request: _refuse(403, "PERMISSION_DENIED")
    async with _make_client(server) as client:
        with pytest.raises(g4f.PermissionDeniedError):
            await client.images.generate("a cat", n=3)


@pytest.mark.parametrize("number", [-1, 11, 1.5, "2"])
async def test_a_number_of_pictures_that_is_none_is_an_error(number: Any, server: Loopback) -> None:
    """Nothing is sent."""
    async with _make_client(server) as client:
        with pytest.raises(g4f.InvalidInputError, match=r"from 1 (to 10|on)"):
            await client.images.generate("a cat", n=number)
    assert server.requests == []


async def test_a_refused_picture_is_a_bad_request(server: Loopback) -> None:
    """Its code says that a filter refused; it is not asked again."""
    server.answer = lambda request: reply_json({"candidates": [{"finishReason": "IMAGE_SAFETY"}]})
    async with _make_client(server) as client:
        with pytest.raises(g4f.BadRequestError, match="IMAGE_SAFETY") as caught:
            await client.images.generate("a cat")
    assert (caught.value.code, caught.value.retryable) == ("content_filter", False)
    assert len(server.requests) == 1


# Embeddings


def _embed(request: Received) -> Reply:
    rows = request.json["requests"]
    values = [{"values": [float(row["content"]["parts"][0]["text"]), 0.5]} for row in rows]
    return reply_json({"embeddings": values, "usageMetadata": {"promptTokenCount": len(rows)}})


async def test_many_texts_are_several_batches(server: Loopback) -> None:
    """Each holds a hundred; the order stays and the tokens are added up."""
    server.answer = _embed
    async with _make_client(server) as client:
        answer = await client.embeddings.create([str(number) for number in range(250)])
    assert [len(request.json["requests"]) for request in server.requests] == [100, 100, 50]
    assert [(row.index, row.embedding[0]) for row in answer.data] == [(number, number) for number in range(250)]
    assert answer.usage is not None
    assert answer.usage.total_tokens == 250
    assert answer.model == "gemini-embedding-2"


async def test_vectors_are_packed_where_that_is_asked_for(server: Loopback) -> None:
    """As OpenAI packs them, since the service does not."""
    server.answer = _embed
    async with _make_client(server) as client:
        answer = await client.embeddings.create("3", encoding_format="base64")
    packed: Any = answer.data[0].embedding
    assert struct.unpack("<2f", base64.b64decode(packed)) == (3.0, 0.5)


@pytest.mark.parametrize("values", [[], [{}], [{"values": []}], [{"values": [1]}] * 2, [{"values": ["x"]}]])
async def test_what_is_no_vector_is_an_error(values: Any, server: Loopback) -> None:
    """None, too many, or something else than numbers where they are packed."""
    server.answer = lambda request: reply_json({"embeddings": values})
    async with _make_client(server) as client:
        with pytest.raises(g4f.APIResponseError):
            await client.embeddings.create("3", encoding_format="base64")


async def test_tokens_are_no_texts(server: Loopback) -> None:
    """The service takes none; nothing is sent."""
    async with _make_client(server) as client:
        with pytest.raises(g4f.InvalidInputError, match="no token ids"):
            await client.embeddings.create([1, 2])
    assert server.requests == []


# Files


def _serve(kind: str, body: bytes = PNG) -> Callable[[Received], Reply]:
    return lambda request: Reply(200, {"content-type": kind}, body) if request.method == "GET" else OK


def _look(*urls: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}} for url in urls]}]


@STREAMED
async def test_a_file_that_the_service_does_not_fetch_is_fetched_without_the_key(
    stream: bool, server: Loopback
) -> None:
    """Once, though it is named twice; its bytes go inline with the type that its server says."""
    answer = _serve("image/png; charset=binary")
    server.answer = lambda request: STREAM if stream and request.method == "POST" else answer(request)
    url = f"{server.url}/cat"
    async with _make_client(server) as client:
        asked: Any = client.chat.completions.create(_look(url, url), stream=stream)
        await asked
        if stream:
            await asked.aclose()
    fetched, request = server.requests
    assert (fetched.path, fetched.headers.get("x-goog-api-key")) == ("/cat", None)
    part = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
    assert request.json["contents"][0]["parts"] == [part, part]


async def test_a_vague_type_is_read_from_the_ending(server: Loopback) -> None:
    """As stores of files often say nothing."""
    server.answer = _serve("application/octet-stream")
    async with _make_client(server) as client:
        await client.chat.completions.create(_look(f"{server.url}/cat.webp"))
    assert server.requests[-1].json["contents"][0]["parts"][0]["inlineData"]["mimeType"] == "image/webp"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream", ""])
async def test_what_is_no_file_is_not_sent(kind: str, server: Loopback) -> None:
    """A page, or a thing without a type."""
    server.answer = _serve(kind)
    async with _make_client(server) as client:
        with pytest.raises(g4f.InvalidInputError, match="no file that Gemini takes"):
            await client.chat.completions.create(_look(f"{server.url}/cat"))
    assert [request.method for request in server.requests] == ["GET"]


async def test_a_private_address_is_not_fetched(server: Loopback) -> None:
    """Only the user's own server may be one."""
    with Loopback(Reply(200, {"content-type": "image/png"}, PNG)) as other:
        async with _make_client(server) as client:
            with pytest.raises(g4f.APIConnectionError, match="not a public address"):
                await client.chat.completions.create(_look(f"{other.url}/cat"))
        assert other.requests == []


async def test_a_picture_to_edit_may_be_an_address(server: Loopback) -> None:
    """It is fetched like those of a chat."""
    server.answer = lambda request: _serve("image/png")(request) if request.method == "GET" else _reply_picture()
    async with _make_client(server) as client:
        await client.images.edit(f"{server.url}/cat", "add a hat", response_format="b64_json")
    text, picture = server.requests[-1].json["contents"][0]["parts"]
    assert text == {"text": "add a hat"}
    assert picture["inlineData"]["mimeType"] == "image/png"


async def test_a_list_of_models_without_end_ends(server: Loopback) -> None:
    """A hundred pages are enough."""
    server.answer = lambda request: reply_json({"models": [{"name": "models/gemini-x"}], "nextPageToken": "again"})
    async with _make_client(server) as client:
        models = await client.models.list()
    assert "gemini-x" in [model.id for model in models]
    assert len(server.requests) == 100


@STREAMED
async def test_a_key_that_the_service_echoes_is_taken_out(stream: bool, server: Loopback) -> None:
    """Of the message and of the body."""
    server.answer = lambda request: reply_json({"error": {"code": 400, "message": f"bad key {KEY}"}}, 400)
    async with _make_client(server) as client:
        with pytest.raises(g4f.BadRequestError) as caught:
            await _ask(client, stream=stream)
    assert KEY not in str(caught.value)
    assert KEY not in json.dumps(caught.value.body)
