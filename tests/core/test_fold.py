import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.chat import Chunk, Completion
from g4f.errors import APIResponseError
from g4f.fold import fold_chunks, is_answer, join_surrogates, read_content, unfold_completion

# --- Laws of folding and unfolding -----------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
tool_calls = st.fixed_dictionaries(
    {
        "id": st.uuids().map(str),
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": texts, "arguments": texts}),
    },
    optional={"extra": texts},
)
messages = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | texts},
    optional={
        "refusal": st.none() | texts,
        "reasoning_content": texts,
        "tool_calls": st.lists(tool_calls, max_size=3),
        "annotations": st.lists(st.fixed_dictionaries({"url": texts, "at": st.integers()}), max_size=2),
        "x_signature": texts,
    },
)
choices = st.fixed_dictionaries(
    {"message": messages, "finish_reason": st.sampled_from(["stop", "length", "tool_calls"])},
    optional={"logprobs": st.none() | st.just({"content": [{"token": "a", "bytes": [97]}, {"token": "a"}]})},
)
completions = st.builds(
    lambda head, picked: {**head, "choices": [{"index": at, **choice} for at, choice in enumerate(picked)]},
    st.fixed_dictionaries(
        {"id": texts, "object": st.just("chat.completion"), "created": st.integers(), "model": texts},
        optional={
            "usage": st.none() | st.just({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
            "system_fingerprint": st.none() | texts,
            "citations": st.lists(texts, max_size=2),
        },
    ),
    st.lists(choices, min_size=1, max_size=3),
)


@given(completions)
def test_an_unfolded_completion_folds_back_into_itself(data: dict[str, Any]) -> None:
    """Nothing of a normal answer is lost on the way to chunks and back, unknown fields and nulls included."""
    completion = Completion.from_dict(copy.deepcopy(data))

    assert fold_chunks(unfold_completion(completion)).to_dict() == data
    assert completion.to_dict() == data


@given(completions, st.data())
def test_where_a_text_is_cut_into_chunks_changes_nothing(answer: dict[str, Any], data: st.DataObject) -> None:
    """The content of every choice is the same, told at once or letter by letter, choices in any order."""
    letters = [
        (choice["index"], letter) for choice in answer["choices"] for letter in choice["message"]["content"] or ""
    ]
    order = data.draw(st.permutations([index for index, _ in letters]))
    left = {index: [letter for at, letter in letters if at == index] for index in set(order)}
    chunks = [
        Chunk.from_dict({"choices": [{"index": index, "delta": {"content": left[index].pop(0)}}]}) for index in order
    ]

    folded = fold_chunks(chunks)

    assert {choice.index: choice.message.content for choice in folded.choices} == {
        choice["index"]: choice["message"]["content"] for choice in answer["choices"] if choice["message"]["content"]
    }


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "id", "object", "x"]), json_values), max_size=4))
def test_folding_takes_whatever_a_service_sends_and_leaves_it_as_it_was(sent: list[dict[str, Any]]) -> None:
    """Chunks of the wrong shape never break it, and none of them is changed or shared."""
    before = json.dumps(sent)

    folded = fold_chunks([Chunk.from_dict(data) for data in sent])
    unfold_completion(folded)

    assert json.dumps(sent) == before
    assert folded.object == "chat.completion"


odd_calls = st.lists(
    st.fixed_dictionaries(
        {}, optional={"index": json_values, "id": json_values, "function": json_values, "type": json_values}
    )
    | json_values,
    max_size=3,
)
odd_deltas = st.fixed_dictionaries({}, optional={"content": json_values, "tool_calls": odd_calls, "x": json_values})
odd_choices = st.fixed_dictionaries(
    {}, optional={"index": json_values, "delta": odd_deltas | json_values, "finish_reason": json_values}
)


@given(st.lists(st.lists(odd_choices | json_values, max_size=2), max_size=4))
def test_choices_and_tool_calls_of_any_shape_fold(sent: list[list[Any]]) -> None:
    """Wrong types inside choices, deltas and tool calls are passed over or kept, and read_content bears them."""
    chunks = [Chunk.from_dict({"choices": picked}) for picked in sent]

    folded = fold_chunks(chunks)

    for chunk in chunks:
        with suppress(APIResponseError):  # a text that is none
            read_content(chunk)
    for choice in folded.choices:
        assert isinstance(choice.message.tool_calls, list)
    json.dumps(folded.to_dict())
    unfold_completion(folded)


