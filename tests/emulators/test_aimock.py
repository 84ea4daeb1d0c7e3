"""Our providers at an emulator that others wrote: it checks the key, and its journal says what it understood."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

import g4f
from emulators.aimock import SERVICES, Aimock, Service
from g4f import AsyncClient
from g4f.fold import fold_chunks

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
SHOWN = base64.b64encode(PNG).decode()
USAGE = {"prompt_tokens": 9, "completion_tokens": 5}
TEXT = "This is a test, and it has more words than go into one chunk."
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "w",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALLS = [{"id": f"call_{city}", "name": "get_weather", "arguments": {"city": city}} for city in ("Paris", "Rome")]


# Azure's paths and OpenRouter's additions are emulated too.
of_all = pytest.mark.parametrize(
    "service", [s.provider for s in SERVICES.values() if s.path is not None], indirect=True
)


def read_one(aimock: Aimock) -> dict[str, Any]:
    """What it understood of the one request that it got."""
    [entry] = aimock.read_journal()
    return entry["body"]


@of_all
async def test_a_chat(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """Text, usage and finish reason come back; system, turns and settings arrived."""
    aimock.say({"content": TEXT, "usage": USAGE, "finishReason": "length"})
    messages = [
        {"role": "system", "content": "Be terse"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "Say this is a test"},
    ]
    completion = await client.chat.completions.create(messages, service.model, temperature=0.5, max_tokens=7)
    assert completion.choices[0].message.content == TEXT
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (9, 5)
    body = read_one(aimock)
    assert (body["model"], body["messages"]) == (service.model, messages)
    assert (body["temperature"], body["max_tokens"]) == (0.5, 7)


@of_all
async def test_a_stream(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """Piece by piece, with usage at its end."""
    aimock.say({"content": TEXT, "usage": USAGE}, chunkSize=5)
    stream = client.chat.completions.stream("Say this is a test", service.model)
    pieces = [
        chunk.choices[0].delta.content async for chunk in stream if chunk.choices and chunk.choices[0].delta.content
    ]
    assert "".join(pieces) == TEXT
    assert len(pieces) > 5
    assert stream.usage is not None
    assert stream.usage.completion_tokens == 5
    assert read_one(aimock)["stream"] is True


async def test_a_picture_with_a_question(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """Both arrive; of Anthropic's and Gemini's requests the journal keeps the text alone."""
    aimock.say({"content": "A white square"}, match={"userMessage": "What is in this picture?"})
    completion = await client.chat.completions.create("What is in this picture?", service.model, image=PNG)
    assert completion.choices[0].message.content == "A white square"
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{SHOWN}"}}
    text = {"type": "text", "text": "What is in this picture?"}
    [message] = read_one(aimock)["messages"]
    assert message["content"] == (text["text"] if service.provider in ("Anthropic", "Gemini") else [text, picture])


@of_all
@pytest.mark.parametrize("stream", [False, True])
async def test_tools(client: AsyncClient, service: Service, aimock: Aimock, stream: bool) -> None:
    """Two calls at once come back whole, and their results lead to the answer."""
    aimock.say({"toolCalls": CALLS}, match={"toolName": "get_weather", "hasToolResult": False})
    aimock.say({"content": TEXT}, match={"hasToolResult": True})
    messages: list[Any] = [{"role": "user", "content": "How is the weather?"}]
    if stream:
        chunks = client.chat.completions.stream(messages, service.model, tools=[TOOL])
        message = fold_chunks([chunk async for chunk in chunks]).choices[0].message
    else:
        message = (await client.chat.completions.create(messages, service.model, tools=[TOOL])).choices[0].message
    found = [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls or ()]
    assert found == [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": f"sunny {number}"}
        for number, call in enumerate(message.tool_calls or ())
    ]
    completion = await client.chat.completions.create([*messages, message, *results], service.model, tools=[TOOL])
    assert completion.choices[0].message.content == TEXT
    first, second = (entry["body"] for entry in aimock.read_journal())
    assert first["tools"][0]["function"]["name"] == "get_weather"
    _, called, *answered = second["messages"]
    assert [json.loads(call["function"]["arguments"]) for call in called["tool_calls"]] == [
        {"city": "Paris"},
        {"city": "Rome"},
    ]
    assert [turn["tool_call_id"] for turn in answered] == [call["id"] for call in called["tool_calls"]]
    for number, turn in enumerate(answered):
        assert f"sunny {number}" in turn["content"]


async def test_reasoning(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """It is told apart from the answer."""
    aimock.say({"content": TEXT, "reasoning": "Let me think"})
    chunks = client.chat.completions.stream("Say this is a test", service.model)
    message = fold_chunks([chunk async for chunk in chunks]).choices[0].message
    assert (message.content, message.reasoning_content) == (TEXT, "Let me think")


@pytest.mark.parametrize("service", ["OpenaiChat", "Custom"], indirect=True)
async def test_a_json_schema(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """The emulator knows the request by it."""
    aimock.say({"content": {"city": "Paris"}}, match={"responseFormat": "json_schema"})
    schema = {"name": "place", "schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
    completion = await client.chat.completions.create(
        "Where?", service.model, response_format={"type": "json_schema", "json_schema": schema}
    )
    assert json.loads(completion.choices[0].message.content or "") == {"city": "Paris"}


@pytest.mark.parametrize("service", ["OpenaiChat", "Custom"], indirect=True)
async def test_pictures(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """Drawn and changed ones come back as bytes."""
    aimock.say({"images": [{"b64Json": SHOWN}, {"b64Json": SHOWN}]}, match={"endpoint": "image"})
    drawn = await client.images.generate("a white siamese cat", "gpt-image-2", n=2, response_format="b64_json")
    changed = await client.images.edit(PNG, "add a hat", "gpt-image-2", response_format="b64_json")
    assert [image.b64_json for image in (*drawn.data, *changed.data)] == [SHOWN] * 4
    prompts = [(entry["path"], entry["body"]["messages"][0]["content"]) for entry in aimock.read_journal()]
    assert prompts == [("/v1/images/generations", "a white siamese cat"), ("/v1/images/edits", "add a hat")]


@pytest.mark.parametrize("service", ["Gemini"], indirect=True)
async def test_geminis_pictures(client: AsyncClient, aimock: Aimock) -> None:
    """They are bytes inside of a chat's answer, which the emulator only calls a sound."""
    aimock.say({"audio": {"b64Json": SHOWN, "contentType": "image/png"}})
    drawn = await client.images.generate("a white siamese cat", response_format="b64_json")
    changed = await client.images.edit(PNG, "add a hat", response_format="b64_json")
    assert [image.b64_json for image in (*drawn.data, *changed.data)] == [SHOWN] * 2
    assert [entry["body"]["messages"][0]["content"] for entry in aimock.read_journal()] == [
        "a white siamese cat",
        "add a hat",
    ]


