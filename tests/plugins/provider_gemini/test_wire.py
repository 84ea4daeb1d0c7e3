"""What is written and read, case by case, and for whatever may come."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f import ChatRequest, InvalidInputError
from g4f.context import HttpResponse
from g4f.errors import APIResponseError, APIStatusError, AuthenticationError, BadRequestError, G4FError, RateLimitError
from g4f.fold import fold_chunks, read_content
from g4f.images import ImageRequest
from g4f_provider_gemini import wire
from g4f_provider_gemini.wire.calls import OpenCall

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the library's own
    from google.ai.generativelanguage_v1beta import GenerateContentRequest
    from google.protobuf.json_format import ParseDict

MODEL = "gemini-2.5-flash"
HI = ({"role": "user", "content": "Hi"},)
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def _encode(model: str = MODEL, messages: Any = HI, **more: Any) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    own = {name: more.pop(name) for name in ("provider_options", "extra_body") if name in more}
    request = ChatRequest(tuple(messages), model, options=more, **own)  # type: ignore[arg-type]
    body = json.loads(wire.encode_chat(request, stream=False, warn=told.append).body)
    assert request.options == more, "the request is the caller's"
    return body, told


def _config(model: str = MODEL, **options: Any) -> tuple[dict[str, Any], list[str]]:
    body, told = _encode(model, **options)
    return body.get("generationConfig", {}), told


def _parts(*content: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _encode(messages=[{"role": "user", "content": list(content)}])[0]["contents"][0][
        "parts"
    ]
    return found


# Thinking


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-3.8-flash", "low", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-4-argon", "medium", {"thinkingLevel": "MEDIUM", "includeThoughts": True}),
        ("gemini-flash-latest", "high", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-3.6-flash", "minimal", {"thinkingLevel": "MINIMAL", "includeThoughts": True}),
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "minimal", {"thinkingBudget": 1024, "includeThoughts": True}),
        ("gemini-2.5-flash-lite", "high", {"thinkingBudget": 24576, "includeThoughts": True}),
    ],
)
def test_an_effort_becomes_a_level_or_a_budget(model: str, effort: str, thinking: dict[str, Any]) -> None:
    """As the generation of the model takes it; who asks for thinking is told the thoughts."""
    assert _config(model, reasoning_effort=effort) == ({"thinkingConfig": thinking}, [])


@pytest.mark.parametrize(
    ("model", "effort", "thinking"),
    [
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW", "includeThoughts": True}),
        ("gemini-3.8-flash", "none", {"thinkingLevel": "LOW"}),
        ("gemini-3.6-flash", "none", {"thinkingLevel": "MINIMAL"}),
        ("gemini-3.1-pro-preview", "xhigh", {"thinkingLevel": "HIGH", "includeThoughts": True}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("gemini-2.5-pro", "xhigh", {"thinkingBudget": 24576, "includeThoughts": True}),
    ],
)
def test_an_effort_that_a_model_lacks_becomes_the_nearest(model: str, effort: str, thinking: dict[str, Any]) -> None:
    """And a warning says so."""
    config, [warning] = _config(model, reasoning_effort=effort)
    assert config == {"thinkingConfig": thinking}
    assert effort in warning
    assert model in warning


@pytest.mark.parametrize(("model", "effort"), [("gemini-2.0-flash", "low"), ("gemini-3.8-flash", "enormous")])
def test_an_effort_that_means_nothing_is_left_out(model: str, effort: str) -> None:
    """For a model that does not reason, or a word that nobody knows."""
    config, [warning] = _config(model, reasoning_effort=effort)
    assert config == {}
    assert "reasoning_effort" in warning


def test_the_providers_own_options_win_over_an_effort() -> None:
    """A budget in tokens is said more exactly."""
    own = {"thinking_budget": 5, "include_thoughts": False, "top_k": 3}
    config, told = _config(reasoning_effort="low", provider_options=own)
    assert config == {"topK": 3, "thinkingConfig": {"thinkingBudget": 5, "includeThoughts": False}}
    assert told == []


# Settings


def test_newer_models_get_no_sampling_and_one_answer() -> None:
    """They have no use for temperature, top_p and n; each is told."""
    config, told = _config("gemini-3.8-flash", temperature=0.2, top_p=0.9, n=3, seed=1)
    assert config == {"seed": 1}
    assert [name for warning in told for name in ("temperature", "top_p", "n ") if warning.startswith(name)] == [
        "temperature",
        "top_p",
        "n ",
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"logit_bias": {"1": 2}},
        {"user": "u"},
        {"metadata": {"a": "b"}},
        {"verbosity": "low"},
        {"prediction": {}},
        {"prompt_cache_key": "k"},
        {"safety_identifier": "s"},
        {"audio": {"voice": "x"}},
        {"parallel_tool_calls": False},
        {"service_tier": "scale"},
        {"response_format": {"type": "grammar"}},
        {"tools": [{"type": "custom", "custom": {"name": "x"}}]},
        {"tools": [TOOL], "tool_choice": {"type": "custom"}},
        {"provider_options": {"temprature": 1}},
    ],
    ids=lambda options: str(next(reversed(options))),
)
def test_what_the_service_lacks_is_told(options: dict[str, Any]) -> None:
    """Never silence, and nothing of it in the request."""
    body, [warning] = _encode(**options)
    assert "left out" in warning
    assert body.keys() <= {"contents", "tools"}


@pytest.mark.parametrize(
    "options",
    [
        {"n": 1},
        {"stop": []},
        {"logprobs": False, "top_logprobs": 0},
        {"parallel_tool_calls": True},
        {"stream_options": {"include_usage": True}},
        {"response_format": {"type": "text"}},
        {"service_tier": "auto"},
        {"tools": []},
        {"tools": [], "tool_choice": "auto"},
    ],
    ids=str,
)
def test_what_asks_for_nothing_is_not_sent(options: dict[str, Any]) -> None:
    """OpenAI's defaults are the service's as well."""
    assert _encode(**options) == ({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}, [])


def test_extra_fields_are_merged_object_by_object() -> None:
    """So that generationConfig can be added to; another value takes the place of ours."""
    extra = {"generationConfig": {"seed": 2, "topK": 4}, "labels": {"a": "b"}, "contents": []}
    body, _ = _encode(seed=1, max_tokens=9, extra_body=extra)
    assert body["generationConfig"] == {"seed": 2, "topK": 4, "maxOutputTokens": 9}
    assert (body["labels"], body["contents"]) == ({"a": "b"}, [])


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        ("none", {"mode": "NONE"}),
        ("auto", {"mode": "AUTO"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [TOOL]}},
            {"mode": "ANY", "allowedFunctionNames": ["get_weather"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOOL]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["get_weather"]},
        ),
    ],
)
def test_the_choice_of_a_tool_is_said_in_the_services_words(choice: Any, calling: dict[str, Any]) -> None:
    """Modes and names."""
    body, told = _encode(tools=[TOOL], tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": calling}
    assert told == []


def test_strict_functions_are_enforced() -> None:
    """The service validates calls against the schemas when it is asked to."""
    strict = {"type": "function", "function": {"name": "f", "strict": True}}
    assert _encode(tools=[strict])[0]["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


def test_a_tool_in_the_services_own_words_goes_as_it_is() -> None:
    """It has no `type`."""
    body, told = _encode(tools=[{"urlContext": {}}, TOOL])
    assert body["tools"][0] == {"urlContext": {}}
    assert told == []


# Messages


def test_system_messages_are_gathered_and_alone_become_the_question() -> None:
    """Wherever they stand; the service wants contents."""
    system, developer = {"role": "system", "content": "a"}, {"role": "developer", "content": "b"}
    body, _ = _encode(messages=[system, *HI, developer])
    assert body["systemInstruction"] == {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}
    assert [turn["parts"] for turn in body["contents"]] == [[{"text": "Hi"}]]
    assert _encode(messages=[system])[0] == {"contents": [{"role": "user", "parts": [{"text": "a"}]}]}


@pytest.mark.parametrize("role", ["system", "user", "assistant"])
def test_the_name_of_an_author_is_left_out_and_told(role: str) -> None:
    """The service has no place for it; the name that a tool's result has is the function's."""
    named, told = _encode(messages=[*HI, {"role": role, "name": "Ann", "content": "a"}])
    assert named == _encode(messages=[*HI, {"role": role, "content": "a"}])[0]
    assert told == ["The name of a message's author was left out: Gemini does not know it."]
    assert _encode(messages=[*HI, {"role": "function", "name": "f", "content": "a"}])[1] == []


def test_a_call_of_another_model_is_excused_from_its_signature() -> None:
    """The first of parallel calls carries the word for it, where the model checks; calls with a signature keep it."""
    calls = [{"id": f"c{at}", "type": "function", "function": {"name": "f", "arguments": ""}} for at in range(2)]
    messages = [*HI, {"role": "assistant", "tool_calls": calls}]
    parts = _encode("gemini-3.8-flash", messages)[0]["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["skip_thought_signature_validator", None]
    assert parts[0]["functionCall"] == {"id": "c0", "name": "f", "args": {}}
    for model in ("gemini-2.5-flash", "gemma-4-31b-it"):
        parts = _encode(model, messages)[0]["contents"][1]["parts"]
        assert not any("thoughtSignature" in part for part in parts)


def test_results_of_parallel_calls_are_one_turn_with_the_names_of_the_functions() -> None:
    """An object goes as it is, everything else as `output`; pictures of a tool stand beside its result."""
    calls = [{"id": f"c{at}", "function": {"name": f"f{at}", "arguments": "{}"}} for at in range(2)]
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    messages = [
        *HI,
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": '{"a": 1}'},
        {"role": "tool", "tool_call_id": "c0", "content": [{"type": "text", "text": "[1]"}, picture]},
        {"role": "user", "content": "and?"},
        {"role": "function", "name": "f2", "content": ""},
    ]
    _, _, results, question, other = _encode(messages=messages)[0]["contents"]
    assert results == {
        "role": "user",
        "parts": [
            {"functionResponse": {"id": "c1", "name": "f1", "response": {"a": 1}}},
            {"functionResponse": {"id": "c0", "name": "f0", "response": {"output": "[1]"}}},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        ],
    }
    assert question["parts"] == [{"text": "and?"}]
    assert other["parts"] == [{"functionResponse": {"name": "f2", "response": {"output": ""}}}]


def test_pictures_that_a_model_drew_in_a_chat_are_sent_back() -> None:
    """With their signatures, behind the text."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    drawn = {**picture, "extra_content": {"google": {"thought_signature": "c2ln"}}}
    answer = {"role": "assistant", "content": "Here", "images": [drawn, picture]}
    assert _encode(messages=[*HI, answer])[0]["contents"][1] == {
        "role": "model",
        "parts": [
            {"text": "Here"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"},
            {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        ],
    }


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "file", "file": {"file_id": "files/abc"}}, {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}),
        ({"type": "file", "file": {"file_id": "gs://bucket/a.pdf"}}, {"mimeType": "application/pdf", "fileUri": "gs://bucket/a.pdf"}),
        ({"type": "video_url", "video_url": {"url": "https://youtu.be/x"}}, {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}),
        ({"type": "image_url", "image_url": "https://h/a.PNG"}, {"mimeType": "image/png", "fileUri": "https://h/a.PNG"}),
    ],
)  # fmt: skip
def test_files_that_the_service_reads_itself_are_named(part: dict[str, Any], expected: dict[str, str]) -> None:
    """Uploads, Cloud Storage, videos, public addresses."""
    assert _parts(part) == [{"fileData": expected}]


