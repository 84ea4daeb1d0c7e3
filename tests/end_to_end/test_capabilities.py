"""The capabilities that our providers claim, each proven by what arrived at its service and what came back.

A table, capability by provider: `Cell` holds what the service answers, in its own words, and what must be in the
request that it got. The services are loopback servers; `Local` is the real model, in test_local_capabilities.py.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attrs
import pytest

from end_to_end.services import (
    make_picture,
    say_anthropic,
    say_gemini,
    say_openai,
    stream_anthropic,
    stream_gemini,
    stream_openai,
)
from g4f import Client
from g4f.chat import Message
from g4f.errors import (
    AuthenticationError,
    ContentFilterFinishReasonError,
    InternalServerError,
    RateLimitError,
    UnsupportedError,
)
from g4f.fold import fold_chunks
from loopback import Loopback, Received, Reply, reply_json

OPENAI, ANTHROPIC, GEMINI = "OpenaiChat", "Anthropic", "Gemini"
MODELS = {OPENAI: "gpt-4.1", ANTHROPIC: "claude-opus-4-6", GEMINI: "gemini-2.5-flash"}
PDF = base64.b64encode(b"%PDF-1.4 a report").decode()
WAV = base64.b64encode(b"RIFF....WAVE").decode()
PICTURE_URL = "https://pictures.example/cat.png"


PNG = make_picture()
PNG64 = base64.b64encode(PNG).decode()


# The table


@attrs.frozen
class Cell:
    """One capability of one provider.

    Attributes:
        reply: What the service answers.
        sent: What must be in the request's body; a list must be the whole list, a function is asked.
        model: Which model is asked, where it is not the usual one.
    """

    provider: str
    reply: Reply
    sent: Any = attrs.field(factory=dict)
    model: str | None = None

    @property
    def name(self) -> str:
        return self.model or MODELS[self.provider]


def cells(*rows: Cell) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("cell", [pytest.param(row, id=row.provider) for row in rows])


@contextmanager
def serve(cell: Cell) -> Iterator[tuple[Client, Loopback]]:
    """A client of the cell's provider; what arrived is compared at the end."""
    with Loopback(cell.reply) as server, _connect(cell.provider, server) as client:
        yield client, server
        check_sent(server.requests[-1], cell.sent)


def _connect(provider: str, server: Loopback) -> Client:
    return Client(provider, api_key="sk-of-the-tests", base_url=server.url, max_retries=0)


def check_sent(request: Received, expected: Any) -> None:
    body = request.json if request.headers.get("content-type", "").startswith("application/json") else request
    assert holds(body, expected), f"{body}\ndoes not hold\n{expected}"


def holds(value: Any, expected: Any) -> bool:
    """Tell whether a JSON value has all that is expected of it."""
    if callable(expected):
        return bool(expected(value))
    if isinstance(expected, dict):
        return isinstance(value, dict) and all(key in value and holds(value[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return isinstance(value, list) and len(value) == len(expected) and all(map(holds, value, expected))
    return bool(value == expected)


# Chat

TALK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
OPENAI_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 7,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 6},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
ANTHROPIC_USAGE = {
    "input_tokens": 4,
    "cache_read_input_tokens": 6,
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 3},
}
GEMINI_USAGE = {
    "promptTokenCount": 10,
    "cachedContentTokenCount": 6,
    "candidatesTokenCount": 4,
    "thoughtsTokenCount": 3,
    "totalTokenCount": 17,
}
OPENAI_TALK = {"messages": TALK, "temperature": 0.5, "stop": ["END"]}
ANTHROPIC_TALK = {
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Hi"}],
    "temperature": 0.5,
    "stop_sequences": ["END"],
    "max_tokens": 50,
}
GEMINI_TALK = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
    "generationConfig": {"temperature": 0.5, "stopSequences": ["END"], "maxOutputTokens": 50},
}
SETTINGS: Any = {"temperature": 0.5, "stop": ["END"], "max_tokens": 50}


def check_usage(usage: Any) -> None:
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 7, 17)
    assert usage.prompt_tokens_details.cached_tokens == 6
    assert usage.completion_tokens_details.reasoning_tokens == 3


