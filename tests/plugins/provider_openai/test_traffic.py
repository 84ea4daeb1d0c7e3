"""The provider against recorded exchanges of the service, which a loopback server repeats byte for byte.

Expected values come from `reader.py`, which shares no code with g4f. Requests are compared with the recorded ones;
DIFFERENCES names where ours is another on purpose.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from g4f import APIStatusError, AsyncClient, Completion
from g4f.chat import ChatOptions
from g4f.fold import fold_chunks
from loopback import Loopback, Received, Reply
from plugins.provider_openai import reader
from traffic import (
    OPENAI_DIFFERENCES,
    Change,
    Exchange,
    Recordings,
    count_differences,
    expect_request,
    in_all_sizes,
    need_traffic,
    show_error,
    show_usage,
    stand_in,
)

need_traffic()

KEY = "sk-loopback-0123456789"
CHAT_OPTIONS = set(ChatOptions.__annotations__)

# Recordings that are not replayed, by name, each with its reason.
LEFT_OUT = {
    "dd-trace-py-model-retrieve-0": "client.models.retrieve() asks for the whole list, never for one model",
}
RECORDINGS = Recordings.load("OpenaiChat", ["openai"], ["chat", "stream", "images", "embeddings", "models"], LEFT_OUT)
choose = RECORDINGS.choose


# Where our request is not the recorded one. Each function changes the recorded body into the one that is expected.

RETIRED = {
    "gpt-3.5-turbo": "gpt-5.6-terra",
    "gpt-4": "gpt-5.6-sol",
    "gpt-4-turbo": "gpt-5.6-sol",
    "gpt-4.1-nano": "gpt-5.6-luna",
    "o1": "gpt-5.6-sol",
    "o3-mini": "gpt-5.6-sol",
    "o4-mini": "gpt-5.6-terra",
}


def _replace_retired(body: dict[str, Any]) -> None:
    body["model"] = RETIRED.get(body["model"], body["model"])


def _reasons(body: dict[str, Any]) -> bool:
    return re.match(r"gpt-[5-9]|o\d", body["model"]) is not None


def _rename_limit(body: dict[str, Any]) -> None:
    if _reasons(body) and "max_tokens" in body:
        body["max_completion_tokens"] = body.pop("max_tokens")


def _end_reasoning_for_tools(body: dict[str, Any]) -> None:
    if body["model"].startswith("gpt-5.6-") and body.get("tools"):
        body.setdefault("reasoning_effort", "none")


def _drop_sampling(body: dict[str, Any]) -> None:
    if _reasons(body) and body.get("reasoning_effort") != "none":
        body.pop("temperature", None)
        body.pop("top_p", None)


DIFFERENCES: dict[str, Change] = {
    "a model that is gone since is replaced, and a warning says so": _replace_retired,
    **OPENAI_DIFFERENCES,
    "reasoning models refuse max_tokens": _rename_limit,
    "gpt-5.6 calls no tools while it reasons": _end_reasoning_for_tools,
    "reasoning models refuse temperature and top_p while they reason": _drop_sampling,
}


def make_arguments(recorded: dict[str, Any] | None) -> dict[str, Any]:
    """Return the arguments of the client's call that a recorded request stands for."""
    if recorded is None:
        question = {"model": "gpt-4o-mini", "messages": "Say this is a test"}
        return {**question, "stream_options": {"include_usage": True}}
    known = CHAT_OPTIONS | {"model", "messages", "stream"}
    extra = {name: value for name, value in recorded.items() if name not in known}
    return {name: value for name, value in recorded.items() if name in known} | {"extra_body": extra}


def _check_request(exchange: Exchange, received: list[Received]) -> None:
    [request] = received
    assert (request.method, request.path) == (exchange.method, exchange.path)
    assert request.key == KEY
    assert request.headers["content-type"] == "application/json"
    if exchange.request is not None:
        assert request.json == expect_request(exchange.request, DIFFERENCES)[0]


# What g4f made of an answer, in the form of `reader.py`.


def _show_completion(completion: Completion) -> dict[str, Any]:
    return {
        "id": completion.id,
        "model": completion.model,
        "created": completion.created,
        "choices": [_show_choice(choice) for choice in completion.choices],
        "usage": show_usage(completion.usage),
    }


def _show_choice(choice: Any) -> dict[str, Any]:
    message = choice.message
    return {
        "index": choice.index,
        "role": message.role,
        "text": message.content,
        "refusal": message.refusal,
        "reasoning": message.reasoning_content,
        "audio": message.model_extra.get("audio"),
        "annotations": message.model_extra.get("annotations") or [],
        "tools": [_show_tool(call) for call in message.tool_calls],
        "finish": choice.finish_reason,
        "logprobs": choice.to_dict().get("logprobs"),
    }


def _show_tool(call: Any) -> dict[str, Any]:
    if call.type == "custom":
        return {"id": call.id, "name": call.custom.name, "input": call.custom.input}
    return {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}


