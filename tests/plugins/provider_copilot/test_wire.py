import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f import ChatRequest, Chunk
from g4f.context import HttpResponse
from g4f.errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    InternalServerError,
    RateLimitError,
    UnsupportedError,
)
from g4f_provider_copilot.m365 import wire
from plugins.provider_copilot.graph import (
    BEGUN,
    CITATION,
    CONVERSATION,
    make_answer,
    make_error,
    make_message,
    make_update,
)

USER = {"role": "user", "content": "Hi"}


def _ask(*messages: dict[str, Any], **more: Any) -> ChatRequest:
    options = {"conversation_id": CONVERSATION, "time_zone": "Europe/Berlin", **more.pop("provider_options", {})}
    return ChatRequest(messages or (USER,), "copilot", provider_options=options, **more)


def _encode(request: ChatRequest, *, stream: bool = False) -> tuple[dict[str, Any], list[str]]:
    warnings: list[str] = []
    body = json.loads(wire.encode_chat(request, stream=stream, warn=warnings.append).body)
    return body, warnings


def test_a_plain_chat_is_a_message_and_a_time_zone() -> None:
    """There is nothing to be told."""
    assert _encode(_ask()) == ({"message": {"text": "Hi"}, "locationHint": {"timeZone": "Europe/Berlin"}}, [])


@pytest.mark.parametrize(("stream", "action"), [(False, "chat"), (True, "chatOverStream")])
def test_a_turn_goes_to_its_conversation(stream: bool, action: str) -> None:
    """Whose id is quoted: it is the user's word if they go on with one."""
    request = wire.encode_chat(_ask(provider_options={"conversation_id": "a/b ?"}), stream=stream, warn=print)
    assert (request.method, request.path) == ("POST", f"/conversations/a%2Fb%20%3F/{action}")


def test_a_system_message_stands_before_the_users_and_is_told() -> None:
    """The service has no place for one."""
    body, warnings = _encode(_ask({"role": "system", "content": "Be brief."}, USER))
    assert body["message"] == {"text": "Be brief.\n\nHi"}
    assert warnings == ["The system message stands at the head of the user's: Copilot takes none of its own."]


def test_what_was_said_before_goes_along_as_context_and_is_told() -> None:
    """Message by message, so that none can pretend to be another's."""
    body, warnings = _encode(_ask(USER, {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "And?"}))
    assert body["message"] == {"text": "And?"}
    assert body["additionalContext"] == [
        {"text": "Hi", "description": "Message 1 of 2 of the conversation so far, by the user"},
        {"text": "Hello", "description": "Message 2 of 2 of the conversation so far, by the assistant"},
    ]
    assert warnings == [
        "The rest of the conversation went along as additional context: Copilot takes one message at a time."
    ]


def test_of_a_conversation_that_goes_on_only_the_last_message_is_sent() -> None:
    """The service knows the others."""
    request = _ask({"role": "system", "content": "s"}, USER, {"role": "assistant", "content": "a"}, USER)
    assert _encode(wire.keep_last(request))[0].keys() == {"message", "locationHint"}


def test_files_and_the_web_are_options_of_the_provider() -> None:
    """As the service's documentation shows them."""
    body, warnings = _encode(_ask(provider_options={"files": ["https://c/a.docx"], "web_search": False}))
    assert body["contextualResources"] == {
        "files": [{"uri": "https://c/a.docx"}],
        "webContext": {"isWebEnabled": False},
    }
    assert warnings == []


def test_what_the_service_does_not_have_is_told() -> None:
    """Each setting in a sentence, but those that ask for nothing."""
    options: Any = {
        "temperature": 0.5,
        "max_tokens": 9,
        "n": 1,
        "stream_options": {},
        "response_format": {"type": "text"},
    }
    request = _ask(options=options, provider_options={"effort": 1})
    _, warnings = _encode(request)
    assert warnings == [
        "temperature was left out: Copilot has no such setting.",
        "max_tokens was left out: Copilot has no such setting.",
        "The provider option effort was left out: Copilot knows conversation_id, files, time_zone, web_search.",
    ]


