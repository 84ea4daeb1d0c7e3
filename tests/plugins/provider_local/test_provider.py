"""The provider as users meet it: through the client."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from g4f.chat import ChatRequest
from g4f.client import AsyncClient, Client
from g4f.context import Context
from g4f.errors import BadRequestError, InvalidInputError, ModelNotFoundError, UnsupportedError
from g4f_provider_local import Local

pytestmark = pytest.mark.timeout(900)  # the first time, weights are fetched

SMALL = "smollm2-135m-instruct"
WEATHER: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def ask(content: str) -> list[dict[str, Any]]:
    """The messages of a first question."""
    return [{"role": "user", "content": content}]


@pytest.fixture
async def client(default_weights: Path, small_weights: Path) -> AsyncIterator[AsyncClient]:
    """A client of Local, whose weights are there."""
    async with AsyncClient(provider="Local") as client:
        yield client


async def test_it_knows_the_capital_of_france(client: AsyncClient) -> None:
    """By the default model, with real usage and who answered."""
    answer = await client.chat.completions.create(messages=ask("What is the capital of France?"), temperature=0)
    assert "Paris" in (answer.choices[0].message.content or "")
    assert (answer.provider, answer.model) == ("Local", "qwen2.5-coder-0.5b-instruct")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.warnings == []


async def test_a_stream_comes_token_by_token(client: AsyncClient) -> None:
    """With the usage at the end for who wants it."""
    stream = client.chat.completions.create(
        messages=ask("Tell a story."), model=SMALL, max_tokens=20, stream=True, extra_body={"ignore_eos": True},
        stream_options={"include_usage": True}, seed=1,
    )  # fmt: skip
    chunks = [chunk async for chunk in stream]
    assert sum(bool(chunk.choices and chunk.choices[0].delta.content) for chunk in chunks) > 5
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 20
    assert {chunk.model for chunk in chunks} == {SMALL}


async def test_whole_and_streamed_answers_are_the_same(client: AsyncClient) -> None:
    """With the same seed."""
    options: dict[str, Any] = {"model": SMALL, "max_tokens": 20, "seed": 3, "messages": ask("Tell me a story.")}
    whole = await client.chat.completions.create(**options)
    stream = client.chat.completions.create(stream=True, **options)
    pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(pieces) == whole.choices[0].message.content


async def test_several_choices_are_counted_each(client: AsyncClient) -> None:
    """The usage is of all of them, whole and streamed."""
    options: dict[str, Any] = {"model": SMALL, "n": 3, "max_tokens": 6, "extra_body": {"ignore_eos": True}}
    whole = await client.chat.completions.create(messages=ask("Say a number."), **options)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 18
    stream = client.chat.completions.create(messages=ask("Say a number."), stream=True, **options)
    assert {chunk.choices[0].index async for chunk in stream} == {0, 1, 2}
    assert stream.usage is not None
    assert stream.usage.completion_tokens == 18


async def test_more_choices_than_places_are_refused(client: AsyncClient) -> None:
    """By the runtime, with the bounds."""
    with pytest.raises(BadRequestError, match="but got 9"):
        await client.chat.completions.create(messages=ask("Hi"), model=SMALL, n=9)


async def test_a_prompt_that_is_too_long_is_refused_with_the_numbers(client: AsyncClient) -> None:
    """It says what to do."""
    with pytest.raises(
        BadRequestError, match=r"has \d{4} tokens and the model's context only 512: shorten it"
    ) as caught:
        await client.chat.completions.create(
            messages=ask("hello " * 2000), model=SMALL, provider_options={"n_ctx": 512, "parallel": 1}
        )
    assert caught.value.code == "context_length_exceeded"


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_required_tool_is_called(client: AsyncClient, choice: Any, stream: bool) -> None:
    """Whole and streamed, with arguments that fit the schema."""
    options: dict[str, Any] = {"tools": WEATHER, "tool_choice": choice, "temperature": 0}
    messages = ask("What is the weather in Paris?")
    if stream:
        found = client.chat.completions.create(messages=messages, stream=True, **options)
        calls = [call async for chunk in found for call in chunk.choices[0].delta.tool_calls]
    else:
        answer = await client.chat.completions.create(messages=messages, **options)
        assert answer.choices[0].finish_reason == "tool_calls"
        calls = answer.choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather"]
    assert json.loads(calls[0].function.arguments).keys() == {"city"}


async def test_a_tool_is_called_by_choice(client: AsyncClient) -> None:
    """The model writes plain JSON, and it is recognized."""
    answer = await client.chat.completions.create(
        messages=ask("What is the weather in Paris?"), tools=WEATHER, temperature=0
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"


async def test_what_is_no_text_is_refused(client: AsyncClient) -> None:
    """Pictures in and pictures out."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aaaa"}}
    with pytest.raises(UnsupportedError):
        await client.chat.completions.create(messages=[{"role": "user", "content": [picture]}])
    with pytest.raises(UnsupportedError):
        await client.images.generate(prompt="a cat")
    sound = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
    with pytest.raises(UnsupportedError, match="Local cannot hear or speak"):
        await client.chat.completions.create(messages=[{"role": "user", "content": [sound]}])


