"""What each service is asked in its own words, and what is read out of its own words."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.chat import ChatRequest, Chunk
from g4f.context import HttpRequest, HttpResponse
from g4f.embeddings import EmbeddingRequest
from g4f.errors import (
    APIResponseError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    G4FError,
    InvalidInputError,
)
from g4f.fold import fold_chunks
from g4f.images import ImageRequest
from g4f.wire.dialect import Wire
from g4f_provider_compatible import wire
from g4f_provider_compatible.wire.azure import find_root, place_request
from g4f_provider_compatible.wire.thinking import TagReader
from spoiling import spoil_json

HI = ({"role": "user", "content": "Hi"},)
CALL = {"id": "call_0123456789", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ANSWERED = (
    {"role": "developer", "content": "Be terse"},
    {"role": "user", "name": "ann", "content": "Hi"},
    {
        "role": "assistant",
        "content": "Well",
        "reasoning_content": "Hm.",
        "refusal": None,
        "channel": "final",
        "tool_calls": [CALL],
    },
    {"role": "tool", "tool_call_id": "call_0123456789", "content": "4"},
)


def ask(service: Wire, *, model: str = "m", messages: Any = HI, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """Return the body of a chat request, and the warnings."""
    told: list[str] = []
    request = ChatRequest(messages, model, options=options)  # type: ignore[arg-type]  # what users may give
    return json.loads(service.encode_chat(request, stream=False, warn=told.append).body), told


def read(service: Wire, **answer: Any) -> Any:
    """Return what is read out of a whole answer's first choice."""
    message = {"role": "assistant", "content": "Hi", **answer.pop("message", {})}
    body = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **answer.pop("choice", {})}],
        **answer,
    }
    return service.decode_chat(HttpResponse(200, {}, json.dumps(body).encode()))


def stream(service: Wire, *deltas: dict[str, Any], end: str | None = "stop") -> list[Chunk]:
    """Return the chunks of a stream."""
    decoder = service.decode_stream("marker")
    events = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
    chunks = [decoder.feed(("message", json.dumps(event).encode())) for event in events]
    return [chunk for chunk in chunks if chunk is not None]


# --- Requests --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "lost"),
    [
        (wire.GROQ, {"logprobs", "presence_penalty", "metadata", "verbosity"}),
        (wire.MISTRAL, {"verbosity"}),
        (wire.DEEPSEEK, {"metadata", "verbosity"}),
        (wire.TOGETHER, {"metadata", "verbosity"}),
        (wire.OLLAMA, {"metadata", "verbosity"}),
        (wire.OPENROUTER, set()),
        (wire.XAI, {"presence_penalty"}),
        (wire.OPEN, set()),
        (wire.AZURE, set()),
    ],
)
def test_what_a_service_lacks_is_left_out_with_a_sentence(service: Wire, lost: set[str]) -> None:
    """Whatever it knows stays."""
    given_options = {"logprobs": True, "presence_penalty": 0.5, "metadata": {}, "verbosity": "low", "temperature": 0.5}
    body, told = ask(service, **given_options)
    assert given_options.keys() - body.keys() == lost
    assert {sentence.partition(" ")[0] for sentence in told if "left out" in sentence} == lost


@pytest.mark.parametrize("service", [wire.MISTRAL, wire.DEEPSEEK, wire.TOGETHER, wire.OLLAMA, wire.LMSTUDIO])
def test_the_limit_has_one_name(service: Wire) -> None:
    """The older one, which all of these know; the user's own use of it counts more."""
    assert ask(service, max_completion_tokens=5)[0]["max_tokens"] == 5
    assert ask(service, max_completion_tokens=5, max_tokens=3)[0]["max_tokens"] == 3


def test_groq_gives_one_answer() -> None:
    """It refuses to be asked for more."""
    assert ask(wire.GROQ, n=1) == ({"messages": [*HI], "model": "m", "n": 1}, [])
    assert ask(wire.GROQ, n=2) == (
        {"messages": [*HI], "model": "m"},
        ["n was left out: Groq gives one answer a request."],
    )


