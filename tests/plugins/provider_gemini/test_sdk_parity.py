"""The official SDK and our provider make the same calls: what they put on the wire is the same.

One loopback server receives both; recordings of the SDK's requests are a second witness where they are present. What
may differ stands in docs/reference/wire-differences.md.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import types

import parity
from g4f import AsyncClient
from loopback import Loopback, Received, Reply, reply_json
from parity import Ask, Case
from plugins.provider_gemini.translate import rename

KEY = "AIza-parity-0123456789"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
PDF, WAV = b"%PDF-1.4 tiny", b"RIFF\x24\x00\x00\x00WAVE"
SIGNATURE = b"a signature"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "w", "parameters": PARAMETERS}}
MODEL = "gemini-2.5-flash"


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _chat(messages: Any = "Say this is a test", model: str = MODEL, **arguments: Any) -> Ask:
    async def ask(client: AsyncClient) -> None:
        answer: Any = client.chat.completions.create(messages, model, **arguments)
        if arguments.get("stream"):
            async for _ in answer:
                pass
        else:
            await answer

    return ask


def _generate(contents: Any = "Say this is a test", model: str = MODEL, **config: Any) -> Ask:
    def ask(client: genai.Client) -> Any:
        settings = types.GenerateContentConfig(**config) if config else None
        return client.aio.models.generate_content(model=model, contents=contents, config=settings)

    return ask


async def _generate_stream(client: genai.Client) -> None:
    async for _ in await client.aio.models.generate_content_stream(model=MODEL, contents="Say this is a test"):
        pass


async def _list_ours(client: AsyncClient) -> None:
    await client.models.list()


async def _list_theirs(client: genai.Client) -> None:
    async for _ in await client.aio.models.list():
        pass


def _draw(prompt: str = "a white siamese cat", **arguments: Any) -> Ask:
    return lambda client: client.images.generate(prompt, "gemini-2.5-flash-image", **arguments)


def _edit(*pictures: bytes, prompt: str) -> Ask:
    return lambda client: client.images.edit(list(pictures), prompt, "gemini-2.5-flash-image")


def _declare(**more: Any) -> types.Tool:
    function = types.FunctionDeclaration(name="get_weather", description="w", parameters_json_schema=PARAMETERS, **more)
    return types.Tool(function_declarations=[function])


def _choose(**config: Any) -> types.ToolConfig:
    return types.ToolConfig(function_calling_config=types.FunctionCallingConfig(**config))


def _look(url: str) -> list[dict[str, Any]]:
    parts = [{"type": "text", "text": "What's in this image?"}, {"type": "image_url", "image_url": {"url": url}}]
    return [{"role": "user", "content": parts}]


def _attach(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}]


def _bytes(data: bytes, kind: str) -> types.Part:
    return types.Part.from_bytes(data=data, mime_type=kind)


CALL = types.FunctionCall(id="c1", name="get_weather", args={"city": "Rome"})
RESULT = types.FunctionResponse(id="c1", name="get_weather", response={"output": "sunny"})
CONVERSATION = [
    types.Content(role="user", parts=[types.Part(text="w?")]),
    types.Content(role="model", parts=[types.Part(function_call=CALL, thought_signature=SIGNATURE)]),
    types.Content(role="user", parts=[types.Part(function_response=RESULT)]),
]
MESSAGES = [
    {"role": "user", "content": "w?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city": "Rome"}'},
                "extra_content": {"google": {"thought_signature": _encode(SIGNATURE)}},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
]


CASES = {
    "chat": Case(_chat(), _generate(), recorded="gemini_generate"),
    "parameters": Case(
        _chat(
            [
                {"role": "system", "content": "Be terse"},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "yo"},
                {"role": "user", "content": "Say this is a test"},
            ],
            temperature=0.2,
            top_p=0.9,
            max_tokens=5,
            stop="x",
            seed=1,
            provider_options={"include_thoughts": True, "thinking_budget": 128},
        ),
        _generate(
            [
                types.Content(role="user", parts=[types.Part(text="hi")]),
                types.Content(role="model", parts=[types.Part(text="yo")]),
                types.Content(role="user", parts=[types.Part(text="Say this is a test")]),
            ],
            system_instruction="Be terse",
            temperature=0.2,
            top_p=0.9,
            max_output_tokens=5,
            stop_sequences=["x"],
            seed=1,
            thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=128),
        ),
        recorded="gemini_generate_config",
    ),
    "more parameters": Case(
        _chat(
            n=2,
            presence_penalty=0.5,
            frequency_penalty=-0.5,
            logprobs=True,
            top_logprobs=3,
            max_completion_tokens=7,
            stop=["a", "b"],
            modalities=["text"],
            service_tier="flex",
            store=False,
            provider_options={"top_k": 40},
        ),
        _generate(
            candidate_count=2,
            presence_penalty=0.5,
            frequency_penalty=-0.5,
            response_logprobs=True,
            logprobs=3,
            max_output_tokens=7,
            stop_sequences=["a", "b"],
            response_modalities=["TEXT"],
            service_tier="flex",
            store=False,
            top_k=40,
        ),
    ),
    "safety and cache": Case(
        _chat(
            provider_options={
                "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
                "cached_content": "cachedContents/c1",
            }
        ),
        _generate(
            safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
            cached_content="cachedContents/c1",
        ),
    ),
    "an effort of a model with levels": Case(
        _chat(model="gemini-3.8-flash", reasoning_effort="low"),
        _generate(
            model="gemini-3.8-flash",
            thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_level="LOW"),
        ),
    ),
    "an effort of a model with budgets": Case(
        _chat(reasoning_effort="medium"),
        _generate(thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=8192)),
    ),
    "text beyond ASCII": Case(_chat("Grüße \U0001f600 \u2028 \x00 end"), _generate("Grüße \U0001f600 \u2028 \x00 end")),
    "stream": Case(_chat(stream=True), _generate_stream, recorded="gemini_stream"),
    "vision": Case(
        _chat(_look(f"data:image/png;base64,{_encode(PNG)}")),
        _generate(["What's in this image?", _bytes(PNG, "image/png")]),
        recorded="gemini_vision",
    ),
    "a picture's address": Case(
        _chat(_look("https://example.com/cat.jpg?size=1")),
        _generate(
            [
                "What's in this image?",
                types.Part.from_uri(file_uri="https://example.com/cat.jpg?size=1", mime_type="image/jpeg"),
            ]
        ),
    ),
    "PDF": Case(
        _chat(_attach({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{_encode(PDF)}"}})),
        _generate(["What is it?", _bytes(PDF, "application/pdf")]),
    ),
    "audio": Case(
        _chat(_attach({"type": "input_audio", "input_audio": {"data": _encode(WAV), "format": "wav"}})),
        _generate(["What is it?", _bytes(WAV, "audio/wav")]),
    ),
    "tools": Case(_chat("w?", tools=[TOOL]), _generate("w?", tools=[_declare()]), recorded="gemini_tools"),
    "a chosen tool": Case(
        _chat("w?", tools=[TOOL], tool_choice={"type": "function", "function": {"name": "get_weather"}}),
        _generate("w?", tools=[_declare()], tool_config=_choose(mode="ANY", allowed_function_names=["get_weather"])),
    ),
    "a tool that must be called": Case(
        _chat("w?", tools=[TOOL], tool_choice="required"),
        _generate("w?", tools=[_declare()], tool_config=_choose(mode="ANY")),
    ),
    "web search": Case(
        _chat("w?", tools=[TOOL], web_search_options={}),
        _generate("w?", tools=[_declare(), types.Tool(google_search=types.GoogleSearch())]),
    ),
    "tool results": Case(
        _chat(MESSAGES, "gemini-3.8-flash", tools=[TOOL]),
        _generate(CONVERSATION, "gemini-3.8-flash", tools=[_declare()]),
    ),
    "JSON schema": Case(
        _chat("w?", response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}),
        _generate("w?", response_mime_type="application/json", response_json_schema=SCHEMA),
        recorded="gemini_json_schema",
    ),
    "JSON object": Case(
        _chat("w?", response_format={"type": "json_object"}), _generate("w?", response_mime_type="application/json")
    ),
    "image": Case(
        _draw(size="1024x1024"),
        _generate(
            "a white siamese cat",
            "gemini-2.5-flash-image",
            response_modalities=["IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="1:1"),
        ),
        recorded="gemini_image_gen",
    ),
    "a large image": Case(
        _draw(size="4096x4096"),
        _generate(
            "a white siamese cat",
            "gemini-2.5-flash-image",
            response_modalities=["IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="1:1", image_size="4K"),
        ),
    ),
    "edit": Case(
        _edit(PNG, prompt="add a hat"),
        _generate(
            ["add a hat", _bytes(PNG, "image/png")], "gemini-2.5-flash-image", response_modalities=["TEXT", "IMAGE"]
        ),
        recorded="gemini_image_edit",
    ),
    "edit of several": Case(
        _edit(PNG, PNG, prompt="combine"),
        _generate(
            ["combine", _bytes(PNG, "image/png"), _bytes(PNG, "image/png")],
            "gemini-2.5-flash-image",
            response_modalities=["IMAGE"],
        ),
    ),
    "embeddings": Case(
        lambda client: client.embeddings.create(
            "a", "gemini-embedding-2", dimensions=2, provider_options={"task_type": "RETRIEVAL_QUERY"}
        ),
        lambda client: client.aio.models.embed_content(
            model="gemini-embedding-2",
            contents="a",
            config=types.EmbedContentConfig(output_dimensionality=2, task_type="RETRIEVAL_QUERY"),
        ),
    ),
    "models": Case(_list_ours, _list_theirs, recorded="gemini_models"),
}


def _answer(request: Received) -> Reply:
    if request.path.endswith("/models"):
        return reply_json({"models": [{"name": "models/gemini-2.5-flash"}]})
    if request.path.endswith(":batchEmbedContents"):
        return reply_json({"embeddings": [{"values": [0.5, 1]}] * len(request.json["requests"])})
    part = (
        {"inlineData": {"mimeType": "image/png", "data": _encode(PNG)}} if "image:" in request.path else {"text": "Hi"}
    )
    answer = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}]}
    if request.path.endswith(":streamGenerateContent"):
        body = f"data: {json.dumps(answer)}\r\n\r\n".encode()
        return Reply(200, {"content-type": "text/event-stream"}, body)
    return reply_json(answer)


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The one server that both ask."""
    with Loopback(_answer) as server:
        yield server


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, server: Loopback) -> None:
    """Both find key and address in the same variables; ours speaks the version that the SDK speaks."""
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    monkeypatch.setenv("GEMINI_API_VERSION", "v1")


