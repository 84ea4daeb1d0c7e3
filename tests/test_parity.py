from __future__ import annotations

import json
from typing import Any

import pytest

import parity
from loopback import Received
from parity import Difference

COMPATIBLE = {"OpenRouter", "Groq", "Mistral", "DeepSeek", "XAI", "Together", "OVHcloud", "AzureOpenAI", "Custom"}
COMPATIBLE |= {"Ollama", "LMStudio", "LlamaCpp", "VLLM"}
FORM = b'--b\r\nContent-Disposition: form-data; name="image"; filename="%s"\r\n\r\nx\r\n--b--\r\n'


def ask(body: Any = None, query: str = "", **headers: str) -> Received:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Received("POST", "/v1/chat", query, headers, data)


@pytest.mark.parametrize(
    ("theirs", "ours", "field"),
    [
        (ask({"a": {"b": [1, 2]}}), ask({"a": {"b": [1, 3]}}), "body.a.b.1"),
        (ask({"a": [1, 2]}), ask({"a": [1]}), "body.a"),
        (ask({"a": True}), ask({"a": 1}), "body.a"),
        (ask({"a": None}), ask({}), "body.a"),
        (ask({}), ask({"a": None}), "body.a"),
        (ask({}), ask(), "body"),
        (ask(query="a=1&a=2"), ask(query="a=1"), "query.a"),
        (ask(query="a="), ask(), "query.a"),
        (ask(authorization="Bearer a"), ask(authorization="Bearer b"), "headers.authorization"),
        (ask(x="1"), ask(), "headers.x"),
        (
            ask(FORM % b"a.png", **{"content-type": "multipart/form-data; boundary=b"}),
            ask(FORM % b"b.png", **{"content-type": "multipart/form-data; boundary=b"}),
            "parts.image.0.file",
        ),
    ],
)
def test_a_difference_in_any_field_is_found(theirs: Received, ours: Received, field: str) -> None:
    """By its name, however deep it lies, and also when one has the field and the other has not."""
    assert [difference.field for difference in parity.find_differences(theirs, ours)] == [field]


def test_what_a_client_tells_of_itself_is_not_compared() -> None:
    """Nor are the order of keys, and how a whole number is written."""
    theirs = ask({"a": 1.0, "b": 2}, **{"user-agent": "SDK", "x-stainless-lang": "python", "content-length": "9"})
    assert parity.find_differences(theirs, ask({"b": 2, "a": 1})) == set()


def test_the_table_speaks_of_compared_providers_only_and_gives_a_reason_in_each_row() -> None:
    """A row of another provider would be checked by nobody."""
    rows = parity.read_table()
    providers = {name for row in rows for name in row.provider.split(", ")}
    assert providers == {"all", "OpenaiChat", "Gemini", "Anthropic", "Copilot", *COMPATIBLE}
    assert all(row.reason.endswith(".") for row in rows)
    assert len({(row.provider, row.calls, row.difference.field) for row in rows}) == len(rows)


def test_a_row_allows_its_difference_to_the_calls_that_it_names() -> None:
    """To all calls, to all but some, or to some."""
    difference = Difference("headers.x", "nothing", "1")
    some = parity.Row("Gemini", "edit, edit of several", difference, "Because.")
    others = parity.Row("all", "all but models", difference, "Because.")
    assert [some.allows("Gemini", call) for call in ("edit", "edit of several", "models")] == [True, True, False]
    assert [others.allows("Gemini", call) for call in ("edit", "models")] == [True, False]
    assert not some.allows("OpenaiChat", "edit")
    assert parity.Row("all", "all", difference, "Because.").allows("Gemini", "models")