def test_a_part_in_the_services_own_words_goes_as_it_is() -> None:
    """It has no `type`."""
    part = {"text": "x", "videoMetadata": {"fps": 2}}
    assert _parts(part, "plain text") == [part, {"text": "plain text"}]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "wizard", "content": "Hi"},
        {"role": "user", "content": 7},
        {"role": "user", "content": [7]},
        {"role": "user", "content": [{"type": "hologram"}]},
        {"role": "user", "content": [{"type": ["text"]}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}}]},
        {"role": "user", "content": [{"type": "file", "file": {"file_id": "file-of-another-service"}}]},
        {"role": "tool", "tool_call_id": "nobody's", "content": "4"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "[1"}}]},
    ],
)
def test_what_cannot_be_said_is_an_error_before_anything_is_sent(message: dict[str, Any]) -> None:
    """It names what is wrong."""
    with pytest.raises(InvalidInputError):
        _encode(messages=[message])


def test_a_message_without_content_is_not_sent() -> None:
    """The service takes no turn without parts; an empty question stays one."""
    body, _ = _encode(messages=[{"role": "assistant", "content": None}, {"role": "user", "content": ""}])
    assert body["contents"] == [{"role": "user", "parts": [{"text": ""}]}]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-x", "models/gemini-x"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("google/gemini-x", "models/gemini-x"),
        ("../files?x=1#y", "models/files%3Fx%3D1%23y"),
        ("..", "models/.."),
    ],
)
def test_no_name_of_a_model_leads_out_of_its_place(model: str, path: str) -> None:
    """Whatever it holds is one segment of the path."""
    request = wire.encode_chat(ChatRequest(HI, model), stream=True, warn=pytest.fail)
    assert request.path == f"/v1beta/{path}:streamGenerateContent"
    assert request.query == {"alt": "sse"}