@given(completions)
def test_a_folded_completion_shares_nothing_with_its_chunks(data: dict[str, Any]) -> None:
    """Changing the whole leaves the parts alone."""
    chunks = unfold_completion(Completion.from_dict(data))
    before = copy.deepcopy([chunk.to_dict() for chunk in chunks])
    folded = fold_chunks(chunks)
    folded.choices[0].message.content = "changed"
    if folded.usage is not None:
        folded.usage.total_tokens = -1

    assert [chunk.to_dict() for chunk in chunks] == before


def make_chunk(**delta: Any) -> Chunk:
    return Chunk.from_dict({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})


def call(arguments: str, **more: Any) -> Chunk:
    """A delta of one tool call; `name` goes into its function."""
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return make_chunk(tool_calls=[{**more, "function": function}])


def fold_calls(*chunks: Chunk) -> list[tuple[str | None, str, str]]:
    calls = fold_chunks(chunks).choices[0].message.tool_calls
    return [(call.id, call.function.name, call.function.arguments) for call in calls]


def test_interleaved_tool_calls_are_told_apart_by_their_index() -> None:
    """Pieces of several calls may come in any order."""
    assert fold_calls(
        call("", index=0, id="a", name="f"),
        call("", index=1, id="b", name="g"),
        call("{1", index=1),
        call("{0", index=0),
        call("}", index=1),
        call("}", index=0),
    ) == [("a", "f", "{0}"), ("b", "g", "{1}")]


def test_tool_calls_without_an_index_go_by_their_id_and_else_to_the_last() -> None:
    """Services that send no index are understood as well."""
    assert fold_calls(
        call("{", id="a", name="f"),
        call("0}"),
        call("{", id="b", name="g"),
        call("1", id="b"),
        call("}"),
    ) == [("a", "f", "{0}"), ("b", "g", "{1}")]
    assert fold_calls(call("{", name="f"), call("}")) == [(None, "f", "{}")]


def test_tool_calls_that_all_have_the_index_0_are_told_apart_by_their_ids() -> None:
    """A new id with a new function is a new call, whatever its index; what follows belongs to it."""
    assert fold_calls(
        call("{0}", index=0, id="a", name="f"),
        call("{", index=0, id="b", name="f"),
        call("1}", index=0),
    ) == [("a", "f", "{0}"), ("b", "f", "{1}")]


def test_a_tool_call_whose_every_piece_has_another_id_is_still_one() -> None:
    """Some servers make a new id for each delta; only the first names the function."""
    assert fold_calls(
        call("{", index=0, id="a", name="f"),
        call("0", index=0, id="b"),
        call("}", index=0, id="c"),
    ) == [("c", "f", "{0}")]


def test_a_function_name_told_in_each_delta_is_told_once() -> None:
    """The name is joined where it comes in pieces, and not where it is repeated."""
    assert fold_calls(call("{", index=0, name="f"), call("}", index=0, name="f")) == [(None, "f", "{}")]
    assert fold_calls(call("{", index=0, name="get_"), call("}", index=0, name="it")) == [(None, "get_it", "{}")]


def test_tool_calls_keep_no_index_and_get_a_type() -> None:
    """A whole message looks as if it had never been streamed."""
    (tool_call,) = fold_chunks([call("{}", index=0, id="a", name="f")]).to_dict()["choices"][0]["message"]["tool_calls"]

    assert tool_call == {"type": "function", "id": "a", "function": {"name": "f", "arguments": "{}"}}


def test_null_deltas_and_missing_fields_add_nothing() -> None:
    """A null is no content, and a choice without a delta only ends."""
    folded = fold_chunks(
        [
            Chunk.from_dict({"choices": [{"delta": {"role": "assistant", "content": None}}]}),
            Chunk.from_dict({"choices": [{"index": None, "delta": {"content": "Hi", "tool_calls": None}}]}),
            Chunk.from_dict({"choices": [{"delta": None, "finish_reason": "stop"}]}),
            Chunk.from_dict({"choices": [{"delta": {}, "finish_reason": None}]}),
            Chunk.from_dict({"choices": None}),
            Chunk.from_dict({}),
        ]
    )

    assert [(choice.message.content, choice.finish_reason) for choice in folded.choices] == [("Hi", "stop")]
    assert folded.choices[0].message.tool_calls == []