@cells(
    Cell(OPENAI, say_openai({"content": "Hello"}, usage=OPENAI_USAGE), OPENAI_TALK),
    Cell(ANTHROPIC, say_anthropic({"type": "text", "text": "Hello"}, usage=ANTHROPIC_USAGE), ANTHROPIC_TALK),
    Cell(GEMINI, say_gemini({"text": "Hello"}, usageMetadata=GEMINI_USAGE), GEMINI_TALK),
)
def test_chat(cell: Cell) -> None:
    """With the system's words, parameters, and tokens as OpenAI counts them."""
    with serve(cell) as (client, _):
        answer = client.chat.completions.create(TALK, cell.name, **SETTINGS)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("Hello", "stop")
    assert (answer.provider, answer.warnings) == (cell.provider, [])
    check_usage(answer.usage)


@cells(
    Cell(
        OPENAI,
        stream_openai({"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}, usage=OPENAI_USAGE),
        {**OPENAI_TALK, "stream": True, "stream_options": {"include_usage": True}},
    ),
    Cell(
        ANTHROPIC,
        stream_anthropic(
            [
                {"type": "text", "text": ""},
                {"type": "text_delta", "text": "Hel"},
                {"type": "text_delta", "text": "lo"},
            ],
            **ANTHROPIC_USAGE,
        ),
        {**ANTHROPIC_TALK, "stream": True},
    ),
    Cell(GEMINI, stream_gemini([{"text": "Hel"}], [{"text": "lo"}], usageMetadata=GEMINI_USAGE), GEMINI_TALK),
)
def test_stream(cell: Cell) -> None:
    """Piece by piece, with the reason of the end and the tokens."""
    with serve(cell) as (client, server):
        stream = client.chat.completions.create(TALK, cell.name, stream=True, **SETTINGS)
        chunks = list(stream)
        assert cell.provider != GEMINI or server.requests[0].query == "alt=sse"
    assert [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content] == ["Hel", "lo"]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    check_usage(stream.usage)


FINISH = {
    OPENAI: [("length", "length"), ("content_filter", "content_filter"), ("stop", "stop")],
    ANTHROPIC: [("max_tokens", "length"), ("refusal", "content_filter"), ("stop_sequence", "stop")],
    GEMINI: [
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("STOP", "stop"),
    ],
}


@pytest.mark.parametrize(("provider", "theirs", "ours"), [(who, *pair) for who in FINISH for pair in FINISH[who]])
def test_finish_reasons(provider: str, theirs: str, ours: str) -> None:
    """In OpenAI's words."""
    reply = {
        OPENAI: lambda: say_openai({"content": "He"}, theirs),
        ANTHROPIC: lambda: say_anthropic({"type": "text", "text": "He"}, stop_reason=theirs),
        GEMINI: lambda: say_gemini({"text": "He"}, finish_reason=theirs),
    }[provider]()
    with serve(Cell(provider, reply)) as (client, _):
        assert client.chat.completions.create("Hi", MODELS[provider]).choices[0].finish_reason == ours


@dataclass
class City:
    name: str
    population: int


@cells(
    Cell(OPENAI, say_openai({"content": ""}, "content_filter")),
    Cell(ANTHROPIC, say_anthropic(stop_reason="refusal")),
    Cell(GEMINI, reply_json({"promptFeedback": {"blockReason": "SAFETY"}})),
)
def test_what_a_filter_withholds_is_no_empty_success(cell: Cell) -> None:
    """It is said in the finish reason, and an error where a value is wanted."""
    with serve(cell) as (client, _):
        assert client.chat.completions.create("Hi", cell.name).choices[0].finish_reason == "content_filter"
        with pytest.raises(ContentFilterFinishReasonError):
            client.chat.completions.parse("Hi", cell.name, response_format=City)


# Pictures, documents, sound

SEEN = {
    OPENAI: lambda url: {"messages": [{"content": [{"type": "text"}, {"image_url": {"url": url}}]}]},
    ANTHROPIC: lambda url: {"messages": [{"content": [{"type": "text"}, _source(url)]}]},
    GEMINI: lambda url: {"contents": [{"parts": [{"text": "What?"}, _blob(url)]}]},
}
ANSWERS = {
    OPENAI: say_openai({"content": "A cat."}),
    ANTHROPIC: say_anthropic({"type": "text", "text": "A cat."}),
    GEMINI: say_gemini({"text": "A cat."}),
}


def _source(url: str) -> dict[str, Any]:
    if url.startswith("https"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG64}}


def _blob(url: str) -> dict[str, Any]:
    if url.startswith("https"):
        return {"fileData": {"fileUri": url, "mimeType": "image/png"}}
    return {"inlineData": {"mimeType": "image/png", "data": PNG64}}


def _show(image: Any) -> dict[str, Any]:
    return {"image": image}


def _write_part(url: str) -> dict[str, Any]:
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"messages": [{"role": "user", "content": parts}]}


