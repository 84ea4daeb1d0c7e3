from __future__ import annotations

import json
from typing import Any

import pytest

from g4f.chat import ChatOptions, ChatRequest, Chunk
from g4f.errors import BadRequestError, InternalServerError, InvalidInputError, UnsupportedError
from g4f.fold import fold_chunks
from g4f_provider_local.engine import EngineError, EngineSettings
from g4f_provider_local.wire import ChunkDecoder, decode_chat, decode_error, encode_chat, encode_settings

TOOLS: list[dict[str, Any]] = [{"type": "function", "function": {"name": "weather"}}]
CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'


def make_request(content: Any = "Hi", **options: Any) -> ChatRequest:
    """Ask something."""
    return ChatRequest(({"role": "user", "content": content},), "a-model", options=ChatOptions(**options))  # type: ignore[typeddict-item]


def encode(request: ChatRequest, *, stream: bool = False) -> tuple[dict[str, Any], list[str]]:
    """Encode a request and return the body and the warnings."""
    warnings: list[str] = []
    return encode_chat(request, stream=stream, warn=warnings.append), warnings


def test_what_the_runtime_knows_is_passed_on() -> None:
    """Under OpenAI's names; None is nothing."""
    body, warnings = encode(make_request(seed=1, stop=["\n"], max_completion_tokens=5, temperature=None))
    assert body == {
        "messages": [{"role": "user", "content": "Hi"}],
        "seed": 1,
        "stop": ["\n"],
        "max_completion_tokens": 5,
    }
    assert warnings == []


def test_what_the_runtime_does_not_know_is_left_out_with_a_warning() -> None:
    """Never in silence."""
    body, warnings = encode(make_request(store=True, reasoning_effort="low"))
    assert body.keys() == {"messages"}
    assert warnings == [
        "Local has no setting reasoning_effort; it was left out.",
        "Local has no setting store; it was left out.",
    ]


def test_a_stream_asks_for_usage() -> None:
    """Whatever the user asks for: who gets it is the client's affair."""
    body, warnings = encode(make_request(stream_options={"include_usage": False}), stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert warnings == []


def test_extra_body_has_the_last_word() -> None:
    """It carries the runtime's own samplers."""
    request = ChatRequest(({"role": "user", "content": "Hi"},), extra_body={"top_k": 1})
    assert encode(request)[0]["top_k"] == 1


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,"}},
        {"type": "input_audio", "input_audio": {}},
        {"type": "file", "file": {}},
        "bare",
    ],
)
def test_anything_but_text_is_refused(part: Any) -> None:
    """Before anything is computed."""
    with pytest.raises(UnsupportedError, match="Local reads text only"):
        encode(make_request([{"type": "text", "text": "What is this?"}, part]))


def test_other_modalities_are_refused() -> None:
    """Text alone may be asked for by name."""
    assert encode(make_request(modalities=["text"]))[1] == []
    with pytest.raises(UnsupportedError, match="writes text only"):
        encode(make_request(modalities=["text", "audio"]))


def test_a_required_tool_call_is_all_that_may_be_written() -> None:
    """The model still reads about the tools."""
    body, _ = encode(make_request(tools=TOOLS, tool_choice="required"))
    assert body["tools"] == TOOLS
    assert body["tool_choice"] == "none"
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["anyOf"][0]["properties"]["name"] == {"const": "weather"}