def test_without_a_model_there_is_no_request() -> None:
    """The manifest has a default; who goes around it is told."""
    with pytest.raises(InvalidInputError, match="name of a model"):
        wire.encode_chat(ChatRequest(HI), stream=False, warn=pytest.fail)


# Pictures


@pytest.mark.parametrize(
    ("model", "size", "shape", "told"),
    [
        ("gemini-nano-banana-2.1", None, None, 0),
        ("gemini-nano-banana-2.1", "auto", None, 0),
        ("gemini-nano-banana-2.1", "1024x1024", {"aspectRatio": "1:1"}, 0),
        ("gemini-nano-banana-2.1", "2048x2048", {"aspectRatio": "1:1", "imageSize": "2K"}, 0),
        ("gemini-nano-banana-2.1", "1792x1024", {"aspectRatio": "16:9"}, 1),
        ("gemini-nano-banana-2.1", "1024x1536", {"aspectRatio": "2:3"}, 1),
        ("gemini-nano-banana-2.1", "3840x2160", {"aspectRatio": "16:9", "imageSize": "4K"}, 1),
        ("gemini-nano-banana-2.1", "256x256", {"aspectRatio": "1:1"}, 1),
        ("gemini-nano-banana-2.1", "8:1", {"aspectRatio": "8:1"}, 0),
        ("gemini-nano-banana-2.1", "4000x500", {"aspectRatio": "8:1", "imageSize": "2K"}, 1),
        ("gemini-3-pro-image", "4000x500", {"aspectRatio": "21:9", "imageSize": "2K"}, 1),
    ],
)
def test_a_size_becomes_the_nearest_shape(model: str, size: str | None, shape: Any, told: int) -> None:
    """The service knows ratios and classes; where that is another picture than was asked for, a warning says so."""
    warnings: list[str] = []
    request = ImageRequest("a cat", model, options={"size": size} if size else {})
    body = json.loads(wire.encode_image(request, warn=warnings.append).body)
    assert body["generationConfig"].get("imageConfig") == shape
    assert len(warnings) == told