def test_an_answer_goes_back_to_groq_without_what_it_refuses() -> None:
    """Its reasoning under its own name; no names, no words of others."""
    body, _ = ask(wire.GROQ, messages=ANSWERED)
    assert body["messages"][1:] == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Well", "reasoning": "Hm.", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "call_0123456789", "content": "4"},
    ]


@pytest.mark.parametrize(("service", "title"), [(wire.GROQ, "Groq"), (wire.MISTRAL, "Mistral")])
def test_authors_names_are_left_out_with_a_sentence(service: Wire, title: str) -> None:
    """One for all messages, and none where there is no name; a tool's own is in its call."""
    assert ask(service, messages=ANSWERED)[1] == [f"name was left out of messages: {title} does not know it."]
    tool = {"role": "tool", "tool_call_id": "abcDEF123", "name": "f", "content": "4"}
    assert ask(service, messages=(*HI, tool))[1] == []


def test_an_answer_goes_back_to_mistral_in_its_own_words() -> None:
    """Thoughts as parts, ids of nine letters and digits that still belong together, no developers."""
    system, user, answer, result = ask(wire.MISTRAL, messages=ANSWERED)[0]["messages"]
    assert (system["role"], user) == ("system", {"role": "user", "content": "Hi"})
    assert answer["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Well"},
    ]
    assert answer.keys() == {"role", "content", "tool_calls"}
    short = answer["tool_calls"][0]["id"]
    assert short.isalnum()
    assert (len(short), result["tool_call_id"]) == (9, short)
    own = ({"role": "tool", "tool_call_id": "abcDEF123", "content": "4"},)
    assert ask(wire.MISTRAL, messages=own)[0]["messages"] == [*own]


def test_signed_thoughts_go_back_to_mistral_as_they_came() -> None:
    """They are kept beside the text for that."""
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "s"}
    message = read(wire.MISTRAL, message={"content": [part, {"type": "text", "text": "4"}]}).choices[0].message
    assert (message.content, message.reasoning_content) == ("4", "Hm.")
    back = ask(wire.MISTRAL, messages=(*HI, message.to_dict(), *HI))[0]["messages"][1]
    assert back == {"role": "assistant", "content": [part, {"type": "text", "text": "4"}]}


def test_mistral_is_told_what_begins_its_answer() -> None:
    """It refuses an assistant's message at the end that is not marked."""
    messages = (*HI, {"role": "assistant", "content": "So"})
    assert ask(wire.MISTRAL, messages=messages)[0]["messages"][1] == {**messages[1], "prefix": True}
    assert ask(wire.MISTRAL, messages=())[0]["messages"] == []


def test_mistral_reads_documents_and_sounds_under_its_own_names() -> None:
    """Pictures under OpenAI's."""
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    parts = [
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        picture,
    ]
    [message] = ask(wire.MISTRAL, messages=({"role": "user", "content": parts},))[0]["messages"]
    assert message["content"] == [
        {"type": "document_url", "document_url": "data:application/pdf;base64,AA==", "document_name": "a.pdf"},
        {"type": "input_audio", "input_audio": "AA=="},
        picture,
    ]


def test_mistral_has_names_of_its_own() -> None:
    """For chance, and for the length of vectors; and it is not asked for the usage, which it tells unasked."""
    assert ask(wire.MISTRAL, seed=7)[0]["random_seed"] == 7
    request = wire.MISTRAL.encode_chat(ChatRequest(HI, "m"), stream=True, warn=pytest.fail)
    assert json.loads(request.body) == {"messages": [*HI], "model": "m", "stream": True}
    embed = EmbeddingRequest("Hi", "mistral-embed", options={"dimensions": 3})
    assert json.loads(wire.MISTRAL.encode_embed(embed, warn=pytest.fail).body)["output_dimension"] == 3


