"""One loaded provider: chat and stream made from each other, and errors that name the culprit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import Context, HttpRequest, HttpResponse, HttpStream
from g4f.embeddings import EmbeddingRequest, Embeddings
from g4f.errors import APIError, APIResponseError, BadRequestError, UnsupportedError
from g4f.hookspecs import hookimpl
from g4f.images import ImageRequest, Images
from g4f.manifest import Manifest
from g4f.plugin import Plugin

REQUEST = ChatRequest(({"role": "user", "content": "Hi"},))


class NoNetwork:
    async def send(self, request: HttpRequest) -> HttpResponse:
        pytest.fail("this provider has no network")

    async def stream(self, request: HttpRequest) -> HttpStream:
        pytest.fail("this provider has no network")


CONTEXT = Context(NoNetwork())


class OnlyChat:
    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        return Completion.from_text("one two")


class OnlyStream:
    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        yield Chunk.from_text("one ")
        yield Chunk.from_text("two", finish_reason="stop")


def load(provider: object) -> Plugin:
    return Plugin("Test", provider, Manifest())


@pytest.mark.parametrize("provider", [OnlyChat, OnlyStream])
async def test_chat_and_stream_are_made_from_each_other(provider: type) -> None:
    """Whichever a provider implements, users get both."""
    plugin = load(provider())
    completion = await plugin.chat(REQUEST, CONTEXT)
    assert completion.choices[0].message.content == "one two"
    assert completion.choices[0].finish_reason == "stop"
    chunks = [chunk async for chunk in plugin.stream(REQUEST, CONTEXT)]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two"


async def test_a_stream_that_is_put_together_has_content() -> None:
    """A stream without any is an error, and no empty answer."""

    class Empty:
        @hookimpl
        async def stream(self) -> AsyncIterator[Chunk]:
            yield Chunk.from_dict({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})

    with pytest.raises(APIResponseError, match="without any content"):
        await load(Empty()).chat(REQUEST, CONTEXT)


async def test_what_a_provider_cannot_do_is_an_unsupported_error() -> None:
    """The error names it."""
    plugin = load(OnlyChat())
    with pytest.raises(UnsupportedError, match="Test cannot make images"):
        await plugin.answer(ImageRequest("a cat"), CONTEXT)
    assert await plugin.models(CONTEXT) == []


class Faulty:
    """Answers with whatever it is told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    async def chat(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @hookimpl
    async def image(self) -> Any:
        return self.answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "Test.chat must return Completion; it returned nothing"),
        ("text", "Test.chat must return Completion; it returned a str"),
        (Images(), "Test.chat must return Completion; it returned an Images"),
    ],
)
async def test_a_wrong_answer_is_an_error_that_says_what_came(answer: Any, says: str) -> None:
    """It never reaches the user as an AttributeError."""
    with pytest.raises(APIResponseError, match=says):
        await load(Faulty(answer)).chat(REQUEST, CONTEXT)


async def test_foreign_exceptions_are_wrapped_and_ours_pass() -> None:
    """The foreign one stays as the cause, for the provider's author."""
    with pytest.raises(APIError, match="Test failed: KeyError: 'x'") as caught:
        await load(Faulty(KeyError("x"))).chat(REQUEST, CONTEXT)
    assert isinstance(caught.value.__cause__, KeyError)
    with pytest.raises(BadRequestError):
        await load(Faulty(BadRequestError("no"))).chat(REQUEST, CONTEXT)