def _show_error(error: APIStatusError) -> dict[str, Any]:
    return show_error(error, "code", "param", "request_id")


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    registry = stand_in("OpenaiChat", server.url)
    return AsyncClient(
        provider="OpenaiChat", api_key=KEY, base_url=f"{server.url}/v1", max_retries=0, registry=registry, **more
    )


@in_all_sizes
@choose("chat")
async def test_a_whole_answer_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Text, tool calls, refusal, reasoning, usage and all unknown fields of a completion arrive as they were sent."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        completion = await client.chat.completions.create(**make_arguments(exchange.request))
    assert _show_completion(completion) == reader.read_chat(exchange.text)
    assert completion.to_dict() == json.loads(exchange.text)
    assert completion.provider == "OpenaiChat"
    _check_request(exchange, server.requests)
    _check_warnings(exchange, completion.warnings)


def _check_warnings(exchange: Exchange, warnings: list[str]) -> None:
    applied = expect_request(exchange.request, DIFFERENCES)[1] if exchange.request else []
    told = [name for name in applied if re.search("gone|refuse|reasons", name)]
    assert bool(warnings) == bool(told)
    if RETIRED.get((exchange.request or {}).get("model")):
        assert "was retired on 2026-10-23" in warnings[0]


@in_all_sizes
@choose("stream")
async def test_a_stream_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Each event becomes one chunk with nothing lost, and the chunks together tell the whole answer."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        stream = client.chat.completions.create(**make_arguments(exchange.request) | {"stream": True})
        chunks = [chunk async for chunk in stream]
    assert [chunk.to_dict() for chunk in chunks] == reader.read_events(exchange.text)
    expected = reader.read_stream(exchange.text)
    assert _show_completion(fold_chunks(chunks)) == expected
    assert show_usage(stream.usage) == expected["usage"]
    texts: Counter[int] = Counter()
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += len(choice.delta.content or "")
    assert texts == {choice["index"]: len(choice["text"] or "") for choice in expected["choices"]}
    _check_request(exchange, server.requests)
    _check_warnings(exchange, stream.warnings)


@choose("stream")
async def test_who_asked_for_no_usage_meets_no_chunk_without_choices(exchange: Exchange, server: Loopback) -> None:
    """The usage is asked for in any case and known to the stream; its chunk comes to those who asked for it."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        stream = client.chat.completions.stream("Say this is a test")
        chunks = [chunk async for chunk in stream]
    events = reader.read_events(exchange.text)
    assert [chunk.to_dict() for chunk in chunks] == [event for event in events if event.get("choices")]
    assert show_usage(stream.usage) == reader.read_stream(exchange.text)["usage"]


@choose("stream")
async def test_a_stream_that_nobody_asked_for_is_a_whole_answer(exchange: Exchange, server: Loopback) -> None:
    """A service that streams in spite of `stream=False` is understood."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test")
    assert _show_completion(completion) == reader.read_stream(exchange.text)


