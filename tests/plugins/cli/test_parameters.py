from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_cli.parameters import read_parameters, read_schema
from g4f_cli.terminal import InputError


def read_fields(text: str) -> dict[str, object]:
    """The schema of fields, and that it is strict."""
    described = read_schema(text)["json_schema"]
    assert described["strict"] is True
    schema: dict[str, object] = described["schema"]
    assert schema["required"] == list(schema["properties"])  # type: ignore[call-overload]
    assert schema["additionalProperties"] is False
    return schema["properties"]  # type: ignore[return-value]


def test_fields_have_a_type_and_a_description() -> None:
    """A text where no type is named."""
    assert read_fields("name, age int, weight float, alive bool: at the moment") == {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "weight": {"type": "number"},
        "alive": {"type": "boolean", "description": "at the moment"},
    }


def test_fields_may_stand_on_lines() -> None:
    """Then a description may hold commas."""
    assert read_fields("name: the first, and the last\nage int\n")["name"] == {
        "type": "string",
        "description": "the first, and the last",
    }


@pytest.mark.parametrize("text", ["", " , ", "age date", "my name int", "a, a", "1a", "a.b"])
def test_what_is_no_field_is_bad_input(text: str) -> None:
    """The sentence says how one is written."""
    with pytest.raises(InputError, match="schema"):
        read_schema(text)


def test_json_schema_is_taken_as_it_is(tmp_path: Path) -> None:
    """From the command line or a file."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert read_schema(json.dumps(schema)) == wanted
    assert read_schema(str(tmp_path / "schema.json")) == wanted


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_schema_is_bad_input(tmp_path: Path, content: str) -> None:
    """The file is named."""
    (tmp_path / "schema.json").write_text(content)
    with pytest.raises(InputError, match=r"schema\.json is no JSON"):
        read_schema(str(tmp_path / "schema.json"))
    with pytest.raises(InputError, match=r"absent\.json cannot be read: No such file"):
        read_schema(str(tmp_path / "absent.json"))


@given(st.dictionaries(st.sampled_from(["seed", "user", "unheard_of"]), st.text()))
def test_every_text_is_a_value(values: dict[str, str]) -> None:
    """What is no JSON stays as it is; names of the service's own go into its body."""
    read = dict(read_parameters(list(values.items())))
    found = read | read.pop("extra_body", {})  # type: ignore[operator]
    assert found.keys() == values.keys()
    for name, value in found.items():
        if isinstance(value, str):
            assert value == values[name] or json.loads(values[name]) == value


@pytest.mark.parametrize(("ours", "theirs"), [("int", "integer"), ("float", "number"), ("bool", "boolean")])
def test_a_type_may_be_called_as_json_schema_calls_it(ours: str, theirs: str) -> None:
    """People know either name."""
    assert read_schema(f"age {ours}") == read_schema(f"age {theirs}")
