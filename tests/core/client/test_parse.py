"""Answers of a type: what is asked for, what comes back, and what is said of answers that do not fit."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import pydantic
import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from openai.lib._tools import pydantic_function_tool

from g4f import AsyncClient, Client, Completion, hookimpl
from g4f.chat import ChatRequest, Chunk
from g4f.client._parse import ParsedCompletion, make_format
from g4f.errors import (
    APIResponseError,
    ContentFilterFinishReasonError,
    InternalServerError,
    LengthFinishReasonError,
    ParseError,
)

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Step:
    """One step of the way."""

    text: str
    after: list[Step] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Circle:
    kind: Literal["circle"]
    radius: float


@dataclasses.dataclass
class Square:
    kind: Literal["square"]
    side: float


@dataclasses.dataclass
class Everything:
    text: str
    number: int
    fraction: float
    truth: bool
    nothing: None
    maybe: str | None
    color: Color
    level: Literal[1, 2, 3]
    shape: Circle | Square
    steps: list[Step]
    pair: tuple[int, ...]
    tags: frozenset[str]
    day: date
    moment: datetime
    number_of_it: UUID
    note: Annotated[str, "For people."] = "none"


@dataclasses.dataclass
class City:
    name: str
    population: int


class CityModel(pydantic.BaseModel):
    """A city."""

    name: str = pydantic.Field(description="In English.")
    population: int = 0
    twin: CityModel | None = None


class Walk(TypedDict):
    steps: Sequence[Step]
    weather: NotRequired[str]


@attrs.define
class Point:
    x: int
    _y: int = 0


@dataclasses.dataclass
class Mixed:
    """A dataclass with a pydantic model, an attrs class and open objects."""

    city: CityModel
    points: dict[str, Point]


@pydantic.dataclasses.dataclass
class Checked:
    age: int = pydantic.Field(ge=0)


class Box(pydantic.BaseModel, Generic[T]):
    content: T


@dataclasses.dataclass
class Boxes:
    numbers: Box[int]
    texts: Box[str]


@dataclasses.dataclass
class Even:
    number: int
    half: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("it is odd")
        self.half = self.number // 2


class Script:
    """Answers with given messages, and keeps the requests."""

    def __init__(self, *messages: str | dict[str, Any], finish_reason: str = "stop") -> None:
        self.messages = [message if isinstance(message, dict) else {"content": message} for message in messages]
        self.finish_reason = finish_reason
        self.requests: list[ChatRequest] = []

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        self.requests.append(request)
        choices = [
            {"index": at, "message": {"role": "assistant", **message}, "finish_reason": self.finish_reason}
            for at, message in enumerate(self.messages)
        ]
        completion = Completion.from_dict({"id": "c-1", "model": "scripted", "choices": choices})
        completion.request_id = "r-1"
        return completion


def ask(kind: Any, *messages: str | dict[str, Any], **more: Any) -> ParsedCompletion[Any]:
    with Client(Script(*messages, **more)) as client:
        return client.chat.completions.parse("What?", response_format=kind)


def call(name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}


EVERYTHING = {
    "text": "t",
    "number": 3,
    "fraction": 3,
    "truth": True,
    "nothing": None,
    "maybe": None,
    "color": "blue",
    "level": 2,
    "shape": {"kind": "square", "side": 1.5},
    "steps": [{"text": "go", "after": [{"text": "stop", "after": []}]}],
    "pair": [1, 2],
    "tags": ["a"],
    "day": "2026-11-21",
    "moment": "2026-11-21T12:00:00+00:00",
    "number_of_it": "12345678-1234-5678-1234-567812345678",
    "note": "n",
}


async def test_an_answer_of_a_type_is_asked_for_and_read() -> None:
    """The request is what OpenAI's SDK would send; the answer keeps all that a completion has."""
    script = Script('{"name": "Paris", "population": 2100000}')
    async with AsyncClient(script) as client:
        answer = await client.chat.completions.parse("Where?", "m", response_format=City, temperature=0)
    assert answer.choices[0].message.parsed == City("Paris", 2100000)
    assert (answer.provider, answer.model, answer.choices[0].finish_reason) == ("Script", "scripted", "stop")
    assert len(answer.attempts) == 1
    assert script.requests[0].options == {
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "City",
                "schema": {
                    "type": "object",
                    "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
                    "required": ["name", "population"],
                    "additionalProperties": False,
                },
                "strict": True,
            },
        },
    }


