import base64
import email
import email.policy
import json
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import HttpRequest, HttpResponse
from g4f.embeddings import EmbeddingRequest
from g4f.errors import (
    APIResponseError,
    APIStatusError,
    BadRequestError,
    G4FError,
    InternalServerError,
    InvalidInputError,
    RateLimitError,
)
from g4f.fold import fold_chunks
from g4f.images import ImageRequest
from g4f.manifest import StreamEnd
from g4f.wire import openai
from g4f.wire.dialect import Warn
from g4f.wire.openai import OPENAI, ChunkDecoder, encode_multipart, split_data_url

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
MESSAGES = ({"role": "user", "content": "Hi"},)


def warn(sentence: str) -> None:
    raise AssertionError(sentence)


def encode_chat(*, stream: bool = False, **fields: Any) -> tuple[HttpRequest, dict[str, Any]]:
    request = openai.encode_chat(ChatRequest(MESSAGES, **fields), stream=stream, warn=warn)
    return request, json.loads(request.body)


def answer(value: Any) -> HttpResponse:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return HttpResponse(200, {}, body)


# --- Chats -----------------------------------------------------------------------------------------------------------


def test_a_chat_is_written_as_openai_documents_it() -> None:
    """Messages, model and the options that were given; nothing else."""
    request, body = encode_chat(model="gpt-4", options={"temperature": 0.5, "n": 2})

    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.headers == {"Content-Type": "application/json"}
    assert body == {"messages": [{"role": "user", "content": "Hi"}], "model": "gpt-4", "temperature": 0.5, "n": 2}


def test_a_chat_without_a_model_names_none() -> None:
    """The service chooses."""
    assert "model" not in encode_chat()[1]


def test_a_stream_asks_for_usage_unless_the_user_says_otherwise() -> None:
    """Other stream options stay."""
    assert encode_chat(stream=True)[1]["stream_options"] == {"include_usage": True}
    _, body = encode_chat(stream=True, options={"stream_options": {"include_usage": False, "x": 1}})
    assert body["stream_options"] == {"include_usage": False, "x": 1}
    assert body["stream"] is True


def test_a_whole_answer_has_no_options_for_streams() -> None:
    """Services refuse them there."""
    _, body = encode_chat(options={"stream_options": {"include_usage": True}})

    assert "stream_options" not in body
    assert "stream" not in body


def test_options_of_the_service_alone_are_fields_of_the_body() -> None:
    """What the user adds as it is counts more."""
    own = {"top_k": 5, "seed": 1}
    assert encode_chat(provider_options=own, extra_body={"seed": 2})[1] == {
        "messages": [*MESSAGES],
        "top_k": 5,
        "seed": 2,
    }
    image = openai.encode_image(ImageRequest("a cat", provider_options=own), warn=warn)
    embed = openai.encode_embed(EmbeddingRequest("Hi", provider_options=own), warn=warn)
    assert json.loads(image.body) == {"prompt": "a cat", **own}
    assert json.loads(embed.body) == {"input": "Hi", **own}


def test_extra_fields_and_headers_have_the_last_word() -> None:
    """They are the user's own responsibility."""
    request, body = encode_chat(
        model="m", options={"seed": 1}, extra_body={"seed": 2, "new": [1]}, extra_headers={"X-A": "b"}
    )

    assert body["seed"] == 2
    assert body["new"] == [1]
    assert request.headers["X-A"] == "b"


def test_a_service_may_be_asked_in_words_of_its_own() -> None:
    """They are put into the body before what the user adds to it as it is."""

    def name_seed(body: dict[str, Any], warn: Warn) -> None:
        body["random_seed"] = body.pop("seed")
        warn("seed is called random_seed.")

    told: list[str] = []
    request = ChatRequest(MESSAGES, "m", options={"seed": 1}, extra_body={"seed": 2})
    body = json.loads(openai.encode_chat(request, stream=False, warn=told.append, adapt=name_seed).body)
    assert body == {"messages": [*MESSAGES], "model": "m", "random_seed": 1, "seed": 2}
    embed = EmbeddingRequest("Hi", "m", options={"seed": 1})  # type: ignore[typeddict-unknown-key]  # as a user may
    assert json.loads(openai.encode_embed(embed, warn=told.append, adapt=name_seed).body)["random_seed"] == 1
    assert told == ["seed is called random_seed."] * 2


