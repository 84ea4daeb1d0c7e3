from __future__ import annotations

from typing import Any

import pytest

from g4f import ChatRequest, Chunk
from g4f.errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    InvalidInputError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedError,
)
from g4f.fold import fold_chunks
from g4f_provider_copilot.account import wire

USER = {"role": "user", "content": "Hi"}


def _ask(*messages: dict[str, Any], **more: Any) -> ChatRequest:
    return ChatRequest(messages or (USER,), **more)


def _encode(request: ChatRequest, **settings: str) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    warnings: list[str] = []
    session = wire.encode_session(request, settings, warn=warnings.append)
    return session, wire.encode_message(request, [], warn=warnings.append), warnings


def test_a_plain_chat_is_a_session_without_instructions_and_a_message() -> None:
    """An empty system message keeps the agent's own away."""
    empty = {"system_message": {"mode": "replace", "content": ""}}
    assert _encode(_ask()) == (empty, {"prompt": "Hi"}, [])


def test_a_system_message_takes_the_place_of_the_agents() -> None:
    """It is none of the user's words, and needs no warning."""
    session, message, warnings = _encode(_ask({"role": "system", "content": "Be brief."}, USER))
    assert session["system_message"] == {"mode": "replace", "content": "Be brief."}
    assert (message, warnings) == ({"prompt": "Hi"}, [])


def test_earlier_messages_go_along_in_the_message_and_are_told() -> None:
    """The program takes no answers that it did not give itself."""
    _, message, warnings = _encode(_ask(USER, {"role": "assistant", "content": "Hello"}, USER))
    assert message["prompt"] == (
        "The conversation so far:\n\n[user]\nHi\n\n[assistant]\nHello\n\nAnswer this message now:\n\nHi"
    )
    assert warnings == [
        "The rest of the conversation went along in the message: GitHub Copilot takes one message at a time."
    ]


def test_the_model_is_the_requests_then_the_settings() -> None:
    """Without either the account's own answers."""
    assert "model" not in _encode(_ask())[0]
    assert _encode(_ask(), model="gpt-5")[0]["model"] == "gpt-5"
    assert _encode(_ask(model="claude-sonnet-5"), model="gpt-5")[0]["model"] == "claude-sonnet-5"


def test_effort_schema_and_headers_go_along() -> None:
    """Where the SDK has a place for them."""
    schema = {"type": "object", "properties": {}}
    form: Any = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
    request = _ask(options={"reasoning_effort": "low", "response_format": form}, extra_headers={"X-A": "b"})
    session, message, warnings = _encode(request)
    assert session["reasoning_effort"] == "low"
    assert (message["response_schema"], message["request_headers"], warnings) == (schema, {"X-A": "b"}, [])


def test_images_are_attached_from_memory() -> None:
    """By name, so that the message can speak of them."""
    message = wire.encode_message(_ask(), [("image/png", "AA=="), ("image/jpeg", "BB==")], warn=print)
    assert message["attachments"] == [
        {"type": "blob", "data": "AA==", "mimeType": "image/png", "displayName": "image-1.png"},
        {"type": "blob", "data": "BB==", "mimeType": "image/jpeg", "displayName": "image-2.jpeg"},
    ]


def test_what_the_program_does_not_have_is_told() -> None:
    """Each setting in a sentence, but those that ask for nothing."""
    options: Any = {"temperature": 0.5, "n": 1, "stream_options": {}}
    _, _, warnings = _encode(_ask(options=options, extra_body={"a": 1}, provider_options={"effort": 1}))
    assert warnings == [
        "temperature was left out: GitHub Copilot has no such setting.",
        "extra_body was left out: the program copilot writes the requests itself.",
        "The provider option effort was left out: CopilotAccount knows provider.",
    ]