def test_every_type_that_json_can_say_is_read() -> None:
    """Down to dates and members of enumerations; an integer is a number as well."""
    parsed = ask(Everything, json.dumps(EVERYTHING)).choices[0].message.parsed
    expected = pydantic.TypeAdapter(Everything).validate_python(EVERYTHING)
    assert parsed == expected
    assert (parsed.color, parsed.shape, parsed.pair) == (Color.BLUE, Square("square", 1.5), (1, 2))


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (CityModel, '{"name": "Rome", "population": 3, "twin": null}', CityModel(name="Rome", population=3)),
        (Walk, '{"steps": [{"text": "go"}]}', {"steps": [Step("go")]}),
        (Point, '{"x": 1, "_y": 2}', Point(1, 2)),
        (Checked, '{"age": 5}', Checked(age=5)),
        (Box[int], '{"content": 5}', Box[int](content=5)),
        (
            Boxes,
            '{"numbers": {"content": 5}, "texts": {"content": "x"}}',
            Boxes(Box[int](content=5), Box[str](content="x")),
        ),
        (
            Mixed,
            '{"city": {"name": "Rome", "population": 1, "twin": {"name": "Paris"}}, "points": {"a": {"x": 1.0}}}',
            Mixed(CityModel(name="Rome", population=1, twin=CityModel(name="Paris")), {"a": Point(1)}),
        ),
    ],
)
def test_classes_of_many_kinds_are_read(kind: Any, text: str, expected: Any) -> None:
    """By their own rules; what has a default may be missing."""
    assert re.fullmatch(r"[\w-]+", make_format(kind).name)
    assert all(re.fullmatch(r"[\w-]+", key) for key in make_format(kind).schema.get("$defs", {}))
    parsed = ask(kind, text).choices[0].message.parsed
    assert parsed == expected
    assert type(parsed) is type(expected)


