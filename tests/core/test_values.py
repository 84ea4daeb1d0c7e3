import copy
import json
import pickle
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.chat import Choice, Chunk, Completion, Message, ToolCall, Usage
from g4f.errors import APIError, Attempt
from g4f.images import Image, Images
from g4f.values import Value, field, many, one

NAMES = [
    "id",
    "choices",
    "index",
    "message",
    "delta",
    "content",
    "tool_calls",
    "function",
    "usage",
    "role",
    "data",
    "x",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from(NAMES), json_values, max_size=5)
kinds = st.sampled_from([Completion, Chunk, Message, ToolCall, Choice, Usage, Images, Image])


def look_at_everything(value: Any) -> None:
    """Read every field of a value, and of the values in it."""
    for name in value._names:
        part = getattr(value, name)
        for item in part if isinstance(part, list) else [part]:
            if isinstance(item, Value):
                look_at_everything(item)


@given(kinds, objects)
def test_what_a_service_sent_is_kept_whatever_it_is_and_whoever_looks(kind: type[Value], data: dict[str, Any]) -> None:
    """Wrong types, nulls and unknown fields: reading never breaks, and never changes what was sent."""
    value = kind.from_dict(copy.deepcopy(data))
    assert value.to_dict() == data

    look_at_everything(value)
    repr(value)

    assert value.to_dict() == data
    assert json.loads(value.to_json()) == data


@given(kinds, objects)
def test_a_value_is_equal_to_its_copies(kind: type[Value], data: dict[str, Any]) -> None:
    """Copied, deeply copied, pickled, or made anew; looked at or not."""
    value = kind.from_dict(data)
    copies = [
        copy.copy(value),
        copy.deepcopy(value),
        pickle.loads(pickle.dumps(value)),  # noqa: S301 - our own
        kind.from_dict(value.to_dict()),
    ]
    for other in copies:
        assert type(other) is kind
        assert other == value
    look_at_everything(value)
    assert copies == [value] * 4
    assert value != kind.from_dict({**data, "other": 1})


@given(objects)
def test_unknown_fields_are_the_extra_ones(data: dict[str, Any]) -> None:
    """What the service sent beyond the declared fields."""
    declared = {"role", "content", "refusal", "reasoning_content", "tool_calls"}

    assert Message.from_dict(data).model_extra == {key: data[key] for key in data.keys() - declared}


@pytest.mark.parametrize("data", [{}, {"content": None, "role": None, "tool_calls": None}])
def test_a_field_that_is_null_or_missing_has_its_default(data: dict[str, Any]) -> None:
    """So nobody has to ask first."""
    message = Message.from_dict(data)

    assert message.role == "assistant"
    assert message.content is None
    assert message.tool_calls == []
    assert Completion.from_dict({}).choices == []
    assert Completion.from_dict({"usage": None}).usage is None
    assert Choice.from_dict({"message": None}).message.content is None
    assert ToolCall.from_dict({"function": 5}).function.name == ""


@pytest.mark.parametrize(
    ("data", "id_", "created"),
    [
        ({"id": 17, "created": "1764000000"}, "17", 1764000000),
        ({"id": "a", "created": 1.0}, "a", 1),
        ({"id": ["a"], "created": "soon"}, ["a"], "soon"),
    ],
)
def test_a_number_written_as_a_text_is_read_as_one_and_the_other_way_round(data: Any, id_: Any, created: Any) -> None:
    """What cannot be read so is told as it is, and nothing that was sent is changed."""
    completion = Completion.from_dict(dict(data))

    assert (completion.id, completion.created) == (id_, created)
    assert completion.to_dict() == data


def test_a_field_that_is_there_is_told_even_if_it_is_false_or_empty() -> None:
    """Only null is nothing."""
    assert Usage.from_dict({"total_tokens": 0}).total_tokens == 0
    assert Message.from_dict({"content": ""}).content == ""


def test_objects_in_objects_are_values_and_always_the_same() -> None:
    """What is changed in one place is changed."""
    completion = Completion.from_dict({"choices": [{"message": {"content": "Hi"}}, None, 5]})

    assert isinstance(completion.choices[0].message, Message)
    assert completion.choices[0].message is completion.choices[0].message
    assert len(completion.choices) == 1


