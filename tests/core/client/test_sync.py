"""The synchronous twin: the same surface, from any thread, inside a running loop, after a fork."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from g4f import AsyncClient, ChatCompletion, Client, hookimpl
from g4f.chat import ChatRequest, Chunk, Completion
from g4f.client import _chat, _embeddings, _images, _models, _sync
from g4f.errors import APIConnectionError, G4FError


class Echo:
    """Streams the prompt back word by word, and tells when a stream of it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        return Completion.from_text(request.messages[-1]["content"])

    @hookimpl
    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        try:
            for word in request.messages[-1]["content"].split():
                if word == "fail":
                    raise APIConnectionError("gone")
                yield Chunk.from_text(f"{word} ")
        finally:
            self.closed.set()


def join(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_it_answers_and_streams() -> None:
    """As the asynchronous one does."""
    with Client(Echo) as client:
        assert client.chat.completions.create("a b").choices[0].message.content == "a b"
        stream = client.chat.completions.create("a b", stream=True)
        assert join(stream) == "a b "
        assert stream.provider == "Echo"
        assert len(stream.attempts) == 1
        with client.chat.completions.stream("a b") as stream:
            assert join(stream) == "a b "


def test_a_long_stream_is_whole_although_the_consumer_is_slower() -> None:
    """The loop waits when the queue is full."""
    words = " ".join(str(n) for n in range(5000))
    with Client(Echo) as client:
        assert join(client.chat.completions.stream(words)) == words + " "


def test_leaving_a_stream_early_closes_its_source() -> None:
    """By break, by an exception, by close()."""
    for way in ("break", "exception", "close"):
        echo = Echo()
        with Client(echo) as client:
            stream = client.chat.completions.stream(" ".join("x" * 5000))
            if way == "close":
                stream.open()
                stream.close()
            elif way == "break":
                for _ in stream:
                    break
            else:
                with pytest.raises(ZeroDivisionError):
                    for _ in stream:
                        raise ZeroDivisionError
            assert echo.closed.wait(5)


def test_a_stream_is_an_iterator_too() -> None:
    """Chunk by chunk, and the rest in a loop; leaving that loop closes the source."""
    echo = Echo()
    with Client(echo) as client:
        stream = client.chat.completions.create("one two three", stream=True)
        assert next(stream).choices[0].delta.content == "one "
        assert join(stream) == "two three "
        assert next(stream, None) is None
        assert stream.ended
        left = client.chat.completions.create(" ".join("x" * 5000), stream=True)
        next(left)
        for _ in left:
            break
        assert echo.closed.wait(5)
        assert not left.ended


def test_an_error_in_mid_stream_comes_after_the_text_and_carries_it() -> None:
    """Nothing is lost."""
    seen = []
    with Client(Echo) as client, pytest.raises(APIConnectionError) as caught:
        for chunk in client.chat.completions.stream("one two fail"):
            seen.append(chunk.choices[0].delta.content)
    assert seen == ["one ", "two "]
    assert caught.value.partial == "one two "


def test_threads_share_one_client() -> None:
    """Eight at once."""
    results: list[str] = []
    with Client(Echo) as client:

        def work(n: int) -> None:
            for m in range(20):
                results.append(client.chat.completions.create(f"{n}-{m}").choices[0].message.content or "")

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == sorted(f"{n}-{m}" for n in range(8) for m in range(20))


async def test_it_works_inside_a_running_loop() -> None:
    """As in a notebook."""
    with Client(Echo) as client:
        assert client.chat.completions.create("hi").choices[0].message.content == "hi"
        assert join(client.chat.completions.stream("a b")) == "a b "


def test_closing_ends_the_thread_and_the_client_can_be_used_again() -> None:
    """Dropping it without closing does as well."""

    def count() -> int:
        return sum(thread.name == "g4f-portal" for thread in threading.enumerate())

    before = count()
    client = Client(Echo)
    client.chat.completions.create("hi")
    assert count() == before + 1
    client.close()
    assert count() == before
    assert client.chat.completions.create("again").choices[0].message.content == "again"
    del client
    gc.collect()
    assert count() == before


def test_dropping_a_copy_with_other_options_disturbs_nobody() -> None:
    """The loop thread that they share ends with the last of them."""
    with Client(Echo) as client:
        seen = []
        for chunk in client.chat.completions.stream(" ".join("x" * 2000)):
            seen.append(chunk)
            if len(seen) == 1:
                client.with_options(max_retries=0)
                gc.collect()
        assert join(seen) == "x " * 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_it_works_in_a_forked_child() -> None:
    """The child begins a loop of its own."""
    with Client(Echo) as client:
        client.chat.completions.create("hi")
        child = os.fork()
        if child == 0:
            try:
                ok = client.chat.completions.create("child").choices[0].message.content == "child"
            finally:
                os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.chat.completions.create("parent").choices[0].message.content == "parent"


def test_the_facade_answers_and_streams_both_ways() -> None:
    """`ChatCompletion.create` and `.create_async`, the model first."""
    messages = [{"role": "user", "content": "a b"}]
    assert ChatCompletion.create("m", messages, provider=Echo).choices[0].message.content == "a b"
    assert join(ChatCompletion.create(model="m", messages=messages, provider=Echo, stream=True)) == "a b "

    async def ask() -> tuple[Completion, list[Chunk]]:
        whole = await ChatCompletion.create_async("m", messages, provider=Echo)
        return whole, [chunk async for chunk in ChatCompletion.create_async("m", messages, provider=Echo, stream=True)]

    whole, chunks = asyncio.run(ask())
    assert whole.model == "m"
    assert join(chunks) == "a b "
    with pytest.raises(G4FError):
        ChatCompletion.create("m", messages, provider="Nonesuch")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (_sync.Client, AsyncClient),
        (_sync.SyncCompletions, _chat.Completions),
        (_images.SyncImages, _images.ImagesResource),
        (_embeddings.SyncEmbeddings, _embeddings.EmbeddingsResource),
        (_models.SyncModels, _models.Models),
    ],
)
def test_the_twins_have_the_same_methods_and_arguments(ours: type, theirs: type) -> None:
    """What one learns of one holds for the other."""

    def describe(kind: type) -> dict[str, list[tuple[str, Any]]]:
        methods = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: [(p.name, p.default) for p in inspect.signature(method).parameters.values()]
            for name, method in methods
            if not name.startswith("_") or name == "__init__"
        }

    assert describe(ours) == describe(theirs)