def strip(schema: Any) -> Any:
    """What two schemas must have in common: not titles, and one way to write a single choice."""
    if isinstance(schema, dict):
        if "const" in schema:
            schema = {**schema, "enum": [schema["const"]]}
        return {key: strip(item) for key, item in schema.items() if key not in ("title", "const", "uniqueItems")}
    return [strip(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("kind", [CityModel, Checked])
def test_the_schema_of_a_pydantic_class_is_the_one_of_openais_sdk(kind: Any) -> None:
    """But for defaults, which Azure refuses."""
    theirs = to_strict_json_schema(kind if issubclass(kind, pydantic.BaseModel) else pydantic.TypeAdapter(kind))
    assert '"default": 0' in json.dumps(theirs) or kind is Checked
    without = json.loads(json.dumps(theirs).replace('"default": 0, ', ""))
    assert make_format(kind).schema == without


@pytest.mark.parametrize("kind", [Everything, Step])
def test_the_schema_of_a_dataclass_is_the_one_of_openais_sdk(kind: Any) -> None:
    """Pydantic describes dataclasses as well: an independent reading of the same types."""
    theirs = to_strict_json_schema(pydantic.TypeAdapter(kind))
    ours = make_format(kind)
    assert ours.strict
    assert unfold(strip(ours.schema)) == unfold(strip(theirs))


def unfold(schema: dict[str, Any]) -> Any:
    """Put definitions in the place of references, as deep as the example goes."""

    def walk(value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return walk(schema["$defs"][value["$ref"].rpartition("/")[2]], depth - 1) if depth else "…"
            return {
                key: walk(item, depth) for key, item in value.items() if key not in ("$defs", "default", "description")
            }
        return [walk(item, depth) for item in value] if isinstance(value, list) else value

    return walk(schema, 3)


STEPS = st.recursive(st.builds(Step, st.text()), lambda steps: st.builds(Step, st.text(), st.lists(steps, max_size=3)))


@given(
    st.builds(
        Everything,
        maybe=st.none() | st.text(),
        fraction=st.floats(allow_nan=False, allow_infinity=False),
        shape=st.builds(Circle, st.just("circle"), st.just(0.5)) | st.builds(Square, st.just("square"), st.just(2.0)),
        steps=st.lists(STEPS, max_size=3),
        pair=st.lists(st.integers(-(2**53), 2**53)).map(tuple),
        moment=st.datetimes(timezones=st.just(None)),
        number=st.integers(-(2**80), 2**80),
    )
)
def test_whatever_can_be_written_is_read_back(value: Everything) -> None:
    """Written by pydantic, read by us."""
    text = pydantic.TypeAdapter(Everything).dump_json(value).decode()
    assert make_format(Everything).read(text) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_whatever_else_comes_is_a_parse_error(value: Any) -> None:
    """Never another exception."""
    wanted = {**EVERYTHING, "steps": value, "shape": value}
    for text in (json.dumps(value), json.dumps(wanted)):
        with pytest.raises(ParseError):
            ask(Everything, text)


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        (City, '{"name": "Paris"', r"cannot be read as City: The answer is not the JSON that it should be .*\"Paris\""),
        (City, "", "cannot be read as City: The answer is empty"),
        (City, '{"name": "Paris"}', "City lacks 'population'"),
        (City, '{"name": "Paris", "population": "many"}', 'City.population must be a whole number, not "many"'),
        (City, '{"name": "Paris", "population": true}', "City.population must be a whole number, not true"),
        (City, '{"name": "x", "population": 1, "mayor": 2}', "City has no member 'mayor'"),
        (City, "[1]", r"City must be an object, not \[1\]"),
        (Step, '{"text": "a", "after": [{"text": 5}]}', r"Step.after\[0\].text must be a text, not 5"),
        (Even, '{"number": 2, "half": 1}', "Even has no member 'half'"),
        (Even, '{"number": 3}', "Even is no Even: it is odd"),
        (CityModel, '{"population": 3}', r"cannot be read as CityModel: 1 validation error for CityModel name"),
        (Checked, '{"age": -1}', "greater than or equal to 0"),
        (Mixed, '{"city": {}, "points": {}}', "1 validation error for CityModel"),
    ],
)
def test_an_answer_that_does_not_fit_says_where_and_keeps_its_text(kind: Any, text: str, says: str) -> None:
    """The request may succeed another time, so that one may ask again."""
    with pytest.raises(ParseError, match=says) as caught:
        ask(kind, text)
    error = caught.value
    assert (error.partial, error.provider, error.model, error.retryable) == (text, "Script", "scripted", True)
    assert error.completion.choices[0].message.content == text
    assert isinstance(error, APIResponseError)
    assert len(error.attempts) == 1
    assert (error.request_id, error.completion.request_id) == ("r-1", "r-1")
    assert isinstance(error.__cause__, (ValueError, APIResponseError))
    assert isinstance(error.__cause__, pydantic.ValidationError) == ("validation error" in error.message)


@pytest.mark.parametrize(
    ("finish_reason", "kind"),
    [("length", LengthFinishReasonError), ("content_filter", ContentFilterFinishReasonError)],
)
def test_an_answer_that_is_not_whole_is_an_error_with_openais_name(finish_reason: str, kind: type[ParseError]) -> None:
    """Also where what came is valid by chance."""
    with pytest.raises(kind) as caught:
        ask(City, '{"name": "Paris", "population": 1}', finish_reason=finish_reason)
    assert caught.value.partial == '{"name": "Paris", "population": 1}'
    assert not caught.value.retryable
    assert caught.value.completion.id == "c-1"


def test_a_refusal_is_no_error() -> None:
    """There is no value, and the words of the refusal."""
    message = ask(City, {"content": None, "refusal": "I will not."}).choices[0].message
    assert (message.parsed, message.refusal) == (None, "I will not.")


async def test_tools_may_be_types_of_their_arguments() -> None:
    """A class, OpenAI's strict tool of a pydantic model, and a strict tool in its own words."""
    script = Script(
        call("City", '{"name": "Rome", "population": 3}'),
        call("CityModel", '{"name": "Rome", "population": 3, "twin": null}'),
        call("plain", '{"a": 1}'),
        call("loose", '{"a": 1}'),
        call("unknown", "{"),
        '{"text": "done", "after": []}',
    )
    plain = {"type": "function", "function": {"name": "plain", "parameters": {}, "strict": True}}
    loose = {"type": "function", "function": {"name": "loose", "parameters": {}}}
    tools = [City, pydantic_function_tool(CityModel), plain, loose, {"type": "web_search"}]
    async with AsyncClient(script) as client:
        answer = await client.chat.completions.parse("What?", response_format=Step, tools=tools)
    calls = [choice.message.tool_calls[0].function for choice in answer.choices[:-1]]
    expected = [City("Rome", 3), CityModel(name="Rome", population=3), {"a": 1}, None, None]
    assert [found.parsed_arguments for found in calls] == expected
    assert [choice.message.parsed for choice in answer.choices] == [None] * 5 + [Step("done")]
    offered = script.requests[0].options["tools"]
    assert offered is not None
    assert offered[0] == {
        "type": "function",
        "function": {"name": "City", "parameters": make_format(City).schema, "strict": True},
    }
    assert list(offered[1:]) == tools[1:]


def test_a_tool_of_a_type_is_described_by_its_docstring() -> None:
    """As OpenAI's own are."""
    function = make_format(Step).offer()["function"]
    assert function["description"] == "One step of the way."
    assert "description" not in function["parameters"]


def test_arguments_of_a_tool_that_do_not_fit_are_an_error() -> None:
    """With the arguments as its text."""
    with (
        Client(Script(call("City", '{"name": 1}'))) as client,
        pytest.raises(ParseError, match=r"City\.name must") as caught,
    ):
        client.chat.completions.parse("What?", tools=[City])
    assert caught.value.partial == '{"name": 1}'


def test_open_objects_are_asked_for_without_strictness() -> None:
    """The service would refuse them; the answer is checked all the same."""
    assert not make_format(Mixed).strict
    with pytest.raises(ParseError, match=r"Mixed.points.a.x must be a whole number, not 1.5"):
        ask(Mixed, '{"city": {"name": "Rome"}, "points": {"a": {"x": 1.5}}}')


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (int, "Nothing can be read as int; it must be a dataclass"),
        ({"type": "json_object"}, "Nothing can be read as {'type': 'json_object'}; it must be"),
        (dataclasses.make_dataclass("Odd", [("number", complex)]), "Odd.number is of the type complex"),
        (dataclasses.make_dataclass("Odd", [("fixed", tuple[int, str])]), "Odd.fixed is of the type tuple"),
        (dataclasses.make_dataclass("Odd", [("keys", dict[int, str])]), "Odd.keys is of the type dict"),
        (
            dataclasses.make_dataclass("Node", [("other", dataclasses.make_dataclass("Node", []))]),
            "Two types are called Node",
        ),
        (
            dataclasses.make_dataclass(
                "Odd", [("city", dataclasses.make_dataclass("CityModel", [])), ("m", CityModel)]
            ),
            "Two types are called CityModel",
        ),
        (dataclasses.make_dataclass("Odd", [("a", "Nowhere")]), "A type in Odd is not known where the class stands"),
        (
            dataclasses.make_dataclass("Odd", [("city", City), ("other", dataclasses.make_dataclass("City", []))]),
            "Two types are called City, which a JSON schema cannot tell apart",
        ),
    ],
)
def test_what_is_no_type_of_answers_is_refused_at_once(kind: Any, says: str) -> None:
    """Before anything is sent, and before anything is awaited."""
    with pytest.raises(TypeError, match=says):
        AsyncClient(Script()).chat.completions.parse("What?", response_format=kind)


