from __future__ import annotations

from typing import Any

import pytest

from g4f.errors import InvalidInputError
from g4f_provider_local.tools import list_names, make_call_schema, may_begin_call, read_calls

WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
TIME: dict[str, Any] = {"type": "function", "function": {"name": "time"}}
CALL = '{"name": "weather", "arguments": {"city": "Paris"}}'


@pytest.mark.parametrize("text", [CALL, f"\n{CALL}\n", f"```json\n{CALL}\n```", f"```\n{CALL}", f"```json{CALL}```"])
def test_a_bare_call_is_read(text: str) -> None:
    """Fenced or not."""
    (call,) = read_calls(text, list_names([WEATHER, TIME]), "id")
    assert call == {
        "id": "call-id-0",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
    }


@pytest.mark.parametrize("between", ["\n", ",\n", " "])
def test_several_calls_are_read(between: str) -> None:
    """One after the other."""
    calls = read_calls(CALL + between + '{"name": "time", "arguments": {}}', list_names([WEATHER, TIME]), "id")
    assert [call["function"]["name"] for call in calls] == ["weather", "time"]
    assert len({call["id"] for call in calls}) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        f"I would say {CALL}",
        f"{CALL} I would say",
        '{"name": "unknown", "arguments": {}}',
        '{"name": "weather", "arguments": "Paris"}',
        '{"name": ["weather"], "arguments": {}}',
        '["weather"]',
        CALL[:-1],
        "[" * 100_000,
    ],
)
def test_anything_else_is_text(text: str) -> None:
    """Also JSON that is no call of a known function."""
    assert read_calls(text, list_names([WEATHER, TIME]), "id") == []


@pytest.mark.parametrize("text", ["", " \n", "`", "``", "```", "```js", "```json\n", "```json\n{", "```{", "{", CALL])
def test_what_may_become_a_call_is_known_by_its_beginning(text: str) -> None:
    """So only that is held back in a stream."""
    assert may_begin_call(text)


@pytest.mark.parametrize("text", ["H", "```py", "```python\nx = {", "` {", "[1]", "1 {"])
def test_what_cannot_become_a_call_is_let_go(text: str) -> None:
    """At the first character that says so."""
    assert not may_begin_call(text)


def test_a_required_call_may_be_of_any_function() -> None:
    """The schema has an alternative for each; without parameters there are none to write."""
    schema = make_call_schema([WEATHER, TIME], "required")
    assert schema is not None
    assert [each["properties"]["name"] for each in schema["anyOf"]] == [{"const": "weather"}, {"const": "time"}]
    assert schema["anyOf"][1]["properties"]["arguments"] == {"type": "object", "properties": {}}


def test_a_named_call_is_of_that_function() -> None:
    """Of no other."""
    schema = make_call_schema([WEATHER, TIME], {"type": "function", "function": {"name": "time"}})
    assert schema is not None
    assert [each["properties"]["name"] for each in schema["anyOf"]] == [{"const": "time"}]


def test_what_parameters_refer_to_is_moved_to_the_root() -> None:
    """A reference begins there."""
    named = {"type": "object", "properties": {"city": {"$ref": "#/$defs/City"}}, "$defs": {"City": {"type": "string"}}}
    schema = make_call_schema([{"type": "function", "function": {"name": "weather", "parameters": named}}], "required")
    assert schema is not None
    assert schema["$defs"] == {"City": {"type": "string"}}
    assert "$defs" not in schema["anyOf"][0]["properties"]["arguments"]
    assert "$defs" in named


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "nothing"}}])
def test_a_call_of_nothing_is_refused(choice: Any) -> None:
    """In words that name the choice."""
    with pytest.raises(InvalidInputError, match="requires a call, and there is no such function among the tools"):
        make_call_schema([] if choice == "required" else [WEATHER], choice)


def test_where_no_call_is_wanted_none_is_read() -> None:
    """Whatever the model writes is text then."""
    assert list_names([WEATHER], "none") == list_names(None) == frozenset()
    assert list_names([WEATHER], "auto") == {"weather"}


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_a_call_that_is_not_required_has_no_schema(choice: str | None) -> None:
    """The model may write what it likes."""
    assert make_call_schema([WEATHER], choice) is None
