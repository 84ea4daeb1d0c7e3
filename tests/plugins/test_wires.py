"""Every dialect, over answers that were made up and then spoiled.

What a service says is drawn, written down by the conformance kit's dialect, and read by ours; then it is spoiled, as
JSON or as bytes. Where the recorded traffic is at hand, answers of the services themselves are spoiled as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from g4f.chat import ChatRequest, Completion
from g4f.context import HttpResponse
from g4f.errors import APIStatusError, G4FError
from g4f.fold import examine_chunk, fold_chunks, unfold_completion
from g4f.halves import Halves
from g4f.wire.dialect import Wire
from g4f.wire.openai import OPENAI
from g4f.wire.sse import Event, SseDecoder
from g4f_provider_anthropic.wire import ANTHROPIC, find_next_page
from g4f_provider_bfl.wire import FLUX, Job, decode_job, decode_result
from g4f_provider_bing.wire import MAI
from g4f_provider_compatible import wire as compatible
from g4f_provider_copilot.account.wire import EventDecoder
from g4f_provider_copilot.m365.wire import M365, decode_conversation
from g4f_provider_gemini.wire import GEMINI
from g4f_provider_openai.wire import OPENAI_CHAT
from g4f_provider_pollinations.wire import POLLINATIONS
from g4f_testkit import Asked, Dialect, Failure, Request, Turn
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import ToolCall, Usage
from plugins.provider_bfl.dialect import FluxDialect
from plugins.provider_bing.dialect import MaiDialect
from plugins.provider_compatible import dialects as services
from plugins.provider_copilot.dialect import M365Dialect
from plugins.provider_pollinations.dialect import PollinationsDialect
from spoiling import spoil_body, spoil_bytes, spoil_json, write_json
from traffic import TRAFFIC, load_exchange


@attrs.frozen
class Spoken:
    """How one service is spoken with: our translation, the kit's, and where its recordings are."""

    wire: Wire
    dialect: Dialect
    recorded: tuple[str, ...] = ()


OPENAIS = DIALECTS["openai"]
SPOKEN = {
    "OPENAI": Spoken(OPENAI, OPENAIS, ("compatible",)),
    "OpenaiChat": Spoken(OPENAI_CHAT, OPENAIS, ("openai",)),
    "Anthropic": Spoken(ANTHROPIC, DIALECTS["anthropic"], ("anthropic",)),
    "Gemini": Spoken(GEMINI, DIALECTS["gemini"], ("gemini",)),
    "AzureOpenAI": Spoken(compatible.AZURE, OPENAIS, ("azure",)),
    "DeepSeek": Spoken(compatible.DEEPSEEK, OPENAIS, ("deepseek",)),
    "Groq": Spoken(compatible.GROQ, services.GroqDialect(), ("groq",)),
    "LMStudio": Spoken(compatible.LMSTUDIO, OPENAIS, ("lmstudio",)),
    "Mistral": Spoken(compatible.MISTRAL, services.MistralDialect(), ("mistral",)),
    "Ollama": Spoken(compatible.OLLAMA, OPENAIS, ("ollama",)),
    "OpenRouter": Spoken(compatible.OPENROUTER, services.OpenrouterDialect(), ("openrouter",)),
    "Together": Spoken(compatible.TOGETHER, services.TogetherDialect(), ("together",)),
    "VLLM": Spoken(compatible.SELF_HOSTED, OPENAIS, ("compatible", "huggingface")),
    "XAI": Spoken(compatible.XAI, services.XaiDialect(), ("xai",)),
    "Pollinations": Spoken(POLLINATIONS, PollinationsDialect()),
    "Copilot": Spoken(M365, M365Dialect()),
    "BingCreateImages": Spoken(MAI, MaiDialect()),
    "BlackForestLabs": Spoken(FLUX, FluxDialect()),
}
TALKING = [name for name, spoken in SPOKEN.items() if spoken.wire.has("decode_chat")]
OPERATIONS = {"decode_chat": "chat", "decode_image": "image", "decode_embed": "embed", "decode_models": "models"}
FOLDERS = {"decode_chat": "chat", "decode_image": "images", "decode_embed": "embeddings", "decode_models": "models"}
FEW = settings(max_examples=settings.default.max_examples // 3)  # for tests whose examples cost three times as much
ENDS = st.sampled_from(["marker", "finish", "close"])
STATUSES = st.sampled_from([400, 429, 529])

# What services say.

TEXTS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4).map(tuple)
PLAIN_JSON = st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8))
ARGUMENTS = st.dictionaries(st.text(max_size=6), st.one_of(PLAIN_JSON, st.lists(PLAIN_JSON, max_size=2)), max_size=3)
CALLS = st.lists(
    st.builds(ToolCall, name=st.sampled_from(["get_weather", "f"]), arguments=ARGUMENTS, pieces=st.integers(1, 5)),
    max_size=3,
).map(lambda calls: tuple(attrs.evolve(call, id=f"call_{at}") for at, call in enumerate(calls)))
USAGES = st.builds(
    lambda cached, more, reasoning, told: Usage(cached + more + 1, reasoning + told, cached, reasoning),
    *[st.integers(0, 10**6)] * 4,
)
EXTRA = st.dictionaries(st.sampled_from(["g4f_unknown", "g4f_other"]), st.one_of(PLAIN_JSON, st.just({"a": []})))
TURNS = st.builds(
    Turn,
    text=TEXTS,
    reasoning=st.one_of(st.just(()), TEXTS),
    calls=CALLS,
    usage=st.one_of(st.none(), USAGES),
    extra=EXTRA,
    nulls=st.booleans(),
)


