"""The dialect over whatever requests and answers there may be."""

from __future__ import annotations

import base64
import copy
import json
import re
from itertools import chain, pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g4f import ChatRequest, G4FError, InvalidInputError
from g4f.context import HttpResponse
from g4f.fold import fold_chunks
from g4f.wire.sse import Event
from g4f_provider_anthropic import wire
from plugins.provider_anthropic import sdk_types

# Machines that run tests are shared, so no example is timed.
TRIES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PNG_URL = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF_URL = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7").decode()
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "w"}}

# Whatever requests there may be.

TEXTS = st.text(max_size=20)
PARTS = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, TEXTS),
    st.sampled_from(
        [
            {"type": "image_url", "image_url": {"url": PNG_URL}},
            {"type": "image_url", "image_url": {"url": "https://example.org/cat.png", "detail": "low"}},
            {"type": "file", "file": {"file_data": PDF_URL, "filename": "a.pdf"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,w7w="}},
            {"type": "refusal", "refusal": "No."},
        ]
    ),
)
CONTENTS = st.one_of(st.none(), TEXTS, st.lists(PARTS, max_size=3))
IDS = st.sampled_from(["call_1", "functions.f:0", "ü", ""])
CALLS = st.builds(
    lambda identity, arguments: {"id": identity, "function": {"name": "f", "arguments": arguments}},
    IDS,
    st.sampled_from(["{}", '{"a": 1}', "", "{cut", "[]", "null"]),
)
THOUGHTS = st.sampled_from(
    [
        {"type": "thinking", "thinking": "t", "signature": "s", "index": 0},
        {"type": "thinking", "thinking": "t"},
        {"type": "redacted_thinking", "data": "d"},
    ]
)
MESSAGES = st.one_of(
    st.builds(
        lambda role, content: {"role": role, "content": content}, st.sampled_from(["system", "developer"]), TEXTS
    ),
    st.builds(lambda content: {"role": "user", "content": content, "name": "n"}, CONTENTS),
    st.builds(
        lambda content, calls, thoughts: {
            "role": "assistant",
            "content": content,
            "tool_calls": calls,
            "thinking_blocks": thoughts,
        },
        CONTENTS,
        st.lists(CALLS, max_size=2),
        st.lists(THOUGHTS, max_size=2),
    ),
    st.builds(lambda identity, content: {"role": "tool", "tool_call_id": identity, "content": content}, IDS, CONTENTS),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "frequency_penalty": st.floats(-2, 2),
        "logprobs": st.booleans(),
        "max_completion_tokens": st.integers(1, 100_000),
        "max_tokens": st.integers(1, 100_000),
        "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "n": st.integers(1, 3),
        "parallel_tool_calls": st.booleans(),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
            ]
        ),
        "seed": st.integers(),
        "service_tier": st.sampled_from(["auto", "default", "flex"]),
        "stop": st.one_of(TEXTS, st.lists(TEXTS, max_size=3)),
        "temperature": st.floats(0, 2),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "get_weather"}}, "odd"]
        ),
        "tools": st.lists(st.sampled_from([TOOL, {"type": "custom", "custom": {"name": "c"}}]), max_size=2),
        "top_p": st.floats(0, 1),
        "user": TEXTS,
        "web_search_options": st.just({"user_location": {"approximate": {"country": "DE"}}}),
    },
)
# The SDK's types are of the second, which has no temperature and top_p.
VERSIONS = ["2023-06-01", "2026-10-21"]
MODELS = st.sampled_from(
    [
        "claude-haiku-4-5",
        "claude-sonnet-4-6",
        "claude-opus-4-8",
        "claude-opus-5",
        "claude-sonnet-5-5",
        "claude-x",
        "other",
    ]
)


