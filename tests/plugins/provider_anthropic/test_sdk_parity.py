"""The official SDK and our provider make the same calls: what they put on the wire is the same.

One loopback server receives both; recordings of the SDK's requests are a second witness where they are present. What
may differ stands in docs/reference/wire-differences.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

import parity
from g4f import AsyncClient
from loopback import Loopback, Received, Reply, reply_events, reply_json
from parity import Case

KEY = "sk-ant-parity-0123456789"
VERSION = "2026-10-21"
MODEL = "claude-haiku-4-5"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjc="
MESSAGES = [{"role": "user", "content": "Say this is a test"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = {**SCHEMA, "additionalProperties": False}
FUNCTION = {"name": "get_weather", "description": "w", "parameters": SCHEMA}
TOOL = {"name": "get_weather", "description": "w", "input_schema": SCHEMA}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
SAID = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": MODEL,
    "content": [{"type": "text", "text": "This is a test"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 4},
}
EVENTS = [
    {"type": "message_start", "message": {**SAID, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "This is a test"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
]


def _user(*blocks: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(blocks)}]


def _chat(theirs: dict[str, Any], ours: dict[str, Any], recorded: str | None = None) -> Case:
    """A call by the arguments that users of either give beside the common ones."""

    async def ask_theirs(client: anthropic.AsyncAnthropic) -> None:
        await _finish(await client.messages.create(**COMMON | theirs), theirs)

    async def ask_ours(client: AsyncClient) -> None:
        await _finish(await client.chat.completions.create(**COMMON | ours), ours)

    return Case(ask_ours, ask_theirs, recorded)


async def _finish(answer: Any, arguments: dict[str, Any]) -> None:
    if "stream" in arguments:
        async for _ in answer:
            pass


async def _list_models(client: Any) -> None:
    await client.models.list()


COMMON = {"model": MODEL, "max_tokens": 64, "messages": MESSAGES}
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
CASES = {
    "chat": _chat({}, {}, recorded="anthropic_messages"),
    "stream": _chat({"stream": True}, {"stream": True}, recorded="anthropic_stream"),
    "tools": _chat(
        {"tools": [TOOL]}, {"tools": [{"type": "function", "function": FUNCTION}]}, recorded="anthropic_tools"
    ),
    "vision": _chat(
        {
            "messages": _user(
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                {"type": "text", "text": "What's in this image?"},
            )
        },
        {
            "messages": _user(
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                {"type": "text", "text": "What's in this image?"},
            )
        },
        recorded="anthropic_vision",
    ),
    "picture and document by address": _chat(
        {
            "messages": _user(
                {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
                {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
            )
        },
        {
            "messages": _user(
                {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                {"type": "file", "file": {"file_data": "https://example.org/a.pdf"}},
            )
        },
    ),
    "PDF": _chat(
        {
            "messages": _user(
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    "title": "a.pdf",
                },
            )
        },
        {
            "messages": _user(
                {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{PDF}", "filename": "a.pdf"}}
            )
        },
    ),
    "parameters": _chat(
        {"system": "Be terse", "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "service_tier": "auto"},
        {
            "messages": [{"role": "system", "content": "Be terse"}, *MESSAGES],
            "stop": ["x"],
            "user": "u",
            "service_tier": "auto",
        },
    ),
    "forced tool": _chat(
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}},
        {
            "tools": [{"type": "function", "function": FUNCTION}],
            "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
            "parallel_tool_calls": False,
        },
    ),
    "tool results": _chat(
        {
            "messages": [
                *MESSAGES,
                {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "Look:"}, USE]},
                *_user({"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}),
            ]
        },
        {
            "messages": [
                *MESSAGES,
                {"role": "assistant", "content": "Look:", "thinking_blocks": [THOUGHT], "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "sunny"},
            ]
        },
    ),
    "JSON schema": _chat(
        {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "c", "schema": SCHEMA, "strict": True}}},
    ),
    "effort": _chat(
        {"model": "claude-opus-5", "output_config": {"effort": "low"}},
        {"model": "claude-opus-5", "reasoning_effort": "low"},
    ),
    "thinking by budget": _chat(
        {"max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2048}},
        {"max_tokens": 8000, "reasoning_effort": "low"},
    ),
    "what only the service knows": _chat(
        {"thinking": {"type": "disabled"}, "extra_headers": {"anthropic-beta": "a-1"}, "inference_geo": "eu"},
        {
            "provider_options": {"thinking": {"type": "disabled"}, "betas": ["a-1"]},
            "extra_body": {"inference_geo": "eu"},
        },
    ),
    "text beyond ASCII": _chat(
        {"messages": [{"role": "user", "content": "Grüße \U0001f600 \u2028 \x00 end"}]},
        {"messages": [{"role": "user", "content": "Grüße \U0001f600 \u2028 \x00 end"}]},
    ),
    "models": Case(_list_models, _list_models, "anthropic_models"),
}


def _answer(request: Received) -> Reply:
    if request.path.endswith("/models"):
        return reply_json({"data": [], "has_more": False, "first_id": None, "last_id": None})
    if request.json.get("stream"):
        return reply_events(end=[f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in EVENTS])
    return reply_json(SAID)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The one server that both ask."""
    with Loopback(_answer) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> None:
    """Both find key and address in the same variables; ours is told the version that the SDK's types are of."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_VERSION", VERSION)


async def _ask_sdk(case: Case) -> None:
    async with anthropic.AsyncAnthropic(max_retries=0) as client:
        await case.theirs(client)


async def _ask_g4f(case: Case) -> None:
    async with AsyncClient(provider="Anthropic", max_retries=0) as client:
        await case.ours(client)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK says when a model goes
@pytest.mark.parametrize("call", CASES)
async def test_our_request_is_the_sdks(call: str, server: Loopback) -> None:
    """Everything is equal but for what the table allows to this call: body, query, authorization, other headers."""
    await _ask_sdk(CASES[call])
    await _ask_g4f(CASES[call])
    assert parity.find_differences(*server.requests) == parity.list_allowed("Anthropic", call)


async def test_a_token_is_sent_as_the_sdk_sends_it(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> None:
    """The other variable is read too."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", KEY)
    await _ask_sdk(CASES["chat"])
    await _ask_g4f(CASES["chat"])
    assert parity.find_differences(*server.requests) == parity.list_allowed("Anthropic", "chat")