async def _ask_sdk(ask: Ask) -> None:
    client = genai.Client()
    try:
        await ask(client)
    finally:
        await client.aio.aclose()


async def _ask_g4f(ask: Ask, folder: Path) -> None:
    async with AsyncClient(provider="Gemini", max_retries=0, media_folder=str(folder)) as client:
        await ask(client)


def _read_body(body: bytes) -> Any:
    """Bring to one form what the JSON of protocol buffers calls the same, and the SDK's empty settings to none."""
    found = rename(json.loads(body))
    if found.get("generationConfig") == {}:
        del found["generationConfig"]
    return _standardize(found)


def _standardize(value: Any) -> Any:
    """The SDK writes base64 for URLs, where the service takes both."""
    if isinstance(value, dict):
        return {
            key: item.replace("-", "+").replace("_", "/")
            if key in ("data", "thoughtSignature") and isinstance(item, str)
            else _standardize(item)
            for key, item in value.items()
        }
    return [_standardize(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("call", CASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK
async def test_our_request_is_the_sdks(call: str, server: Loopback, tmp_path: Path) -> None:
    """Everything is equal but for what the table allows to this call: body, query, authorization, other headers."""
    await _ask_sdk(CASES[call].theirs)
    await _ask_g4f(CASES[call].ours, tmp_path)
    assert parity.find_differences(*server.requests, _read_body) == parity.list_allowed("Gemini", call)


@parity.needs_recordings
@pytest.mark.parametrize("call", [call for call, case in CASES.items() if case.recorded])
async def test_our_request_is_the_recorded_one_of_the_sdk(call: str, server: Loopback, tmp_path: Path) -> None:
    """The same holds beside what was recorded elsewhere."""
    await _ask_g4f(CASES[call].ours, tmp_path)
    recording = parity.read_recording(str(CASES[call].recorded), KEY)
    assert parity.find_differences(recording, *server.requests, _read_body) == parity.list_allowed("Gemini", call)


def test_every_canonical_call_is_compared() -> None:
    """The names are the same for every provider."""
    assert set(CASES) >= parity.CANONICAL | parity.CANONICAL_IMAGES


def test_every_row_of_the_table_speaks_of_a_call_that_is_made() -> None:
    """None is allowed for nothing."""
    assert parity.list_calls("Gemini") <= set(CASES)


@parity.needs_recordings
def test_every_recorded_request_is_compared() -> None:
    """None is left out."""
    assert parity.list_recordings("gemini") == {case.recorded for case in CASES.values() if case.recorded}