def test_a_size_that_is_none_is_an_error() -> None:
    """It says what can be asked."""
    with pytest.raises(InvalidInputError, match="1024x1024"):
        wire.encode_image(ImageRequest("a cat", "gemini-x", options={"size": "huge"}), warn=pytest.fail)


def test_settings_of_pictures_that_the_service_lacks_are_told() -> None:
    """And those that ask for the usual are not."""
    warnings: list[str] = []
    options: Any = {"quality": "hd", "style": "vivid", "background": "auto", "output_format": "webp", "n": 2}
    own = {"image_size": "2K", "colour": "red"}
    request = ImageRequest(
        "a cat", "gemini-x", mask="data:image/png;base64,AA==", options=options, provider_options=own
    )
    body = json.loads(wire.encode_image(request, warn=warnings.append).body)
    assert body["generationConfig"] == {"responseModalities": ["IMAGE"], "imageConfig": {"imageSize": "2K"}}
    assert [text.partition(" was")[0] for text in warnings] == [
        "mask",
        "quality",
        "style",
        "output_format",
        "The provider option colour",
    ]


def _respond(value: Any, **headers: str) -> HttpResponse:
    return HttpResponse(200, headers, json.dumps(value).encode())


def _candidate(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP", **more}]}


PNG_PART = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}


def test_sketches_made_while_thinking_are_no_pictures() -> None:
    """Only the answer's own picture is delivered."""
    images = wire.decode_image(_respond(_candidate({**PNG_PART, "thought": True}, {"text": "Here"}, PNG_PART)))
    assert [image.b64_json for image in images.data] == ["iVBORw0KGgo="]


@pytest.mark.parametrize(
    "part", [{"inlineData": {"mimeType": kind, "data": ""}} for kind in ("image/png", "audio/wav")]
)
def test_a_file_with_nothing_in_it_is_no_answer(part: dict[str, Any]) -> None:
    """A type alone is no content, and no picture."""
    answer = _candidate(part)
    del answer["candidates"][0]["finishReason"]
    with pytest.raises(APIResponseError, match="nothing in it"):
        wire.decode_chat(_respond(answer))
    chunk = wire.decode_stream("finish").feed(("", json.dumps(answer).encode()))
    assert chunk is not None
    assert read_content(chunk) is None


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, BadRequestError, "refused (PROHIBITED_CONTENT)"),
        ({"promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "No."}}, BadRequestError, "(OTHER). No."),
        ({"candidates": [{"finishReason": "IMAGE_SAFETY", "finishMessage": "Unsafe."}]}, BadRequestError, "Unsafe."),
        (_candidate(finishReason="NO_IMAGE"), APIResponseError, "NO_IMAGE"),
        (_candidate({"text": "I draw no cats."}), APIResponseError, "I draw no cats."),
        (_candidate({**PNG_PART, "thought": True}), APIResponseError, "no picture"),
        ({}, APIResponseError, "no picture"),
        ({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}, APIStatusError, "busy"),
    ],
)
def test_an_answer_without_a_picture_says_why(answer: Any, kind: type[G4FError], text: str) -> None:
    """A filter's refusal is a BadRequestError with a code of its own, whatever else an APIResponseError."""
    with pytest.raises(kind) as caught:
        wire.decode_image(_respond(answer))
    assert text in caught.value.message
    assert getattr(caught.value, "code", None) == ("content_filter" if kind is BadRequestError else _code(answer))


def _code(answer: Any) -> str | None:
    return "UNAVAILABLE" if "error" in answer else None


# Answers


def test_thoughts_are_reasoning_and_never_content() -> None:
    """Also where the two alternate."""
    parts = [{"text": "Hm", "thought": True}, {"text": "Four"}, {"text": "!", "thought": True}, {"text": "."}]
    message = wire.decode_chat(_respond(_candidate(*parts))).choices[0].message
    assert (message.content, message.reasoning_content) == ("Four.", "Hm!")


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST", "IMAGE_SAFETY"])
@pytest.mark.parametrize("parts", [[], [{"text": "Well, "}]], ids=["without content", "with some content"])
def test_a_filter_is_the_finish_reason(reason: str, parts: list[Any]) -> None:
    """It says so with or without content, and its own name is kept."""
    choice = wire.decode_chat(_respond(_candidate(*parts, finishReason=reason, finishMessage="No."))).choices[0]
    assert choice.finish_reason == "content_filter"
    assert choice.message.refusal == "No."
    assert choice.model_extra["extra_content"]["google"]["finishReason"] == reason


def test_a_blocked_prompt_is_the_finish_reason() -> None:
    """There are no candidates, and still an answer that says what happened."""
    choice = wire.decode_chat(_respond({"promptFeedback": {"blockReason": "SAFETY"}})).choices[0]
    assert (choice.finish_reason, choice.message.content) == ("content_filter", None)
    assert choice.message.refusal == "The prompt was blocked: SAFETY."