@pytest.mark.parametrize("provider", SEEN)
@pytest.mark.parametrize("way", ["bytes", "path", "url", "part", "part_url"])
def test_vision(provider: str, way: str, tmp_path: Path) -> None:
    """By `image=`, and by OpenAI's content parts."""
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    arguments: dict[str, dict[str, Any]] = {
        "bytes": _show(PNG),
        "path": _show(path),
        "url": _show(PICTURE_URL),
        "part": _write_part(f"data:image/png;base64,{PNG64}"),
        "part_url": _write_part(PICTURE_URL),
    }
    url = PICTURE_URL if "url" in way else f"data:image/png;base64,{PNG64}"
    with serve(Cell(provider, ANSWERS[provider], SEEN[provider](url))) as (client, _):
        answer = client.chat.completions.create(**{"messages": "What?", "model": MODELS[provider], **arguments[way]})
    assert answer.choices[0].message.content == "A cat."


READ_PDF = {"type": "file", "file": {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
HEAR = {"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}}


@cells(
    Cell(OPENAI, ANSWERS[OPENAI], {"messages": [{"content": [READ_PDF]}]}),
    Cell(
        ANTHROPIC,
        ANSWERS[ANTHROPIC],
        {
            "messages": [
                {
                    "content": [
                        {
                            "type": "document",
                            "title": "report.pdf",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                        }
                    ]
                }
            ]
        },
    ),
    Cell(
        GEMINI,
        ANSWERS[GEMINI],
        {"contents": [{"parts": [{"inlineData": {"mimeType": "application/pdf", "data": PDF}}]}]},
    ),
)
def test_documents(cell: Cell) -> None:
    """A PDF as OpenAI's file part."""
    with serve(cell) as (client, _):
        client.chat.completions.create([{"role": "user", "content": [READ_PDF]}], cell.name)


@cells(
    Cell(OPENAI, ANSWERS[OPENAI], {"messages": [{"content": [HEAR]}]}, "gpt-audio-2"),
    Cell(GEMINI, ANSWERS[GEMINI], {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav", "data": WAV}}]}]}),
)
def test_audio(cell: Cell) -> None:
    """As OpenAI's part."""
    with serve(cell) as (client, _):
        client.chat.completions.create([{"role": "user", "content": [HEAR]}], cell.name)


def test_anthropic_hears_nothing_and_says_so() -> None:
    """Before anything is sent."""
    with Loopback(ANSWERS[ANTHROPIC]) as server, _connect(ANTHROPIC, server) as client:
        with pytest.raises(UnsupportedError, match="Anthropic cannot hear or speak"):
            client.chat.completions.create([{"role": "user", "content": [HEAR]}])
        assert server.requests == []


# Tools

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]
CHOICE = {"type": "function", "function": {"name": "get_weather"}}


def call(at: int, city: str) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": json.dumps({"city": city})}
    return {"id": f"call-{at}", "type": "function", "function": function}


def use(at: int, city: str | None = None) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"call-{at}", "name": "get_weather", "input": {"city": city} if city else {}}


def function_call(at: int, city: str, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"id": f"call-{at}", "name": "get_weather", "args": {"city": city}}, **more}


SIGNED = {"thoughtSignature": "c2lnbmF0dXJl"}
THINKING = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
TWO_CALLS = {
    OPENAI: say_openai({"tool_calls": [call(0, "Rome"), call(1, "Oslo")]}, "tool_calls"),
    ANTHROPIC: say_anthropic(THINKING, use(0, "Rome"), use(1, "Oslo"), stop_reason="tool_use"),
    GEMINI: say_gemini(function_call(0, "Rome", **SIGNED), function_call(1, "Oslo")),
}
TOOLS_SENT = {
    OPENAI: {"tools": TOOLS, "tool_choice": CHOICE},
    ANTHROPIC: {
        "tools": [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}],
        "tool_choice": {"type": "tool", "name": "get_weather"},
    },
    GEMINI: {
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "get_weather", "description": "The weather.", "parametersJsonSchema": PARAMETERS}
                ]
            }
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
    },
}


