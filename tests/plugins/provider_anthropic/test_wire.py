"""The dialect's translations, one by one."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from g4f import APIResponseError, ChatRequest, G4FError, InvalidInputError, UnsupportedError
from g4f.context import HttpResponse
from g4f_provider_anthropic import wire

PNG_URL = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF_URL = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7").decode()
HI = {"role": "user", "content": "Hi"}
ASKED = [{"type": "text", "text": "Hi"}]
TOOL = {
    "type": "function",
    "function": {"name": "get_weather", "description": "w", "parameters": {"type": "object", "properties": {}}},
}


def _send(
    *messages: dict[str, Any], model: str = "claude-haiku-4-5", stream: bool = False, **more: Any
) -> tuple[dict[str, Any], list[str]]:
    """Return the body that a request makes, and the warnings."""
    warnings: list[str] = []
    extra = {name: more.pop(name) for name in ("extra_body", "extra_headers", "provider_options") if name in more}
    request = ChatRequest(tuple(messages or (HI,)), model, options=more, **extra)  # type: ignore[arg-type]
    before = copy.deepcopy((request.messages, request.options))
    sent = wire.encode_chat(request, stream=stream, warn=warnings.append)
    assert (request.messages, request.options) == before, "the request is the caller's"
    return json.loads(sent.body), warnings


def _options(model: str = "claude-haiku-4-5", **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the fields that parameters make, and the warnings."""
    body, warnings = _send(model=model, **options)
    return {name: value for name, value in body.items() if name not in ("messages", "model", "max_tokens")}, warnings


# Messages.