def test_another_model_is_left_out_and_told() -> None:
    """The service has one, which it chooses itself."""
    request = ChatRequest((USER,), "gpt-4", provider_options={"conversation_id": "1", "time_zone": "UTC"})
    assert _encode(request)[1] == ["The model gpt-4 was left out: Copilot chooses its model itself."]


def test_extras_of_the_user_are_added() -> None:
    """To the body and to the headers of the turn."""
    request = _ask(extra_body={"locationHint": {"timeZone": "UTC", "latitude": 1.5}}, extra_headers={"X-A": "b"})
    encoded = wire.encode_chat(request, stream=False, warn=print)
    assert json.loads(encoded.body)["locationHint"] == {"timeZone": "UTC", "latitude": 1.5}
    assert encoded.headers == {"Content-Type": "application/json", "X-A": "b"}


TOOLS: Any = {"tools": [{"type": "function", "function": {"name": "f"}}]}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (_ask(options=TOOLS), "calls no functions"),
        (_ask(options={"response_format": {"type": "json_object"}}), "cannot be held to JSON"),
        (_ask(options={"response_format": {"type": "json_schema"}}), "cannot be held to JSON"),
        (
            _ask({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}),
            "CopilotAccount can",
        ),
        (_ask({"role": "user", "content": [{"type": "file"}]}), "'file'"),
    ],
)
def test_what_would_change_the_answers_kind_is_refused(request_: ChatRequest, reason: str) -> None:
    """A warning would not do."""
    with pytest.raises(UnsupportedError, match=reason):
        wire.check_request(request_)


def test_tools_that_must_not_be_called_are_left_out() -> None:
    """`tool_choice="none"` asks for a text."""
    request = _ask(options={**TOOLS, "tool_choice": "none"})
    wire.check_request(request)
    assert _encode(request)[1] == ["tools was left out: Copilot calls no functions."]