@pytest.mark.parametrize("part", ["image_url", "input_audio"])
async def test_nothing_is_fetched_for_what_will_be_refused(tmp_path: Path, part: str) -> None:
    """Half a gigabyte would come before the refusal."""
    request = ChatRequest(({"role": "user", "content": [{"type": part}]},), SMALL)
    context = Context(transport=None, settings={"cache_dir": str(tmp_path)})  # type: ignore[arg-type]  # no network
    with pytest.raises(UnsupportedError):
        await Local().prepare(request, context)
    with pytest.raises(InvalidInputError):
        await Local().prepare(ChatRequest((), SMALL, provider_options={"threads": 0}), context)
    assert list(tmp_path.iterdir()) == []


async def test_nothing_is_fetched_where_the_runtime_cannot_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine lacks is said first."""
    (tmp_path / "lame").mkdir()
    (tmp_path / "lame/xllamacpp.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path / "lame")
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    context = Context(transport=None, settings={"cache_dir": str(tmp_path / "cache")})  # type: ignore[arg-type]  # no network
    with pytest.raises(UnsupportedError, match="apt install libgomp1"):
        await Local().prepare(ChatRequest((), SMALL), context)
    assert not (tmp_path / "cache").exists()


async def test_weights_that_are_there_need_no_preparing(
    small_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is said about them."""
    context = Context(transport=None)  # type: ignore[arg-type]  # it needs no network
    await Local().prepare(ChatRequest((), SMALL), context)
    assert capsys.readouterr().err == ""


async def test_a_file_of_the_users_answers(client: AsyncClient, small_weights: Path) -> None:
    """By its path, which the answer names."""
    answer = await client.chat.completions.create(messages=ask("Hi"), model=str(small_weights), max_tokens=2)
    assert answer.model == str(small_weights)


async def test_wrong_names_and_settings_are_told(client: AsyncClient) -> None:
    """Before anything is loaded."""
    with pytest.raises(ModelNotFoundError, match="any GGUF file by its path"):
        await client.chat.completions.create(messages=ask("Hi"), model="gpt-9000")
    with pytest.raises(InvalidInputError, match="n_batch must be a whole number of at least 32"):
        await client.chat.completions.create(messages=ask("Hi"), provider_options={"n_batch": 1})


async def test_the_models_can_be_listed(client: AsyncClient) -> None:
    """With where their weights are."""
    models = {model["id"]: model for model in await list_models(client)}
    assert Path(models[SMALL]["path"]).stat().st_size == models[SMALL]["size"]


async def list_models(client: AsyncClient) -> list[dict[str, Any]]:
    """Ask the provider itself."""
    return await Local().models(Context(transport=None))  # type: ignore[arg-type]  # it needs no network


async def test_four_requests_at_once_all_finish(client: AsyncClient) -> None:
    """Whole and streamed, mixed."""

    async def stream() -> str:
        found = client.chat.completions.create(messages=ask("Say a number."), model=SMALL, max_tokens=10, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in found])

    async def whole() -> str:
        answer = await client.chat.completions.create(messages=ask("Say a color."), model=SMALL, max_tokens=10)
        return answer.choices[0].message.content or ""

    assert all(await asyncio.gather(stream(), whole(), stream(), whole()))


def test_the_sync_client_serves_and_frees(small_weights: Path) -> None:
    """After it is closed no thread of ours is left."""
    with Client(provider="Local") as client:
        answer = client.chat.completions.create(messages=ask("Hi"), model=SMALL, max_tokens=2)
        assert answer.choices[0].message.content
    for thread in threading.enumerate():
        if thread.name == "g4f-local":
            thread.join(2)
            assert not thread.is_alive()