def check_calls(message: Message) -> None:
    calls = [(found.function.name, json.loads(found.function.arguments)) for found in message.tool_calls]
    assert calls == [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Oslo"})]
    assert message.tool_calls[0].id != message.tool_calls[1].id


@pytest.mark.parametrize("provider", TWO_CALLS)
def test_tools(provider: str) -> None:
    """Definitions and the choice go out, parallel calls come back."""
    with serve(Cell(provider, TWO_CALLS[provider], TOOLS_SENT[provider])) as (client, _):
        answer = client.chat.completions.create("Weather?", MODELS[provider], tools=TOOLS, tool_choice=CHOICE)
    assert answer.choices[0].finish_reason == "tool_calls"
    check_calls(answer.choices[0].message)


CHOICES = {
    OPENAI: lambda choice: {"tool_choice": choice},
    ANTHROPIC: lambda choice: {"tool_choice": {"type": {"required": "any"}.get(choice, choice)}},
    GEMINI: lambda choice: {
        "toolConfig": {"functionCallingConfig": {"mode": {"required": "ANY"}.get(choice, choice.upper())}}
    },
}


@pytest.mark.parametrize("provider", CHOICES)
@pytest.mark.parametrize("choice", ["auto", "required", "none"])
def test_tool_choice(provider: str, choice: str) -> None:
    """In the words of each."""
    with serve(Cell(provider, ANSWERS[provider], CHOICES[provider](choice))) as (client, _):
        client.chat.completions.create("Weather?", MODELS[provider], tools=TOOLS, tool_choice=choice)


def _begin(at: int, name: str = "get_weather") -> dict[str, Any]:
    return {"index": at, "id": f"call-{at}", "type": "function", "function": {"name": name, "arguments": ""}}


def _continue(at: int, arguments: str) -> dict[str, Any]:
    return {"index": at, "function": {"arguments": arguments}}


def _grow(at: int, *pieces: str) -> list[dict[str, Any]]:
    return [use(at), *({"type": "input_json_delta", "partial_json": piece} for piece in pieces)]


@cells(
    Cell(
        OPENAI,
        stream_openai(
            {"tool_calls": [_begin(0)]},
            {"tool_calls": [_continue(0, '{"city": ')]},
            {"tool_calls": [_continue(0, '"Rome"}')]},
            {"tool_calls": [_begin(1)]},
            {"tool_calls": [_continue(1, '{"city": "Oslo"}')]},
            finish_reason="tool_calls",
        ),
        {"tools": TOOLS},
    ),
    Cell(
        ANTHROPIC,
        stream_anthropic(_grow(0, '{"city": ', '"Rome"}'), _grow(1, '{"city": "Oslo"}'), stop_reason="tool_use"),
    ),
    Cell(GEMINI, stream_gemini([function_call(0, "Rome", **SIGNED)], [function_call(1, "Oslo")])),
)
def test_streamed_tool_calls(cell: Cell) -> None:
    """Pieces of arguments say which call they belong to, and make the whole."""
    with serve(cell) as (client, _):
        chunks = list(client.chat.completions.create("Weather?", cell.name, tools=TOOLS, stream=True))
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls]
    assert {piece.index for piece in pieces} == {0, 1}
    assert len(pieces) >= (2 if cell.provider == GEMINI else 5)
    folded = fold_chunks(chunks).choices[0]
    assert folded.finish_reason == "tool_calls"
    check_calls(folded.message)