@TRIES
@given(st.lists(MESSAGES, min_size=1, max_size=6), OPTIONS, MODELS, st.sampled_from(VERSIONS))
def test_every_request_is_one_that_the_sdks_types_know(
    messages: list[dict[str, Any]], options: dict[str, Any], model: str, version: str
) -> None:
    """Turns alternate and have content; fields, blocks, tools and choices are those of the SDK's types."""
    headers = {"anthropic-version": version}
    request = ChatRequest(tuple(messages), model, options=options, extra_headers=headers)  # type: ignore[arg-type]
    before = copy.deepcopy((request.messages, request.options))
    try:
        body = json.loads(wire.encode_chat(request, stream=True, warn=lambda sentence: None).body)
    except InvalidInputError:
        assert all(_is_empty(message) for message in messages)
        return
    assert (request.messages, request.options) == before, "the request is the caller's"
    removed = {"temperature", "top_p"} if version == VERSIONS[0] else set()
    sdk_types.BODY.check({name: value for name, value in body.items() if name not in removed})
    assert body["max_tokens"] >= 1
    assert all(one["role"] != other["role"] for one, other in pairwise(body["messages"]))
    for turn in body["messages"]:
        assert turn["role"] in ("user", "assistant")
        _check_content(turn["content"])
    _check_content(body.get("system", "-"))
    _check_fields(body)


def _is_empty(message: dict[str, Any]) -> bool:
    content = message["content"]
    texts = [content] if isinstance(content, str) else [part.get("text") for part in content or ()]
    if message["role"] == "tool" or message.get("tool_calls"):
        return False
    return not any(text is None or text.strip() for text in texts) and not any(
        thought.get("signature") or thought.get("data") for thought in message.get("thinking_blocks", ())
    )


def _check_content(content: Any) -> None:
    assert content
    if isinstance(content, str):
        assert content.strip()
        return
    for block in content:
        sdk_types.BLOCKS[block["type"]].check(block)
        assert block["type"] != "text" or block["text"].strip()
        if block["type"] == "tool_use":
            assert re.fullmatch("[a-zA-Z0-9_-]+", block["id"])
            assert isinstance(block["input"], dict)
        if block["type"] == "tool_result":
            assert re.fullmatch("[a-zA-Z0-9_-]+", block["tool_use_id"])


def _check_fields(body: dict[str, Any]) -> None:
    assert not {"temperature", "top_p"} <= body.keys()
    assert 0 <= body.get("temperature", 0) <= 1
    for tool in body.get("tools", ()):
        assert tool.get("type") == "web_search_20250305" or not sdk_types.TOOL.check(tool)
    if "tool_choice" in body:
        assert body["tools"]
        sdk_types.CHOICES[body["tool_choice"]["type"]].check(body["tool_choice"])
    if "thinking" in body:
        sdk_types.THINKING[body["thinking"]["type"]].check(body["thinking"])
        assert 1024 <= body["thinking"].get("budget_tokens", 1024) < max(body["max_tokens"], 1025)
        assert "temperature" not in body
    sdk_types.OUTPUT.check(body.get("output_config", {}))


# Whatever answers there may be.

WORDS = st.one_of(
    st.sampled_from(["text", "thinking", "tool_use", "server_tool_use", "end_turn", "error", "rate_limit_error"]),
    st.sampled_from(["text_delta", "thinking_delta", "input_json_delta", "signature_delta", "citations_delta"]),
    st.sampled_from(["{", '{"a":1}', "", "\ud83d"]),
)
NAMES = st.one_of(
    st.sampled_from(["type", "text", "thinking", "signature", "id", "name", "input", "content", "data", "index"]),
    st.sampled_from(["delta", "message", "content_block", "partial_json", "citation", "citations", "usage", "model"]),
    st.sampled_from(["stop_reason", "stop_details", "input_tokens", "output_tokens_details", "error", "code"]),
    st.sampled_from(["has_more", "last_id", "created_at", "request_id", "details"]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 3), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)
