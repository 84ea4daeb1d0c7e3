"""Our providers at an emulator that others wrote, which breaks on demand and judges how its client took it.

Its fixture `llmock` points the variables of the vendors' SDKs at itself, where our providers look too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import g4f
from emulators.aimock import SERVICES, Service
from g4f import AsyncClient
from g4f.fold import fold_chunks

if TYPE_CHECKING:
    from llmock.pytest_plugin import LLMock

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
QUESTION = "What is the weather in Paris?"
TEXT = "It is sunny, and it will stay so until the evening."
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
        },
    },
}


# Groq, Mistral, Together and xAI are emulated in words of their own.
of_all = pytest.mark.parametrize("service", [s.provider for s in SERVICES.values() if s.llmock], indirect=True)
FOUND = ("OpenaiChat", "Anthropic", "Gemini")  # by the variables of the vendors' SDKs


@pytest.fixture
async def client(service: Service, llmock: LLMock, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A client of the provider, at the emulator."""
    address = {} if service.provider in FOUND else {"base_url": llmock.base_url(service.llmock or ""), "api_key": "key"}
    async with AsyncClient(service.provider, media_folder=str(tmp_path), **address) as client:
        yield client


@of_all
async def test_a_chat(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """Text and usage come back; the emulator knows the service by the path, and the model."""
    llmock.reply(TEXT)
    completion = await client.chat.completions.create(QUESTION, service.model)
    assert completion.choices[0].message.content == TEXT
    assert completion.usage is not None
    assert completion.usage.completion_tokens > 0
    assert (llmock.last_request.model, llmock.last_request.provider) == (service.model, service.llmock)


@of_all
async def test_a_stream(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """Word by word, whole, with usage."""
    llmock.reply(TEXT)
    stream = client.chat.completions.stream(QUESTION, service.model)
    chunks = [chunk async for chunk in stream]
    choice = fold_chunks(chunks).choices[0]
    assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
    assert len(chunks) > TEXT.count(" ")
    # Mistral tells it unasked, and the emulator only who asks as OpenAI's clients do.
    assert (stream.usage is None) == (service.provider == "Mistral")
    llmock.assert_resilient(strict=True)


async def test_a_picture(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """Its bytes arrive, beside the question."""
    await client.chat.completions.create(QUESTION, service.model, image=PNG)
    body = json.dumps(llmock.last_request.body)
    assert base64.b64encode(PNG).decode() in body
    assert QUESTION in body


@of_all
@pytest.mark.parametrize("stream", [False, True])
async def test_an_agent(client: AsyncClient, service: Service, llmock: LLMock, stream: bool) -> None:
    """The emulator calls a tool that it read in the request, with arguments after its schema, and takes the result."""

    async def ask(messages: Any) -> Any:
        arguments = (messages, service.model)
        if stream:
            chunks = [chunk async for chunk in client.chat.completions.stream(*arguments, tools=[TOOL])]
            return fold_chunks(chunks).choices[0]
        return (await client.chat.completions.create(*arguments, tools=[TOOL])).choices[0]

    messages = [{"role": "user", "content": QUESTION}]
    choice = await ask(messages)
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    arguments = json.loads(call.function.arguments)
    assert (call.function.name, set(arguments), arguments["days"] >= 1) == ("get_weather", {"city", "days"}, True)
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    choice = await ask([*messages, choice.message, result])
    assert (choice.finish_reason, bool(choice.message.content), choice.message.tool_calls) == ("stop", True, [])


@pytest.mark.parametrize("service", ["OpenaiChat", "Gemini", "Custom"], indirect=True)
async def test_a_json_schema(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """The emulator makes its answer after it."""
    place = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    kind = {"type": "json_schema", "json_schema": {"name": "place", "schema": place}}
    completion = await client.chat.completions.create(QUESTION, service.model, response_format=kind)
    assert set(json.loads(completion.choices[0].message.content or "")) == {"city"}


async def test_tool_arguments_that_are_no_json(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """They are the model's fault, and come as they are; Gemini's are JSON by their form."""
    llmock.break_tool_call("malformed_arguments")
    completion = await client.chat.completions.create(QUESTION, service.model, tools=[TOOL])
    [call] = completion.choices[0].message.tool_calls or ()
    assert call.function.name == "get_weather"
    assert isinstance(call.function.arguments, str)


@of_all
async def test_a_rate_limit_is_waited_for(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """As long as the service asks, twice; the emulator has nothing to say against it."""
    llmock.rate_limit(times=2, retry_after=0.1).reply(TEXT)
    completion = await client.chat.completions.create(QUESTION, service.model)
    assert completion.choices[0].message.content == TEXT
    assert len(llmock.requests) == 3
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize("status", [500, 529])
async def test_a_failure_is_repeated(client: AsyncClient, service: Service, llmock: LLMock, status: int) -> None:
    """Once is enough here."""
    llmock.fail(status, retry_after=0.05).reply(TEXT)
    completion = await client.chat.completions.create(QUESTION, service.model)
    assert completion.choices[0].message.content == TEXT
    llmock.assert_resilient(strict=True)


@of_all
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, g4f.BadRequestError),
        (401, g4f.AuthenticationError),
        (403, g4f.PermissionDeniedError),
        (404, g4f.NotFoundError),
        (422, g4f.UnprocessableEntityError),
    ],
)
async def test_a_refusal_is_not_repeated(
    client: AsyncClient, service: Service, llmock: LLMock, status: int, error: type[g4f.APIStatusError]
) -> None:
    """It is the error of its status."""
    llmock.fail(status, message="That will not do", times=None)
    with pytest.raises(error, match="That will not do") as caught:
        await client.chat.completions.create(QUESTION, service.model)
    assert not caught.value.retryable
    llmock.assert_resilient(strict=True)


async def test_a_prompt_that_is_too_long(client: AsyncClient, service: Service, llmock: LLMock) -> None:
    """The service's words say it."""
    llmock.context_overflow()
    with pytest.raises(g4f.BadRequestError, match="maximum context length"):
        await client.chat.completions.create(QUESTION, service.model)


@pytest.mark.parametrize("fault", ["disconnect", "truncate"])
async def test_a_stream_that_ends_before_it_began_is_repeated(
    client: AsyncClient, service: Service, llmock: LLMock, fault: str
) -> None:
    """Nothing was delivered yet: nobody notices."""
    getattr(llmock, fault)(after_chunks=0).reply(TEXT, times=None)
    chunks = [chunk async for chunk in client.chat.completions.stream(QUESTION, service.model)]
    assert fold_chunks(chunks).choices[0].message.content == TEXT
    llmock.assert_resilient(strict=True)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("disconnect", g4f.StreamTruncatedError),
        ("truncate", g4f.StreamTruncatedError),
        ("corrupt", g4f.APIResponseError),
        ("stall", g4f.APITimeoutError),
    ],
)
async def test_a_stream_that_breaks_in_the_middle(
    client: AsyncClient, service: Service, llmock: LLMock, fault: str, error: type[g4f.APIError]
) -> None:
    """It is never taken for a whole one: the error carries what came, and nothing is asked twice."""
    getattr(llmock, fault)(after_chunks=4, **({"seconds": 0.4} if fault == "stall" else {})).reply(TEXT)
    pieces: list[str] = []
    with pytest.raises(error) as caught:
        async for chunk in client.with_options(timeout=0.2).chat.completions.stream(QUESTION, service.model):
            pieces += [choice.delta.content or "" for choice in chunk.choices]
    assert "".join(pieces) == caught.value.partial
    assert TEXT.startswith(caught.value.partial)
    assert 0 < len(caught.value.partial) < len(TEXT)
    assert len(llmock.requests) == 1