@choose("chat")
async def test_a_whole_answer_to_a_streaming_request_is_a_stream(exchange: Exchange, server: Loopback) -> None:
    """A service that ignores `stream=True` is understood: its one JSON object is told in chunks."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        stream = client.chat.completions.stream("Say this is a test", stream_options={"include_usage": True})
        chunks = [chunk async for chunk in stream]
    expected = reader.read_chat(exchange.text)
    for choice in expected["choices"]:
        choice["finish"] = choice["finish"] or "stop"  # a stream always ends for a reason
    assert _show_completion(fold_chunks(chunks)) == expected


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@choose("chat", failed=True)
async def test_a_refusal_is_the_error_that_it_says(exchange: Exchange, stream: bool, server: Loopback) -> None:
    """Class, status, message, code, type, param, request id and body of an error are those of the answer."""
    server.answer = lambda request: exchange.reply(37)
    arguments = make_arguments(exchange.request) | {"stream": stream}
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create(**arguments)
    assert _show_error(caught.value) == reader.read_error(exchange.status, exchange.headers, exchange.text)
    assert caught.value.body == json.loads(exchange.text)
    assert caught.value.provider == "OpenaiChat"
    if not stream:
        _check_request(exchange, server.requests)


@pytest.mark.parametrize("response_format", [None, "url", "b64_json"])
@choose("images")
async def test_images_are_delivered_in_every_form(
    exchange: Exchange, response_format: Any, server: Loopback, tmp_path: Path
) -> None:
    """The bytes of each picture arrive as base64, as URL and as file; `response_format` itself is never sent."""
    picture = b"\x89PNG\r\n\x1a\nfetched"
    body = exchange.text
    # The address that the service named is long gone: the loopback server has the picture now.
    body = re.sub(r'"url": "https://[^/]+', f'"url": "{server.url}/files', body)
    server.answer = lambda request: (
        Reply(200, {"content-type": "image/png"}, picture)
        if request.path.startswith("/files/")
        else Reply(exchange.status, exchange.headers, body.encode(), size=1000)
    )
    recorded = dict(exchange.request or {"prompt": "a white siamese cat"})
    recorded.pop("response_format", None)
    async with _make_client(server, media_folder=str(tmp_path)) as client:
        images = client.images
        answer = await (
            images.edit(b"\x89PNG\r\n\x1a\nold", response_format=response_format, **recorded)
            if exchange.path.endswith("/edits")
            else images.generate(response_format=response_format, **recorded)
        )
    rows = json.loads(body)["data"]
    expected = [base64.b64decode(row["b64_json"]) if "b64_json" in row else picture for row in rows]
    assert len(answer.data) == len(rows)
    for image, row, data in zip(answer.data, rows, expected, strict=True):
        assert image.revised_prompt == row.get("revised_prompt")
        assert _read_picture(image, response_format, row) == data
    assert answer.created == json.loads(body)["created"]
    check_image_request(exchange, recorded, server.requests)


def _read_picture(image: Any, response_format: str | None, row: dict[str, Any]) -> bytes:
    if response_format == "b64_json":
        assert image.url is None
        return base64.b64decode(image.b64_json)
    assert image.b64_json is None
    if response_format is None:
        assert re.fullmatch(r"/images/\d{10}_[0-9a-f-]{36}\.png", image.url)
        assert image.url == f"/images/{Path(image.path).name}"
        return Path(image.path).read_bytes()
    if "url" in row:
        assert image.url == row["url"]
        return b"\x89PNG\r\n\x1a\nfetched"
    return base64.b64decode(image.url.removeprefix("data:image/png;base64,"))


def check_image_request(exchange: Exchange, recorded: dict[str, Any], received: list[Received]) -> None:
    """The recorded body but for no response_format, a default model where there was none, and a size that it draws."""
    asked, *downloads = received
    assert (asked.method, asked.path, asked.key) == (exchange.method, exchange.path, KEY)
    if asked.path.endswith("/generations"):
        drawn = {"size": "1024x1024"} if recorded.get("size") == "256x256" else {}
        assert asked.json == {"model": "gpt-image-2.6-flare", **recorded, **drawn}
    assert all(request.key is None for request in downloads)


@choose("images", failed=True)
async def test_a_refused_image_is_the_error_that_it_says(exchange: Exchange, server: Loopback) -> None:
    """Errors of the image endpoint are read like those of the chat."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.images.generate("a white siamese cat")
    assert _show_error(caught.value) == reader.read_error(exchange.status, exchange.headers, exchange.text)


@choose("embeddings")
async def test_embeddings_are_what_was_recorded(exchange: Exchange, server: Loopback) -> None:
    """Each vector, numbers or base64, its place, the model and the tokens; the request is the recorded one."""
    server.answer = lambda request: exchange.reply(1000)
    body = json.loads(exchange.text)
    texts = ["sunny day at the beach"] * len(body["data"])
    recorded = dict(exchange.request or {"input": texts, "model": "text-embedding-3-small"})
    async with _make_client(server) as client:
        answer = await client.embeddings.create(**recorded)
    assert [(item.index, item.embedding) for item in answer.data] == [
        (row["index"], row["embedding"]) for row in body["data"]
    ]
    assert answer.model == body["model"]
    assert answer.usage.to_dict() == body["usage"]
    [request] = server.requests
    assert (request.path, request.json) == ("/v1/embeddings", recorded)


@choose("embeddings", failed=True)
async def test_a_failed_request_for_embeddings_is_the_recorded_error(exchange: Exchange, server: Loopback) -> None:
    """Its class, status, code, type and message."""
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.embeddings.create(**dict(exchange.request or {"input": "x"}))
    assert _show_error(caught.value) == reader.read_error(exchange.status, exchange.headers, exchange.text)


@choose("models")
async def test_the_list_of_models_is_told_whole(exchange: Exchange, server: Loopback) -> None:
    """Every model of the service's list is in ours, with its fields."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        models = {model.id: model for model in await client.models.list()}
    for row in json.loads(exchange.text)["data"]:
        model = models[row["id"]]
        assert (model.created, model.owned_by, model.provider) == (row["created"], row["owned_by"], "OpenaiChat")
        assert model.to_dict() == {**row, "provider": "OpenaiChat"}
    [request] = server.requests
    assert (request.method, request.path, request.key) == ("GET", "/v1/models", KEY)


def test_every_recording_is_replayed_or_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The count of what is covered is printed, with the reason for each that is not."""
    bodies = [e.request for e in RECORDINGS.exchanges if e.operation in ("chat", "stream") and e.request is not None]
    RECORDINGS.summarize(capsys, *count_differences(expect_request(body, DIFFERENCES)[1] for body in bodies))