def test_reasoning_and_unknown_texts_are_joined_and_other_unknown_values_replaced() -> None:
    """What only one service sends is folded like what we know."""
    folded = fold_chunks(
        [
            make_chunk(reasoning_content="Let ", signature="ab", score=1, parts=[{"index": 0, "text": "x"}]),
            make_chunk(
                reasoning_content="me", signature="cd", score=2, parts=[{"index": 0, "text": "y"}, {"index": 1}]
            ),
        ]
    ).to_dict()["choices"][0]["message"]

    assert folded["reasoning_content"] == "Let me"
    assert folded["signature"] == "abcd"
    assert folded["score"] == 2
    assert folded["parts"] == [{"index": 0, "text": "xy"}, {"index": 1}]


def test_the_usage_of_a_tail_without_choices_counts() -> None:
    """The last chunk of OpenAI's streams has usage alone."""
    folded = fold_chunks(
        [Chunk.from_text("Hi", finish_reason="stop"), Chunk.from_dict({"choices": [], "usage": {"total_tokens": 3}})]
    )

    assert folded.usage is not None
    assert folded.usage.total_tokens == 3
    assert folded.choices[0].message.content == "Hi"


def test_no_chunks_make_a_completion_without_choices() -> None:
    """An empty stream is an empty answer."""
    assert fold_chunks([]).to_dict() == {"object": "chat.completion", "choices": []}


def test_halves_of_surrogate_pairs_join_everywhere_in_a_message() -> None:
    """Content, reasoning and arguments come out as text that can be written."""
    folded = fold_chunks(
        [
            make_chunk(
                content="\ud83d", reasoning_content="a\ud83d", tool_calls=[{"function": {"arguments": "\ud83d"}}]
            ),
            make_chunk(content="\ude00", reasoning_content="b", tool_calls=[{"function": {"arguments": "\ude00"}}]),
        ]
    )

    message = folded.choices[0].message
    assert message.content == "😀"
    assert message.reasoning_content == "a\ufffdb"
    assert message.tool_calls[0].function.arguments == "😀"
    folded.to_json().encode()


@given(st.text())
def test_joined_surrogates_can_be_written_and_whole_text_is_left_alone(text: str) -> None:
    """Whatever the text, what comes out is Unicode, and only what was broken differs."""
    joined = join_surrogates(text)

    assert joined.encode().decode() == joined
    assert join_surrogates("".join(chr(unit) for unit in list_utf16(joined))) == joined


def list_utf16(text: str) -> Iterator[int]:
    data = text.encode("utf-16-le")
    return (int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2))


def test_a_hundred_thousand_chunks_fold_in_linear_time() -> None:
    """Twenty times the chunks take about twenty times as long: a long answer does not hold up the loop."""
    folded = fold_chunks(Chunk.from_text("word ") for _ in range(100_000))

    assert len(folded.choices[0].message.content or "") == 500_000


def test_twenty_thousand_calls_fold_in_linear_time() -> None:
    """Nor do many calls, or elements of another list: each is found at once."""
    calls = [{"index": at, "id": f"call_{at}", "function": {"name": "f"}} for at in range(20_000)]
    rest = [{"index": at, "function": {"arguments": "{}"}} for at in range(20_000)]
    folded = fold_chunks([make_chunk(tool_calls=calls), make_chunk(tool_calls=rest), make_chunk(notes=[{}] * 20_000)])

    message = folded.choices[0].message
    assert [(call.id, call.function.arguments) for call in message.tool_calls][-1] == ("call_19999", "{}")
    assert len(message.tool_calls) == len(message.model_extra["notes"]) == 20_000


def test_unfolding_gives_each_choice_its_message_its_end_and_then_the_usage() -> None:
    """The chunks are those of a stream that was told in one piece."""
    completion = Completion.from_text("Hi", model="m")
    completion.usage = {"total_tokens": 1}  # type: ignore[assignment]  # what a service sends is plain

    chunks = unfold_completion(completion)

    assert [read_content(chunk) for chunk in chunks] == ["Hi", "", None]
    assert [chunk.object for chunk in chunks] == ["chat.completion.chunk"] * 3
    assert chunks[1].choices[0].finish_reason == "stop"
    assert chunks[2].usage is not None
    assert not chunks[2].choices


