"""What type checkers must see of the public types. Checked, never run."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, assert_type

from g4f import AsyncClient, ChatCompletion, ChatStream, Client, Completion, Context, HttpProvider, Manifest, hookimpl
from g4f.chat import ChatRequest, Chunk, Delta, Message, ToolCall, Usage
from g4f.client._final import CompletionStream
from g4f.client._models import ModelList
from g4f.client._parse import ParsedCompletion
from g4f.client._sync import SyncStream
from g4f.images import Image, Images


@dataclass
class City:
    """What answers are read as."""

    name: str


client = AsyncClient(provider="OpenaiChat", api_key={"OpenaiChat": "key"})
sync_client = Client(provider=["OpenaiChat", "Gemini"])


async def ask() -> None:
    """The asynchronous client."""
    waiting = client.chat.completions.create("Hi")
    assert_type(waiting, Coroutine[Any, Any, Completion])
    assert_type(await waiting, Completion)
    completion = await client.chat.completions.create([{"role": "user", "content": "Hi"}], "gpt-5", temperature=0.5)
    assert_type(completion, Completion)
    assert_type(completion.choices[0].message, Message)
    assert_type(completion.choices[0].message.content, str | None)
    assert_type(completion.choices[0].message.tool_calls, list[ToolCall])
    assert_type(completion.usage, Usage | None)
    assert_type(completion.provider, str | None)
    stream = client.chat.completions.create("Hi", stream=True)
    assert_type(stream, ChatStream)
    async for chunk in stream:
        assert_type(chunk, Chunk)
        assert_type(chunk.choices[0].delta, Delta)
    assert_type(await stream, ChatStream)
    images = await client.images.generate(prompt="a cat", model="flux", response_format="url")
    assert_type(images, Images)
    assert_type(images.data[0], Image)
    assert_type(images.data[0].url, str | None)
    assert_type(await client.models.list(), ModelList)
    parsed = client.chat.completions.parse("Where?", "gpt-5", response_format=City, tools=[City])
    assert_type(parsed, Coroutine[Any, Any, ParsedCompletion[City]])
    assert_type((await parsed).choices[0].message.parsed, City | None)
    assert_type(await client.chat.completions.parse("Where?", tools=[City]), ParsedCompletion[None])
    typed = client.chat.completions.stream("Where?", response_format=City)
    assert_type(typed, CompletionStream[City])
    assert_type(await typed, CompletionStream[City])
    assert_type(await typed.get_final_completion(), ParsedCompletion[City])
    assert_type(client.chat.completions.stream("Hi"), CompletionStream[None])


def ask_synchronously() -> None:
    """The synchronous twin."""
    assert_type(sync_client.chat.completions.create("Hi"), Completion)
    assert_type(sync_client.chat.completions.create("Hi", stream=True), SyncStream)
    for chunk in sync_client.chat.completions.stream("Hi"):
        assert_type(chunk, Chunk)
    assert_type(sync_client.chat.completions.parse("Where?", response_format=City), ParsedCompletion[City])
    typed = sync_client.chat.completions.stream("Where?", response_format=City)
    assert_type(typed.get_final_completion(), ParsedCompletion[City])
    assert_type(ChatCompletion.create("gpt-5", "Hi"), Completion)
    assert_type(ChatCompletion.create("gpt-5", "Hi", stream=True), Iterator[Chunk])


class Mine(HttpProvider):
    """A provider of one's own."""

    manifest = Manifest(title="Mine", base_url="http://127.0.0.1:8000")


class Echo:
    """One that speaks no HTTP."""

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Echo."""
        context.warn("nothing was computed")
        return Completion.from_text(str(request.messages[-1]["content"]))


AsyncClient(provider=Mine)
AsyncClient(provider=Echo())
Message(role="user", content="Hi")