RESULTS_SENT = {
    OPENAI: {
        "messages": [
            {"role": "user"},
            {"role": "assistant", "tool_calls": [call(0, "Rome"), call(1, "Oslo")]},
            {"role": "tool", "tool_call_id": "call-0", "content": "21"},
            {"role": "tool", "tool_call_id": "call-1", "content": '{"degrees": 5}'},
        ]
    },
    ANTHROPIC: {
        "messages": [
            {"role": "user"},
            {"role": "assistant", "content": [THINKING, use(0, "Rome"), use(1, "Oslo")]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call-0", "content": "21"},
                    {"type": "tool_result", "tool_use_id": "call-1", "content": '{"degrees": 5}'},
                ],
            },
        ]
    },
    GEMINI: {
        "contents": [
            {"role": "user"},
            {"role": "model", "parts": [function_call(0, "Rome", **SIGNED), function_call(1, "Oslo")]},
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "get_weather", "response": {"output": "21"}}},
                    {"functionResponse": {"name": "get_weather", "response": {"degrees": 5}}},
                ],
            },
        ]
    },
}


@pytest.mark.parametrize("provider", TWO_CALLS)
@pytest.mark.parametrize("kept", ["message", "json"])
def test_results_of_tools_go_back_with_what_the_service_signed(provider: str, kept: str) -> None:
    """The answer's message is sent back as it came, or as it was kept on a disk."""
    with Loopback(TWO_CALLS[provider]) as server, _connect(provider, server) as client:
        model = MODELS[provider]
        message = client.chat.completions.create("Weather?", model, tools=TOOLS).choices[0].message
        back: Any = message if kept == "message" else json.loads(message.to_json())
        results = [
            {"role": "tool", "tool_call_id": found.id, "content": content}
            for found, content in zip(message.tool_calls, ["21", '{"degrees": 5}'], strict=True)
        ]
        client.chat.completions.create([{"role": "user", "content": "Weather?"}, back, *results], model, tools=TOOLS)
        check_sent(server.requests[-1], RESULTS_SENT[provider])


# Structured output

ROME = '{"name": "Rome", "population": 2800000}'
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["name", "population"],
    "additionalProperties": False,
}
FORMATS: dict[str, tuple[Callable[[str], Reply], dict[str, Any], dict[str, Any]]] = {
    OPENAI: (
        lambda text: say_openai({"content": text}),
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "City", "schema": SCHEMA, "strict": True},
            }
        },
        {"response_format": {"type": "json_object"}},
    ),
    ANTHROPIC: (
        lambda text: say_anthropic({"type": "text", "text": text}),
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {"system": lambda system: "JSON" in json.dumps(system)},
    ),
    GEMINI: (
        lambda text: say_gemini({"text": text}),
        {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}},
        {"generationConfig": {"responseMimeType": "application/json"}},
    ),
}


@pytest.mark.parametrize("provider", FORMATS)
def test_structured_output(provider: str) -> None:
    """A type goes out as the service's schema and comes back as a value; json_object is any object."""
    say, schema, any_object = FORMATS[provider]
    with serve(Cell(provider, say(ROME), schema)) as (client, _):
        answer = client.chat.completions.parse("Where?", MODELS[provider], response_format=City)
    assert answer.choices[0].message.parsed == City("Rome", 2800000)
    assert answer.warnings == []
    with serve(Cell(provider, say("{}"), any_object)) as (client, _):
        asked = client.chat.completions.create("Where?", MODELS[provider], response_format={"type": "json_object"})
    assert asked.choices[0].message.content == "{}"


# Reasoning