def write_answer(spoken: Spoken, operation: Any, turn: Turn) -> bytes:
    asked = Asked(operation, "a-model", texts=("Hi",))
    return b"".join(spoken.dialect.write_answer(asked, turn, Request("POST", "/")).pieces)


def write_stream(spoken: Spoken, turn: Turn) -> bytes:
    return b"".join(spoken.dialect.write_stream(Asked("chat", "a-model", stream=True, texts=("Hi",)), turn).pieces)


def read_stream(spoken: Spoken, reads: Iterable[bytes], end: Any = "marker") -> tuple[Completion, bool]:
    events, decoder = SseDecoder(), spoken.wire.decode_stream(end)
    chunks = [decoder.feed(event) for read in reads for event in events.feed(read)]
    return fold_chunks(chunk for chunk in chunks if chunk is not None), decoder.complete


# What is said arrives.


def show_calls(completion: Completion) -> list[tuple[str, Any]]:
    calls = completion.choices[0].message.tool_calls
    assert all(call.id and call.type == "function" for call in calls)
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls]


def expect_said(spoken: Spoken, turn: Turn, completion: Completion) -> None:
    """Compare a completion with what the service said, but for what it cannot say."""
    [choice] = completion.choices
    assert show_calls(completion) == [(call.name, call.arguments) for call in turn.calls]
    assert (choice.message.content or "") == ("" if turn.calls else "".join(turn.text))
    if spoken.wire is not M365:
        assert (choice.message.reasoning_content or "") == "".join(turn.reasoning)
    assert choice.finish_reason == turn.finish_reason
    if turn.usage is None or "usage" in spoken.dialect.lacks:
        assert completion.usage is None
    else:
        expect_counted(turn.usage, completion)


def expect_counted(told: Usage, completion: Completion) -> None:
    usage = completion.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (told.prompt, told.answer)
    assert usage.total_tokens == told.prompt + told.answer
    assert usage.prompt_tokens_details is None or usage.prompt_tokens_details.cached_tokens == told.cached
    assert usage.completion_tokens_details is None or usage.completion_tokens_details.reasoning_tokens == told.reasoning


def limit_turn(spoken: Spoken, turn: Turn, finish: Any) -> Turn:
    """Leave what a service can say: one that calls nothing, or ends in one way, says no more."""
    if spoken.wire is M365:
        turn = attrs.evolve(turn, calls=(), reasoning=())
        finish = None if finish == "length" else finish
    return turn if turn.calls else attrs.evolve(turn, finish=finish)


@pytest.mark.parametrize("name", TALKING)
@FEW
@given(turn=TURNS, finish=st.sampled_from([None, "length", "content_filter"]), data=st.data())
def test_what_a_service_says_arrives_whole_and_in_pieces(
    name: str, turn: Turn, finish: Any, data: st.DataObject
) -> None:
    """Text, thoughts, calls, tokens and the reason of the end: in one answer, and folded, wherever the network cuts."""
    spoken = SPOKEN[name]
    turn = limit_turn(spoken, turn, finish)
    whole = spoken.wire.decode_chat(HttpResponse(200, {}, write_answer(spoken, "chat", turn)))
    expect_said(spoken, turn, whole)
    stream = write_stream(spoken, turn)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    folded, complete = read_stream(spoken, [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])])
    assert complete
    expect_said(spoken, turn, folded)


# What is asked arrives.

WORDS = st.text(min_size=1, max_size=9).filter(str.strip)
EXCHANGES = st.lists(
    st.fixed_dictionaries({"asks": st.lists(WORDS, min_size=1, max_size=2), "calls": st.booleans(), "answer": WORDS}),
    min_size=1,
    max_size=3,
)


