"""The official SDK and our provider make the same calls: what they put on the wire is the same.

One loopback server receives both; recordings of the SDK's requests are a second witness where they are present. What
may differ stands in docs/reference/wire-differences.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

import parity
from g4f import AsyncClient
from loopback import Loopback
from parity import Ask, Case
from plugins.openai_calls import CHATS, MESSAGES, TOOL, answer, chat, edit, image, models

KEY = "sk-parity-0123456789"


def _both(ask: Ask, recorded: str | None = None) -> Case:
    return Case(ask, ask, recorded)


CASES = {
    "chat": _both(chat(**CHATS["chat"]), recorded="openai_chat"),
    "parameters": _both(chat(**CHATS["parameters"]), recorded="openai_chat_params"),
    "more parameters": _both(
        chat(
            frequency_penalty=0.5,
            presence_penalty=-0.5,
            logit_bias={"1": 2},
            logprobs=True,
            top_logprobs=3,
            metadata={"a": "b"},
            parallel_tool_calls=False,
            tools=[TOOL],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
            service_tier="flex",
            store=False,
            safety_identifier="user-1",
            prompt_cache_key="k",
            verbosity="low",
            max_completion_tokens=7,
            modalities=["text"],
        )
    ),
    "extra fields and headers": _both(
        chat(extra_body={"new_parameter": [1, None, "ä\u2028"]}, extra_headers={"X-Trace": "1"})
    ),
    "text beyond ASCII": _both(chat(messages=[{"role": "user", "content": "Grüße \U0001f600 \u2028 \x00 end"}])),
    "stream": _both(chat(**CHATS["stream"])),
    "stream of a model that is gone": _both(chat(stream=True, model="gpt-4"), "openai_chat_stream"),
    "stream with usage": _both(
        chat(stream=True, model="gpt-4", stream_options={"include_usage": True}), "openai_chat_stream_usage"
    ),
    "stream without usage": _both(chat(stream=True, stream_options={"include_usage": False})),
    "vision": _both(chat(**CHATS["vision"]), recorded="openai_vision"),
    "tools": _both(chat(**CHATS["tools"]), recorded="openai_tools"),
    "tool results": _both(chat(**CHATS["tool results"])),
    "JSON schema": _both(chat(**CHATS["JSON schema"]), recorded="openai_json_schema"),
    "JSON object": _both(chat(response_format={"type": "json_object"})),
    "image": _both(image(model="gpt-image-2")),
    "image parameters": _both(
        image(
            model="gpt-image-2",
            n=2,
            size="1024x1024",
            quality="low",
            background="transparent",
            moderation="low",
            output_format="webp",
            output_compression=50,
            user="u",
        )
    ),
    "image of a model that is gone": _both(image(model="gpt-image-1"), "openai_images_generate_default"),
    "image as URL": _both(
        image(model="dall-e-3", response_format="url"),
        "openai_images_generate_url",
    ),
    "image as base64": _both(
        image(model="dall-e-3", n=1, size="1024x1024", response_format="b64_json"),
        "openai_images_generate_b64",
    ),
    "edit": _both(edit("cat.png", prompt="add a hat", model="gpt-image-1"), "openai_images_edit"),
    "edit of several": _both(edit("a.png", "b.png", prompt="combine", model="gpt-image-1"), "openai_images_edit_multi"),
    "edit with parameters": _both(
        edit("a.png", prompt="Grüße", model="gpt-image-2", n=2, size="1024x1024", quality="low")
    ),
    "models": _both(models, recorded="openai_models"),
}


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The one server that both ask."""
    with Loopback(answer) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> None:
    """Both find key, address, organization and project in the same variables."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")


async def _ask_sdk(ask: Ask) -> None:
    async with openai.AsyncOpenAI(max_retries=0) as client:
        await ask(client)


async def _ask_g4f(ask: Ask, folder: Path) -> None:
    async with AsyncClient(provider="OpenaiChat", max_retries=0, media_folder=str(folder)) as client:
        await ask(client)


@pytest.mark.parametrize("call", CASES)
async def test_our_request_is_the_sdks(call: str, server: Loopback, tmp_path: Path) -> None:
    """Everything is equal but for what the table allows to this call: body, query, authorization, other headers."""
    await _ask_sdk(CASES[call].theirs)
    await _ask_g4f(CASES[call].ours, tmp_path)
    assert parity.find_differences(*server.requests) == parity.list_allowed("OpenaiChat", call)


@parity.needs_recordings
@pytest.mark.parametrize("call", [call for call, case in CASES.items() if case.recorded])
async def test_our_request_is_the_recorded_one_of_the_sdk(
    call: str, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds beside what was recorded elsewhere, without organization and project."""
    monkeypatch.delenv("OPENAI_ORG_ID")
    monkeypatch.delenv("OPENAI_PROJECT_ID")
    await _ask_g4f(CASES[call].ours, tmp_path)
    recording = parity.read_recording(str(CASES[call].recorded), KEY)
    assert parity.find_differences(recording, *server.requests) == parity.list_allowed("OpenaiChat", call)


def test_every_canonical_call_is_compared() -> None:
    """The names are the same for every provider."""
    assert set(CASES) >= parity.CANONICAL | parity.CANONICAL_IMAGES


def test_every_row_of_the_table_speaks_of_a_call_that_is_made() -> None:
    """None is allowed for nothing."""
    assert parity.list_calls("OpenaiChat") <= set(CASES)


@parity.needs_recordings
def test_every_recorded_request_of_an_endpoint_that_we_speak_is_compared() -> None:
    """Those of the Responses endpoint are left out: we do not speak it."""
    there = {name for name in parity.list_recordings("openai") if "responses" not in name}
    assert there == {case.recorded for case in CASES.values() if case.recorded}


async def test_the_answers_can_be_asked_on_with(server: Loopback) -> None:
    """What either client answered may stand in the messages of the next request, as the SDK's users write it."""
    async with openai.AsyncOpenAI(max_retries=0) as theirs, AsyncClient(provider="OpenaiChat") as ours:
        for client in (theirs, ours):
            completion = await client.chat.completions.create(messages=MESSAGES, model="gpt-4o-mini")
            message = completion.choices[0].message
            await ours.chat.completions.create([*MESSAGES, message, *MESSAGES], "gpt-4o-mini")
    for request in server.requests[1::2]:
        assert request.json["messages"][1] == {"role": "assistant", "content": "This is a test"}