TOOLS: Any = {"tools": [{"type": "function", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (TOOLS, "calls no functions"),
        ({"response_format": {"type": "json_object"}}, "needs a JSON schema"),
        ({"response_format": {"type": "json_schema"}}, "needs a JSON schema"),
    ],
)
def test_what_would_change_the_answers_kind_is_refused(options: Any, reason: str) -> None:
    """A warning would not do."""
    with pytest.raises(UnsupportedError, match=reason):
        wire.check_request(_ask(options=options), {})


def test_tools_that_must_not_be_called_are_left_out() -> None:
    """`tool_choice="none"` asks for a text."""
    request = _ask(options={**TOOLS, "tool_choice": "none"})
    wire.check_request(request, {})
    assert _encode(request)[2] == ["tools was left out: CopilotAccount calls no functions."]


def test_another_service_is_known_by_settings_or_by_an_option() -> None:
    """The option counts more; without an address there is none."""
    settings = {"provider_base_url": "http://127.0.0.1:1/v1", "provider_api_key": "k"}
    assert wire.encode_provider(_ask(), {"provider_api_key": "k"}) is None
    assert wire.encode_provider(_ask(), settings) == {
        "base_url": "http://127.0.0.1:1/v1",
        "type": "openai",
        "api_key": "k",
    }
    given = {"type": "azure", "base_url": "https://r"}
    assert wire.encode_provider(_ask(provider_options={"provider": given}), settings) == given


def test_another_service_must_be_told_a_model() -> None:
    """By the request, the settings or the option."""
    settings = {"provider_base_url": "http://127.0.0.1:1/v1"}
    with pytest.raises(InvalidInputError, match="Name a model, or set COPILOT_MODEL"):
        wire.check_request(_ask(), settings)
    wire.check_request(_ask(model="m"), settings)
    wire.check_request(_ask(), {**settings, "model": "m"})
    wire.check_request(_ask(provider_options={"provider": {"base_url": "http://x", "model_id": "m"}}), {})


def _decode(*events: tuple[str, dict[str, Any]]) -> list[Chunk]:
    decoder = wire.EventDecoder()
    return [chunk for kind, data in events for chunk in decoder.feed(kind, data)]


IDLE = ("session.idle", {"mode": "interactive"})
USAGE = {"model": "gpt-5", "inputTokens": 5, "outputTokens": 4, "cacheReadTokens": 2, "finishReason": "stop"}


def _delta(text: str) -> tuple[str, dict[str, Any]]:
    return "assistant.message_delta", {"deltaContent": text}


def test_a_turn_is_an_answer_with_its_tokens() -> None:
    """Deltas, then the whole of it once more, which is not told twice."""
    whole = {"content": "This is", "model": "gpt-5", "apiCallId": "c1"}
    chunks = _decode(_delta("This"), _delta(" is"), ("assistant.usage", USAGE), ("assistant.message", whole), IDLE)
    completion = fold_chunks(chunks)
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("This is", "stop")
    assert (completion.id, completion.model) == ("c1", "gpt-5")
    assert completion.usage is not None
    assert completion.usage.to_dict() == {
        "prompt_tokens": 5,
        "completion_tokens": 4,
        "total_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 2},
    }


def test_reasoning_comes_apart_from_the_answer() -> None:
    """Streamed, or with the whole message where it is not."""
    streamed = _decode(("assistant.reasoning_delta", {"deltaContent": "hm"}), _delta("Yes"), IDLE)
    whole = _decode(("assistant.message", {"content": "Yes", "reasoningText": "hm"}), IDLE)
    for chunks in (streamed, whole):
        message = fold_chunks(chunks).choices[0].message
        assert (message.reasoning_content, message.content) == ("hm", "Yes")


def test_the_tokens_of_several_calls_are_added_up() -> None:
    """One turn may take more than one."""
    usage = fold_chunks(
        _decode(_delta("Yes"), ("assistant.usage", USAGE), ("assistant.usage", {**USAGE, "reasoningTokens": 3}), IDLE)
    ).usage
    assert usage is not None
    assert (
        usage.total_tokens,
        usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens,
    ) == (
        18,
        3,
    )


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({"finishReason": "length"}, "length"),
        ({"finishReason": "max_tokens"}, "length"),
        ({"finishReason": "end_turn"}, "stop"),
        ({"finishReason": "content_filter"}, "content_filter"),
        ({"finishReason": "stop", "contentFilterTriggered": True}, "content_filter"),
        ({}, "stop"),
    ],
)
def test_the_finish_reason_is_in_openais_words(usage: dict[str, Any], reason: str) -> None:
    """Whichever service answered."""
    assert fold_chunks(_decode(_delta("Y"), ("assistant.usage", usage), IDLE)).choices[0].finish_reason == reason


def test_a_blocked_answer_may_be_empty() -> None:
    """It says why."""
    chunks = _decode(("assistant.usage", {"contentFilterTriggered": True}), IDLE)
    assert [chunk.choices[0].finish_reason for chunk in chunks] == ["content_filter"]


@pytest.mark.parametrize("events", [[IDLE], [_delta("Yes"), ("session.idle", {"aborted": True})]])
def test_a_turn_without_an_answer_is_an_error(events: Any) -> None:
    """Or with half of one."""
    with pytest.raises(APIResponseError, match="ended without an answer"):
        _decode(*events)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"statusCode": 401, "errorType": "authorization"}, AuthenticationError),
        ({"statusCode": 400, "errorType": "query"}, BadRequestError),
        ({"errorType": "rate_limit"}, RateLimitError),
        ({"errorType": "quota"}, RateLimitError),
        ({"errorType": "authorization"}, PermissionDeniedError),
        ({"errorType": "query"}, InternalServerError),
        ({}, InternalServerError),
    ],
)
def test_errors_are_typed_by_status_or_kind(data: dict[str, Any], kind: type[APIStatusError]) -> None:
    """And are not worth a repetition: the program has made them."""
    with pytest.raises(kind) as caught:
        _decode(("session.error", {"message": "No.", "errorCode": "c", "serviceRequestId": "r", **data}))
    assert (caught.value.message, caught.value.code, caught.value.request_id) == ("No.", "c", "r")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Request session.create failed with message: GitHub token validation failed: Failed to fetch it: 401 X", 401),
        ("GitHub token validation failed: Failed to fetch Copilot user info: 503", 503),
        ("GitHub token validation failed: no network", None),
        ("Unknown model: 401", None),
    ],
)
def test_a_refusal_is_typed_where_github_gave_a_status(text: str, kind: int | None) -> None:
    """The program tells it in its text alone."""
    error = wire.make_refusal(text)
    assert getattr(error, "status_code", None) == kind
    assert text in error.message


def test_events_of_other_kinds_are_nothing() -> None:
    """There are a hundred."""
    assert _decode(("session.title_changed", {"title": "x"}), ("a.new_one", {})) == []
