"""The provider against recorded exchanges of the service, which a loopback server repeats byte for byte.

Expected values come from `reader.py`, which shares no code with g4f. Requests are said in OpenAI's words by
`translator.py` and compared with the recorded ones; DIFFERENCES names where ours is another on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from g4f import APIStatusError, AsyncClient, Completion, StreamTruncatedError
from g4f.chat import Usage
from g4f.fold import fold_chunks
from loopback import Loopback, Received, Reply
from plugins.provider_anthropic import reader
from plugins.provider_anthropic.translator import make_arguments
from traffic import (
    Change,
    Exchange,
    Recordings,
    count_differences,
    drop_false_stream,
    expect_request,
    in_all_sizes,
    load_exchange,
    need_traffic,
    show_error,
    show_usage,
    stand_in,
)

need_traffic()

KEY = "sk-ant-loopback-0123456789"
BROKEN = "vercel-ai-spliced-message-start-chunks-0"

# Recordings that are not replayed as answers, by name, each with its reason.
LEFT_OUT = {BROKEN: "one answer breaks off in another: it has a test of its own"}
# Recorded requests that are not compared, by name, each with its reason.
NOT_COMPARED = {
    "dd-trace-py-anthropic-completion-error-0": "its messages are no messages, which the client itself refuses",
    "pydantic-ai-test-anthropic-fable-5-lazy-advertisement-live-2": (
        "it adds a tool by a system message inside the conversation, which OpenAI's form cannot say"
    ),
    "pydantic-ai-test-mid-conversation-system-prompt-takes-cache-breakpoint-0": (
        "a system message inside the conversation goes to its beginning, with a warning: only some models know others"
    ),
}


def load_streams(path: Path) -> Iterator[Exchange]:
    """Load a recording; one of several streams in a row becomes several exchanges, the first with the request."""
    [whole] = load_exchange(path)
    if whole.operation != "stream" or whole.status >= 400:
        yield whole
        return
    for number, text in enumerate(reader.split_streams(whole.text)):
        part = attrs.evolve(whole, body=text.encode())
        yield attrs.evolve(part, name=f"{path.stem}, answer {number + 1}", request=None) if number else part


RECORDINGS = Recordings.load("Anthropic", ["anthropic"], ["chat", "stream", "models"], LEFT_OUT, load_streams)
choose = RECORDINGS.choose


# Where our request is not the recorded one. Each function changes the recorded body into the one that is expected.

RETIRED = {
    "claude-opus-4-1-20250805": "claude-opus-4-8",
    "claude-3-opus-20240229": "claude-opus-4-8",
    "claude-sonnet-4-0": "claude-sonnet-4-6",
    "claude-sonnet-4-20250514": "claude-sonnet-4-6",
    "claude-3-7-sonnet-20250219": "claude-sonnet-4-6",
    "claude-3-5-sonnet-20240620": "claude-sonnet-4-6",
    "claude-3-5-haiku-20241022": "claude-haiku-4-5-20251001",
}


def _replace_retired(body: dict[str, Any]) -> None:
    body["model"] = RETIRED.get(body["model"], body["model"])


def _drop_sampling(body: dict[str, Any]) -> None:
    if re.match("claude-(opus-4-[78]|(opus|sonnet)-5|fable)", body["model"]):
        body.pop("temperature", None)


def _show_thinking(body: dict[str, Any]) -> None:
    if body.get("output_config", {}).get("effort"):
        body.setdefault("thinking", {"type": "adaptive", "display": "summarized"})


def _lower_effort(body: dict[str, Any]) -> None:
    if body["model"].endswith("-4-6") and body.get("output_config", {}).get("effort") == "xhigh":
        body["output_config"]["effort"] = "max"


def _drop_empty_tools(body: dict[str, Any]) -> None:
    if body.get("tools") == []:
        del body["tools"]


def _drop_blank_texts(body: dict[str, Any]) -> None:
    for turn in body["messages"]:
        if isinstance(turn["content"], list):
            turn["content"] = [block for block in turn["content"] if block["type"] != "text" or block["text"].strip()]


DIFFERENCES: dict[str, Change] = {
    "a model that is gone since is replaced, and a warning says so": _replace_retired,
    "models since 4.7 refuse temperature": _drop_sampling,
    "stream is sent when it is true only": drop_false_stream,
    "an empty list of tools is not sent": _drop_empty_tools,
    "a text of white space is not sent: the service refuses it elsewhere": _drop_blank_texts,
    "who asks for an effort sees the thinking": _show_thinking,
    "models 4.6 have no effort xhigh": _lower_effort,
}


# Those that the answer's warnings tell.
TOLD = {
    "a model that is gone since is replaced, and a warning says so",
    "models 4.6 have no effort xhigh",
}


def _arguments(exchange: Exchange) -> dict[str, Any]:
    if exchange.request is None or exchange.name in NOT_COMPARED:
        return {"model": "claude-haiku-4-5", "messages": "Say this is a test"}
    return make_arguments(exchange.request, exchange.request_headers)


def _check_request(exchange: Exchange, received: list[Received], warnings: list[str]) -> None:
    [request] = received
    assert (request.method, request.path, request.key) == ("POST", exchange.path, KEY)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["anthropic-version"] == "2023-06-01"
    if exchange.request is None or exchange.name in NOT_COMPARED:
        return
    body, applied = expect_request(exchange.request, DIFFERENCES)
    assert request.json == body
    for name, value in exchange.request_headers.items():
        if name.lower().startswith("anthropic-"):
            assert request.headers[name.lower()] == value
    told = [warning for warning in warnings if not warning.startswith("temperature")]  # that one depends on its value
    assert len(told) == len([name for name in applied if name in TOLD])


# What g4f made of an answer, in the form of `reader.py`.


def _show_completion(completion: Completion) -> dict[str, Any]:
    [choice] = completion.choices
    message, extra = choice.message, choice.message.model_extra
    return {
        "id": completion.id,
        "model": completion.model,
        "text": message.content,
        "reasoning": message.reasoning_content,
        "thoughts": extra.get("thinking_blocks", []),
        "tools": [
            {"id": call.id, "name": call.function.name, "input": json.loads(call.function.arguments)}
            for call in message.tool_calls
        ],
        "blocks": extra.get("content_blocks"),
        "finish": choice.finish_reason,
        "stop": {name: choice.model_extra.get(name) for name in ("stop_reason", "stop_sequence", "stop_details")},
        "more": {name: value for name, value in completion.model_extra.items() if value is not None},
        "usage": _show_usage(completion.usage),
    }


def _show_usage(usage: Usage | None) -> dict[str, Any] | None:
    own = {name: value for name, value in usage.model_extra.items() if value is not None} if usage else {}
    shown = show_usage(usage)
    return shown and shown | {"own": own}


def _make_client(server: Loopback, **more: Any) -> AsyncClient:
    registry = stand_in("Anthropic", server.url)
    return AsyncClient(provider="Anthropic", api_key=KEY, base_url=server.url, max_retries=0, registry=registry, **more)


@in_all_sizes
@choose("chat")
async def test_a_whole_answer_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """Text, thinking, tool calls, all other blocks, ends and usage arrive as they were sent."""
    server.answer = lambda request: exchange.reply(size)
    async with _make_client(server) as client:
        completion = await client.chat.completions.create(**_arguments(exchange) | {"stream": False})
    assert _show_completion(completion) == reader.read_chat(exchange.text)
    assert completion.provider == "Anthropic"
    _check_request(exchange, server.requests, completion.warnings)


@in_all_sizes
@choose("stream")
async def test_a_stream_is_read_and_its_request_is_the_recorded_one(
    exchange: Exchange, size: int, server: Loopback
) -> None:
    """The chunks together tell the whole answer, and the text in them comes piece by piece."""
    server.answer = lambda request: exchange.reply(size)
    arguments = _arguments(exchange) | {"stream": True, "stream_options": {"include_usage": True}}
    async with _make_client(server) as client:
        stream = client.chat.completions.create(**arguments)
        chunks = [chunk async for chunk in stream]
    expected = reader.read_stream(exchange.text)
    assert _show_completion(fold_chunks(chunks)) == expected
    assert _show_usage(stream.usage) == expected["usage"]
    pieces = exchange.text.count('"text_delta"') + exchange.text.count('"thinking_delta"')
    told = [
        chunk for chunk in chunks for choice in chunk.choices if choice.delta.content or choice.delta.reasoning_content
    ]
    assert pieces - 3 <= len(told) <= pieces + 1  # a few deltas are empty
    _check_request(exchange, server.requests, stream.warnings)


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
    assert _show_completion(fold_chunks(chunks)) == reader.read_chat(exchange.text)


@choose("chat", "stream")
async def test_an_answer_sent_back_says_to_the_service_what_it_said(exchange: Exchange, server: Loopback) -> None:
    """All blocks of the answer stand in the next request as they came: thinking with its signature, server tools."""
    streamed = exchange.operation == "stream"
    expected = reader.read_stream(exchange.text) if streamed else reader.read_chat(exchange.text)
    server.answer = lambda request: exchange.reply()
    async with _make_client(server) as client:
        completion = await client.chat.completions.create("Say this is a test")
        message = completion.choices[0].message
        await client.chat.completions.create(
            [{"role": "user", "content": "Say"}, message, {"role": "user", "content": "On"}]
        )
    turns = server.requests[-1].json["messages"]
    sent = turns[1]["content"] if turns[1:] and turns[1]["role"] == "assistant" else []
    sent = [{"type": "text", "text": sent}] if isinstance(sent, str) else sent
    text = [{"type": "text", "text": expected["text"]}] if expected["text"] else []
    calls = [{"type": "tool_use", **call} for call in expected["tools"]]
    whole = expected["blocks"] or [*expected["thoughts"], *text, *calls]
    assert sent == [block for block in whole if block["type"] != "text" or block["text"].strip()]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@choose("chat", "stream", failed=True)
async def test_a_refusal_is_the_error_that_it_says(exchange: Exchange, stream: bool, server: Loopback) -> None:
    """Class, status, message, type, request id and body of an error are those of the answer."""
    server.answer = lambda request: exchange.reply(37)
    arguments = _arguments(exchange) | {"stream": stream}
    async with _make_client(server) as client:
        with pytest.raises(APIStatusError) as caught:
            await client.chat.completions.create(**arguments)
    assert show_error(caught.value, "request_id") == reader.read_error(exchange.status, exchange.headers, exchange.text)
    assert caught.value.body == json.loads(exchange.text)
    assert caught.value.provider == "Anthropic"
    if exchange.request is not None and exchange.name not in NOT_COMPARED:
        assert server.requests[0].json == expect_request(exchange.request | {"stream": stream}, DIFFERENCES)[0]


async def test_an_answer_that_breaks_off_in_another_is_told(server: Loopback) -> None:
    """Half a call and a second beginning make no answer: the error says so, after what had come."""
    [path] = [path for path in RECORDINGS.files if path.stem == BROKEN]
    text = json.loads(path.read_text(encoding="utf-8"))["response"]["body_text"]
    server.answer = lambda request: Reply(200, {"content-type": "text/event-stream"}, text.encode())
    reasoning = []
    async with _make_client(server) as client:
        with pytest.raises(StreamTruncatedError, match="another one began"):
            async for chunk in client.chat.completions.stream("Say this is a test"):
                reasoning += [choice.delta.reasoning_content for choice in chunk.choices]
    assert "I will call the tool." in reasoning


@choose("models")
async def test_the_list_of_models_is_told_whole(exchange: Exchange, server: Loopback) -> None:
    """Every model of the service's list is in ours, with its fields and OpenAI's."""
    server.answer = lambda request: exchange.reply(37)
    async with _make_client(server) as client:
        models = {model.id: model for model in await client.models.list()}
    for row in json.loads(exchange.text)["data"]:
        model = models[row["id"]]
        assert (model.owned_by, model.provider) == ("anthropic", "Anthropic")
        assert model.to_dict() == {
            **row,
            "object": "model",
            "created": model.created,
            "owned_by": "anthropic",
            "provider": "Anthropic",
        }
    assert models["claude-opus-4-5-20251101"].created == 1763942400
    [request] = server.requests
    assert (request.method, request.path, request.key) == ("GET", "/v1/models", KEY)


def test_every_recording_is_replayed_or_left_out_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    """The count of what is covered is printed, with the reason for each that is not."""
    compared = [e for e in RECORDINGS.exchanges if e.operation != "models" and e.request is not None]
    names = {exchange.name for exchange in compared}
    assert NOT_COMPARED.keys() <= names
    bodies = [exchange.request for exchange in compared if exchange.name not in NOT_COMPARED]
    RECORDINGS.summarize(
        capsys,
        f"{len(RECORDINGS.exchanges)} answers in them",
        *count_differences(expect_request(body, DIFFERENCES)[1] for body in bodies),
        *(f"request not compared: {name} ({reason})" for name, reason in NOT_COMPARED.items()),
    )
