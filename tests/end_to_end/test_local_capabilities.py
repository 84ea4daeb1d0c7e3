"""The capabilities that Local claims, proven with the real model: a column of test_capabilities.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from g4f import Client
from g4f.errors import InvalidInputError, LengthFinishReasonError, UnsupportedError
from g4f.fold import fold_chunks

pytestmark = pytest.mark.timeout(900)  # the first time, weights are fetched

QUESTION = "What is the weather in Paris?"


@dataclass
class City:
    name: str
    country: str


@dataclass
class GetWeather:
    """The weather in a city, now."""

    city: str
    unit: Literal["celsius", "fahrenheit"]


@dataclass
class Greet:
    """Says hello to people."""

    people: list[City]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A client of the default model."""
    with Client("Local") as client:
        yield client


def test_chat_and_its_end(client: Client) -> None:
    """The tokens are counted, and a limit is a reason to end."""
    answer = client.chat.completions.create("Say hello.", max_tokens=3, temperature=0)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 3
    assert answer.usage.prompt_tokens_details is not None
    again = client.chat.completions.create("Say hello.", max_tokens=3, temperature=0)
    assert again.usage is not None
    assert again.usage.prompt_tokens_details is not None
    assert again.usage.prompt_tokens_details.cached_tokens > 0


def test_a_stream_tells_the_same(client: Client) -> None:
    """With the reason of its end and the tokens."""
    stream = client.chat.completions.create("Say hello.", max_tokens=3, temperature=0, stream=True)
    folded = fold_chunks(list(stream))
    whole = client.chat.completions.create("Say hello.", max_tokens=3, temperature=0)
    assert folded.choices[0].message.content == whole.choices[0].message.content
    assert folded.choices[0].finish_reason == "length"
    assert stream.usage is not None
    assert stream.usage.completion_tokens == 3


CHOICES = ["required", {"type": "function", "function": {"name": "GetWeather"}}]


@pytest.mark.parametrize("choice", CHOICES, ids=["required", "named"])
def test_a_required_tool_is_called_with_arguments_of_its_type(client: Client, choice: Any) -> None:
    """By output that is bound to the schema."""
    parse = client.chat.completions.parse
    answer = parse(QUESTION, tools=[GetWeather], tool_choice=choice, temperature=0, max_tokens=100)
    (call,) = answer.choices[0].message.tool_calls
    assert answer.choices[0].finish_reason == "tool_calls"
    assert isinstance(call.function.parsed_arguments, GetWeather)
    assert call.function.parsed_arguments.city == "Paris"


def test_a_tool_may_take_values_of_other_types(client: Client) -> None:
    """What its schema refers to is found."""
    parse = client.chat.completions.parse
    answer = parse("Greet Rome in Italy.", tools=[Greet], tool_choice="required", temperature=0, max_tokens=200)
    arguments = answer.choices[0].message.tool_calls[0].function.parsed_arguments
    assert isinstance(arguments, Greet)
    assert all(isinstance(city, City) for city in arguments.people)


def list_tools() -> list[dict[str, Any]]:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]


def test_a_streamed_call_and_its_result(client: Client) -> None:
    """The chunks make a message that can be sent back with the result."""
    ask = client.chat.completions.create
    chunks = list(ask(QUESTION, tools=list_tools(), tool_choice="required", temperature=0, stream=True))
    message = fold_chunks(chunks).choices[0].message
    (call,) = message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "It is 21 degrees and sunny in Paris."}
    answer = ask([{"role": "user", "content": QUESTION}, message, result], temperature=0, max_tokens=60)
    assert "21" in (answer.choices[0].message.content or "")


def test_no_tool_is_called_where_none_may_be(client: Client) -> None:
    """Neither whole nor streamed."""
    ask = client.chat.completions.create
    whole = ask(QUESTION, tools=list_tools(), tool_choice="none", temperature=0, max_tokens=30)
    streamed = fold_chunks(
        list(ask(QUESTION, tools=list_tools(), tool_choice="none", temperature=0, max_tokens=30, stream=True))
    )
    for answer in (whole, streamed):
        assert answer.choices[0].message.tool_calls == []
        assert answer.choices[0].message.content
    with pytest.raises(InvalidInputError, match="there is no such function among the tools"):
        ask(QUESTION, tools=list_tools(), tool_choice={"type": "function", "function": {"name": "get_time"}})


def test_structured_output(client: Client) -> None:
    """A type's schema binds the output, and a cut answer is no value."""
    question = "Which city is the capital of France, and in which country is it?"
    parse = client.chat.completions.parse
    answer = parse(question, response_format=City, temperature=0, max_tokens=60)
    assert answer.choices[0].message.parsed == City("Paris", "France")
    with pytest.raises(LengthFinishReasonError) as caught:
        parse(question, response_format=City, temperature=0, max_tokens=4)
    assert (caught.value.partial or "").startswith("{")
    loose = client.chat.completions.create(
        "Give me a JSON object with the name of a city.", response_format={"type": "json_object"}, max_tokens=60
    )
    assert isinstance(json.loads(loose.choices[0].message.content or ""), dict)


def test_models_are_found_by_their_aliases(client: Client) -> None:
    """The manifest's names and what the provider tells of the files are one row."""
    found = client.models.retrieve("smollm2:135m")
    assert (found.id, found.provider) == ("smollm2-135m-instruct", "Local")
    assert "license" in found.model_extra


def test_what_it_cannot_is_said_before_anything_is_loaded() -> None:
    """With who could."""
    with Client("Local") as client:
        with pytest.raises(UnsupportedError, match=r"Local cannot make embeddings\. Installed providers that can: "):
            client.embeddings.create("text")
        with pytest.raises(UnsupportedError, match="Local cannot make images"):
            client.images.generate("a cat")
        with pytest.raises(UnsupportedError, match="Local cannot read images"):
            client.chat.completions.create("What?", image="data:image/gif;base64,R0lGODlhAQABAAAAACw=")


def test_what_it_does_not_know_is_a_warning(client: Client) -> None:
    """It has no reasoning."""
    answer = client.chat.completions.create("Say hello.", reasoning_effort="low", max_tokens=2)
    assert answer.warnings == ["Local has no setting reasoning_effort; it was left out."]