def test_openrouter_is_told_in_its_own_word_how_hard_to_think() -> None:
    """And gets reasoning back as it gave it: the details, where there are some."""
    assert ask(wire.OPENROUTER, reasoning_effort="high")[0]["reasoning"] == {"effort": "high"}
    told = {"role": "assistant", "content": "4", "reasoning_content": "Hm."}
    details = [{"type": "reasoning.text", "text": "Hm.", "signature": "s"}]
    assert ask(wire.OPENROUTER, messages=(told,))[0]["messages"] == [
        {"role": "assistant", "content": "4", "reasoning": "Hm."}
    ]
    assert ask(wire.OPENROUTER, messages=({**told, "reasoning_details": details},))[0]["messages"] == [
        {"role": "assistant", "content": "4", "reasoning_details": details}
    ]


def test_thinking_is_turned_off_by_a_switch() -> None:
    """Where a service has one."""
    assert ask(wire.DEEPSEEK, reasoning_effort="none")[0]["thinking"] == {"type": "disabled"}
    assert ask(wire.DEEPSEEK, reasoning_effort="high")[0]["reasoning_effort"] == "high"
    assert ask(wire.TOGETHER, reasoning_effort="none")[0]["reasoning"] == {"enabled": False}


def test_what_counts_for_nothing_is_told() -> None:
    """DeepSeek takes a temperature while it thinks, and forgets it."""
    assert "counts for nothing" in ask(wire.DEEPSEEK, temperature=0.1)[1][0]
    assert ask(wire.DEEPSEEK, temperature=0.1, reasoning_effort="none")[1] == []