def test_what_only_another_service_understands_can_be_left_out_of_a_history() -> None:
    """Signed thoughts, in a message or its calls; the user's own messages stay as they are."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "tool_calls": [call]}
    foreign = {
        **said,
        "thinking_blocks": [{"signature": "s"}],
        "tool_calls": [{**call, "extra_content": {"google": {}}}],
    }
    messages: tuple[dict[str, Any], ...] = (*MESSAGES, foreign)
    adapt = openai.forget_foreign("reasoning_content")
    body: dict[str, Any] = {"messages": messages}
    adapt(body, warn)
    assert body["messages"] == (*MESSAGES, said)
    assert "thinking_blocks" in foreign
    plain: dict[str, Any] = {"messages": MESSAGES}
    adapt(plain, warn)
    assert plain["messages"] is MESSAGES


def test_the_request_is_not_changed_by_being_written() -> None:
    """A value stays what it is, for the next attempt."""
    options: Any = {"stream_options": {"x": 1}}
    request = ChatRequest(MESSAGES, options=options, extra_body={"a": 1})
    openai.encode_chat(request, stream=True, warn=warn)
    openai.encode_chat(request, stream=False, warn=warn)

    assert request == ChatRequest(MESSAGES, options={"stream_options": {"x": 1}}, extra_body={"a": 1})  # type: ignore[typeddict-item]


@given(st.text(st.characters()))
def test_a_prompt_may_hold_anything(text: str) -> None:
    """NUL, lone surrogates, quotes: the service reads what the user wrote."""
    request = openai.encode_chat(ChatRequest(({"role": "user", "content": text},)), stream=False, warn=warn)

    assert json.loads(request.body)["messages"][0]["content"] == text


def test_a_message_that_json_cannot_say_is_the_callers_mistake() -> None:
    """Bytes where text should be, for one."""
    with pytest.raises(InvalidInputError):
        openai.encode_chat(ChatRequest(({"role": "user", "content": b"Hi"},)), stream=False, warn=warn)


def test_a_whole_answer_is_read() -> None:
    """With all that the service sent beside what we know."""
    sent = {"id": "c", "model": "m", "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "x": 1}
    completion = openai.decode_chat(answer(sent))

    assert isinstance(completion, Completion)
    assert completion.choices[0].message.content == "Hi"
    assert completion.to_dict() == sent


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" \n", b"null", b"[]", b'"Hi"', b"{}", b'{"choices": []}', b'{"choices": null}', b'{"choices": 5}'),
        *(b'{"choices": [null]}', b"<html>Hi</html>", b'{"choices": [{"mess', b"[" * 100_000, b"\xff"),
    ],
)
def test_a_200_that_is_no_answer_is_an_error(body: bytes) -> None:
    """HTML, nothing, half of it, or no choices."""
    with pytest.raises(APIResponseError):
        openai.decode_chat(answer(body))


def test_an_empty_answer_may_be_tried_again() -> None:
    """It is the service's hiccup."""
    with pytest.raises(APIResponseError, match="is empty") as caught:
        openai.decode_chat(answer(b""))
    assert caught.value.retryable


@pytest.mark.parametrize("decode", [openai.decode_chat, openai.decode_image])
def test_an_error_with_status_200_is_an_error(decode: Any) -> None:
    """Its code or type says which."""
    with pytest.raises(RateLimitError, match="Slow down"):
        decode(answer({"error": {"message": "Slow down", "code": 429}}))
    with pytest.raises(InternalServerError, match="boom"):
        decode(answer({"error": "boom"}))