def _respond(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_whole_answer_is_the_last_message() -> None:
    """The first is the user's once more; the id is the conversation's, to go on with."""
    completion = wire.decode_chat(_respond(make_answer("Hello", attributions=[CITATION])))
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("Hello", "stop")
    assert choice.message.to_dict()["extra_content"] == {"microsoft": {"attributions": [CITATION]}}
    assert (completion.id, completion.created, completion.model) == (CONVERSATION, 1759246126, "copilot")
    assert completion.usage is None


def test_a_conversation_that_was_broken_off_is_a_content_filter() -> None:
    """Never an empty success, and never the user's own words."""
    blocked = {**make_answer(), "state": "disengagedForRai"}
    assert wire.decode_chat(_respond(blocked)).choices[0].finish_reason == "content_filter"
    alone = {**blocked, "messages": [make_message("Hi")]}
    [choice] = wire.decode_chat(_respond(alone)).choices
    assert (choice.message.content, choice.finish_reason) == (None, "content_filter")


@pytest.mark.parametrize("body", [BEGUN, {**make_answer(), "messages": None}, make_answer(""), [], b"no", b""])
def test_an_answer_without_words_is_an_error(body: Any) -> None:
    """Whatever it is instead."""
    with pytest.raises(APIResponseError):
        wire.decode_chat(_respond(body))


def test_unknown_fields_and_nulls_are_survived() -> None:
    """The service is in preview, and changes."""
    answer = make_answer("Hello", references={"a": {"url": "x"}}, sensitivityLabel=None, attributions=None)
    odd = {**answer, "agentId": None, "createdDateTime": None, "turnCount": None, "new": {"deep": [1]}}
    completion = wire.decode_chat(_respond(odd))
    assert completion.to_dict()["new"] == {"deep": [1]}
    assert completion.choices[0].message.to_dict()["extra_content"] == {
        "microsoft": {"references": {"a": {"url": "x"}}}
    }
    assert completion.created == 0


def _stream(*events: dict[str, Any]) -> tuple[list[Chunk], bool]:
    decoder = wire.decode_stream("finish")
    chunks = [decoder.feed(("message", json.dumps(event).encode())) for event in events]
    return [chunk for chunk in chunks if chunk is not None], decoder.complete


def _join(chunks: list[Chunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def test_a_stream_tells_what_each_event_adds() -> None:
    """Events repeat all that was said; those without messages, or without news, are nothing."""
    chunks, complete = _stream(
        make_update("This"),
        make_update(),
        make_update("This is"),
        make_update("This is"),
        make_answer("This is a test"),
    )
    assert [chunk.choices[0].delta.content for chunk in chunks] == ["This", " is", " a test"]
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None]
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, "stop"]
    assert complete


def test_a_stream_without_its_last_event_is_not_complete() -> None:
    """However whole the text may look."""
    assert _stream(make_update("This is a test"))[1] is False


def test_sources_come_with_the_end_of_a_stream() -> None:
    """Once, and only there."""
    chunks, _ = _stream(make_update("Hello"), make_answer("Hello", attributions=[CITATION]))
    told = [chunk.choices[0].delta.to_dict().get("extra_content") for chunk in chunks]
    assert told == [None, {"microsoft": {"attributions": [CITATION]}}]


def test_a_text_that_changes_is_told_beside_what_was_streamed() -> None:
    """What was delivered cannot be taken back, and is not mixed with other words."""
    chunks, complete = _stream(make_update("I think"), make_update("No, I know"), make_answer("No, I know it"))
    assert _join(chunks) == "I think"
    assert complete
    assert [wire.is_rewritten(chunk) for chunk in chunks] == [False, True]
    assert chunks[-1].choices[0].delta.to_dict()["extra_content"] == {"microsoft": {"text": "No, I know it"}}


def test_a_text_that_changes_back_goes_on() -> None:
    """An event in between that had less is no reason to complain."""
    chunks, _ = _stream(make_update("This is"), make_update("This"), make_answer("This is it"))
    assert _join(chunks) == "This is it"
    assert not any(map(wire.is_rewritten, chunks))


def test_a_stream_that_is_broken_off_is_a_content_filter() -> None:
    """With what was said until then."""
    chunks, complete = _stream(make_update("Well"), {**make_update(), "state": "disengagedForRai"})
    assert (_join(chunks), chunks[-1].choices[0].finish_reason, complete) == ("Well", "content_filter", True)


def test_a_stream_that_ends_without_words_is_an_error() -> None:
    """Never an empty success."""
    with pytest.raises(APIResponseError, match="has no answer"):
        _stream(make_update(), make_answer(""))


@given(st.text(min_size=1), st.lists(st.integers(0, 40)))
def test_the_deltas_join_to_the_answer(text: str, cuts: list[int]) -> None:
    """Wherever the events cut it, a character's middle and the same place twice included."""
    updates = [make_update(text[:cut]) for cut in sorted(cuts)]
    chunks, complete = _stream(*updates, make_answer(text))
    assert (_join(chunks), complete) == (text, True)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("TooManyRequests", RateLimitError),
        ("unauthenticated", AuthenticationError),
        ("generalException", InternalServerError),
        (None, InternalServerError),
    ],
)
def test_an_error_inside_a_stream_is_typed_by_its_code(code: Any, kind: type[APIStatusError]) -> None:
    """It has no status of its own."""
    with pytest.raises(kind) as caught:
        _stream(make_update("This"), make_error(code))
    assert (caught.value.code, caught.value.request_id) == (code, "b1f7")


def test_an_errors_code_message_and_request_are_read() -> None:
    """The header's id counts more than the body's, which is the same."""
    body = json.dumps(make_error("Forbidden", "No license.")).encode()
    error = wire.decode_error(403, {}, body)
    assert (error.status_code, error.code, error.message, error.request_id) == (403, "Forbidden", "No license.", "b1f7")
    assert wire.decode_error(403, {"request-id": "a0"}, body).request_id == "a0"


@pytest.mark.parametrize(
    "body", [b"", b"<html><title>Bad gateway</title>", b'{"error": "x"}', b'{"error": {"innerError": 1}}']
)
def test_an_error_in_another_form_is_an_error(body: bytes) -> None:
    """What stands before the service answers in its own words."""
    assert wire.decode_error(502, {}, body).status_code == 502


def test_a_new_conversation_has_an_id() -> None:
    """Without one there is nothing to ask."""
    assert wire.decode_conversation(_respond(BEGUN, 201)) == CONVERSATION
    for body in ({}, {"id": None}, {"id": ""}):
        with pytest.raises(APIResponseError, match="has no id"):
            wire.decode_conversation(_respond(body, 201))