def make_messages(exchanges: list[dict[str, Any]], system: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
    for at, exchange in enumerate(exchanges):
        parts = [{"type": "text", "text": text} for text in exchange["asks"]]
        messages.append({"role": "user", "content": parts})
        if exchange["calls"]:
            call = {"id": f"call_{at}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
            messages.append({"role": "tool", "tool_call_id": f"call_{at}", "content": exchange["answer"]})
        messages.append({"role": "assistant", "content": exchange["answer"]})
    return [*messages, {"role": "user", "content": "Well?"}]


@pytest.mark.parametrize("name", [name for name in TALKING if name != "Copilot"])
@FEW
@given(exchanges=EXCHANGES, system=WORDS, stream=st.booleans())
def test_what_is_asked_arrives(name: str, exchanges: list[dict[str, Any]], system: str, stream: bool) -> None:
    """The service finds the texts, the system's words, the calls and what they gave, in their order."""
    spoken = SPOKEN[name]
    request = ChatRequest(tuple(make_messages(exchanges, system)), "a-model")
    sent = spoken.wire.encode_chat(request, stream=stream, warn=pytest.fail)
    asked = spoken.dialect.read_request(Request(sent.method, sent.path, body=sent.body))
    assert asked is not None
    assert (asked.stream, asked.system) == (stream, system)
    # Some services hear of results in a turn of the user's, which has no text then.
    assert [text for text in asked.texts if text] == [*("".join(exchange["asks"]) for exchange in exchanges), "Well?"]
    given = [exchange["answer"] for exchange in exchanges if exchange["calls"]]
    assert asked.calls == ("f",) * len(given)
    assert [name for name, _ in asked.results] == ["f"] * len(given)
    assert all(answer in read_result(text) for answer, (_, text) in zip(given, asked.results, strict=True))


def read_result(text: str) -> list[str]:
    """Return what a call gave: a text, or an object around it."""
    with suppress(ValueError):
        value = json.loads(text)
        return list(value.values()) if isinstance(value, dict) else [text]
    return [text]


# Whatever is said.

SAID = (
    Turn(text=("This ", "is ", "a test"), usage=Usage(110, 70, 40, 20)),
    Turn(reasoning=("I ", "think"), usage=None, extra={"g4f_unknown": {"a": [1]}}),
    Turn(calls=(ToolCall("get_weather", {"city": "Paris"}), ToolCall("f", {}, "call_2")), nulls=True),
    Turn(text=("ü",), finish="length"),
)
REFUSED = (Failure(400, "no"), Failure(429, "later", retry_after=2.0), Failure(500, in_stream=True))


@cache
def list_recorded(services: tuple[str, ...], folder: str) -> list[bytes]:
    """Return bodies that services of these names sent; none where the recordings are not at hand."""
    files = [path for service in services for path in sorted((TRAFFIC / service / folder).glob("*.json"))]
    bodies = [exchange.body for path in files if path.stat().st_size < 2**14 for exchange in load_exchange(path)]
    return [body for body in bodies if len(body) < 2**12][:40]


@cache
def spoil_answers(name: str, function: str) -> st.SearchStrategy[bytes]:
    """Answers that a function of a dialect is to read."""
    spoken = SPOKEN[name]
    if function == "decode_error":
        written = [b"".join(spoken.dialect.write_error(failure).pieces) for failure in REFUSED]
    else:
        written = [write_answer(spoken, OPERATIONS[function], turn) for turn in SAID]
    return spoil_body([parse(body) for body in written + list_recorded(spoken.recorded, FOLDERS.get(function, "chat"))])


@cache
def spoil_streams(name: str) -> st.SearchStrategy[list[Event]]:
    """The events of streams."""
    spoken = SPOKEN[name]
    written = [write_stream(spoken, limit_turn(spoken, turn, None)) for turn in SAID]
    streams = written + list_recorded(spoken.recorded, "stream")
    events = spoil_json([list_events(stream) for stream in streams]).map(write_events)
    return st.one_of(events, events, spoil_bytes(streams).map(lambda stream: SseDecoder().feed(stream + b"\n\n")))


def parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def list_events(stream: bytes) -> list[dict[str, Any]]:
    return [{"event": kind, "data": parse(data)} for kind, data in SseDecoder().feed(stream)]


def write_events(rows: Any) -> list[Event]:
    rows = rows if isinstance(rows, list) else [rows]
    return [write_event(row if isinstance(row, dict) else {"data": row}) for row in rows]


def write_event(row: dict[str, Any]) -> Event:
    kind, value = row.get("event"), row.get("data")
    return kind if isinstance(kind, str) else "message", b"[DONE]" if value == "[DONE]" else write_json(value)


def look_at(value: Any) -> None:
    """Read all of an answer, as a program may."""
    if isinstance(value, list):
        assert all(isinstance(row, dict) and isinstance(row["id"], str) for row in value)
        return
    repr(value)
    json.dumps(value.to_dict())
    if isinstance(value, Completion):
        assert value.choices
        unfold_completion(value)


def read_events(spoken: Spoken, events: list[Event], end: Any) -> None:
    """Read a stream as the core does, and put together what came before an error."""
    decoder, halves, chunks = spoken.wire.decode_stream(end), Halves(), []
    with suppress(G4FError):
        for event in events:
            chunk = decoder.feed(event)
            if chunk is not None:
                examine_chunk(chunk)
                chunks.append(halves.mend(chunk))
                repr(chunk)
    assert decoder.complete in {True, False}
    assert decoder.ended in {True, False}
    folded = fold_chunks(chunks)
    repr(folded)
    json.dumps(folded.to_dict())


@pytest.mark.parametrize("name", SPOKEN)
@given(data=st.data())
def test_whatever_a_service_says_is_an_answer_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    """No answer, however it is spoiled, raises anything else; what comes of it can be looked at and passed on."""
    spoken = SPOKEN[name]
    functions = [name for name in (*OPERATIONS, "decode_stream", "decode_error") if spoken.wire.has(name)]
    function = data.draw(st.sampled_from(functions))
    if function == "decode_stream":
        read_events(spoken, data.draw(spoil_streams(name)), data.draw(ENDS))
        return
    body = data.draw(spoil_answers(name, function))
    if function == "decode_error":
        error = spoken.wire.decode_error(data.draw(STATUSES), {"date": "x"}, body)
        assert isinstance(error, APIStatusError)
        repr(error)
        return
    with suppress(G4FError):
        look_at(getattr(spoken.wire, function)(HttpResponse(200, {}, body)))


# What stands beside the dialects' usual functions: each with an answer that it reads.

BESIDE: dict[str, tuple[Callable[[HttpResponse], Any], Any]] = {
    "Anthropic: the next page": (find_next_page, {"data": [{"id": "m"}], "has_more": True, "last_id": "m"}),
    "BlackForestLabs: a job": (decode_job, {"id": "1", "polling_url": "https://a.example/x?id=1", "cost": 1.5}),
    "BlackForestLabs: a result": (
        lambda response: decode_result(response, Job("1")),
        {
            "id": "1",
            "status": "Ready",
            "result": {"sample": "https://a.example/x.png", "seed": 4},
            "details": {"a": [1]},
        },
    ),
    "Copilot: a conversation": (decode_conversation, {"id": "1", "state": "active", "turnCount": 0}),
}


@pytest.mark.parametrize("name", BESIDE)
@given(data=st.data())
def test_whatever_else_a_service_says_is_read_or_an_error_of_ours(name: str, data: st.DataObject) -> None:
    """Jobs, conversations and pages too."""
    read, answer = BESIDE[name]
    body = data.draw(spoil_body([answer]))
    with suppress(G4FError):
        repr(read(HttpResponse(200, {}, body)))


ACCOUNT_EVENTS = [
    {"kind": "assistant.reasoning_delta", "data": {"deltaContent": "I think"}},
    {"kind": "assistant.message_delta", "data": {"deltaContent": "This is "}},
    {"kind": "assistant.usage", "data": {"model": "m", "inputTokens": 3, "outputTokens": 4, "finishReason": "stop"}},
    {"kind": "assistant.message", "data": {"content": "This is a test", "apiCallId": "1", "reasoningText": "I think"}},
    {"kind": "session.error", "data": {"message": "no", "errorType": "quota", "statusCode": 429, "errorCode": "x"}},
    {"kind": "session.idle", "data": {"aborted": False}},
]


@given(spoil_json([ACCOUNT_EVENTS, ACCOUNT_EVENTS[1:4], ACCOUNT_EVENTS[:2] + ACCOUNT_EVENTS[5:]]))
def test_whatever_the_program_of_an_account_says_is_an_answer_or_an_error_of_ours(rows: Any) -> None:
    """Its events are objects with a kind; what they hold may be anything."""
    decoder, chunks = EventDecoder(), []
    with suppress(G4FError):
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get("data"), dict):
                chunks += decoder.feed(str(row.get("kind")), row["data"])
    json.dumps(fold_chunks(chunks).to_dict())