def test_an_error_that_is_null_is_none() -> None:
    """Some services always send the field."""
    sent = {"error": None, "choices": [{"message": {"content": "Hi"}}]}

    assert openai.decode_chat(answer(sent)).choices[0].message.content == "Hi"


def make_chunk(text: str | None = None, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {"content": text} if text else {}, "finish_reason": finish}]}


def write_events(*events: Any) -> bytes:
    return b"".join(
        b"data: %s\n\n" % (event if isinstance(event, bytes) else json.dumps(event).encode()) for event in events
    )


@pytest.mark.parametrize(
    "start", [b"", b"\xef\xbb\xbf", b": hello\n\n", b"event: x\n", b"id: 1\n", b"\r\n", b"retry: 1\n"]
)
def test_a_stream_that_was_not_asked_for_is_read_as_an_answer(start: bytes) -> None:
    """Whatever its first line is, and without a blank line at its end."""
    body = start + write_events(make_chunk("Hi"), make_chunk(None, "stop"), b"[DONE]").rstrip()
    completion = openai.decode_chat(answer(body))

    assert completion.choices[0].message.content == "Hi"


@pytest.mark.parametrize("events", [(make_chunk("Hi"),), (b"[DONE]",), (), (b"",)])
def test_a_stream_that_was_not_asked_for_must_be_whole(events: tuple[Any, ...]) -> None:
    """Half an answer is none."""
    with pytest.raises(APIResponseError, match="ends too early"):
        openai.decode_chat(answer(b": \n\n" + write_events(*events)))


# --- The chunks of a stream ------------------------------------------------------------------------------------------


def feed(stream_end: StreamEnd, *events: Any) -> tuple[ChunkDecoder, list[Chunk | None]]:
    decoder = ChunkDecoder(stream_end)
    datas = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    return decoder, [decoder.feed(("message", data)) for data in datas]


@pytest.mark.parametrize(
    ("events", "marker", "finish", "close"),
    [
        ((), False, False, True),
        ((make_chunk("Hi"),), False, False, True),
        ((make_chunk("Hi"), make_chunk(None, "stop")), False, True, True),
        ((make_chunk("Hi"), b"[DONE]"), True, True, True),
        ((make_chunk("Hi"), b" [DONE] "), True, True, True),
        ((make_chunk("a"), make_chunk("b", None, 1), make_chunk(None, "stop")), False, False, True),
        ((make_chunk("a"), make_chunk("b", "stop", 1), make_chunk(None, "stop")), False, True, True),
        ((make_chunk("Hi", "stop"), {"choices": [], "usage": {}}), False, True, True),
        ((make_chunk("Hi", "stop"), make_chunk()), False, True, True),
        ((make_chunk("Hi", ""),), False, False, True),
        (({"choices": [{"delta": {}, "finish_reason": "stop"}]},), False, True, True),
        (({"choices": 5}, {"choices": [None]}, {"choices": [{"index": []}]}), False, False, True),
    ],
)
def test_a_stream_is_complete_by_the_rule_of_its_manifest(
    events: tuple[Any, ...], marker: bool, finish: bool, close: bool
) -> None:
    """`marker` needs [DONE]; `finish` takes every begun choice's reason as well; `close` asks for nothing."""
    ends: tuple[StreamEnd, ...] = ("marker", "finish", "close")

    assert [feed(end, *events)[0].complete for end in ends] == [marker, finish, close]


def test_only_the_marker_ends_a_stream_before_its_connection_does() -> None:
    """After a finish reason there may be usage."""
    decoder, _ = feed("finish", make_chunk("Hi", "stop"))
    assert not decoder.ended
    decoder, chunks = feed("finish", b"[DONE]", make_chunk("late"), b"junk")
    assert decoder.ended
    assert chunks == [None, None, None]


def test_empty_events_are_passed_over() -> None:
    """However many come."""
    _, chunks = feed("finish", b"", b" ", make_chunk("Hi"))

    assert chunks[:2] == [None, None]
    assert chunks[2] is not None