def test_deepseek_is_asked_in_words_for_a_schema() -> None:
    """It can be held to JSON alone; a warning says so."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    body, told = ask(
        wire.DEEPSEEK, response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    )
    assert body["response_format"] == {"type": "json_object"}
    assert json.dumps(schema, separators=(",", ":")) in body["messages"][0]["content"]
    assert body["messages"][1:] == [*HI]
    assert "does not hold itself" in told[0]
    assert ask(wire.DEEPSEEK, response_format={"type": "json_object"})[0]["messages"] == [*HI]


def test_groks_that_reason_refuse_penalties() -> None:
    """The others take them."""
    assert ask(wire.XAI, model="grok-4.7", stop=["x"]) == (
        {"messages": [*HI], "model": "grok-4.7"},
        ["stop was left out: grok-4.7 refuses it."],
    )
    assert ask(wire.XAI, model="grok-4.20-0309-non-reasoning", stop=["x"])[1] == []


def test_together_counts_probabilities() -> None:
    """Where OpenAI says whether and how many."""
    assert ask(wire.TOGETHER, logprobs=True, top_logprobs=3)[0]["logprobs"] == 3
    assert ask(wire.TOGETHER, logprobs=True)[0]["logprobs"] == 1
    assert "logprobs" not in ask(wire.TOGETHER, logprobs=False)[0]
    body, told = ask(wire.TOGETHER, top_logprobs=3)
    assert not {"logprobs", "top_logprobs"} & body.keys()
    assert told == ["top_logprobs was left out: it needs logprobs=True."]


@pytest.mark.parametrize("name", [name for name in vars(wire) if name.isupper() and name != "OPENAI"])
def test_the_users_messages_are_not_changed(name: str) -> None:
    """Whatever a service wants otherwise."""
    before = json.dumps(ANSWERED)
    ask(getattr(wire, name), messages=ANSWERED, seed=1, reasoning_effort="none")
    assert json.dumps(ANSWERED) == before


# --- Answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "Hm."},
        {"reasoning": "Hm."},
        {"reasoning": "Hm.", "reasoning_content": ""},
        {"reasoning": "Hm.", "reasoning_content": "Hm."},
        {"reasoning": None, "reasoning_details": [{"type": "reasoning.text", "text": "Hm."}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "H"}, {"text": "m."}, {"data": "x"}, 7]},
        {"content": [{"type": "thinking", "thinking": [{"text": "Hm."}]}, {"type": "text", "text": "Hi"}]},
        {"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}]},
    ],
)
@pytest.mark.parametrize("service", [wire.HOSTED, wire.OPEN])
def test_reasoning_has_one_name(service: Wire, message: dict[str, Any]) -> None:
    """Whole and streamed."""
    found = read(service, message=message).choices[0].message
    assert (found.reasoning_content, found.content) == ("Hm.", "Hi")
    assert "reasoning" not in {name for name, value in found.model_extra.items() if value}
    folded = fold_chunks(stream(service, {"content": "Hi", **message})).choices[0].message
    assert (folded.reasoning_content, folded.content) == ("Hm.", "Hi")


def test_an_older_ollama_says_no_reason_for_its_end() -> None:
    """Its marker is there; and the code of its errors is null."""
    decoder = wire.OLLAMA.decode_stream("finish")
    decoder.feed(("message", b'{"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}]}'))
    assert not decoder.complete
    decoder.feed(("message", b"[DONE]"))
    assert decoder.complete
    body = b'{"error": {"message": "model not found", "type": "api_error", "param": null, "code": null}}'
    error = wire.OLLAMA.decode_error(404, {}, body)
    assert (error.code, error.type, error.message) == (None, "api_error", "model not found")


def test_other_reasoning_is_left_where_it_is() -> None:
    """An object that somebody calls so is none."""
    message = read(wire.HOSTED, message={"reasoning": {"effort": "low"}}).choices[0].message
    assert message.model_extra == {"reasoning": {"effort": "low"}}


def test_parts_that_are_more_than_text_are_kept() -> None:
    """As references are."""
    parts = [{"type": "text", "text": "Hi"}, {"type": "reference", "reference_ids": [1]}, "odd"]
    message = read(wire.MISTRAL, message={"content": parts}).choices[0].message
    assert (message.content, message.model_extra) == ("Hi", {"content_parts": parts[1:2]})


def test_a_content_that_is_an_object_is_its_json() -> None:
    """As Cloudflare answers by a schema."""
    assert read(wire.OPEN, message={"content": {"a": 1}}).choices[0].message.content == '{"a":1}'


def test_arguments_that_are_an_object_are_their_json() -> None:
    """As older servers send them."""
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}, {"function": None}, 7]
    message = read(wire.OPEN, message={"tool_calls": calls}, choice={"finish_reason": None})
    assert message.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'
    assert message.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("sent", "told"),
    [("eos", "stop"), ("model_length", "length"), ("sensitive", "content_filter"), ("", "stop"), ("odd", "odd")],
)
def test_an_end_has_openais_name(sent: str, told: str) -> None:
    """A whole answer always has one."""
    assert read(wire.HOSTED, choice={"finish_reason": sent}).choices[0].finish_reason == told


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "network_error", "abort"])
def test_an_end_that_is_a_failure_is_an_error(reason: str) -> None:
    """What came is no whole answer, and may be asked for again."""
    with pytest.raises(APIResponseError, match=reason) as caught:
        read(wire.HOSTED, choice={"finish_reason": reason})
    assert caught.value.retryable
    with pytest.raises(APIResponseError, match=reason):
        stream(wire.OPEN, {"content": "Hi"}, end=reason)


def test_a_choice_may_hold_an_error() -> None:
    """As OpenRouter tells what happened behind it."""
    with pytest.raises(APIStatusError, match="Overloaded") as caught:
        read(wire.OPENROUTER, choice={"error": {"code": 502, "message": "Overloaded"}})
    assert (caught.value.status_code, caught.value.code, caught.value.retryable) == (502, "502", True)


def test_groq_tells_an_error_beside_the_id() -> None:
    """In the midst of a stream too; half an answer must not look whole."""
    decoder = wire.GROQ.decode_stream("marker")
    with pytest.raises(APIResponseError, match="over capacity") as caught:
        decoder.feed(("message", b'{"choices": [], "x_groq": {"id": "r", "error": "over capacity"}}'))
    assert caught.value.retryable
    with pytest.raises(APIStatusError, match="Slow down") as refused:
        read(wire.GROQ, x_groq={"error": {"message": "Slow down", "type": "rate_limit_error"}})
    assert refused.value.status_code == 429


@pytest.mark.parametrize(
    "more",
    [
        {"prompt_tokens_details": {"cached_tokens": 5}},
        {"prompt_cache_hit_tokens": 5, "prompt_cache_miss_tokens": 6},
        {"cached_tokens": 5, "prompt_tokens_details": None},
        {"num_cached_tokens": 5},
        {"cache_read_input_tokens": 5, "prompt_tokens_details": {"audio_tokens": 1}},
    ],
)
def test_cached_tokens_have_one_name(more: dict[str, Any]) -> None:
    """The others stay too."""
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, **more}
    found = read(wire.HOSTED, usage=usage).usage
    assert found.prompt_tokens_details.cached_tokens == 5
    assert more.keys() <= found.to_dict().keys()


def test_reasoning_is_a_part_of_the_answers_tokens() -> None:
    """As OpenAI counts it; xAI counts it beside them, which the total tells."""
    details = {"completion_tokens_details": {"reasoning_tokens": 5}}
    beside = {"prompt_tokens": 11, "completion_tokens": 2, "total_tokens": 18, **details}
    assert read(wire.XAI, usage=beside).usage.completion_tokens == 7
    among = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, **details}
    assert read(wire.XAI, usage=among).usage.completion_tokens == 7


def test_usage_is_found_where_a_service_puts_it() -> None:
    """Groq's beside the request's id, Moonshot's in the choice."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    for found in (read(wire.GROQ, x_groq={"usage": usage}), read(wire.OPEN, choice={"usage": usage})):
        assert found.usage.total_tokens == 3
    assert read(wire.GROQ, x_groq=None).usage is None


