import dataclasses
import datetime
import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from g4f.context import DEFAULT_LIMITS, USUAL_OBJECT_BYTES, Limits
from g4f.errors import APIResponseError, InvalidInputError
from g4f.wire import json as wire_json
from g4f.wire.json import (
    MAX_DEPTH,
    check_json,
    decode_answer,
    decode_exactly,
    decode_json,
    decode_object,
    encode_json,
    show_start,
)

any_text = st.text(st.characters(), max_size=8)  # lone surrogates among it
whole_numbers = st.integers(-(2**63), 2**64 - 1)  # orjson reads larger ones as floats, as JavaScript does
values = st.recursive(
    st.none() | st.booleans() | whole_numbers | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(params=["orjson", "the standard library"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test runs with orjson and without it: nobody may notice."""
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(wire_json, "orjson", None)
        monkeypatch.setattr(wire_json, "_load", wire_json._load_plainly)
    return str(request.param)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # one library for all examples is meant
@given(value=values)
def test_every_value_comes_back(value: Any) -> None:
    """Lone surrogates and all: what is written can be read, and is UTF-8."""
    written = encode_json(value)

    written.decode()
    assert decode_json(written) == value


def test_json_is_written_compactly_and_readably() -> None:
    """No spaces, and letters as they are."""
    assert encode_json({"a": [1, None, "é😀"]}) == '{"a":[1,null,"é😀"]}'.encode()


def test_a_number_of_any_size_is_written_in_full() -> None:
    """JSON has no limit for it."""
    assert encode_json([2**70, -(2**70)]) == b"[1180591620717411303424,-1180591620717411303424]"


@pytest.mark.parametrize("number", [2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**70])
def test_a_number_of_any_size_is_read_in_full(number: int) -> None:
    """Where a model wrote it, as in the arguments of a call."""
    assert decode_exactly(b'{"id": [%d]}' % number) == {"id": [number]}


def test_a_number_of_more_digits_than_python_reads_is_an_error() -> None:
    """It refuses more than 4,300, which take long."""
    with pytest.raises(APIResponseError, match="is not the JSON that it should be"):
        decode_exactly(b"[" + b"1" * 5000 + b"]")


def test_a_lone_surrogate_and_nul_are_written_as_escapes() -> None:
    """A prompt may hold anything."""
    assert encode_json(["\ud83d", "\x00"]) == b'["\\ud83d","\\u0000"]'


DAY = datetime.date(2026, 1, 1)


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object(), {"a": {(1, 2): 3}}, 1j, DAY, Point(1)])
def test_what_json_cannot_say_is_the_callers_mistake(value: Any) -> None:
    """It is said before anything is sent."""
    with pytest.raises(InvalidInputError, match="cannot be written as JSON"):
        encode_json({"messages": value})


def test_what_holds_itself_is_the_callers_mistake() -> None:
    """Or is nested without end."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidInputError, match="cannot be written as JSON"):
        encode_json(value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\xff"}', {"a": "\ufffd"}),
        (b'{"a": "\\ud83d"}', {"a": "\ud83d"}),
        (b'{"a": 1e999}', {"a": math.inf}),
        (b"[NaN, 123456789012345678901234567890]", None),
        (b" \n null ", None),
    ],
)
def test_json_is_read_leniently(data: bytes, value: Any) -> None:
    """A byte-order mark, broken UTF-8, lone surrogates and odd numbers are forgiven."""
    decoded = decode_json(data)

    if value is not None:
        assert decoded == value


@pytest.mark.parametrize("data", [b"<html>", b'{"a": ', b"{'a': 1}", b'{"a": 1} {"b": 2}', b"\x00", b"\xff\xfe"])
def test_what_is_no_json_is_an_error_that_shows_how_it_begins(data: bytes) -> None:
    """Whatever it is instead."""
    with pytest.raises(APIResponseError, match="is not the JSON that it should be"):
        decode_json(data)


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_nothing_at_all_is_an_error_that_may_pass(data: bytes) -> None:
    """A service's hiccup, while what is no JSON stays as it is."""
    for decode in (decode_json, decode_object, decode_answer):
        with pytest.raises(APIResponseError, match="is empty") as caught:
            decode(data)
        assert caught.value.retryable


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 5_000, 100_000])
@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('{"x": 1, "a": [0, ', "]}")])
def test_json_that_is_nested_too_deep_is_an_error(depth: int, start: str, end: str) -> None:
    """Not one that Python's recursion finds later, somewhere else."""
    with pytest.raises(APIResponseError, match="nested too deep"):
        decode_json((start * depth + "0" + end * depth).encode())


def test_json_that_is_nested_a_little_or_only_long_is_read() -> None:
    """The limit is for depth and not for size."""
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    wide = json.dumps([{"a": [[]]}] * 1000).encode()

    assert decode_json(deep)
    assert len(decode_json(wide)) == 1000


@pytest.mark.parametrize("inside", [b"0", b'"\xff"', b'"\\ud83d"'])
@pytest.mark.parametrize(("start", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a": [0, ', b"]}]")])
@pytest.mark.parametrize("depth", [1, 2, 9, 30])
def test_json_can_be_asked_to_be_flatter(depth: int, start: bytes, end: bytes, inside: bytes) -> None:
    """To the level, and however it is read."""
    levels = (start + end).count(b"[") + (start + end).count(b"{")
    for repeats in range(1, depth + 2):
        data = start * repeats + inside + end * repeats
        if repeats * levels > depth:
            with pytest.raises(APIResponseError, match=f"nested deeper than {depth} levels"):
                check_json(data, Limits(json_depth=depth))
        else:
            check_json(data, Limits(json_depth=depth))


