from __future__ import annotations

import copy
import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f import redaction
from g4f.redaction import LONGEST, TELLING

# It does not repeat itself: else what is found of one part would hide that another one is not.
KEY = "sk-A/b+C\"d\\e&f'g<h%41=" + "i0J1k2L3m4n5O6p7Q8r9S0tUvWxYzaBcDeFgHjKl"
# Without what begins an escape: a key with "%41" in it could be read in two ways.
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="%&\\"), min_size=12, max_size=40)


def redact(value: Any, keys: list[str]) -> Any:
    return redaction.redact({"body": value}, keys)["body"]


WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in small letters": str.lower,
    "in capitals": str.upper,
    "in a URL": lambda key: quote(key, safe=""),
    "in a URL's path": quote,
    "in a URL, in small letters": lambda key: "".join(f"%{ord(sign):02x}" for sign in key),
    "in a URL of a URL": lambda key: quote(quote(key, safe=""), safe=""),
    "in JSON": lambda key: json.dumps(key)[1:-1],
    "in JSON within JSON": lambda key: json.dumps(json.dumps(key))[3:-3],
    "in JSON as PHP writes it": lambda key: json.dumps(key)[1:-1].replace("/", "\\/"),
    "in JSON, all escaped": lambda key: "".join(f"\\u{ord(sign):04X}" for sign in key),
    "in bytes": lambda key: "".join(f"\\x{ord(sign):02x}" for sign in key),
    "in HTML": html.escape,
    "in HTML, all escaped": lambda key: "".join(f"&#{ord(sign)};" for sign in key),
    "in HTML, all escaped to the base of 16": lambda key: "".join(f"&#x{ord(sign):x};" for sign in key),
}


@pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)
@given(key=KEYS)
def test_a_key_is_taken_out_however_it_is_written(write: Callable[[str], str], key: str) -> None:
    """All of it and nothing else."""
    for one in (KEY, key):
        assert redact(f"€ {write(one)} € {write(one)}", [one]) == "€ [redacted] € [redacted]"
        assert redact(write(one), [one]) == "[redacted]"


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy", "xyz"])
def test_a_key_in_base64_is_taken_out(encode: Callable[[bytes], bytes], before: str, after: str) -> None:
    """As in `Authorization: Basic …`, but for characters at its ends that tell of what stands beside it, too."""
    text = encode(f"{before}{KEY}{after}".encode()).decode()
    start, found, end = redact(f"Basic {text}", [KEY]).removeprefix("Basic ").partition("[redacted]")
    assert found
    assert text.startswith(start)
    assert text.endswith(end)
    assert len(start) <= -(-len(before) * 8 // 6)
    assert len(end) <= -(-len(after) * 8 // 6) + 3


@pytest.mark.parametrize("way", ["as it is", "in a URL", "in JSON"])
def test_a_key_that_is_cut_anywhere_is_taken_out(way: str) -> None:
    """Services and errors show the beginning or the end of what they got: nothing is left of pieces that tell."""
    for start in range(len(KEY) - TELLING + 1):
        for end in {start + TELLING, *range(start + TELLING, len(KEY) + 1, 7), len(KEY)}:
            assert redact(f"€{WAYS[way](KEY[start:end])}€", [KEY]) == "€[redacted]€", (start, end)


def test_what_tells_which_key_is_meant_stays() -> None:
    """Services show a few characters of either end."""
    said = f"Incorrect API key provided: {KEY[:7]}****{KEY[-7:]}."
    assert redact(said, [KEY]) == said


def test_a_key_too_short_to_be_one_is_not_taken_out() -> None:
    """A text would fall apart."""
    assert redact("banana", ["a", "ban"]) == "banana"
    assert redact("a none b", ["none", "x"]) == "a [redacted] b"


@given(st.text("ABC"), st.text("ABC", min_size=4, max_size=6), st.text("ABC"))
def test_the_key_is_taken_out_wherever_it_stands(before: str, key: str, after: str) -> None:
    """Also where it stands in itself."""
    assert key not in redact(before + key + after, [key])


@given(
    st.sampled_from(["", "sk-ant-api03-"]),
    st.lists(st.text("ABC", min_size=4, max_size=9), min_size=1, max_size=3),
    st.text("ABC", max_size=3),
)
def test_keys_that_begin_alike_are_taken_out_whole(start: str, ends: list[str], rest: str) -> None:
    """Nothing of another one stays behind."""
    keys = [start + end for end in ends]
    assert redact([f"{key}-{rest}" for key in keys], keys) == [f"[redacted]-{rest}"] * len(keys)


@given(st.text(), st.sampled_from(list(WAYS.values())))
def test_what_holds_no_key_stays_as_it_is(text: str, write: Callable[[str], str]) -> None:
    """Escapes stay escapes."""
    said = text + (write(text) if text.isascii() else "")
    assert redact(said, ["\U0001f511" * 9]) == said


def test_a_key_is_taken_out_of_all_that_an_answer_may_hold() -> None:
    """Texts at every depth, names of fields too; the rest stays as it is, and the answer itself."""
    answer = {f"x-{KEY}": [KEY, ("a", f"b {KEY}"), {"got": KEY}], "status": 401, "ok": False, "none": None}
    before = copy.deepcopy(answer)
    assert redact(answer, [KEY]) == {
        "x-[redacted]": ["[redacted]", ("a", "b [redacted]"), {"got": "[redacted]"}],
        "status": 401,
        "ok": False,
        "none": None,
    }
    assert answer == before
    assert redact(answer, []) is answer


def test_a_text_without_end_is_cut() -> None:
    """To search it all would take seconds."""
    assert redact("x" * (LONGEST + 5), [KEY]) == "x" * LONGEST


def test_values_count_as_characters_do() -> None:
    """The list is one, too."""
    assert len(redact([0] * LONGEST, [KEY])) == LONGEST - 1
    assert redact(["x"] * LONGEST, [KEY]) == ["x"] * (LONGEST // 2)


@pytest.mark.parametrize(
    "answer",
    [
        ["x" * LONGEST] * 9,
        [[]] * (LONGEST + 1),
        {str(number): number for number in range(LONGEST)},
        {"x" * number: None for number in range(2000)},
        [{"x": ["x" * LONGEST]}, "x", [KEY, {KEY: KEY}], KEY],
    ],
    ids=["texts", "empty lists", "fields", "names", "depths"],
)
def test_an_answer_without_end_is_cut(answer: Any) -> None:
    """Its texts and values are counted together, and what came before it is kept."""
    told = redaction.redact({"args": ("no", 1), "body": answer, "code": "late"}, [KEY])
    assert told["args"] == ("no", 1)
    assert told["code"] == ""
    assert len(json.dumps(told["body"])) <= LONGEST * 5  # two characters between values, two around each
    assert KEY not in json.dumps(told["body"])