@pytest.mark.parametrize(
    ("service", "model"),
    [("OpenaiChat", "text-embedding-3-small"), ("Custom", "a-model")],
    indirect=["service"],
)
async def test_embeddings(client: AsyncClient, model: str, aimock: Aimock) -> None:
    """One for each text."""
    aimock.say({"embedding": [0.5, -1.0]}, match={"inputText": "a cat"})
    answer = await client.embeddings.create("a cat", model)
    assert [item.embedding for item in answer.data] == [[0.5, -1.0]]


async def test_a_rate_limit(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """It is repeated after the time that the service names, and told if it stays."""
    limit = {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429, "retryAfter": 1}
    aimock.say(limit, match={"userMessage": "too fast"})
    with pytest.raises(g4f.RateLimitError, match="Slow down") as caught:
        await client.with_options(max_retries=0).chat.completions.create("too fast", service.model)
    assert (caught.value.status_code, caught.value.retry_after, caught.value.retryable) == (429, 1.0, True)
    assert caught.value.provider == service.provider


@of_all
async def test_a_failure_of_the_service(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """The request is repeated, the same again."""
    aimock.fail_once(500, "Sorry")
    aimock.say({"content": TEXT})
    completion = await client.chat.completions.create("Say this is a test", service.model)
    assert completion.choices[0].message.content == TEXT
    first, second = aimock.read_journal()
    assert [first["response"]["status"], second["response"]["status"]] == [500, 200]
    assert first["body"] == second["body"]


async def test_a_failure_that_stays(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """The error is the service's, in its own words."""
    aimock.say({"error": {"message": "Sorry", "type": "server_error"}, "status": 500})
    with pytest.raises(g4f.InternalServerError, match="Sorry"):
        await client.chat.completions.create("Say this is a test", service.model)
    assert len(aimock.read_journal()) == 2


async def test_a_stream_that_is_cut(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """What came is told, and that it is not all."""
    aimock.say({"content": TEXT}, chunkSize=5, truncateAfterChunks=6, latency=5)
    pieces = []
    with pytest.raises(g4f.StreamTruncatedError) as caught:
        async for chunk in client.chat.completions.stream("Say this is a test", service.model):
            pieces += [choice.delta.content or "" for choice in chunk.choices]
    assert "".join(pieces) == caught.value.partial
    assert TEXT.startswith(caught.value.partial)
    assert caught.value.partial


async def test_an_answer_that_cannot_be_read(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """It is an error of ours, whatever the text is."""
    aimock.say({"content": TEXT})
    aimock.break_all(malformedRate=1)
    with pytest.raises(g4f.APIResponseError):
        await client.chat.completions.create("Say this is a test", service.model)


async def test_a_connection_that_breaks(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """It is repeated, and told."""
    aimock.say({"content": TEXT})
    aimock.break_all(disconnectRate=1)
    with pytest.raises(g4f.APIConnectionError):
        await client.chat.completions.create("Say this is a test", service.model)
    assert len(aimock.read_journal()) == 2


@of_all
async def test_a_wrong_key(client: AsyncClient, service: Service, aimock: Aimock) -> None:
    """It is refused; so the right one was where the service looks for it in all other tests."""
    aimock.say({"content": TEXT})
    with pytest.raises(g4f.AuthenticationError) as caught:
        await client.chat.completions.create("Say this is a test", service.model, api_key="sk-wrong-9876543210")
    assert "sk-wrong" not in repr(caught.value)
    assert aimock.read_journal() == []