def test_changes_deep_inside_are_told() -> None:
    """In dicts, JSON and comparisons, whether the part was sent or is a default that was filled."""
    completion = Completion.from_dict({"choices": [{"message": {"content": "Hi"}}, {}]})
    completion.choices[0].message.content = "Ho"
    completion.choices[1].message.tool_calls.append(ToolCall(id="a"))
    completion.choices.append(Choice(index=2))

    assert completion.to_dict() == {
        "choices": [{"message": {"content": "Ho"}}, {"message": {"tool_calls": [{"id": "a"}]}}, {"index": 2}]
    }
    completion.choices.clear()
    assert completion.to_dict() == {"choices": []}


def test_a_field_can_be_set_to_a_value_or_to_plain_json() -> None:
    """And be read either way."""
    message = Message()
    message.tool_calls = [ToolCall(id="a")]
    assert message.to_dict() == {"tool_calls": [{"id": "a"}]}
    assert message.tool_calls[0].id == "a"

    message.tool_calls = [{"id": "b"}]  # type: ignore[list-item]  # as it comes from JSON
    assert message.tool_calls[0].id == "b"
    message.tool_calls = None  # type: ignore[assignment]  # as services do
    assert message.tool_calls == []


def test_a_value_is_made_from_keywords_and_values_inside_become_plain() -> None:
    """In lists, tuples and dicts as well."""
    usage = Usage(total_tokens=3)
    completion = Completion(choices=[Choice(message=Message(content="Hi"))], usage=usage)
    odd = Message(content={"parts": (usage, [usage])})  # type: ignore[arg-type]  # nothing is checked

    assert completion.to_dict() == {"choices": [{"message": {"content": "Hi"}}], "usage": {"total_tokens": 3}}
    assert json.loads(odd.to_json()) == {"content": {"parts": [{"total_tokens": 3}, [{"total_tokens": 3}]]}}


def test_an_unknown_keyword_is_a_mistake() -> None:
    """It is named, with those that are known."""
    with pytest.raises(TypeError, match="Message has no field 'contents'; it has role, content"):
        Message(contents="Hi")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        Message().contents = "Hi"  # type: ignore[attr-defined]


def test_values_of_different_kinds_are_different_and_none_can_be_a_key() -> None:
    """They are mutable, as dicts are."""
    assert Message() != Usage()
    assert Message() != {}
    with pytest.raises(TypeError, match="unhashable"):
        hash(Message())


def test_a_value_shows_what_is_in_it() -> None:
    """Its declared fields, but for empty ones."""
    assert repr(Message(role="user", content="Hi")) == "Message(role='user', content='Hi')"
    assert "total_tokens=0" in repr(Usage())


def test_openais_names_for_writing_values_work() -> None:
    """`model_dump` and `model_dump_json`, letters as they are."""
    message = Message(content="é")

    assert message.model_dump() == {"content": "é"}
    assert message.model_dump_json() == '{"content": "é"}'
    assert message.to_json() == '{\n  "content": "é"\n}'
    odd = Message.from_dict({"content": "é", "seen": [1e999, {"share": float("nan"), "of": 2.5}]})
    assert json.loads(odd.to_json(indent=None)) == {"content": "é", "seen": [None, {"share": None, "of": 2.5}]}


def test_values_are_written_with_the_arguments_of_openais_sdk() -> None:
    """`exclude_none` leaves nulls out at every depth; the others are taken and change nothing."""
    data = {"content": None, "tool_calls": [{"id": None, "function": {"name": "f", "x": None}}, None], "x": [None, 0]}
    short = {"tool_calls": [{"function": {"name": "f"}}, None], "x": [None, 0]}
    message = Message.from_dict(data)

    assert message.model_dump(exclude_none=True) == message.to_dict(exclude_none=True) == short
    assert json.loads(message.model_dump_json(exclude_none=True, exclude_unset=True, by_alias=True)) == short
    assert message.model_dump_json(exclude_none=True, indent=1).startswith('{\n "tool_calls"')
    assert json.loads(message.to_json(exclude_none=True, exclude_unset=False)) == short
    for mode in ("json", "python"):
        assert message.model_dump(mode=mode, exclude_unset=True, by_alias=True) == data
        assert message.to_dict(mode=mode, exclude_unset=False) == data


def change_everything(data: Any) -> None:
    """Change each dict and list in some JSON."""
    for item in data.values() if isinstance(data, dict) else data:
        if isinstance(item, (dict, list)):
            change_everything(item)
    data.clear()