# Cheaper than whatever JSON there may be, of which all this would draw much.
WRONG = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [{}], {"type": []}, {"text": 1}, {"input": "x"}]
)
BLOCKS = st.sampled_from(
    [
        {"type": "text", "text": "a", "citations": []},
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": "t", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "call_2", "name": "g", "input": {}},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
    ]
)
DELTAS = st.sampled_from(
    [
        {"type": "text_delta", "text": "a"},
        {"type": "thinking_delta", "thinking": "t"},
        {"type": "signature_delta", "signature": "s"},
        {"type": "citations_delta", "citation": {"type": "char_location"}},
        {"type": "input_json_delta", "partial_json": '{"a":'},
        {"type": "input_json_delta", "partial_json": "1}"},
        {"type": "compaction_delta", "content": "c", "encrypted": None, "more": 1},
    ]
)
USAGES = st.sampled_from([{"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 1}}])
MESSAGE = st.fixed_dictionaries(
    {},
    optional={"content": st.lists(BLOCKS | WRONG, max_size=3), "stop_reason": WORDS, "usage": USAGES | WRONG},
)
ENDS = st.fixed_dictionaries({}, optional={"stop_reason": WORDS, "stop_details": WRONG})
FIELDS = {
    "message_start": {"message": MESSAGE | WRONG},
    "content_block_start": {"content_block": BLOCKS | WRONG},
    "content_block_delta": {"delta": st.one_of(DELTAS, DELTAS, DELTAS, WRONG)},
    "message_delta": {"delta": ENDS | WRONG, "usage": USAGES | WRONG},
}
KINDS = [*FIELDS, "content_block_stop", "message_stop", "ping", "error", "unheard_of"]


def _say(kind: str) -> st.SearchStrategy[tuple[str, Any]]:
    fields = {"index": st.integers(0, 1), **FIELDS.get(kind, {"error": WRONG})}
    return st.fixed_dictionaries({**fields, "type": st.just(kind)}).map(lambda event: (kind, event))


@st.composite
def say_block(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """A block from its beginning to its end, as services say nearly all."""
    deltas = st.lists(_say("content_block_delta"), max_size=4)
    events = [draw(_say("content_block_start")), *draw(deltas), draw(_say("content_block_stop"))]
    return [(kind, {**event, "index": 0}) for kind, event in events]


# Seldom anything else, since an error ends a stream.
ODD = st.one_of(st.sampled_from(KINDS).flatmap(_say), st.tuples(st.sampled_from(KINDS), JSON)).map(
    lambda event: [event]
)
EVENTS = st.builds(
    lambda starts, blocks, ends: [*starts, *chain.from_iterable(blocks), *ends],
    st.lists(_say("message_start"), max_size=1),
    st.lists(st.one_of(say_block(), say_block(), ODD), max_size=5),
    st.sampled_from([[], ["message_delta"], ["message_stop"], ["message_delta", "message_stop"]]).flatmap(
        lambda kinds: st.tuples(*map(_say, kinds))
    ),
)


def _look_at(value: Any) -> None:
    """Read all fields of an answer, as a program might."""
    repr(value)
    for choice in value.choices:
        repr(choice.message)
        repr(choice.message.tool_calls)
    repr(value.usage)
    json.dumps(value.to_dict())


@TRIES
@given(JSON | MESSAGE)
def test_whatever_json_comes_is_an_answer_or_an_error_of_ours(value: Any) -> None:
    """Nothing that a service can send escapes as a foreign exception."""
    body = json.dumps(value).encode()
    for read in (wire.decode_chat, wire.decode_models, wire.find_next_page):
        try:
            found = read(HttpResponse(200, {}, body))
        except G4FError:
            continue
        if read is wire.decode_chat:
            _look_at(found)
    for status in (400, 429, 529):
        assert isinstance(wire.decode_error(status, {"date": "x"}, body), G4FError)


@TRIES
@given(EVENTS, st.sampled_from(["marker", "finish", "close"]))
def test_whatever_events_come_are_chunks_or_an_error_of_ours(events: list[tuple[str, Any]], end: Any) -> None:
    """In whatever order; what came before an error can be put together."""
    decoder, chunks = wire.decode_stream(end), []
    assert decoder.complete is (end == "close")
    for kind, value in events:
        event: Event = (kind, json.dumps(value).encode())
        try:
            chunk = decoder.feed(event)
        except G4FError:
            break
        if chunk is not None:
            repr(chunk)
            chunks.append(chunk)
    _look_at(fold_chunks(chunks))