@cells(
    Cell(
        OPENAI,
        say_openai({"content": "4", "reasoning_content": "2 and 2"}, usage=OPENAI_USAGE),
        {"reasoning_effort": "high"},
        "gpt-6-luna",
    ),
    Cell(
        ANTHROPIC,
        say_anthropic({**THINKING, "thinking": "2 and 2"}, {"type": "text", "text": "4"}, usage=ANTHROPIC_USAGE),
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}},
    ),
    Cell(
        GEMINI,
        say_gemini({"text": "2 and 2", "thought": True}, {"text": "4", **SIGNED}, usageMetadata=GEMINI_USAGE),
        {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True}}},
        "gemini-3.8-flash",
    ),
)
def test_reasoning(cell: Cell) -> None:
    """The effort goes out; thoughts come beside the answer, and their tokens are counted."""
    with serve(cell) as (client, _):
        answer = client.chat.completions.create("2+2?", cell.name, reasoning_effort="high")
    message = answer.choices[0].message
    assert (message.content, message.reasoning_content) == ("4", "2 and 2")
    check_usage(answer.usage)


@cells(
    Cell(
        ANTHROPIC,
        stream_anthropic(
            [
                {"type": "thinking", "thinking": ""},
                {"type": "thinking_delta", "thinking": "2 and 2"},
                {"type": "signature_delta", "signature": "sig"},
            ],
            [{"type": "text", "text": ""}, {"type": "text_delta", "text": "4"}],
        ),
        {
            "messages": [
                {"role": "user"},
                {"role": "assistant", "content": [{**THINKING, "thinking": "2 and 2"}, {"type": "text", "text": "4"}]},
                {"role": "user"},
            ]
        },
    ),
    Cell(
        GEMINI,
        stream_gemini([{"text": "2 and 2", "thought": True}], [{"text": "4", **SIGNED}]),
        {"contents": [{"role": "user"}, {"role": "model", "parts": [{"text": "4", **SIGNED}]}, {"role": "user"}]},
    ),
)
def test_signatures_of_streamed_thoughts_go_back(cell: Cell) -> None:
    """The chunks put together are the message to send."""
    with serve(cell) as (client, _):
        chunks = list(client.chat.completions.create("2+2?", cell.name, reasoning_effort="high", stream=True))
        assert "2 and 2" in [chunk.choices[0].delta.reasoning_content for chunk in chunks]
        message = fold_chunks(chunks).choices[0].message
        talk = [{"role": "user", "content": "2+2?"}, message, {"role": "user", "content": "Sure?"}]
        list(client.chat.completions.create(talk, cell.name, stream=True))


# Images

DRAWN = {
    OPENAI: reply_json({"created": 1, "data": [{"b64_json": PNG64}, {"b64_json": PNG64}]}),
    GEMINI: say_gemini({"inlineData": {"mimeType": "image/png", "data": PNG64}}),
}


@cells(
    Cell(
        OPENAI,
        DRAWN[OPENAI],
        {"model": "gpt-image-2.6-flare", "prompt": "a cat", "n": 2, "size": "1024x1536", "quality": "low"},
        "gpt-image-2.6-flare",
    ),
    Cell(
        GEMINI,
        DRAWN[GEMINI],
        {
            "contents": [{"parts": [{"text": "a cat"}]}],
            "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "2:3"}},
        },
        "gemini-3.1-flash-image",
    ),
)
def test_images(cell: Cell, tmp_path: Path) -> None:
    """Several at once, of a size; what a service does not have is a warning."""
    with serve(cell) as (client, server):
        images = client.with_options(media_folder=str(tmp_path)).images.generate(
            "a cat", cell.name, n=2, size="1024x1536", quality="low"
        )
        requests = len(server.requests)
    assert [Path(image.path or "").read_bytes() for image in images.data] == [PNG, PNG]
    if cell.provider == GEMINI:
        assert requests == 2
        assert [warning.partition(" ")[0] for warning in sorted(images.warnings)] == ["quality", "size"]
    else:
        assert (requests, images.warnings) == (1, [])