@pytest.mark.parametrize(
    ("reason", "retryable"), [("MALFORMED_FUNCTION_CALL", True), ("UNEXPECTED_TOOL_CALL", False), ("NEW_ONE", False)]
)
def test_a_model_that_stops_without_an_answer_is_an_error(reason: str, retryable: bool) -> None:
    """Never an empty success."""
    with pytest.raises(APIResponseError, match=rf"{reason}: why") as caught:
        wire.decode_chat(_respond(_candidate(finishReason=reason, finishMessage="why")))
    assert (caught.value.retryable, caught.value.partial) == (retryable, None)


def test_a_reason_that_is_not_known_is_kept_beside_stop() -> None:
    """The text that came with it is taken for an answer."""
    choice = wire.decode_chat(_respond(_candidate({"text": "Hi"}, finishReason="NEW_ONE"))).choices[0]
    assert choice.finish_reason == "stop"
    assert choice.model_extra["extra_content"]["google"]["finishReason"] == "NEW_ONE"


@pytest.mark.parametrize(
    ("reason", "retryable"),
    [
        ("MALFORMED_FUNCTION_CALL", True),
        ("MALFORMED_RESPONSE", True),
        ("OTHER", True),
        ("UNEXPECTED_TOOL_CALL", False),
    ],
)
def test_a_model_that_stops_in_the_middle_is_an_error_with_the_text_so_far(reason: str, retryable: bool) -> None:
    """Whole or streamed: the beginning of an answer is none."""
    with pytest.raises(APIResponseError, match=rf"in the middle of its answer \({reason}\)") as caught:
        wire.decode_chat(_respond(_candidate({"text": "Let me "}, finishReason=reason)))
    assert (caught.value.retryable, caught.value.partial) == (retryable, "Let me ")
    decoder = wire.decode_stream("finish")
    decoder.feed(("message", json.dumps({"candidates": [{"content": {"parts": [{"text": "Let "}]}}]}).encode()))
    with pytest.raises(APIResponseError, match=reason) as caught:
        decoder.feed(("message", json.dumps(_candidate({"text": "me "}, finishReason=reason)).encode()))
    assert (caught.value.retryable, caught.value.partial) == (retryable, "Let me ")


def test_a_signature_behind_the_calls_is_sent_back() -> None:
    """On an empty part at the end, where it came; a text before the calls carries its own."""
    call = {"functionCall": {"name": "f", "args": {}, "id": "c0"}, "thoughtSignature": "c2ln"}
    end = {"text": "", "thoughtSignature": "ZW5k"}
    message = wire.decode_chat(_respond(_candidate(call, end))).choices[0].message.to_dict()
    assert _encode("gemini-3.8-flash", [*HI, message])[0]["contents"][1]["parts"] == [call, end]
    text = {"text": "Hm", "thoughtSignature": "ZW5k"}
    message = wire.decode_chat(_respond(_candidate(text, call))).choices[0].message.to_dict()
    assert _encode("gemini-3.8-flash", [*HI, message])[0]["contents"][1]["parts"] == [text, call]


def test_a_call_that_was_not_expected_is_still_a_call() -> None:
    """The service tells it whole, and its own reason is kept."""
    call = {"functionCall": {"name": "f", "args": {}}}
    choice = wire.decode_chat(_respond(_candidate(call, finishReason="UNEXPECTED_TOOL_CALL"))).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.model_extra["extra_content"]["google"]["finishReason"] == "UNEXPECTED_TOOL_CALL"


def test_calls_without_ids_of_two_turns_have_different_ids() -> None:
    """Also where the service tells no id of the answer: results find their calls by them."""

    def read(city: str) -> list[str]:
        call = {"functionCall": {"name": "get_weather", "args": {"city": city}}}
        message = wire.decode_chat(_respond(_candidate(call, call))).choices[0].message
        return [call.id for call in message.tool_calls or ()]

    assert len({*read("Paris"), *read("Rome")}) == 4
    assert read("Paris") == read("Paris"), "the same answer is read the same"


def test_several_candidates_are_several_choices() -> None:
    """Each by its index, streamed or not."""
    pieces = [
        {"candidates": [{"index": at, "content": {"parts": [{"text": text}]}, **end}]}
        for at, text, end in (
            (1, "b", {}),
            (0, "a", {"finishReason": "STOP"}),
            (1, "B", {"finishReason": "MAX_TOKENS"}),
        )
    ]
    decoder = wire.decode_stream("finish")
    chunks = []
    for piece, complete in zip(pieces, (False, False, True), strict=True):
        chunks.append(decoder.feed(("message", json.dumps(piece).encode())))
        assert (decoder.complete, decoder.ended) == (complete, False)
    choices = fold_chunks(chunk for chunk in chunks if chunk).choices
    assert [(choice.index, choice.message.content, choice.finish_reason) for choice in choices] == [
        (0, "a", "stop"),
        (1, "bB", "length"),
    ]


def test_an_array_that_ends_too_early_is_an_error() -> None:
    """The stream was cut, and can be asked for again."""
    pieces = [{"candidates": [{"content": {"parts": [{"text": text}]}}]} for text in "ab"]
    with pytest.raises(APIResponseError, match="too early") as caught:
        wire.decode_chat(_respond(pieces))
    assert caught.value.retryable