@pytest.mark.parametrize("event", [{"error": {"message": "boom"}}, {"error": "boom"}, "boom"])
def test_an_error_in_the_middle_of_a_stream_is_raised(event: Any) -> None:
    """As an object or as a text."""
    with pytest.raises(InternalServerError, match="boom"):
        feed("finish", make_chunk("Hi"), event)


def test_an_error_event_is_an_error_whatever_it_holds() -> None:
    """Its type says so."""
    with pytest.raises(APIStatusError, match="boom"):
        ChunkDecoder("finish").feed(("error", b'{"message": "boom"}'))
    with pytest.raises(G4FError):
        ChunkDecoder("finish").feed(("error", b""))


@pytest.mark.parametrize("event", [b"<html>", b'{"choices": [', b"null", b"5", b"[]"])
def test_an_event_that_is_no_object_is_an_error(event: bytes) -> None:
    """Broken JSON and HTML among them."""
    with pytest.raises(APIResponseError):
        feed("finish", make_chunk("Hi"), event)


def call_thoughts_reasoning(answer: dict[str, Any]) -> None:
    """Put one service's word into OpenAI's."""
    for choice in answer["choices"]:
        message = choice.get("message") or choice["delta"]
        message["reasoning_content"] = message.pop("thoughts", None)


def test_a_service_may_have_words_of_its_own() -> None:
    """Whole answers, streams, and streams that were not asked for are read through the same function."""
    message = {"thoughts": "Hm.", "content": "Hi"}
    whole = answer({"choices": [{"message": message, "finish_reason": "stop"}]})
    event = json.dumps({"choices": [{"delta": message, "finish_reason": "stop"}]}).encode()
    for response in (whole, answer(b"data: " + event + b"\n\n")):
        read = openai.decode_chat(response, call_thoughts_reasoning).choices[0].message
        assert (read.reasoning_content, read.content, read.model_extra) == ("Hm.", "Hi", {})
    chunk = openai.decode_stream("finish", call_thoughts_reasoning).feed(("message", event))
    assert chunk is not None
    assert chunk.choices[0].delta.reasoning_content == "Hm."


def test_a_decoder_is_made_for_each_stream() -> None:
    """It remembers what has come."""
    assert openai.decode_stream("finish") is not openai.decode_stream("finish")


# --- Nothing a service sends breaks it -------------------------------------------------------------------------------