@given(kinds, objects, st.booleans())
def test_what_to_dict_gives_can_be_changed(kind: type[Value], data: dict[str, Any], looked_at: bool) -> None:
    """It is new at every depth, nulls left out or not."""
    value = kind.from_dict(copy.deepcopy(data))
    if looked_at:
        look_at_everything(value)
    for given_out in (value.to_dict(), value.model_dump(exclude_none=True)):
        change_everything(given_out)
    assert value.to_dict() == data


def test_a_value_in_a_value_is_a_copy() -> None:
    """What one answer is made of can be changed without changing the other."""
    usage = Usage.from_dict({"prompt_tokens_details": {"cached_tokens": 1}})
    completion = Completion(usage=usage)
    assert usage.prompt_tokens_details is not None
    usage.prompt_tokens_details.cached_tokens = 2

    assert completion.to_dict() == {"usage": {"prompt_tokens_details": {"cached_tokens": 1}}}


def test_a_value_is_copied_under_openais_name() -> None:
    """With other fields where that is wished; a deep copy shares no part."""
    choice = Choice(message=Message(content="Hi"))
    other = choice.model_copy(update={"index": 3, "extra": [1]}, deep=True)
    other.message.content = "Ho"

    assert choice.to_dict() == {"message": {"content": "Hi"}}
    assert other.to_dict() == {"message": {"content": "Ho"}, "index": 3, "extra": [1]}
    assert choice.model_copy() == choice
    assert choice.model_copy(update={"index": 1}).index == 1


def test_a_kind_of_value_declares_its_fields() -> None:
    """Plain ones, one object, or many; a subclass has those of its base as well."""

    class Leaf(Value):
        size: int = field(default=1)

    class Tree(Leaf):
        leaf: Leaf = one(lambda: Leaf, default_factory=Leaf)
        spare: Leaf | None = one(lambda: Leaf)
        leaves: list[Leaf] = many(lambda: Leaf, default_factory=list)

    tree = Tree.from_dict({"leaf": {"size": 2}, "leaves": [{}, {"size": 3}]})

    assert tree.size == 1
    assert tree.leaf.size == 2
    assert tree.spare is None
    assert [leaf.size for leaf in tree.leaves] == [1, 3]
    assert Leaf._names == ("size",)


def test_an_answer_keeps_its_record_when_it_is_copied() -> None:
    """Who answered, what was changed, what was tried: also over a pickle, as caches make it."""
    completion = Completion.from_text("Hi")
    completion.provider = "Somebody"
    completion.warnings = ["changed"]
    completion.attempts = (Attempt("Other", "m", APIError("no", retry_after=3), 0.1), Attempt("Somebody", "m", None, 1))
    for other in (copy.copy(completion), copy.deepcopy(completion), pickle.loads(pickle.dumps(completion))):  # noqa: S301 - our own
        assert other == completion
        assert (other.provider, other.warnings) == ("Somebody", ["changed"])
        assert [attempt.provider for attempt in other.attempts] == ["Other", "Somebody"]
        assert str(other.attempts[0].error) == "no"
        assert other.attempts[0].error.retry_after == 3


SENT = {
    "content": "Hi",
    "thinking_blocks": [{"type": "thinking", "parts": [[{"text": "Hm"}], 5]}],
    "audio": {"data": "A" * 300, "to_dict": 1},
    "cost": 0.5,
    "stop_reason": None,
    "tags": ["a"],
}


def test_what_a_service_sent_beyond_the_declared_fields_are_attributes_too() -> None:
    """Objects in it are values, at any depth; what was null is None."""
    message: Any = Message.from_dict(copy.deepcopy(SENT))

    assert message.thinking_blocks[0].parts[0][0].text == "Hm"
    assert message.thinking_blocks[0].parts[1] == 5
    assert (message.cost, message.stop_reason, message.tags) == (0.5, None, ["a"])
    assert message.audio.data == "A" * 300
    assert message.audio.model_extra["to_dict"] == 1  # a method's name
    assert message.audio is message.audio
    assert repr(message.audio) == f"Audio(data='{'A' * 200}…', to_dict=1)"
    assert {"thinking_blocks", "content", "to_dict"} <= set(dir(message))
    assert message.to_dict() == SENT