@pytest.mark.parametrize("variation", [False, True])
@cells(
    Cell(OPENAI, DRAWN[OPENAI], lambda request: request.path == "/images/edits" and PNG in request.body),
    Cell(
        GEMINI,
        DRAWN[GEMINI],
        {"contents": [{"parts": [{}, {"inlineData": {"mimeType": "image/png", "data": PNG64}}]}]},
    ),
)
def test_edits_and_variations(cell: Cell, variation: bool) -> None:
    """The picture goes out with what to do."""
    prompt = "variation of this picture" if variation else "make it black"
    with serve(cell) as (client, server):
        if variation:
            images = client.images.create_variation(PNG, response_format="b64_json")
        else:
            images = client.images.edit(PNG, "make it black", response_format="b64_json")
        assert prompt.encode() in server.requests[0].body
    assert images.data[0].b64_json == PNG64


def test_an_image_provider_draws_for_anothers_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gemini draws what a program asks of `dall-e-3`, and says so."""
    with Loopback(DRAWN[GEMINI]) as server:
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        with Client(OPENAI, image_provider=GEMINI, api_key={GEMINI: "sk"}) as client:
            images = client.images.generate("a cat", "dall-e-3", response_format="b64_json")
        assert server.requests[0].path.endswith("/models/gemini-nano-banana-2.1:generateContent")
    assert (images.provider, images.model) == (GEMINI, "gemini-nano-banana-2.1")
    assert images.warnings == ["dall-e-3 is no model of Gemini; gemini-nano-banana-2.1 answered instead."]


# The rest


@cells(
    Cell(
        OPENAI,
        reply_json(
            {
                "data": [{"index": 0, "embedding": [0.5]}, {"index": 1, "embedding": [1.5]}],
                "usage": {"prompt_tokens": 2, "total_tokens": 2},
            }
        ),
        {"input": ["a", "b"], "model": "text-embedding-3-small", "dimensions": 1},
        "text-embedding-3-small",
    ),
    Cell(
        GEMINI,
        reply_json({"embeddings": [{"values": [0.5]}, {"values": [1.5]}]}),
        {
            "requests": [
                {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 1},
                {"content": {"parts": [{"text": "b"}]}, "outputDimensionality": 1},
            ]
        },
        "gemini-embedding-001",
    ),
)
def test_embeddings(cell: Cell) -> None:
    """One vector a text."""
    with serve(cell) as (client, _):
        answer = client.embeddings.create(["a", "b"], cell.name, dimensions=1)
    assert [row.embedding for row in answer.data] == [[0.5], [1.5]]


@pytest.mark.parametrize(
    ("provider", "settings", "where"),
    [
        (OPENAI, {"settings": {"organization": "us"}}, lambda request: request.headers["openai-organization"] == "us"),
        (OPENAI, {"settings": {"project": "p-1"}}, lambda request: request.headers["openai-project"] == "p-1"),
        (
            ANTHROPIC,
            {"api_version": "2026-10-21"},
            lambda request: request.headers["anthropic-version"] == "2026-10-21",
        ),
        (GEMINI, {"api_version": "v1"}, lambda request: request.path.startswith("/v1/models/")),
    ],
)
def test_settings(provider: str, settings: dict[str, Any], where: Callable[[Received], bool]) -> None:
    """What the program gives reaches the service."""
    with Loopback(ANSWERS[provider]) as server, _connect(provider, server) as client:
        client.with_options(**settings).chat.completions.create("Hi", MODELS[provider])  # type: ignore[arg-type]
        client.chat.completions.create("Hi", MODELS[provider])
        assert where(server.requests[0])
        assert not server.requests[1].headers.keys() & {"openai-organization", "openai-project"}


LISTS = {
    OPENAI: reply_json({"data": [{"id": "gpt-new", "object": "model"}]}),
    ANTHROPIC: reply_json({"data": [{"id": "claude-new", "type": "model", "display_name": "New"}], "has_more": False}),
    GEMINI: reply_json({"models": [{"name": "models/gemini-new", "supportedGenerationMethods": ["generateContent"]}]}),
}


@pytest.mark.parametrize("provider", LISTS)
def test_models(provider: str) -> None:
    """Those of the manifest and those that the service lists now."""
    with Loopback(LISTS[provider]) as server, _connect(provider, server) as client:
        found = {model.id for model in client.models.list()}
    assert {MODELS[provider], f"{MODELS[provider].partition('-')[0]}-new"} <= found


@pytest.mark.parametrize(
    ("provider", "variable", "old", "new"),
    [
        (OPENAI, "OPENAI_BASE_URL", "gpt-3.5-turbo", "gpt-5.6-terra"),
        (ANTHROPIC, "ANTHROPIC_BASE_URL", "claude-3-opus-20240229", "claude-opus-4-8"),
        (GEMINI, "GOOGLE_GEMINI_BASE_URL", "gemini-2.0-flash", "gemini-3.8-flash"),
    ],
)
def test_retired_models(provider: str, variable: str, old: str, new: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their successor answers, and the answer says so."""
    with Loopback(ANSWERS[provider]) as server, Client(provider, api_key="sk-of-the-tests") as client:
        monkeypatch.setenv(variable, server.url)
        answer = client.chat.completions.create("Hi", old)
        request = server.requests[0]
        assert new in (request.json.get("model"), request.path.rpartition("/")[2].partition(":")[0])
    assert [warning for warning in answer.warnings if f"{old} was retired" in warning]


