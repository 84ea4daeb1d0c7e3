"""What a service sends is read to the limits that the user sets: lower than usual or higher, whole or streamed."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import g4f
from g4f import AsyncClient, Client, Limits
from loopback import Loopback, Received, Reply, make_chunk, make_completion, reply_events, reply_json

MIB = 2**20
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that each test gives its answers."""
    with Loopback(Reply(500)) as server:
        yield server


def make_client(server: Loopback, limits: Limits | None = None, **more: Any) -> AsyncClient:
    return AsyncClient("OpenaiChat", api_key="sk-1234", base_url=f"{server.url}/v1", limits=limits, **more)


async def ask(client: AsyncClient, *, stream: bool = False, **more: Any) -> str:
    if not stream:
        return (await client.chat.completions.create("Hi", **more)).choices[0].message.content or ""
    chunks = [chunk async for chunk in client.chat.completions.create("Hi", stream=True, **more)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def nest(depth: int) -> Any:
    """A value so many levels deep."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def stream_texts(*texts: str, **more: Any) -> Reply:
    return reply_events(*[{**make_chunk(text), **more} for text in texts], make_chunk(finish_reason="stop"))


@pytest.mark.parametrize(
    ("reply", "stream", "small", "large", "says"),
    [
        (reply_json(make_completion("x" * 2000)), False, {"json_bytes": 1000}, {"json_bytes": 9000}, "than 1000 bytes"),
        (reply_json(make_completion("x" * 2000)), True, {"json_bytes": 1000}, {"json_bytes": 9000}, "than 1000 bytes"),
        (stream_texts("x" * 2000), True, {"event_bytes": 1000}, {"event_bytes": 9000}, "than 1000 bytes"),
        (
            reply_json(make_completion("x" * 2000, more=[{}] * 100)),
            False,
            {"object_bytes": 20_000},
            {"object_bytes": 90_000},
            "more than 20000 bytes",
        ),
        (
            reply_json(make_completion("x" * 2000, more=[{}] * 100)),
            True,
            {"object_bytes": 20_000},
            {"object_bytes": 90_000},
            "more than 20000 bytes",
        ),
        (
            stream_texts("x" * 2000, more=[{}] * 100),
            True,
            {"object_bytes": 20_000},
            {"object_bytes": 90_000},
            "more than 20000 bytes",
        ),
        (
            reply_json(make_completion("x" * 2000, more=nest(50))),
            False,
            {"json_depth": 50},
            {"json_depth": 51},
            "deeper than 50 levels",
        ),
        (
            reply_json(make_completion("x" * 2000, more=nest(50))),
            True,
            {"json_depth": 50},
            {"json_depth": 51},
            "deeper than 50 levels",
        ),
        (
            stream_texts("x" * 2000, more=nest(50)),
            True,
            {"json_depth": 50},
            {"json_depth": 51},
            "deeper than 50 levels",
        ),
    ],
    ids=[
        "an answer", "an answer in place of a stream", "an event",
        "JSON's objects", "JSON's objects in place of a stream", "an event's objects",
        "JSON's depth", "JSON's depth in place of a stream", "an event's depth",
    ],
)  # fmt: skip
async def test_a_limit_is_kept_to_for_a_client_a_copy_and_a_call(
    server: Loopback, reply: Reply, stream: bool, small: dict[str, int], large: dict[str, int], says: str
) -> None:
    """Whichever is nearest counts; the error says what the limit was."""
    server.answer = lambda request: reply
    async with make_client(server, Limits(**small)) as client:
        with pytest.raises(g4f.APIResponseError, match=says) as caught:
            await ask(client, stream=stream)
        assert await ask(client.with_options(limits=Limits(**large)), stream=stream) == "x" * 2000
        assert await ask(client.with_options(limits=Limits()), stream=stream) == "x" * 2000
        assert await ask(client, stream=stream, limits=Limits(**large)) == "x" * 2000
        with pytest.raises(g4f.APIResponseError, match=says):
            await ask(client.with_options(limits=Limits()), stream=stream, limits=Limits(**small))

    assert not caught.value.retryable
    assert len(server.requests) == 5


async def test_what_came_before_an_event_that_is_too_large_was_delivered(server: Loopback) -> None:
    """The error holds it as `partial`."""
    server.answer = lambda request: stream_texts("a", "b", "x" * 2000, "c")
    came = []
    async with make_client(server, Limits(event_bytes=1000)) as client:
        with pytest.raises(g4f.APIResponseError, match="larger than 1000 bytes") as caught:
            async for chunk in client.chat.completions.create("Hi", stream=True):
                came.append(chunk.choices[0].delta.content)

    assert came == ["a", "b"]
    assert caught.value.partial == "ab"


@pytest.mark.parametrize(
    ("reply", "stream", "limits"),
    [
        (reply_json(make_completion("x" * 33 * MIB)), False, Limits(json_bytes=40 * MIB)),
        (stream_texts("x" * 17 * MIB), True, Limits(event_bytes=20 * MIB)),
        (reply_json(make_completion("x" * 17 * MIB, more=[{}] * 600_000)), False, Limits(object_bytes=256 * MIB)),
        (stream_texts("x" * 12 * MIB, more=[{}] * 600_000), True, Limits(json_bytes=40 * MIB)),
    ],
    ids=["an answer", "an event", "an answer's objects", "an event's objects"],
)
async def test_a_limit_can_be_raised_above_the_usual(
    server: Loopback, reply: Reply, stream: bool, limits: Limits
) -> None:
    """For who asks for much and has the memory."""
    server.answer = lambda request: reply
    async with make_client(server) as client:
        with pytest.raises(g4f.APIResponseError, match=r"(larger|more) than (33554432|16777216|134217728) bytes"):
            await ask(client, stream=stream)
        assert len(await ask(client, stream=stream, limits=limits)) >= 12 * MIB


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("size", [100, 200_000])
async def test_the_page_of_an_error_is_read_to_its_limit(server: Loopback, stream: bool, size: int) -> None:
    """The error is that of the status all the same."""
    page = "x" * (size - 1)
    server.answer = lambda request: Reply(400, body=page.encode() + b"!" + b"x" * 300_000)
    async with make_client(server, Limits(error_bytes=size)) as client:
        with pytest.raises(g4f.BadRequestError) as caught:
            await ask(client, stream=stream)

    assert caught.value.body == f"{page}!"


async def test_pictures_are_read_to_their_limits(server: Loopback, tmp_path: Path) -> None:
    """In an answer, and where it names an address to download them from."""
    picture = PNG + b"x" * 5000

    def answer(request: Received) -> Reply:
        if request.method == "GET":
            return Reply(200, {}, picture)
        named = {"url": f"{server.url}/picture"} if b"elsewhere" in request.body else {"b64_json": encoded}
        return reply_json({"data": [named]})

    encoded = base64.b64encode(picture).decode()
    server.answer = answer
    async with make_client(server, media_folder=str(tmp_path)) as client:
        for prompt, small, large in (
            ("here", Limits(images_bytes=5000), Limits(images_bytes=9000, json_bytes=10)),
            ("elsewhere", Limits(download_bytes=5000), Limits(download_bytes=5008, json_bytes=10, images_bytes=999)),
        ):
            with pytest.raises(g4f.APIResponseError, match="larger than 5000 bytes"):
                await client.images.generate(prompt, limits=small)
            made = await client.images.generate(prompt, limits=large)
            assert Path(made.data[0].path or "").read_bytes() == picture

    assert len(list(tmp_path.iterdir())) == 2


async def test_the_pictures_that_an_answer_names_have_limits_together(server: Loopback) -> None:
    """Their number is what was asked for, or ten; their bytes are those of four of the largest."""
    picture = PNG + b"x" * 992
    named = reply_json({"data": [{"url": f"{server.url}/{number}"} for number in range(12)]})
    server.answer = lambda request: Reply(200, {}, picture) if request.method == "GET" else named
    settings = {"response_format": "b64_json", "limits": Limits(download_bytes=1000)}
    async with make_client(server) as client:
        assert len((await client.images.generate("A cat", n=2, **settings)).data) == 2
        assert [request.method for request in server.requests] == ["POST", "GET", "GET"]
        assert len((await client.images.generate("A cat", n=4, **settings)).data) == 4
        with pytest.raises(g4f.APIResponseError, match=r"larger than .* may have 4000 bytes together\."):
            await client.images.generate("A cat", n=5, **settings)
        assert len((await client.images.generate("A cat", response_format="b64_json")).data) == 10


async def test_the_pictures_that_an_answer_names_have_one_deadline(server: Loopback) -> None:
    """However many they are, each of which would come in time."""
    named = reply_json({"data": [{"url": f"{server.url}/{number}"} for number in range(10)]})
    server.answer = lambda request: Reply(200, {}, [0.3, PNG]) if request.method == "GET" else named
    async with make_client(server) as client:
        with pytest.raises(g4f.APITimeoutError, match="The download of"):
            await client.images.generate("A cat", response_format="b64_json", timeout=1.0)
    assert len(server.requests) < 11


async def test_pictures_that_are_given_are_read_to_their_limit(server: Loopback, tmp_path: Path) -> None:
    """Nothing is sent of one that is larger."""
    picture = PNG + b"x" * 992
    (tmp_path / "cat.png").write_bytes(picture)
    server.answer = lambda request: reply_json(
        make_completion() if b'"messages"' in request.body else {"data": [given]}
    )
    given = {"b64_json": base64.b64encode(PNG).decode()}
    async with make_client(server, Limits(input_bytes=999), media_folder=str(tmp_path)) as client:
        with pytest.raises(g4f.InvalidInputError, match=r"cat\.png is larger than 999 bytes"):
            await ask(client, image=tmp_path / "cat.png")
        with pytest.raises(g4f.InvalidInputError, match="larger than 999 bytes"):
            await client.images.edit(picture, "A cat")
        assert server.requests == []
        assert await ask(client, image=picture, limits=Limits(input_bytes=1000)) == "This is a test"
        assert (await client.images.edit(picture, "A cat", limits=Limits())).data


def test_a_client_without_asyncio_has_limits_too(server: Loopback) -> None:
    """The same argument, in the same places."""
    server.answer = lambda request: reply_json(make_completion("x" * 2000))
    with Client("OpenaiChat", api_key="sk-1234", base_url=f"{server.url}/v1", limits=Limits(json_bytes=1000)) as client:
        with pytest.raises(g4f.APIResponseError, match="larger than 1000 bytes"):
            client.chat.completions.create("Hi")
        assert client.chat.completions.create("Hi", limits=Limits()).choices[0].message.content == "x" * 2000
        assert client.with_options(limits=Limits()).chat.completions.create("Hi").choices


async def test_what_is_no_limits_is_refused_before_anything_is_sent(server: Loopback) -> None:
    """For a client and for a call."""
    with pytest.raises(g4f.InvalidInputError, match="limits must be"):
        make_client(server, 5)  # type: ignore[arg-type]
    async with make_client(server) as client:
        with pytest.raises(g4f.InvalidInputError, match="limits must be"):
            await ask(client, limits={"json_bytes": 5})

    assert server.requests == []