def test_the_date_of_an_answer_is_its_time() -> None:
    """Unless it tells its own."""
    date = {"date": "Sat, 21 Nov 2026 10:00:00 GMT"}
    assert wire.decode_chat(_respond(_candidate({"text": "Hi"}), **date)).created == 1795255200
    own = {**_candidate({"text": "Hi"}), "createTime": "2026-11-21T11:00:00.5Z"}
    assert wire.decode_chat(_respond(own, **date)).created == 1795258800


def test_calls_without_an_id_get_different_ones() -> None:
    """Users answer calls by their ids, also over several turns."""
    call = {"functionCall": {"name": "f"}}
    ids = [
        made.id
        for number in "ab"
        for made in wire.decode_chat(_respond({**_candidate(call, call), "responseId": number}))
        .choices[0]
        .message.tool_calls
    ]
    assert len(set(ids)) == 4


def test_the_pieces_of_a_calls_arguments_are_put_in_their_places() -> None:
    """Texts go on while they say so; objects and lists are made on the way; what leads nowhere is passed over."""
    call = OpenCall({"functionCall": {"name": "f", "id": "1"}, "thoughtSignature": "s"})
    call.add({"args": {"a": 1}})
    pieces = [
        ("$.text", {"stringValue": "Hel", "willContinue": True}),
        ("$.text", {"stringValue": "lo"}),
        ("$.text2", {"stringValue": "x"}),
        ("$.text2", {"stringValue": "y"}),
        ("$.list[0].n", {"numberValue": 0.5}),
        ("$.list[1]['b']", {"boolValue": False}),
        ("$.list[999999999]", {"nullValue": "NULL_VALUE"}),
        ("$.a.b", {"stringValue": "over"}),
        ("$", {"stringValue": "nowhere"}),
        ("$[0]", {"stringValue": "nowhere"}),
        ("", {}),
    ]
    call.add({"partialArgs": [{"jsonPath": path, **piece} for path, piece in pieces]})
    assert call.arguments == {
        "a": {"b": "over"},
        "text": "Hello",
        "text2": "y",
        "list": [{"n": 0.5}, {"b": False}, None],
    }


# Errors


def _refuse(status: int, *details: dict[str, Any], code: str = "INVALID_ARGUMENT", **headers: str) -> APIStatusError:
    error = {"code": status, "message": "no", "status": code, "details": list(details)}
    return wire.decode_error(status, headers, json.dumps([{"error": error}]).encode())


def test_a_wrong_key_is_an_authentication_error() -> None:
    """Though the service answers 400."""
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    error = _refuse(400, reason, {"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "message": "no"})
    assert type(error) is AuthenticationError
    assert (error.status_code, error.code, error.type, error.retryable) == (
        400,
        "API_KEY_INVALID",
        "INVALID_ARGUMENT",
        False,
    )


@pytest.mark.parametrize(
    ("delay", "seconds"), [("48s", 48.0), ("34.4s", 34.4), ("0s", 0.0), ("soon", None), ("-1s", None)]
)
def test_the_wait_that_a_rate_limit_asks_for_is_told(delay: str, seconds: float | None) -> None:
    """It stands in the body; a header goes before it."""
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    error = _refuse(429, retry, code="RESOURCE_EXHAUSTED")
    assert type(error) is RateLimitError
    assert (error.retry_after, error.retryable) == (seconds, True)
    assert _refuse(429, retry, code="RESOURCE_EXHAUSTED", **{"retry-after": "7"}).retry_after == 7


def test_the_quota_of_a_day_is_not_asked_again() -> None:
    """Also where that of a minute is used up as well."""
    quotas = [
        "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    ]
    failure = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name} for name in quotas],
    }
    assert not _refuse(429, failure, code="RESOURCE_EXHAUSTED").retryable


def test_the_field_that_is_blamed_is_the_parameter() -> None:
    """The first of them."""
    blamed = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0]"}]}
    assert _refuse(400, blamed).param == "contents[0]"


def test_an_error_inside_of_a_stream_has_the_class_of_its_code() -> None:
    """The status was 200 by then."""
    event = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(RateLimitError, match="slow down"):
        wire.decode_stream("finish").feed(("message", json.dumps(event).encode()))


# Whatever may come

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=12,
)


def _loose(**fields: Any) -> Any:
    """An object that may lack fields, or have anything in their places; or anything in its own."""
    return _mostly(st.fixed_dictionaries({}, optional={name: _mostly(kind) for name, kind in fields.items()}))


def _mostly(kind: Any) -> Any:
    return st.one_of(kind, kind, kind, JSON)


def _list(kind: Any) -> Any:
    return st.lists(kind, max_size=3)