def _delay(seconds: str) -> dict[str, Any]:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": seconds}]
    return {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Wait.", "details": details}}


DATE = {"date": "Fri, 21 Nov 2026 12:00:00 GMT"}
LIMITED = {
    OPENAI: [
        reply_json({"error": {"message": "Wait."}}, 429, retry_after="7"),
        reply_json({"error": {"message": "Wait."}}, 429, retry_after_ms="7000", retry_after="9"),
    ],
    ANTHROPIC: [
        reply_json({"type": "error", "error": {"type": "rate_limit_error", "message": "Wait."}}, 429, retry_after="7"),
        reply_json(
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Wait."}},
            429,
            **DATE,
            **{"anthropic-ratelimit-requests-remaining": "0"},
            **{"anthropic-ratelimit-requests-reset": "2026-11-21T12:00:07Z"},
        ),
    ],
    GEMINI: [reply_json(_delay("7s"), 429), reply_json(_delay("7.0s"), 429)],
}


@pytest.mark.parametrize(("provider", "reply"), [(who, reply) for who in LIMITED for reply in LIMITED[who]])
def test_how_long_to_wait_is_read_from_where_the_service_says_it(provider: str, reply: Reply) -> None:
    """A header in one of its forms, or the body."""
    with serve(Cell(provider, reply)) as (client, _), pytest.raises(RateLimitError) as caught:
        client.chat.completions.create("Hi", MODELS[provider])
    assert (caught.value.retry_after, caught.value.retryable) == (7.0, True)


WRONG = {
    OPENAI: [
        (reply_json({"error": {"message": "No.", "code": "invalid_api_key"}}, 401), AuthenticationError),
        (reply_json({"error": {"message": "Down."}}, 503), InternalServerError),
    ],
    ANTHROPIC: [
        (
            reply_json({"type": "error", "error": {"type": "authentication_error", "message": "No."}}, 401),
            AuthenticationError,
        ),
        (
            reply_json({"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}, 529),
            InternalServerError,
        ),
    ],
    GEMINI: [
        (
            reply_json(
                {
                    "error": {
                        "code": 400,
                        "status": "INVALID_ARGUMENT",
                        "message": "No.",
                        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
                    }
                },
                400,
            ),
            AuthenticationError,
        ),
        (reply_json({"error": {"code": 503, "status": "UNAVAILABLE", "message": "Busy."}}, 503), InternalServerError),
    ],
}


@pytest.mark.parametrize(("provider", "reply", "kind"), [(who, *pair) for who in WRONG for pair in WRONG[who]])
def test_errors_have_one_class_for_one_cause(provider: str, reply: Reply, kind: type[Exception]) -> None:
    """Whatever status and words the service has for it."""
    with serve(Cell(provider, reply)) as (client, _), pytest.raises(kind):
        client.chat.completions.create("Hi", MODELS[provider])