def test_tools_that_may_not_be_called_are_not_shown() -> None:
    """The model would call what it has read about, and its text is no call then."""
    request = make_request(tools=TOOLS, tool_choice="none")
    body, _ = encode(request)
    assert not {"tools", "tool_choice", "response_format"} & body.keys()
    message = {"role": "assistant", "content": '{"name": "weather", "arguments": {}}'}
    answer = {"id": "a", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    assert decode_chat(answer, request).choices[0].message.tool_calls == []


def test_settings_are_read_from_provider_options() -> None:
    """Those that do not exist are told."""
    warnings: list[str] = []
    settings = encode_settings({"n_ctx": 2048, "threads": 3, "speed": "high"}, warnings.append)
    assert settings == EngineSettings(n_ctx=2048, threads=3)
    assert warnings == [
        "Local has no option speed; it was left out. It has n_ctx, parallel, n_batch, threads, gpu_layers."
    ]


@pytest.mark.parametrize("value", [0, -1, "many", 2.5, True])
def test_a_setting_that_makes_no_sense_is_an_error(value: Any) -> None:
    """Before anything is loaded."""
    with pytest.raises(InvalidInputError, match="parallel must be a whole number of at least 1"):
        encode_settings({"parallel": value}, lambda sentence: None)


def make_answer(content: str) -> dict[str, Any]:
    """What the runtime answers."""
    message = {"role": "assistant", "content": content}
    return {"id": "x", "model": "file.gguf", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def test_an_answer_names_the_model_that_was_asked() -> None:
    """The runtime names the file."""
    assert decode_chat(make_answer("Hello"), make_request()).model == "a-model"


def test_a_written_call_becomes_a_tool_call() -> None:
    """Where tools were given."""
    choice = decode_chat(make_answer(CALL), make_request(tools=TOOLS)).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert choice.message.tool_calls[0].function.name == "weather"
    assert decode_chat(make_answer(CALL), make_request()).choices[0].message.content == CALL


def make_event(content: str | None = None, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    """An event of the runtime's stream."""
    delta = {} if finish else {"content": content}
    return {
        "id": "x",
        "model": "file.gguf",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
        **more,
    }


def make_usage(completion: int) -> dict[str, Any]:
    """An event with usage."""
    usage = {"prompt_tokens": 10, "completion_tokens": completion, "total_tokens": 10 + completion}
    return {"id": "x", "model": "file.gguf", "choices": [], "usage": usage}


def decode(request: ChatRequest, *events: dict[str, Any]) -> list[Chunk]:
    """Decode a stream."""
    decoder = ChunkDecoder(request)
    chunks = [chunk for event in events if (chunk := decoder.feed(event)) is not None]
    return [*chunks, *decoder.close()]


def test_the_usage_of_several_choices_is_told_once() -> None:
    """The prompt counts once, the answers each."""
    events = [make_event("A", index=1), make_event(finish="stop", index=1), make_usage(3)]
    events += [make_event("B"), make_event(finish="stop"), make_usage(4)]
    chunks = decode(make_request(n=2), *events)
    assert [chunk.usage is not None for chunk in chunks] == [False] * 4 + [True]
    usage = chunks[-1].usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 7, 17)
    assert chunks[-1].choices == []


def test_text_is_passed_on_as_it_comes() -> None:
    """Each piece in its own chunk."""
    chunks = decode(make_request(), make_event("He"), make_event("llo"), make_event(finish="stop"))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["He", "llo", None]
    assert {chunk.model for chunk in chunks} == {"a-model"}


def test_with_tools_text_is_passed_on_once_it_can_be_no_call() -> None:
    """Nothing of it is lost."""
    chunks = decode(make_request(tools=TOOLS), make_event("\n"), make_event("He"), make_event("{"), make_event("}"))
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["\nHe", "{", "}"]


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_call_in_a_stream_becomes_a_tool_call(size: int) -> None:
    """However it is cut."""
    events = [make_event(CALL[at : at + size]) for at in range(0, len(CALL), size)]
    chunks = decode(make_request(tools=TOOLS), *events, make_event(finish="stop"))
    assert len(chunks) == 1
    choice = fold_chunks(chunks).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Paris"}


def test_what_only_looked_like_a_call_is_told_at_the_end() -> None:
    """As text."""
    chunks = decode(make_request(tools=TOOLS), make_event('{"a":'), make_event("1}"), make_event(finish="length"))
    completion = fold_chunks(chunks)
    assert completion.choices[0].message.content == '{"a":1}'
    assert completion.choices[0].finish_reason == "length"


def test_a_prompt_that_is_too_long_is_told_with_the_numbers() -> None:
    """Under OpenAI's code."""
    body = {
        "code": 400,
        "message": "too long",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 9000,
        "n_ctx": 8192,
    }
    error = decode_error(EngineError(400, body))
    assert isinstance(error, BadRequestError)
    assert error.code == "context_length_exceeded"
    assert "9000 tokens" in str(error)
    assert "8192" in str(error)
    assert error.body["error"]["n_prompt_tokens"] == 9000


def test_a_refusal_is_not_worth_repeating() -> None:
    """The same request meets the same model."""
    error = decode_error(EngineError(500, {"code": 500, "message": "broken template", "type": "server_error"}))
    assert isinstance(error, InternalServerError)
    assert not error.retryable