# --- Thoughts inside of the text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        ("<think>Hm.</think>4", "Hm.", "4"),
        ("\n<think>\nHm.\n\nSo.\n</think>\n\n4\n", "Hm.\n\nSo.", "4\n"),
        ("<think></think>4", "", "4"),
        ("<think>\n\n</think>\n\n4", "", "4"),
        ("<think>Hm. <thin", "Hm. <thin", ""),
        ("<think>Hm.</thi", "Hm.</thi", ""),
        ("<think>", "", ""),
        ("<thinking>4", "", "<thinking>4"),
        ("<", "", "<"),
        ("  ", "", "  "),
        ("4 <think>5</think>", "", "4 <think>5</think>"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
        ("", "", ""),
    ],
)
def test_thoughts_are_parted_from_the_text(text: str, thoughts: str, answer: str) -> None:
    """Those at its beginning, however the text is cut into pieces."""
    for size in (1, 2, 3, 7, 100):
        reader = TagReader()
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        parts = [*(reader.feed(piece, last=False) for piece in pieces), reader.feed("", last=True)]
        assert "".join(part[0] for part in parts) == thoughts
        assert "".join(part[1] for part in parts) == answer


@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "think>", "a", " ", "\n", "</thi", "nk>"]), max_size=12))
def test_pieces_tell_what_the_whole_tells(pieces: list[str]) -> None:
    """And nothing but tags and white space around them is lost."""
    whole = TagReader().feed("".join(pieces), last=True)
    reader = TagReader()
    parts = [*(reader.feed(piece, last=False) for piece in pieces), reader.feed("", last=True)]
    assert ("".join(part[0] for part in parts), "".join(part[1] for part in parts)) == whole


def test_a_streams_thoughts_are_told_as_such() -> None:
    """What is held back to see whether it is a tag comes with the end, also where the delta there is null."""
    chunks = stream(wire.OPEN, {"content": "<thi"}, {"content": "nk>Hm"}, {"content": ".</think>"}, {"content": "4"})
    message = fold_chunks(chunks).choices[0].message
    assert (message.reasoning_content, message.content) == ("Hm.", "4")
    decoder = wire.OPEN.decode_stream("marker")
    decoder.feed(("message", b'{"choices": [{"delta": {"content": "<"}}]}'))
    last = decoder.feed(("message", b'{"choices": [{"delta": null, "finish_reason": "stop"}]}'))
    assert last is not None
    assert last.choices[0].delta.content == "<"