@pytest.mark.parametrize(
    ("data", "content"),
    [
        ({}, None),
        ({"choices": []}, None),
        ({"choices": 5}, None),
        ({"choices": [None, 5]}, None),
        ({"choices": [{"delta": {"role": "assistant", "content": ""}}]}, None),
        ({"choices": [{"delta": {"content": None, "tool_calls": []}}]}, None),
        ({"choices": [], "usage": {"total_tokens": 1}}, None),
        ({"choices": [{"delta": {"content": "Hi"}}]}, "Hi"),
        ({"choices": [{"delta": {"content": "a"}}, {"delta": {"content": "b"}}]}, "ab"),
        ({"choices": [{"delta": {"reasoning_content": "Hm"}}]}, ""),
        ({"choices": [{"delta": {"content": [{"type": "text", "text": "Hi"}]}}]}, ""),
        ({"choices": [{"delta": {"refusal": "No"}}]}, ""),
        ({"choices": [{"delta": {"reasoning": 5, "reasoning_details": [{"text": "Hm"}]}}]}, ""),
        ({"choices": [{"delta": {"reasoning": 5}}]}, None),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f"}}]}}]}, ""),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0}, {"function": {"arguments": "{"}}]}}]}, ""),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0, "custom": {"input": "x"}}]}}]}, ""),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": ""}}, {}, 5]}}]}, None),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0}], "images": [{"image_url": {"url": "x"}}]}}]}, ""),
        ({"choices": [{"delta": {"tool_calls": [{"index": 0}], "images": [{}]}}]}, None),
        ({"choices": [{"delta": {"images": [{"type": "image_url", "image_url": {"url": ""}}]}}]}, None),
        ({"choices": [{"delta": {"content": [{"type": "text", "text": ""}]}}]}, None),
        ({"choices": [{"delta": {"reasoning_details": [{"type": "reasoning.text", "text": "", "index": 1}]}}]}, None),
        ({"choices": [{"delta": {"extra_content": {"google": {"parts": [{"inlineData": {}}]}}}}]}, None),
        ({"choices": [{"delta": {"function_call": {"name": "f"}}}]}, ""),
        ({"choices": [{"delta": {"function_call": {"arguments": ""}}}]}, None),
        ({"choices": [{"delta": {"audio": {"data": "AAAA"}}}]}, ""),
        ({"choices": [{"delta": {"audio": {"transcript": "Hi"}}}]}, ""),
        ({"choices": [{"delta": {"audio": {"id": "audio_1"}}}]}, None),
        ({"choices": [{"delta": {"x_note": "still here"}}]}, None),
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, ""),
    ],
)
def test_content_is_what_a_chunk_adds_to_the_answer(data: dict[str, Any], content: str | None) -> None:
    """Text is content; so are, without text, reasoning, tool calls and an end. Signs of life and usage are not."""
    assert read_content(Chunk.from_dict(data)) == content


@pytest.mark.parametrize("text", [5, True, {"text": "Hi"}])
def test_a_text_that_is_none_is_an_error(text: Any) -> None:
    """Whoever joins the pieces would meet it."""
    with pytest.raises(APIResponseError, match="is no text"):
        read_content(make_chunk(content=text))


@pytest.mark.parametrize(
    ("choice", "tells"),
    [
        ({}, False),
        ({"message": {}}, False),
        ({"message": None, "finish_reason": "stop"}, False),
        ({"message": {"content": ""}}, False),
        ({"message": {"content": 5}, "finish_reason": "stop"}, False),
        ({"message": {"tool_calls": [{}]}}, False),
        ({"text": "the words of an older interface", "finish_reason": "stop"}, False),
        ({"message": {"content": ""}, "finish_reason": "stop"}, True),
        ({"message": {"content": None}, "finish_reason": "length"}, True),
        ({"message": {"content": "Hi"}}, True),
        ({"message": {"refusal": "No"}}, True),
        ({"message": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}, True),
        ({"message": {"audio": {"data": "AAAA"}}}, True),
        ({"message": {"images": [{"image_url": {"url": "data:image/png;base64,"}}]}}, False),
        ({"message": {"images": [{"image_url": {"url": "data:image/png;base64,AAAA"}}]}}, True),
    ],
)
def test_a_whole_answer_has_content_or_says_how_it_ended(choice: dict[str, Any], tells: bool) -> None:
    """Where one of several has nothing in it, the others are an answer."""
    assert is_answer(Completion.from_dict({"choices": [choice]})) is tells
    assert is_answer(Completion.from_dict({"choices": [None, choice, {}]})) is tells
    assert not is_answer(Completion.from_dict({"choices": []}))