WORD = st.sampled_from(["f", "", "STOP", "SAFETY", "MALFORMED_FUNCTION_CALL", "image/png", "9s", "\ud800"])
PATH = st.sampled_from(["$.a", "$.a.b", "$.a[0]", "$.a[7].b", "$.b['c']", "$[0]", "$", "a"])
PIECE = _loose(
    jsonPath=PATH, stringValue=WORD, numberValue=st.floats(), boolValue=st.booleans(), willContinue=st.booleans()
)
CALL = _loose(name=WORD, id=WORD, args=JSON, partialArgs=_list(PIECE), willContinue=st.booleans())
PART = _loose(
    text=WORD,
    thought=st.booleans(),
    thoughtSignature=WORD,
    functionCall=CALL,
    inlineData=_loose(mimeType=WORD, data=WORD),
    executableCode=JSON,
)
TOKEN = _loose(token=WORD, logProbability=st.floats(-9, 0))
CANDIDATE = _loose(
    index=st.integers(-1, 2),
    content=_loose(parts=_list(PART)),
    finishReason=WORD,
    finishMessage=WORD,
    logprobsResult=_loose(chosenCandidates=_list(TOKEN), topCandidates=_list(_loose(candidates=_list(TOKEN)))),
)
DETAIL = _loose(
    retryDelay=WORD,
    reason=WORD,
    violations=_list(_loose(quotaId=WORD)),
    fieldViolations=_list(_loose(field=WORD)),
    **{"@type": st.sampled_from(["g/a.RetryInfo", "g/a.ErrorInfo", "g/a.QuotaFailure", "g/a.BadRequest"])},
)
ANSWER = _loose(
    candidates=_list(CANDIDATE),
    promptFeedback=_loose(blockReason=WORD, blockReasonMessage=WORD),
    usageMetadata=_loose(totalTokenCount=st.integers(), promptTokensDetails=_list(JSON), serviceTier=WORD),
    responseId=WORD,
    modelVersion=WORD,
    createTime=WORD,
    models=_list(_loose(name=WORD)),
    embeddings=_list(_loose(values=_list(st.floats()))),
    nextPageToken=WORD,
)
REFUSAL = _loose(error=_loose(code=st.integers(), message=WORD, status=WORD, details=_list(DETAIL)))


# Each level by itself, too: hardly any answer is right so far down that a reader gets there.
ALL_PARTS = st.one_of(_list(PART), _list(st.fixed_dictionaries({"functionCall": CALL})))
CANDIDATES = st.one_of(CANDIDATE, ALL_PARTS.map(lambda parts: {"content": {"parts": parts}, "finishReason": "STOP"}))
CANDIDATE_ANSWERS = st.lists(CANDIDATES, min_size=1, max_size=2).map(lambda candidates: {"candidates": candidates})


@given(st.one_of(ANSWER, CANDIDATE_ANSWERS, REFUSAL, _list(ANSWER | REFUSAL)))
def test_whatever_is_answered_becomes_an_answer_or_an_error_of_ours(value: Any) -> None:
    """No reader trusts the kind of anything that it reads."""
    response = _respond(value, date="never")
    for decode in (wire.decode_chat, wire.decode_image, wire.decode_embed, wire.decode_models, wire.read_next_page):
        _try(decode, response)
    _try(lambda _: wire.decode_stream("finish").feed(("message", response.body)), response)
    assert isinstance(wire.decode_error(400, {}, response.body), APIStatusError)


def _try(decode: Any, response: HttpResponse) -> None:
    try:
        decoded = decode(response)
    except G4FError:
        return
    for item in decoded if isinstance(decoded, list) else [decoded]:
        json.dumps(item.to_dict() if hasattr(item, "to_dict") else item)


KEYS = st.text("ab_ é$.", min_size=1, max_size=4)
VALUES = st.recursive(
    st.text(max_size=6) | st.booleans() | st.integers(-99, 99) | st.none(),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=8,
)


def _tell(value: Any, path: str, width: int) -> list[dict[str, Any]]:
    """The pieces that tell a value, each with its place; texts are cut after so many characters."""
    if isinstance(value, dict):
        steps = {key: f".{key}" if key.isalpha() else f"['{key}']" for key in value}
        return [piece for key, item in value.items() for piece in _tell(item, path + steps[key], width)]
    if isinstance(value, list):
        return [piece for at, item in enumerate(value) for piece in _tell(item, f"{path}[{at}]", width)]
    if isinstance(value, str):
        texts = [value[at : at + width] for at in range(0, len(value), width)] or [""]
        last = len(texts) - 1
        return [{"jsonPath": path, "stringValue": text, "willContinue": at < last} for at, text in enumerate(texts)]
    kind = "nullValue" if value is None else "boolValue" if isinstance(value, bool) else "numberValue"
    return [{"jsonPath": path, kind: value}]


@given(st.dictionaries(KEYS, VALUES, max_size=3), st.integers(1, 4))
def test_arguments_in_pieces_are_what_they_were(arguments: dict[str, Any], width: int) -> None:
    """Whatever their shape, and wherever texts are cut."""
    told = [{"partialArgs": [piece], "willContinue": True} for piece in _tell(arguments, "$", width)]
    decoder = wire.decode_stream("finish")
    calls = [{"name": "f", "willContinue": True}, *told]
    answers = [*(_candidate({"functionCall": call}, finishReason=None) for call in calls), _candidate()]
    chunks = [decoder.feed(("message", json.dumps(answer).encode())) for answer in answers]
    [call] = fold_chunks(chunk for chunk in chunks if chunk is not None).choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == arguments