async def test_unknown_arguments_are_refused_as_everywhere() -> None:
    """And errors of the service come through."""

    class Failing:
        @hookimpl
        async def chat(self) -> Completion:
            raise InternalServerError("down", status_code=500)

    async with AsyncClient(Failing(), max_retries=0) as client:
        with pytest.raises(TypeError, match="no argument 'temprature'"):
            client.chat.completions.parse("What?", response_format=City, temprature=1)  # type: ignore[call-overload]
        with pytest.raises(InternalServerError):
            await client.chat.completions.parse("What?", response_format=City)


def test_copies_keep_the_values_and_what_is_sent_leaves_them_out() -> None:
    """A message can be sent back as it is."""
    script = Script('{"name": "Rome", "population": 3}', call("City", '{"name": "Paris", "population": 2}'))
    with Client(script) as client:
        answer = client.chat.completions.parse("What?", response_format=City, tools=[City])
        for other in (
            copy.copy(answer),
            copy.deepcopy(answer),
            pickle.loads(pickle.dumps(answer)),  # noqa: S301 - our own
            answer.model_copy(),
        ):
            assert other.choices[0].message.parsed == City("Rome", 3)
            assert other.choices[1].message.tool_calls[0].function.parsed_arguments == City("Paris", 2)
            assert (other, other.provider) == (answer, "Script")
        assert "parsed" not in answer.to_json()
        client.chat.completions.create([{"role": "user", "content": "Hi"}, answer.choices[0].message])
    sent = script.requests[-1].messages[1]
    assert sent == {"role": "assistant", "content": '{"name": "Rome", "population": 3}'}


def test_pydantic_is_not_needed() -> None:
    """Neither to chat nor to parse a dataclass."""
    program = f"import sys\nsys.modules['pydantic'] = None\n{PROGRAM}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False)
    assert done.stdout.strip() == "City(name='Rome')", done.stderr


PROGRAM = """
from dataclasses import dataclass
from g4f import Client, Completion, hookimpl

@dataclass
class City:
    name: str

class Script:
    @hookimpl
    async def chat(self):
        return Completion.from_text('{"name": "Rome"}')

with Client(Script) as client:
    print(client.chat.completions.parse("What?", response_format=City).choices[0].message.parsed)
"""