def test_an_attribute_that_nobody_sent_is_missing_in_words() -> None:
    """The sentence names what there is, and Python's own hint what may be meant."""
    message: Any = Message.from_dict(copy.deepcopy(SENT))
    with pytest.raises(AttributeError) as caught:
        message.thinkin_blocks  # noqa: B018 - it raises

    assert (caught.value.name, caught.value.obj) == ("thinkin_blocks", message)
    assert str(caught.value) == (
        "Message has no 'thinkin_blocks'; it has role, content, refusal, reasoning_content, tool_calls, annotations, "
        "audio, and beside them the service sent thinking_blocks, cost, stop_reason, tags"
    )
    assert not hasattr(message, "__sent__")
    assert not hasattr(Message.__new__(Message), "content_blocks")  # `copy` and `pickle` look at such


def test_changes_in_what_is_not_declared_are_told() -> None:
    """As in declared parts; and copies hold what they were made of."""
    message: Any = Message.from_dict(copy.deepcopy(SENT))
    message.thinking_blocks.append({"type": "more"})
    message.tags.append("b")
    copies = [copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message))]  # noqa: S301 - our own

    for told in (message, *copies):
        assert told.to_dict() == {
            **SENT,
            "thinking_blocks": [*SENT["thinking_blocks"], {"type": "more"}],  # type: ignore[misc]  # it is a list
            "tags": ["a", "b"],
        }


def test_citations_and_speech_are_values() -> None:
    """None where there are none, as with OpenAI's; the list of citations is empty then."""
    cited = {"annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example", "end_index": 3}}]}
    message = Message.from_dict({**cited, "audio": {"id": "a", "transcript": "Hi"}})

    assert message.annotations[0].url_citation is not None
    assert (message.annotations[0].url_citation.url, message.annotations[0].url_citation.title) == (
        "https://a.example",
        "",
    )
    assert message.audio is not None
    assert (message.audio.transcript, message.audio.data) == ("Hi", "")
    assert (Message().annotations, Message().audio) == ([], None)


def test_log_probabilities_and_custom_tool_calls_are_values() -> None:
    """With the fields of OpenAI's."""
    token = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -2}]}
    logprobs = Choice.from_dict({"logprobs": {"content": [token], "refusal": None}}).logprobs
    call = ToolCall.from_dict({"id": "1", "type": "custom", "custom": {"name": "run", "input": "ls"}})

    assert logprobs is not None
    assert (logprobs.content[0].token, logprobs.content[0].bytes, logprobs.refusal) == ("a", [97], [])
    assert logprobs.content[0].top_logprobs[0].logprob == -2
    assert call.custom is not None
    assert (call.custom.name, call.custom.input, call.function.name) == ("run", "ls", "")
    assert ToolCall.from_dict({"function": {"name": "f"}}).custom is None


def test_a_value_becomes_a_dict_by_its_names_as_those_of_pydantic_do() -> None:
    """One level of it: so FastAPI writes a value that a route returns."""
    completion = Completion.from_dict({"id": "1", "choices": [{"index": 0}], "x": {"y": 1}})

    assert dict(completion) == {"id": "1", "choices": completion.choices, "x": {"y": 1}}
    assert dict(Message()) == {}


def test_a_value_is_a_field_of_pydantics_models() -> None:
    """Validated from a value or a dict, and written whole."""

    class Reply(pydantic.BaseModel):
        answer: Completion
        message: Message | None = None

    completion = Completion.from_dict({"choices": [{"message": SENT}]})
    reply = Reply(answer=completion)

    assert reply.answer is completion
    assert json.loads(reply.model_dump_json()) == {"answer": completion.to_dict(), "message": None}
    assert Reply.model_validate_json(reply.model_dump_json()) == reply
    assert Reply.model_validate(reply.model_dump()).answer.choices[0].message.content == "Hi"
    assert Reply.model_json_schema()["properties"]["answer"]["type"] == "object"
    with pytest.raises(pydantic.ValidationError):
        Reply.model_validate({"answer": 5})


def test_a_value_is_validated_under_the_names_that_openais_users_know() -> None:
    """A dict, JSON text, or such a value itself."""
    message = Message(content="Hi")

    assert Message.model_validate({"content": "Hi"}) == message
    assert Message.model_validate(message) is message
    assert Message.model_validate_json(message.model_dump_json()) == message