KEYS = ["choices", "delta", "message", "content", "tool_calls", "index", "finish_reason", "error", "data", "url", "id"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
bodies = st.one_of(
    st.binary(),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.lists(json_values, max_size=4).map(lambda values: write_events(*values)),
    st.lists(st.binary(max_size=8), max_size=4).map(lambda values: write_events(*values)),
)


@given(bodies, st.sampled_from([openai.decode_chat, openai.decode_image, openai.decode_models]))
def test_whatever_a_service_answers_is_an_answer_or_an_error_of_ours(body: bytes, decode: Any) -> None:
    """Arbitrary JSON and arbitrary bytes."""
    try:
        decoded = decode(answer(body))
    except G4FError:
        return
    if isinstance(decoded, Completion):
        assert decoded.choices
        repr(decoded)


@given(st.lists(st.binary(max_size=8) | json_values, max_size=6), st.sampled_from(["marker", "finish", "close"]))
def test_whatever_a_stream_tells_is_chunks_or_an_error_of_ours(events: list[Any], stream_end: StreamEnd) -> None:
    """And what are chunks can be folded."""
    decoder = ChunkDecoder(stream_end)
    chunks = []
    for event in events:
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        try:
            chunk = decoder.feed(("message", data))
        except G4FError:
            break
        if chunk is not None:
            chunks.append(chunk)
    fold_chunks(chunks)
    assert decoder.complete in (True, False)


# --- Images ----------------------------------------------------------------------------------------------------------


def test_a_request_to_draw_is_json() -> None:
    """As OpenAI documents it, with room for large answers."""
    request = openai.encode_image(
        ImageRequest("A cat", "dall-e-3", options={"n": 2, "size": "1024x1024"}, extra_body={"x": 1}), warn=warn
    )

    assert (request.method, request.path) == ("POST", "/images/generations")
    assert json.loads(request.body) == {"prompt": "A cat", "model": "dall-e-3", "n": 2, "size": "1024x1024", "x": 1}
    assert request.max_bytes == openai.MAX_IMAGES_BYTES


def parse_form(request: HttpRequest) -> list[EmailMessage]:
    """The parts of a form, read by the standard library."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    parsed = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    assert parsed.is_multipart()
    assert not parsed.defects
    return [part for part in parsed.iter_parts() if isinstance(part, EmailMessage)]


def get_name(part: EmailMessage) -> Any:
    return part.get_param("name", header="content-disposition")


def test_a_request_to_edit_is_a_form() -> None:
    """Fields as text, pictures as files with their types, the mask after them."""
    request = openai.encode_image(
        ImageRequest(
            "Ein größerer Hut", "m", "edit", (PNG_URL, "data:image/jpeg;base64,/9j/"), PNG_URL, options={"n": 1}
        ),
        warn=warn,
    )
    parts = parse_form(request)

    assert (request.method, request.path) == ("POST", "/images/edits")
    assert [get_name(part) for part in parts] == ["prompt", "n", "model", "image[]", "image[]", "mask"]
    assert [part.get_payload(decode=True).decode() for part in parts[:3]] == ["Ein größerer Hut", "1", "m"]  # type: ignore[union-attr]
    assert [part.get_filename() for part in parts[3:]] == ["image0.png", "image1.jpeg", "mask.png"]
    assert [part.get_content_type() for part in parts[3:]] == ["image/png", "image/jpeg", "image/png"]
    assert parts[3].get_payload(decode=True) == PNG


def test_one_picture_to_edit_is_called_image() -> None:
    """Services with one picture know no other name."""
    parts = parse_form(openai.encode_image(ImageRequest("x", images=(PNG_URL,), operation="edit"), warn=warn))

    assert [get_name(part) for part in parts] == ["prompt", "image"]


def test_fields_of_a_form_are_written_as_json_would_write_them() -> None:
    """There is no True in a form."""
    body, headers = encode_multipart({"a": True, "b": None, "c": 1.5, "d": ["x"], "e": "é"}, [])
    parts = parse_form(HttpRequest("POST", "/", body, headers))

    assert [part.get_payload(decode=True).decode() for part in parts] == ["true", "null", "1.5", '["x"]', "é"]  # type: ignore[union-attr]


names = st.text(st.characters(codec="utf-8", exclude_characters="%\x00"), min_size=1, max_size=6)
binaries = st.binary() | st.sampled_from([b"--", b"\r\n--", b"\r\n\r\n", b"--\r\n", PNG])


@given(st.dictionaries(names, st.text(st.characters(codec="utf-8"))), st.lists(binaries, max_size=3))
def test_a_form_can_be_taken_apart_again(fields: dict[str, str], files: list[bytes]) -> None:
    """Whatever stands in names, texts and pictures: no part leaks into another."""
    body, headers = encode_multipart(fields, [("image[]", "a.png", "image/png", data) for data in files])
    boundary = headers["Content-Type"].partition("boundary=")[2].encode()
    *parts, end = body.split(b"--" + boundary)
    contents = [part.removeprefix(b"\r\n").removesuffix(b"\r\n").partition(b"\r\n\r\n") for part in parts[1:]]

    assert end == b"--\r\n"
    assert [content for *_, content in contents] == [*(text.encode() for text in fields.values()), *files]
    assert all(head.count(b"\r\n") <= 1 and head.count(b'"') in (2, 4) for head, *_ in contents)


def test_equal_forms_are_equal_bytes() -> None:
    """So that a repeated request is the same request."""
    assert encode_multipart({"a": "b"}, []) == encode_multipart({"a": "b"}, [])
    assert encode_multipart({"a": "b"}, [])[1] != encode_multipart({"a": "c"}, [])[1]


def test_a_prompt_with_half_a_character_can_be_sent_in_a_form() -> None:
    """Forms have no escape for it, so it is replaced."""
    (part,) = parse_form(openai.encode_image(ImageRequest("a\ud83d", operation="edit"), warn=warn))

    assert part.get_payload(decode=True) == "a\ufffd".encode()


def test_pictures_are_read() -> None:
    """As URLs or base64."""
    images = openai.decode_image(answer({"data": [{"url": "https://x/y.png"}, {"b64_json": "AA=="}], "created": 1}))

    assert images.data[0].url == "https://x/y.png"
    assert images.data[1].b64_json == "AA=="


@pytest.mark.parametrize(
    "sent", [{}, {"data": []}, {"data": [{}]}, {"data": [{"url": ""}]}, {"data": [{"url": 5}]}, {"data": 1}]
)
def test_an_answer_without_a_picture_is_an_error(sent: Any) -> None:
    """Whatever is there instead."""
    with pytest.raises(APIResponseError, match="has no image"):
        openai.decode_image(answer(sent))


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        (PNG_URL, "image/png", PNG),
        ("data:image/png;charset=x;base64,AA==", "image/png", b"\0"),
        ("data:;base64,AA==", "", b"\0"),
        ("data:a/b;base64,", "a/b", b""),
    ],
)
def test_a_data_url_is_split(url: str, media_type: str, data: bytes) -> None:
    """Into its type and its bytes."""
    assert split_data_url(url) == (media_type, data)


@pytest.mark.parametrize(
    "url",
    [
        *("", "data:", "data:,x", "data:image/png,AA==", "http://x/", "data:image/png;base64,A", "data:a/b;base64,é"),
        "data:a/b;base64,A A=",
    ],
)
def test_what_is_no_base64_data_url_is_an_error(url: str) -> None:
    """It says what is wrong with it."""
    with pytest.raises(InvalidInputError, match=r"does not begin a base64 data URL|base64 is broken"):
        split_data_url(url)


# --- Models ----------------------------------------------------------------------------------------------------------


def test_the_models_of_a_service_are_listed() -> None:
    """In OpenAI's envelope or bare; what is no model is passed over."""
    request = openai.encode_models()
    rows = [{"id": "a"}, {"id": 5}, {"name": "b"}, None, {"id": "c", "x": 1}]

    assert (request.method, request.path, request.body) == ("GET", "/models", b"")
    for sent in ({"data": rows}, rows):
        assert openai.decode_models(answer(sent)) == [{"id": "a"}, {"id": "c", "x": 1}]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"data": {}}', b"null", b"<html>"])