def test_the_marker_ends_thoughts_too() -> None:
    """What is held back comes with it where no finish reason was told, and only once."""
    decoder = wire.OPEN.decode_stream("marker")
    first = decoder.feed(("message", b'{"choices": [{"index": 0, "delta": {"content": "<think>abc</thi"}}]}'))
    last = decoder.feed(("message", b"[DONE]"))
    assert first is not None
    assert last is not None
    assert fold_chunks([first, last]).choices[0].message.reasoning_content == "abc</thi"
    assert decoder.complete
    assert decoder.feed(("message", b"[DONE]")) is None


def test_each_answer_of_several_has_thoughts_of_its_own() -> None:
    """They come in turns."""
    decoder = wire.OPEN.decode_stream("marker")
    events = [(0, "<think>a"), (1, "<think>b"), (0, "</think>c"), (1, "</think>d")]
    chunks = [
        decoder.feed(("message", json.dumps({"choices": [{"index": at, "delta": {"content": text}}]}).encode()))
        for at, text in events
    ]
    folded = fold_chunks(chunk for chunk in chunks if chunk is not None)
    assert [(choice.message.reasoning_content, choice.message.content) for choice in folded.choices] == [
        ("a", "c"),
        ("b", "d"),
    ]


@pytest.mark.parametrize(
    ("text", "thoughts", "answer"),
    [
        ("Hm.\n</think>\n\n4", "Hm.", "4"),
        ("<think>Hm.</think>4", "Hm.", "4"),
        ("4 <think>5</think>", None, "4 <think>5</think>"),
        ("4", None, "4"),
    ],
)
def test_a_server_of_the_users_may_leave_out_where_thoughts_begin(text: str, thoughts: str | None, answer: str) -> None:
    """A whole answer is parted all the same; elsewhere the text stays."""
    message = read(wire.SELF_HOSTED, message={"content": text}).choices[0].message
    assert (message.reasoning_content, message.content) == (thoughts, answer)
    assert read(wire.OPEN, message={"content": "a</think>b"}).choices[0].message.content == "a</think>b"


def test_services_of_closed_models_leave_tags_alone() -> None:
    """There they are the answer."""
    assert read(wire.XAI, message={"content": "<think>a</think>b"}).choices[0].message.content == "<think>a</think>b"


# --- Whatever comes --------------------------------------------------------------------------------------------------

PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}], "signature": "s"},
    {"type": "thinking", "thinking": "Hm"},
    {"type": "text", "text": "<think>Hm</think>4"},
    {"type": "reference", "reference_ids": [1]},
]
CALLS = [{"index": 0, "id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": [1]}}}]
DETAILS = [{"type": "reasoning.text", "text": "Hm"}, {"type": "reasoning.summary", "summary": "Hm"}]
COUNTS = {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "completion_tokens_details": {"reasoning_tokens": 3}}
USAGES = [COUNTS, {"total_tokens": 4, "reasoning_tokens": 3, "cost": 0.1}, {"prompt_tokens_details": None}]
SAYINGS: list[tuple[dict[str, Any], str | None]] = [
    ({"content": PARTS, "reasoning": "Hm"}, "eos"),
    ({"content": "4", "reasoning": "Hm", "reasoning_content": "Hm"}, "model_length"),
    ({"content": "4", "reasoning_details": DETAILS}, "stop"),
    ({"content": "Hm</think>4"}, "stop"),
    ({"content": {"answer": 4}}, None),
    ({"content": None, "tool_calls": CALLS}, None),
    ({"content": "<think>Hm"}, "abort"),
]
ODD_ANSWERS = [
    {"choices": [{"index": 0, name: message, "finish_reason": reason}], "usage": usage}
    for message, reason in SAYINGS
    for name in ("message", "delta")
    for usage in USAGES
]
ODD_ANSWERS += [
    {"choices": [{"delta": {"content": "4"}, "error": {"message": "no", "code": 502}}]},
    {"choices": [{"delta": {}}], "x_groq": {"id": "r", "error": "over_capacity"}},
    {"choices": [{"delta": {}}], "x_groq": {"id": "r", "error": {"message": "no"}}},
    {"choices": [{"message": {"content": "4"}}], "x_groq": {"id": "r", "usage": COUNTS}},
]