class Pieces(Script):
    """Streams its first message in pieces."""

    @hookimpl
    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        self.requests.append(request)
        message = self.messages[0]
        for at in range(0, len(message.get("content") or ""), 5):
            yield Chunk.from_text(message["content"][at : at + 5], model="scripted")
        for at, found in enumerate(message.get("tool_calls", ())):
            delta = {"tool_calls": [{**found, "index": at}]}
            yield Chunk.from_dict({"model": "scripted", "choices": [{"index": 0, "delta": delta}]})
        yield Chunk.from_text(None, model="scripted", finish_reason=self.finish_reason)


async def test_a_stream_ends_in_a_value() -> None:
    """After its loop, or in place of it."""
    script = Pieces('{"name": "Rome", "population": 3}')
    async with AsyncClient(script) as client:
        stream = client.chat.completions.stream("Where?", "m", response_format=City)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        looped = await stream.get_final_completion()
        unlooped = await client.chat.completions.stream("Where?", response_format=City).get_final_completion()
    assert text == '{"name": "Rome", "population": 3}'
    for answer in (looped, unlooped):
        assert answer.choices[0].message.parsed == City("Rome", 3)
        assert (answer.provider, answer.model, len(answer.attempts)) == ("Pieces", "scripted", 1)
    response_format = script.requests[0].options["response_format"]
    assert response_format is not None
    assert response_format["json_schema"]["name"] == "City"


def test_the_synchronous_stream_does_so_too() -> None:
    """With tools, and without any type."""
    with Client(Pieces(call("City", '{"name": "Rome", "population": 3}'), finish_reason="tool_calls")) as client:
        with client.chat.completions.stream("Where?", tools=[City]) as stream:
            assert [len(chunk.choices[0].delta.tool_calls) for chunk in stream] == [1, 0]
            answer = stream.get_final_completion()
        assert answer.choices[0].message.tool_calls[0].function.parsed_arguments == City("Rome", 3)
    with Client(Pieces("Hello")) as client:
        plain = client.chat.completions.stream("Hi").get_final_completion().choices[0].message
    assert (plain.content, plain.parsed) == ("Hello", None)


async def test_a_stream_that_ends_without_saying_why_has_a_final_completion() -> None:
    """As some servers' end with their marker alone; one that is left or closed before has none."""

    class Unsaid:
        @hookimpl
        async def stream(self) -> AsyncIterator[Chunk]:
            yield Chunk.from_text("Hel")
            yield Chunk.from_text("lo")

    async with AsyncClient(Unsaid) as client:
        whole = await client.chat.completions.stream("Hi").get_final_completion()
        assert (whole.choices[0].message.content, whole.choices[0].finish_reason) == ("Hello", None)
        stream = client.chat.completions.stream("Hi")
        async for _ in stream:
            await stream.aclose()
        with pytest.raises(RuntimeError, match="The stream was left before its end"):
            await stream.get_final_completion()


async def test_a_stream_without_an_end_has_no_final_completion() -> None:
    """Left early, cut at a limit, or broken."""
    async with AsyncClient(Pieces('{"name": "Rome"}')) as client:
        stream = client.chat.completions.stream("Where?", response_format=City)
        async for _ in stream:
            break
        with pytest.raises(RuntimeError, match="The stream was left before its end"):
            await stream.get_final_completion()
        with pytest.raises(ParseError, match="City lacks 'population'"):
            await client.chat.completions.stream("Where?", response_format=City).get_final_completion()
    async with AsyncClient(Pieces('{"name"', finish_reason="length")) as client:
        with pytest.raises(LengthFinishReasonError) as caught:
            await client.chat.completions.stream("Where?", response_format=City).get_final_completion()
    assert caught.value.partial == '{"name"'


async def test_a_stream_of_what_is_no_type_is_refused_at_once() -> None:
    """As everywhere; a dict is OpenAI's own form."""
    async with AsyncClient(Pieces("{}")) as client:
        with pytest.raises(TypeError, match="Nothing can be read as int"):
            client.chat.completions.stream("Where?", response_format=int)
        with pytest.raises(TypeError, match="no argument 'temprature'"):
            client.chat.completions.stream("Where?", temprature=1)  # type: ignore[call-overload]
        stream = client.chat.completions.stream("Where?", response_format={"type": "json_object"})
        assert (await stream.get_final_completion()).choices[0].message.content == "{}"