class Broken:
    """Fails in each of its hooks, in the program or as it should."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @hookimpl
    def stream(self) -> None:
        raise self.error

    @hookimpl
    async def prepare(self) -> None:
        raise self.error

    @hookimpl
    async def image(self) -> None:
        raise self.error

    @hookimpl
    async def embed(self) -> None:
        raise self.error

    @hookimpl
    async def models(self) -> None:
        raise self.error


HOOKS: dict[str, Callable[[Plugin], Any]] = {
    "prepare": lambda plugin: plugin.prepare(REQUEST, CONTEXT),
    "chat": lambda plugin: plugin.chat(REQUEST, CONTEXT),
    "stream": lambda plugin: anext(aiter(plugin.stream(REQUEST, CONTEXT))),
    "image": lambda plugin: plugin.answer(ImageRequest("a cat"), CONTEXT),
    "embed": lambda plugin: plugin.answer(EmbeddingRequest("a cat"), CONTEXT),
    "models": lambda plugin: plugin.models(CONTEXT),
}


@pytest.mark.parametrize("hook", HOOKS)
async def test_errors_of_every_hook_are_ours(hook: str) -> None:
    """Ours pass as they are; the others are wrapped once, and say whose they are."""
    foreign, ours = KeyError("x"), BadRequestError("no")
    with pytest.raises(APIError, match=r"^Test failed: KeyError: 'x'$") as caught:
        await HOOKS[hook](load(Broken(foreign)))
    assert caught.value.__cause__ is foreign
    assert caught.value.provider == "Test"
    with pytest.raises(BadRequestError) as passed:
        await HOOKS[hook](load(Broken(ours)))
    assert passed.value is ours


class Lister:
    def __init__(self, rows: Any) -> None:
        self.rows = rows

    @hookimpl
    async def models(self) -> Any:
        return self.rows


@pytest.mark.parametrize("rows", [None, ({"id": "m-1"},), ["m-1"], [{"id": "m-1"}, 5]])
async def test_a_list_of_models_is_a_list_of_dicts(rows: Any) -> None:
    """Anything else is the provider's mistake, and not the user's."""
    with pytest.raises(APIResponseError, match=r"Test\.models must return"):
        await load(Lister(rows)).models(CONTEXT)


class Embedder:
    @hookimpl
    async def embed(self) -> Embeddings:
        return Embeddings.from_dict({"data": [{"embedding": [1.0]}, {"embedding": [2.0]}]})


@pytest.mark.parametrize(
    ("given", "count"), [("a", 1), (["a"], 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1], [2]], 2), (["a", "b", "c"], 3)]
)
async def test_there_are_as_many_vectors_as_texts(given: Any, count: int) -> None:
    """Or it is an error: nobody could say whose is missing."""
    request = EmbeddingRequest(given)
    assert request.count == count
    if count == 2:
        assert isinstance(await load(Embedder()).answer(request, CONTEXT), Embeddings)
        return
    with pytest.raises(APIResponseError, match=f"Test answered with 2 vectors where {count} were asked for"):
        await load(Embedder()).answer(request, CONTEXT)


@pytest.mark.parametrize("answer", [Images(), Images.from_dict({"data": []}), Images.from_dict({"images": ["x"]})])
async def test_an_answer_without_pictures_is_an_error(answer: Images) -> None:
    """Its author learns it, and not the user by an index that is out of range."""

    class Draws:
        @hookimpl
        async def image(self) -> Images:
            return answer

    with pytest.raises(APIResponseError, match=r"Test\.image returned Images without data, a list of pictures"):
        await load(Draws()).answer(ImageRequest("a cat"), CONTEXT)


class NotAsync:
    @hookimpl
    def chat(self) -> Completion:
        return Completion.from_text("hi")

    @hookimpl
    def stream(self) -> None:
        return None


async def test_hooks_of_the_wrong_kind_say_how_to_write_them() -> None:
    """Plain functions may return what an async one does; these do not, which shows when they are called."""
    plugin = load(NotAsync())
    with pytest.raises(APIResponseError, match=r"Test\.chat must be declared with async def"):
        await plugin.chat(REQUEST, CONTEXT)
    with pytest.raises(APIResponseError, match=r"Test\.stream must be an async generator"):
        plugin.stream(REQUEST, CONTEXT)


class Holder:
    closed = 0

    @hookimpl
    async def chat(self) -> Completion:
        return Completion.from_text("hi")

    @hookimpl
    async def close(self) -> None:
        self.closed += 1


class User:
    """Something that can be referred to weakly."""


async def test_a_provider_frees_what_it_holds_after_its_last_user() -> None:
    """Clients share it, so one client's close must not take it from another."""
    holder = Holder()
    plugin = load(holder)
    first, second = User(), User()
    plugin.join(first)
    plugin.join(second)
    await plugin.leave(first)
    assert holder.closed == 0
    await plugin.leave(second)
    assert holder.closed == 1