@pytest.mark.parametrize(
    "data", [b"", b"[[[[[[", b"<p>{{{{{{{}</p>", b'"[[[[[[[["', b'["[[[[[[", "{{{{{{{{{{"]', b"[[]" * 9]
)
def test_brackets_that_are_no_levels_do_not_count(data: bytes) -> None:
    """Those in texts; and what is no JSON is told of by who reads it."""
    check_json(data, Limits(json_depth=1))


MANY = 20_000
REPEATED = [
    "{}", "[]", "[[]]", "[0]", '{"a":0}', '{"a":0,"b":0}', '{"embedding":[1]}', "999", "-12", "1.5", "-0.012345678",
    '"ab"', '{"token":"hello","logprob":-1.25,"bytes":[32,97,98]}',
]  # fmt: skip


def weigh(value: Any) -> int:
    """Return how much memory a value takes, in bytes; what is shared counts for nothing."""
    parts = [*value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    tracked = 16 if isinstance(value, (dict, list)) else 0  # of the garbage collector, which Python's size leaves out
    shared = value is None or (isinstance(value, int) and -5 <= value <= 256)
    return 0 if shared else sys.getsizeof(value) + tracked + sum(map(weigh, parts))


@pytest.mark.parametrize("item", REPEATED)
def test_json_is_weighed_as_what_python_makes_of_it(item: str) -> None:
    """Before it is read: no item takes more than a third above the estimate, at which the limit is."""
    data = f"[{','.join([item] * MANY)}]".encode()
    real = weigh(decode_json(data))

    with pytest.raises(APIResponseError, match=r"would take about \d+ bytes of memory, more than \d+ bytes") as caught:
        check_json(data, Limits(object_bytes=real * 3 // 4))
    estimate = int(str(caught.value).partition("about ")[2].split()[0])
    check_json(data, Limits(object_bytes=estimate))
    assert not caught.value.retryable


@pytest.mark.parametrize("item", ["{}", "[[]]", '{"a":0}', "[0]"])
def test_what_a_few_bytes_become_is_within_the_usual_limit(item: str) -> None:
    """So it need not be weighed."""
    data = f"[{','.join([item] * MANY)}]".encode()

    assert weigh(decode_json(data)) / len(data) * wire_json.FEW_BYTES < USUAL_OBJECT_BYTES


def test_a_large_answer_of_the_usual_kinds_is_within_the_limits() -> None:
    """Long texts; as many vectors as the limit of bytes lets through; more of both with that limit."""
    vectors = b"[" + b",".join([b"-0.012345678"] * 100_000) + b"],"
    check_json(b'{"content": "' + b"Well, {so} and so. " * 300_000 + b'"}', DEFAULT_LIMITS)
    check_json(vectors * 25, DEFAULT_LIMITS)
    check_json(vectors * 63, Limits(json_bytes=128 * 2**20))


@pytest.mark.parametrize("value", [{"b64": "A" * 2**20}, {"all": [1.5] * 2**19}, {"text": "é" * 2**20}])
def test_much_json_is_read_as_any_other(value: Any) -> None:
    """A picture, numbers, a text; and what stands after it is noticed."""
    data = json.dumps(value, ensure_ascii=False).encode()
    assert decode_json(data) == value
    assert decode_json(b"\xef\xbb\xbf" + data) == value
    with pytest.raises(APIResponseError, match="is not the JSON that it should be"):
        decode_json(data + b"]")


@pytest.mark.parametrize(("data", "kind"), [(b"[]", "list"), (b"null", "NoneType"), (b'"a"', "str"), (b"1", "int")])
def test_an_object_is_expected_where_an_answer_should_be(data: bytes, kind: str) -> None:
    """Other JSON is no answer."""
    assert decode_object(b'{"a": 1}') == {"a": 1}
    with pytest.raises(APIResponseError, match=f"a JSON {kind} where an object should be"):
        decode_object(data)


def test_the_start_of_a_body_is_shown_on_one_short_line() -> None:
    """Broken bytes and all."""
    assert show_start(b"<html>\r\n  <p>\xff</p>") == "<html> <p>\ufffd</p>"
    assert show_start(b"") == "(empty)"
    assert show_start(b"x" * 10_000) == "x" * 120 + "…"


def test_what_can_be_sent_does_not_depend_on_what_is_installed() -> None:
    """A number that is none is no JSON."""
    script = "import sys; sys.modules['orjson'] = None; from g4f.wire.json import *; encode_json(float('nan'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert "InvalidInputError: The request cannot be written as JSON: Out of range float" in done.stderr


def test_the_standard_library_serves_where_orjson_is_not_installed() -> None:
    """It is an extra."""
    script = "import sys; sys.modules['orjson'] = None; from g4f.wire.json import *; print(orjson, decode_json(b'[1]'))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout.strip() == "None [1]"


def test_half_a_surrogate_pair_in_an_answer_becomes_the_replacement_character() -> None:
    """Wherever it stands; a pair is a character, and what only looks like one stays as it is."""
    data = b'{"a\\ud800": ["b\\uDC00", {"c": "\\ud83d\\ude00", "d": "\\\\ud800", "e": [1, null]}]}'
    assert decode_answer(data) == {"a\ufffd": ["b\ufffd", {"c": "\U0001f600", "d": "\\ud800", "e": [1, None]}]}
    with pytest.raises(APIResponseError, match="list where an object should be"):
        decode_answer(b"[]")