def test_system_and_developer_messages_are_the_systems_words() -> None:
    """One text stays a text; several become blocks."""
    assert _send({"role": "system", "content": "Be terse"}, HI)[0]["system"] == "Be terse"
    body, warnings = _send({"role": "system", "content": "A"}, {"role": "developer", "content": "B"}, HI)
    assert body["system"] == [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert body["messages"] == [HI]
    assert warnings == []


def test_a_system_message_inside_the_conversation_is_moved_and_told() -> None:
    """The dialect's older models know no other place for it."""
    body, warnings = _send(HI, {"role": "system", "content": "Be terse"}, HI)
    assert body["system"] == "Be terse"
    assert len(body["messages"]) == 1
    assert "moved to its beginning" in warnings[0]


def test_a_system_message_alone_is_sent_as_the_users() -> None:
    """The service answers no empty conversation."""
    body, warnings = _send({"role": "system", "content": "Say hi"})
    assert "system" not in body
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Say hi"}]}]
    assert len(warnings) == 1


def test_messages_of_one_role_in_a_row_are_one_turn() -> None:
    """Turns alternate; nothing of what was said is lost."""
    body, _ = _send(HI, {"role": "user", "content": "there"}, {"role": "assistant", "content": "A"}, HI)
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"] == [*ASKED, {"type": "text", "text": "there"}]


def test_messages_without_content_are_left_out() -> None:
    """The service refuses empty texts; a conversation of nothing is an error before it is sent."""
    body, _ = _send(HI, {"role": "assistant", "content": ""}, {"role": "user", "content": " \n"})
    assert body["messages"] == [HI]
    with pytest.raises(InvalidInputError, match="nothing to send"):
        _send({"role": "user", "content": ""})


def test_calls_and_their_results_go_along() -> None:
    """Results are the user's turn, before what the user said; ids get the letters that the service allows."""
    calls = [
        {"id": f"functions.f:{n}", "type": "function", "function": {"name": "f", "arguments": f'{{"n": {n}}}'}}
        for n in (0, 1)
    ]
    results = [{"role": "tool", "tool_call_id": f"functions.f:{n}", "content": str(n)} for n in (0, 1)]
    body, warnings = _send(HI, {"role": "assistant", "content": None, "tool_calls": calls}, *results, HI)
    _, calling, told = body["messages"]
    assert calling["content"] == [
        {"type": "tool_use", "id": f"functions_f_{n}", "name": "f", "input": {"n": n}} for n in (0, 1)
    ]
    assert told["content"] == [
        *({"type": "tool_result", "tool_use_id": f"functions_f_{n}", "content": str(n)} for n in (0, 1)),
        *ASKED,
    ]
    assert warnings == []


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ("", {}),
        ("{}", {}),
        ('{"a": "ü\\ud83d\\ude00"}', {"a": "ü😀"}),
        ('{"a": "cut', {"arguments": '{"a": "cut'}),
        ("[1]", {"arguments": [1]}),
        (None, {}),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_a_calls_arguments_become_an_object(arguments: Any, sent: dict[str, Any]) -> None:
    """Also where the model's JSON was cut: the service takes nothing else."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    body, _ = _send(HI, {"role": "assistant", "tool_calls": [call]})
    assert body["messages"][1]["content"][0]["input"] == sent


def test_the_functions_of_openais_first_models_become_calls() -> None:
    """They have no ids: the name joins call and result."""
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    body, _ = _send(HI, call, {"role": "function", "name": "f", "content": "1"})
    assert body["messages"][1]["content"][0]["id"] == body["messages"][2]["content"][0]["tool_use_id"] == "f"


def test_thinking_goes_back_with_its_signature_only() -> None:
    """What another service thought, or what lost its signature, would be refused."""
    thoughts = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "thinking", "thinking": "unsigned"},
    ]
    body, _ = _send(HI, {"role": "assistant", "content": "A", "reasoning_content": "hm", "thinking_blocks": thoughts})
    assert body["messages"][1]["content"] == [*thoughts[:2], {"type": "text", "text": "A"}]


def test_an_edited_answer_is_sent_as_it_was_edited() -> None:
    """`content_blocks` that no longer say what the message says are not used."""
    blocks = [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, {"type": "text", "text": "A"}]
    answer = {"role": "assistant", "content": "A", "content_blocks": blocks}
    assert _send(HI, answer)[0]["messages"][1]["content"] == blocks
    edited = _send(HI, {**answer, "content": "B"})[0]["messages"][1]
    assert edited == {"role": "assistant", "content": "B"}


PART_NAMES = [
    "picture",
    "picture of a misspelled type",
    "picture by address",
    "PDF",
    "bare base64",
    "text",
    "PDF by address",
    "uploaded file",
    "picture as a file",
    "the dialect's own",
]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "high"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_URL.split(",")[1]}},
        ),
        (
            {"type": "image_url", "image_url": PNG_URL.replace("png", "jpg"), "cache_control": {"type": "ephemeral"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/jpeg", "data": PNG_URL.split(",")[1]},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
            {"type": "image", "source": {"type": "url", "url": "https://example.org/cat.png"}},
        ),
        (
            {"type": "file", "file": {"file_data": PDF_URL, "filename": "a.pdf"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF_URL.split(",")[1]},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "file", "file": {"file_data": PDF_URL.split(",")[1]}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF_URL.split(",")[1]},
            },
        ),
        (
            {"type": "file", "file": {"file_data": "data:text/plain;base64,w7w="}},
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "ü"}},
        ),
        (
            {"type": "file", "file": {"file_data": "https://example.org/a.pdf"}},
            {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        ),
        (
            {"type": "file", "file": {"file_id": "file_1"}},
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        ),
        (
            {"type": "file", "file": {"file_data": PNG_URL}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG_URL.split(",")[1]}},
        ),
        ({"type": "container_upload", "file_id": "f"}, {"type": "container_upload", "file_id": "f"}),
    ],
    ids=PART_NAMES,
)
def test_a_part_becomes_a_block(part: dict[str, Any], block: dict[str, Any]) -> None:
    """Pictures and documents by data or address; the dialect's own blocks stay as they are."""
    body, warnings = _send({"role": "user", "content": [part, {"type": "text", "text": "Hi"}]})
    assert body["messages"] == [{"role": "user", "content": [block, *ASKED]}]
    assert warnings == []


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "input_audio", "input_audio": {}}, UnsupportedError),
        ({"type": "video_url", "video_url": {}}, UnsupportedError),
        ({"type": "image_url", "image_url": {"url": "cat.png"}}, InvalidInputError),
        ({"type": "image_url"}, InvalidInputError),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,!"}}, InvalidInputError),
        ({"type": "file", "file": {}}, InvalidInputError),
        ({"type": "file"}, InvalidInputError),
        ({"text": "no type"}, InvalidInputError),
        (1, InvalidInputError),
    ],
)
def test_a_part_that_cannot_be_sent_is_an_error_before_it_is(part: Any, kind: type[G4FError]) -> None:
    """Nothing of a message is dropped without a word."""
    with pytest.raises(kind):
        _send({"role": "user", "content": [part]})


# Parameters.