@pytest.mark.parametrize("service", [wire.HOSTED, wire.OPEN, wire.SELF_HOSTED])
@given(body=spoil_json(ODD_ANSWERS), end=st.sampled_from(["marker", "finish"]))
def test_whatever_a_service_answers_is_an_answer_or_an_error_of_ours(service: Wire, body: Any, end: Any) -> None:
    """Whole and streamed, in whatever words of its own, and with whatever in whatever place."""
    data = json.dumps(body).encode()
    with suppress(G4FError):
        assert service.decode_chat(HttpResponse(200, {}, data)).to_dict()["choices"]
    decoder = service.decode_stream(end)
    with suppress(G4FError):
        for event in (data, b"[DONE]"):
            json.dumps(fold_chunks(chunk for chunk in [decoder.feed(("message", event))] if chunk).to_dict())


# --- Pictures, errors, places ----------------------------------------------------------------------------------------

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()


def draw(service: Wire, **fields: Any) -> tuple[HttpRequest, dict[str, Any], list[str]]:
    """Return a request for pictures, its body, and the warnings."""
    told: list[str] = []
    request = service.encode_image(ImageRequest("a cat", "m", **fields), warn=told.append)
    return request, json.loads(request.body), told


def test_xai_draws_shapes() -> None:
    """A size becomes the nearest one, and a warning says so."""
    request, body, told = draw(wire.XAI, options={"n": 2, "size": "1792x1024", "quality": "high"})
    assert (request.path, body) == (
        "/images/generations",
        {"prompt": "a cat", "model": "m", "n": 2, "aspect_ratio": "16:9"},
    )
    assert [sentence.partition(" ")[0] for sentence in told] == ["quality", "size"]
    assert draw(wire.XAI, options={"size": "auto"}, provider_options={"resolution": "2k"})[1:] == (
        {"prompt": "a cat", "model": "m", "resolution": "2k"},
        [],
    )


def test_xai_changes_pictures_by_json() -> None:
    """One, or several."""
    request, body, told = draw(wire.XAI, operation="edit", images=(PNG,), mask=PNG)
    assert (request.path, body["image"]) == ("/images/edits", {"type": "image_url", "url": PNG})
    assert "mask was left out" in told[0]
    assert len(draw(wire.XAI, operation="edit", images=(PNG, PNG))[1]["images"]) == 2


def test_together_draws_pixels() -> None:
    """And changes pictures where it draws them."""
    request, body, told = draw(wire.TOGETHER, options={"size": "1024x768", "output_format": "png", "n": 1})
    assert (request.path, told) == ("/images/generations", [])
    assert body == {"prompt": "a cat", "model": "m", "n": 1, "output_format": "png", "width": 1024, "height": 768}
    assert draw(wire.TOGETHER, operation="edit", images=(PNG,))[1]["image_url"] == PNG
    assert draw(wire.TOGETHER, operation="edit", images=(PNG, PNG))[1]["reference_images"] == [PNG, PNG]


def test_a_size_that_is_none_is_refused() -> None:
    """By both."""
    for service in (wire.XAI, wire.TOGETHER):
        with pytest.raises(InvalidInputError, match="1024x1024"):
            draw(service, options={"size": "huge"})


def test_xai_says_400_to_a_wrong_key() -> None:
    """It is an error of the key all the same; other mistakes stay what they are."""
    body = b'{"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xai-..."}'
    error = wire.XAI.decode_error(400, {"x-request-id": "r"}, body)
    assert isinstance(error, AuthenticationError)
    assert (error.code, error.request_id) == ("Client specified an invalid argument", "r")
    assert isinstance(wire.XAI.decode_error(400, {}, b'{"code": "x", "error": "No such model"}'), BadRequestError)