@parity.needs_recordings
@pytest.mark.parametrize("call", [call for call, case in CASES.items() if case.recorded])
async def test_our_request_is_the_recorded_one_of_the_sdk(call: str, server: Loopback) -> None:
    """The same holds beside what was recorded elsewhere."""
    await _ask_g4f(CASES[call])
    recording = parity.read_recording(str(CASES[call].recorded), KEY)
    assert parity.find_differences(recording, *server.requests) == parity.list_allowed("Anthropic", call)


def test_every_canonical_call_is_compared() -> None:
    """The names are the same for every provider."""
    assert set(CASES) >= parity.CANONICAL


def test_every_row_of_the_table_speaks_of_a_call_that_is_made() -> None:
    """None is allowed for nothing."""
    assert parity.list_calls("Anthropic") <= set(CASES)


@parity.needs_recordings
def test_every_recorded_request_of_the_sdk_is_compared() -> None:
    """None is left out."""
    assert parity.list_recordings("anthropic") == {case.recorded for case in CASES.values() if case.recorded}


async def test_without_a_setting_the_version_is_that_of_the_recordings(
    monkeypatch: pytest.MonkeyPatch, server: Loopback
) -> None:
    """Older models keep their temperature there; a header of the call wins over the setting."""
    async with AsyncClient(provider="Anthropic") as client:
        await client.chat.completions.create("Hi", extra_headers={"Anthropic-Version": "2023-01-01"})
        monkeypatch.delenv("ANTHROPIC_API_VERSION")
        await client.chat.completions.create("Hi", MODEL, temperature=0.5)
        await client.chat.completions.create("Hi", "another-maker/model")
    first, second, third = server.requests
    assert first.headers["anthropic-version"] == "2023-01-01"
    assert (second.headers["anthropic-version"], second.json["temperature"]) == ("2023-06-01", 0.5)
    assert [request.json["max_tokens"] for request in (first, second, third)] == [128000, 64000, 8192]