def test_max_tokens_is_always_sent() -> None:
    """The dialect wants it; of OpenAI's two names the newer wins."""
    assert _send()[0]["max_tokens"] == 8192
    assert _send(max_tokens=5)[0]["max_tokens"] == 5
    assert _send(max_tokens=5, max_completion_tokens=6)[0]["max_tokens"] == 6


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"stop": "x"}, {"stop_sequences": ["x"]}),
        ({"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]}),
        ({"temperature": 0.2}, {"temperature": 0.2}),
        ({"top_p": 0.9}, {"top_p": 0.9}),
        ({"temperature": 0.2, "top_p": 1}, {"temperature": 0.2}),
        ({"user": "u"}, {"metadata": {"user_id": "u"}}),
        ({"safety_identifier": "s"}, {"metadata": {"user_id": "s"}}),
        ({"metadata": {"user_id": "m"}}, {"metadata": {"user_id": "m"}}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"n": 1, "logprobs": False, "frequency_penalty": 0, "modalities": ["text"], "store": False}, {}),
        ({"stream_options": {"include_usage": True}}, {}),
        ({"response_format": {"type": "text"}}, {}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tool_choice": {"type": "any"}}),
        ({"tools": [TOOL], "tool_choice": "none", "parallel_tool_calls": False}, {"tool_choice": {"type": "none"}}),
        (
            {"tools": [TOOL], "parallel_tool_calls": False},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
            {"tool_choice": {"type": "tool", "name": "get_weather"}},
        ),
        ({"tool_choice": "required"}, {}),
        ({"web_search_options": {}}, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
    ],
    ids=str,
)
def test_a_parameter_is_said_in_the_dialects_words(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """And nothing is warned of where nothing is lost."""
    fields, warnings = _options(**given)
    if "tools" in given:
        assert fields.pop("tools")[0]["name"] == "get_weather"
    assert (fields, warnings) == (sent, [])


@pytest.mark.parametrize(
    ("given", "sent", "word"),
    [
        ({"temperature": 1.7}, {"temperature": 1}, "temperature"),
        ({"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2}, "top_p"),
        ({"n": 2}, {}, "n "),
        ({"seed": 1}, {}, "seed"),
        ({"logprobs": True}, {}, "logprobs"),
        ({"top_logprobs": 2}, {}, "top_logprobs"),
        ({"frequency_penalty": 0.5}, {}, "frequency_penalty"),
        ({"presence_penalty": 0.5}, {}, "presence_penalty"),
        ({"logit_bias": {"1": 2}}, {}, "logit_bias"),
        ({"prediction": {}}, {}, "prediction"),
        ({"audio": {}}, {}, "audio"),
        ({"modalities": ["text", "audio"]}, {}, "modalities"),
        ({"verbosity": "low"}, {}, "verbosity"),
        ({"store": True}, {}, "store"),
        ({"prompt_cache_key": "k"}, {}, "prompt_cache_key"),
        ({"metadata": {"a": "b"}}, {}, "metadata"),
        ({"service_tier": "flex"}, {}, "service_tier"),
        ({"stop": [" "]}, {}, "stop"),
        ({"reasoning_effort": "enormous"}, {}, "reasoning_effort"),
        ({"response_format": {"type": "grammar"}}, {}, "response_format"),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, {}, "tool"),
    ],
    ids=str,
)
def test_a_parameter_that_the_service_lacks_is_told(given: dict[str, Any], sent: dict[str, Any], word: str) -> None:
    """One sentence each, never silence."""
    fields, [warning] = _options(**given)
    assert fields == sent
    assert word in warning


@pytest.mark.parametrize(
    "model", ["claude-opus-4-7", "claude-opus-5", "claude-sonnet-5-5", "claude-fable-5", "claude-new-9"]
)
def test_newer_models_get_no_temperature(model: str) -> None:
    """They answer 400 to it; its default value is left out without a word."""
    fields, warnings = _options(model, temperature=0.2, top_p=0.9)
    assert fields == {}
    assert [warning.partition(" ")[0] for warning in warnings] == ["temperature", "top_p"]
    assert _options(model, temperature=1) == ({}, [])


def test_the_newest_api_version_gets_no_temperature() -> None:
    """It knows none for whatever model, even at its default; the version is set by header or by option."""
    for more in (
        {"extra_headers": {"Anthropic-Version": "2026-10-21"}},
        {"provider_options": {"api_version": "2026-10-21"}},
    ):
        fields, warnings = _options(temperature=0.2, **more)
        assert "temperature" not in fields
        assert len(warnings) == 1
        assert _options(temperature=1, **more) == ({}, [])


@pytest.mark.parametrize(
    ("model", "effort", "sent", "warned"),
    [
        ("claude-haiku-4-5", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, 0),
        ("claude-haiku-4-5", "high", {"thinking": {"type": "enabled", "budget_tokens": 4096}}, 0),  # half of max_tokens
        ("claude-haiku-4-5", "none", {}, 0),
        ("claude-sonnet-4-6", "high", "high", 0),
        ("claude-sonnet-4-6", "xhigh", "max", 1),
        ("claude-opus-4-8", "xhigh", "xhigh", 0),
        ("claude-opus-5", "minimal", "low", 1),
        ("claude-opus-5", "none", {"thinking": {"type": "disabled"}}, 0),
        ("claude-sonnet-5-5", "none", {"thinking": {"type": "between_tools"}}, 0),
        ("claude-opus-5-5", "none", {"output_config": {"effort": "low"}}, 1),
        ("claude-fable-5-2", "max", "max", 0),
        ("claude-new-9", "medium", "medium", 0),
        ("other-model", "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}}, 0),
    ],
)
def test_reasoning_effort_is_said_as_the_model_takes_it(model: str, effort: str, sent: Any, warned: int) -> None:
    """By a budget of tokens or by the service's own effort, with the thinking shown."""
    if isinstance(sent, str):
        sent = {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": sent}}
    fields, warnings = _options(model, reasoning_effort=effort)
    assert fields == sent
    assert len(warnings) == warned


def test_thinking_by_budget_leaves_room_and_freedom() -> None:
    """Where max_tokens is too small, a tool is forced or a temperature is set, what cannot be is told."""
    assert "thinking" not in _options(reasoning_effort="high", max_tokens=1024)[0]
    fields, warnings = _options(reasoning_effort="high", tools=[TOOL], tool_choice="required")
    assert "thinking" not in fields
    assert "reasoning_effort" in warnings[0]
    fields, warnings = _options(reasoning_effort="low", temperature=0.2)
    assert "temperature" not in fields
    assert "temperature" in warnings[0]


@pytest.mark.parametrize("model", ["claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1", "claude-new-9"])
def test_a_model_that_cannot_be_forced_chooses_itself(model: str) -> None:
    """The newest models answer 400 to a forced call."""
    fields, warnings = _options(model, tools=[TOOL], tool_choice="required")
    assert fields["tool_choice"] == {"type": "auto"}
    assert "tool_choice" in warnings[0]


def test_tools_of_both_forms_are_sent() -> None:
    """OpenAI's functions are said anew; the service's own tools stay as they are."""
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    bare = {"type": "function", "function": {"name": "now", "strict": True, "parameters": {"type": "object"}}}
    fields, warnings = _options(tools=[TOOL, bare, search, {"type": "function", "function": {"name": "f"}}])
    assert fields["tools"] == [
        {"name": "get_weather", "description": "w", "input_schema": {"type": "object", "properties": {}}},
        {"name": "now", "input_schema": {"type": "object", "additionalProperties": False}, "strict": True},
        search,
        {"name": "f", "input_schema": {"type": "object", "properties": {}}},
    ]
    assert warnings == []


def test_a_schema_is_sent_closed_and_without_what_the_service_refuses() -> None:
    """Constraints that it does not know are told to the model in the description."""
    schema = {
        "type": "object",
        "properties": {
            "age": {"type": "integer", "minimum": 0, "maximum": 9, "description": "years"},
            "properties": {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 1, "maxItems": 3},
            "when": {"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "x"}]},
        },
        "required": ["age"],
        "$defs": {"a": {"type": "object", "properties": {"b": {"type": ["string", "null"]}}}},
    }
    fields, warnings = _options(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}})
    assert fields["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {
                "age": {"type": "integer", "description": "years\n\n{minimum: 0, maximum: 9}"},
                "properties": {
                    "type": "array",
                    "items": {"$ref": "#/$defs/a"},
                    "minItems": 1,
                    "description": "{maxItems: 3}",
                },
                "when": {
                    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "description": "{format: x}"}]
                },
            },
            "required": ["age"],
            "$defs": {
                "a": {
                    "type": "object",
                    "properties": {"b": {"type": ["string", "null"]}},
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        },
    }
    assert warnings == []


def test_a_schema_with_open_objects_is_told_in_words() -> None:
    """Closed, they would be empty. A member that is called as a keyword is none."""
    table = {"type": "object", "additionalProperties": {"type": "integer"}}
    schema = {"type": "object", "properties": {"counts": table}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    body, warnings = _send(HI, response_format=form)
    assert body["system"].startswith("Answer with one JSON object and nothing else. It must fit this JSON schema: {")
    assert json.loads(body["system"].partition("schema: ")[2]) == schema
    assert "output_config" not in body
    assert warnings == [
        "The schema was told in the system message: Anthropic cannot be held to objects with any members."
    ]
    named = {"type": "object", "properties": {"type": {"type": "string"}, "additionalProperties": {"type": "string"}}}
    fields, warnings = _options(response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": named}})
    assert fields["output_config"]["format"]["schema"]["properties"] == named["properties"]
    assert warnings == []


def test_json_without_a_schema_is_asked_for_in_words() -> None:
    """There is no parameter for it, and a warning says so."""
    body, warnings = _send({"role": "system", "content": "A"}, HI, response_format={"type": "json_object"})
    assert [block["text"] for block in body["system"]] == ["A", "Answer with one JSON object and nothing else."]
    assert "output_config" not in body
    assert len(warnings) == 1


def test_what_only_the_service_knows_is_sent_as_it_is() -> None:
    """`provider_options` and `extra_body` become fields of the body, betas a header."""
    warnings: list[str] = []
    request = ChatRequest(
        (HI,),
        "claude-opus-5",
        extra_body={"top_k": 5},
        extra_headers={"X-Trace": "1"},
        provider_options={"thinking": {"type": "disabled"}, "betas": ["a-1", "b-2"]},
    )
    sent = wire.encode_chat(request, stream=True, warn=warnings.append)
    body = json.loads(sent.body)
    assert (body["top_k"], body["thinking"], body["stream"]) == (5, {"type": "disabled"}, True)
    assert "betas" not in body
    assert sent.headers == {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a-1,b-2",
        "x-trace": "1",
    }


# Answers.


@pytest.mark.parametrize(
    "body", [b"", b" ", b"null", b"[]", b"{}", b'{"content": null}', b"<html>", b"event: ping\n\n"]
)
def test_what_is_no_answer_is_an_error_that_shows_it(body: bytes) -> None:
    """Not an empty answer."""
    with pytest.raises(APIResponseError):
        wire.decode_chat(HttpResponse(200, {}, body))


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("unheard_of", "stop"),
    ],
)
def test_the_end_is_told_in_openais_word_and_the_services(reason: str, finish: str) -> None:
    """`finish_reason` is what programs know; `stop_reason` beside it is what was said."""
    body = json.dumps({"id": "m", "model": "c", "content": [], "stop_reason": reason}).encode()
    [choice] = wire.decode_chat(HttpResponse(200, {}, body)).choices
    assert (choice.finish_reason, choice.model_extra["stop_reason"]) == (finish, reason)
    decoder = wire.decode_stream("marker")
    chunk = decoder.feed(("message_delta", json.dumps({"delta": {"stop_reason": reason}}).encode()))
    assert chunk is not None
    assert chunk.choices[0].finish_reason == finish


def test_limits_that_are_used_up_say_when_they_are_lifted() -> None:
    """Without a retry-after the reset of the limit tells, measured by the answer's own clock."""
    headers = {
        "date": "Sat, 21 Nov 2026 10:00:00 GMT",
        "anthropic-ratelimit-requests-remaining": "7",
        "anthropic-ratelimit-requests-reset": "2026-11-21T11:00:00Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-21T10:00:12Z",
    }
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"},"request_id":"req_1"}'
    error = wire.decode_error(429, headers, body)
    assert (error.retry_after, error.retryable, error.request_id) == (12.0, True, "req_1")
    assert wire.decode_error(429, {**headers, "retry-after": "3"}, body).retry_after == 3.0
    assert wire.decode_error(429, {}, body).retry_after is None
    for date in ("never", f"Sat, 21 Nov {'9' * 25} 10:00:00 GMT"):
        assert wire.decode_error(429, {**headers, "date": date}, body).retry_after is None


def test_a_spending_limit_is_not_waited_out() -> None:
    """It is a 429 too, but time does not lift it."""
    details = {"type": "rate_limit_error", "message": "m", "details": {"error_code": "enforced_spend_limit_reached"}}
    error = wire.decode_error(429, {}, json.dumps({"type": "error", "error": details}).encode())
    assert (error.retryable, error.code) == (False, "enforced_spend_limit_reached")