def test_an_answer_that_lists_no_models_is_an_error(body: bytes) -> None:
    """It shows what came instead."""
    with pytest.raises(APIResponseError):
        openai.decode_models(answer(body))


def test_errors_are_read_as_most_services_write_them() -> None:
    """The dialect's name for it is part of every dialect."""
    assert isinstance(OPENAI.decode_error(400, {}, b"{}"), BadRequestError)


def test_vectors_are_in_the_order_of_their_texts() -> None:
    """Whichever came first; where the service does not number them, as they came."""
    rows = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}, {"index": "x", "embedding": [9.0]}]
    for told, expected in ((rows[:2], [[0.0], [1.0]]), ([rows[2], {"embedding": [8.0]}], [[9.0], [8.0]])):
        answer = openai.decode_embed(HttpResponse(200, {}, json.dumps({"data": told}).encode()))
        assert [item.embedding for item in answer.data] == expected


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no embedding"),
        ([{"index": 0, "embedding": [None, "x", {}]}], "no embedding"),
        ([{"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [2.0]}], "two embeddings for one text"),
    ],
)
def test_vectors_that_are_none_are_no_success(rows: list[Any], said: str) -> None:
    """Nobody would find out before something is looked for among them."""
    with pytest.raises(APIResponseError, match=said):
        openai.decode_embed(HttpResponse(200, {}, json.dumps({"data": rows}).encode()))