TEXT = st.text(max_size=8)
NAMES = st.text("abcdefghijk_", min_size=1, max_size=8)
DATA_URLS = st.builds(
    lambda kind, data: f"data:{kind};base64,{base64.b64encode(data).decode()}",
    st.sampled_from(["image/png", "image/jpeg", "application/pdf", "audio/wav"]),
    st.binary(max_size=8),
)
PARTS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXT),
    st.builds(lambda url: {"type": "image_url", "image_url": {"url": url}}, DATA_URLS | st.just("https://h/a.png")),
    st.builds(lambda url: {"type": "file", "file": {"file_data": url, "filename": "a"}}, DATA_URLS),
    st.builds(lambda data: {"type": "input_audio", "input_audio": {"data": data, "format": "mp3"}}, st.just("AAAA")),
)
CONTENT = TEXT | st.lists(PARTS, max_size=3)
OBJECTS = st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-99, 99) | TEXT, max_size=3)
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({"type": "string"}))}
)
FUNCTIONS = st.fixed_dictionaries(
    {"name": NAMES}, optional={"description": TEXT, "parameters": SCHEMAS, "strict": st.booleans()}
)


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Messages as OpenAI's users write them, each tool's result behind its call."""
    messages: list[dict[str, Any]] = []
    for at in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["system", "user", "assistant", "tools"]))
        if kind != "tools":
            messages.append({"role": kind, "content": draw(CONTENT if kind == "user" else TEXT)})
            continue
        ids = [f"c{at}.{number}" for number in range(draw(st.integers(1, 2)))]
        signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}} if draw(st.booleans()) else {}
        calls = [
            {
                "id": name,
                "type": "function",
                "function": {"name": draw(NAMES), "arguments": json.dumps(draw(OBJECTS))},
                **signed,
            }
            for name in ids
        ]
        messages.append({"role": "assistant", "content": draw(st.none() | TEXT), "tool_calls": calls})
        messages += [{"role": "tool", "tool_call_id": name, "content": draw(TEXT)} for name in ids]
    return messages


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "max_tokens": st.integers(1, 9),
        "max_completion_tokens": st.integers(1, 9),
        "n": st.integers(1, 4),
        "seed": st.integers(-(2**31), 2**31 - 1),
        "stop": TEXT | st.lists(TEXT, max_size=3),
        "presence_penalty": st.floats(-2, 2),
        "frequency_penalty": st.floats(-2, 2),
        "logprobs": st.booleans(),
        "top_logprobs": st.integers(0, 5),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh"]),
        "modalities": st.lists(st.sampled_from(["text", "image", "audio"]), max_size=2),
        "response_format": st.sampled_from([{"type": "text"}, {"type": "json_object"}])
        | st.builds(lambda schema: {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}, SCHEMAS),
        "tools": st.lists(
            st.builds(lambda function: {"type": "function", "function": function}, FUNCTIONS), max_size=2
        ),
        "tool_choice": st.sampled_from(["none", "auto", "required", {"type": "function", "function": {"name": "f"}}]),
        "web_search_options": st.just({}),
        "parallel_tool_calls": st.booleans(),
        "service_tier": st.sampled_from(["auto", "default", "flex"]),
        "store": st.booleans(),
        "user": TEXT,
        "logit_bias": st.just({"1": 2}),
    },
)
# Newer than the definition that the parser was made from; the SDK's types prove them (test_sdk_parity.py).
NEWER = (("generationConfig", "thinkingConfig", "thinkingLevel"), ("serviceTier",), ("store",))


def _drop_newer(body: dict[str, Any]) -> None:
    for *way, name in NEWER:
        place = body
        for step in way:
            place = place.get(step, {})
        place.pop(name, None)


@given(conversations(), OPTIONS, st.sampled_from(["gemini-2.5-flash", "gemini-3.8-flash", "gemma-4-31b-it"]))
def test_every_request_passes_the_strict_parser_of_the_service(
    messages: list[dict[str, Any]], options: dict[str, Any], model: str
) -> None:
    """Whatever is asked in OpenAI's words, there is no unknown field in it and no value of a wrong kind."""
    body, _ = _encode(model, messages, **options)
    _drop_newer(body)
    parsed = ParseDict(body, GenerateContentRequest.pb(GenerateContentRequest()))
    assert len(parsed.contents) == len(body["contents"])


SIZES = st.sampled_from(["auto", "1024x1024", "16:9"]) | st.builds(
    "{}x{}".format, st.integers(1, 9999), st.integers(1, 9999)
)


@given(st.sampled_from(["generate", "edit"]), st.none() | SIZES)
def test_every_request_for_a_picture_passes_it_too(operation: Any, size: str | None) -> None:
    """But for the size class, which is newer than the parser."""
    images = ("data:image/png;base64,AAAA",) if operation == "edit" else ()
    request = ImageRequest("a cat", "gemini-x", operation, images, options={"size": size} if size else {})
    body = json.loads(wire.encode_image(request, warn=lambda _: None).body)
    body["generationConfig"].get("imageConfig", {}).pop("imageSize", None)
    ParseDict(body, GenerateContentRequest.pb(GenerateContentRequest()))