def test_openrouter_says_what_the_service_behind_it_said() -> None:
    """In the same sentence."""
    error = {"code": 429, "message": "Provider returned error", "metadata": {"provider_name": "G", "raw": "Slow\ndown"}}
    found = wire.OPENROUTER.decode_error(429, {"x-generation-id": "g"}, json.dumps({"error": error}).encode())
    assert (found.message, found.request_id) == ("Provider returned error (G: Slow down)", "g")
    for odd in (b"[]", b'{"error": "x"}', b'{"error": {"metadata": {"raw": 1}}}'):
        assert wire.OPENROUTER.decode_error(400, {}, odd).message


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Rate limit is exceeded. Please retry after 6 seconds.", 6.0),
        ("Please retry after 1 second.", 1.0),
        ("Please retry after 250 milliseconds.", 0.25),
        ("Please retry after lunch.", None),
    ],
)
def test_azure_tells_in_a_sentence_how_long_to_wait(text: str, seconds: float | None) -> None:
    """A header counts more."""
    body = json.dumps({"error": {"code": "429", "message": text}}).encode()
    assert wire.AZURE.decode_error(429, {}, body).retry_after == seconds
    assert wire.AZURE.decode_error(429, {"retry-after": "9"}, body).retry_after == 9


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("1700000006500", 6.5),
        (1700000007500, 7.5),
        ("1600000000000", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_openrouter_tells_in_the_body_when_a_limit_ends(reset: Any, seconds: float | None) -> None:
    """By the answer's own clock; a header counts more, and without a date nothing is known."""
    error = {"code": 429, "message": "Slow", "metadata": {"headers": {"X-RateLimit-Reset": reset}}}
    body = json.dumps({"error": error}).encode()
    date = {"date": "Tue, 14 Nov 2023 22:13:20 GMT"}
    assert wire.OPENROUTER.decode_error(429, date, body).retry_after == seconds
    assert wire.OPENROUTER.decode_error(429, {**date, "retry-after": "9"}, body).retry_after == 9
    assert wire.OPENROUTER.decode_error(429, {}, body).retry_after is None


@pytest.mark.parametrize(
    ("service", "header"),
    [(wire.MISTRAL, "mistral-correlation-id"), (wire.DEEPSEEK, "x-ds-trace-id"), (wire.AZURE, "apim-request-id")],
)
def test_the_id_of_a_request_is_in_a_header_of_the_services_own(service: Wire, header: str) -> None:
    """Where OpenAI's is not there."""
    assert service.decode_error(500, {header: "r"}, b"{}").request_id == "r"
    assert service.decode_error(500, {header: "r", "x-request-id": "q"}, b"{}").request_id == "q"


@pytest.mark.parametrize(
    ("version", "deployment", "path", "query"),
    [
        (None, "d", "/v1/chat/completions", {}),
        ("v1", None, "/v1/chat/completions", {}),
        ("preview", "d", "/v1/chat/completions", {"api-version": "preview"}),
        ("2024-10-21", "a b", "/deployments/a%20b/chat/completions", {"api-version": "2024-10-21"}),
    ],
)
def test_azure_has_a_place_for_each_version(
    version: str | None, deployment: str | None, path: str, query: dict[str, str]
) -> None:
    """The dated ones have one for each deployment."""
    placed = place_request(HttpRequest("POST", "/chat/completions"), version, deployment)
    assert (placed.path, placed.query) == (path, query)


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/deployments/foo", "/deployments/foo/"])
def test_each_address_that_azure_shows_names_the_same_place(tail: str) -> None:
    """So none of them stands twice in a path; a gateway's own path stays."""
    assert find_root(f"https://r.openai.azure.com/openai{tail}") == "https://r.openai.azure.com/openai"
    assert find_root("https://gateway.test/azure/v1") == "https://gateway.test/azure/v1"


def test_azures_models_are_listed_beside_the_deployments() -> None:
    """And without the name of a deployment nothing else is found at a dated version."""
    placed = place_request(HttpRequest("GET", "/models"), "2024-10-21", None)
    assert (placed.path, placed.query) == ("/models", {"api-version": "2024-10-21"})
    with pytest.raises(InvalidInputError, match="name of a deployment"):
        place_request(HttpRequest("POST", "/embeddings"), "2024-10-21", None)
