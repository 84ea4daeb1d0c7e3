"""JSON as services really send it: read with orjson where it is installed and leniently where it must be."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import Any

from g4f.context import MAX_DEPTH, USUAL_OBJECT_BYTES, Limits
from g4f.errors import APIResponseError, InvalidInputError
from g4f.fold import join_all_surrogates

try:
    import orjson

    # What can be sent shall not depend on what is installed.
    _AS_JSON_ALONE = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
except ImportError:
    orjson = None  # type: ignore[assignment]  # the extra `speed` is not installed
    _AS_JSON_ALONE = 0

_BOM = codecs.BOM_UTF8
FEW_BYTES = 2**20  # what is as short passes all of the usual limits
# What CPython takes for a value at most (an object of up to five fields, a list of one value, a place in either with a
# number, half a short text), in bytes, by the character that each has; and for all that fits into a byte of JSON.
_SIZES = {b"{": 200, b"[": 96, b",": 40, b'"': 16}
_MOST_OF_A_BYTE = 40


def encode_json(value: Any) -> bytes:
    """Write a value as compact JSON; what UTF-8 cannot carry (a lone surrogate) is written as an escape.

    A number that is none (NaN, infinite) becomes null where orjson is installed, and else cannot be said.

    Raises:
        InvalidInputError: There is something in it that JSON cannot say.
    """
    if orjson is not None:
        try:
            return orjson.dumps(value, option=_AS_JSON_ALONE)
        except TypeError:
            pass  # a lone surrogate, a huge number, a key that is no text: the standard library knows what to do
    try:
        try:
            return _encoder.encode(value).encode()
        except UnicodeEncodeError:
            return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error)
    raise InvalidInputError(f"The request cannot be written as JSON: {reason}.")


def decode_json(data: bytes) -> Any:
    """Read JSON, forgiving a byte-order mark, broken UTF-8 and lone surrogates.

    Where orjson is installed, a whole number of more than 64 bits becomes a fraction; see `decode_exactly`.

    Raises:
        APIResponseError: It is no JSON, or nested too deep; worth another try where it is nothing at all.
    """
    size = len(data)
    try:
        try:
            value = _load(data) if size < FEW_BYTES else _load_much(data)
        except ValueError:
            value = _load_leniently(data)
        # What is as short as a chunk of a stream is never deep.
        if size <= 2 * MAX_DEPTH or not (_has_many(data, MAX_DEPTH) and _is_deep(value, MAX_DEPTH)):
            return value
        reason = "it is nested too deep"
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = str(error)
    if not data.strip():
        raise APIResponseError("The answer is empty.", retryable=True)
    raise APIResponseError(f"The answer is not the JSON that it should be ({reason}): {show_start(data)}")


def decode_exactly(data: bytes) -> Any:
    """Read JSON that a model wrote: `decode_json`, with whole numbers of more than 64 bits, too.

    To look for them takes longer than to read a chunk of a stream.

    Raises:
        APIResponseError: It is no JSON, or nested too deep.
    """
    value = decode_json(data)
    return _load_leniently(data) if re.search(rb"[0-9]{19}", data) else value


def _load_plainly(data: bytes) -> Any:
    """Read JSON that has no white space around it at half the cost of `json.loads`, which looks for some."""
    text = data.decode()
    value, end = _decoder.raw_decode(text)
    if end != len(text):
        raise ValueError("there is something after it")
    return value


def _load_much(data: bytes) -> Any:
    """Read much JSON: a picture in base64 takes the standard library two thirds of orjson's time, the rest more."""
    return _load(data) if _has_often(data, b",", 1000) else _load_plainly(data)


def _load_leniently(data: bytes) -> Any:
    return json.loads(data.removeprefix(_BOM).decode("utf-8", "replace"))


_decoder = json.JSONDecoder()
# What is within itself is found by its depth.
_encoder = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"))
_load: Callable[[bytes], Any] = getattr(orjson, "loads", _load_plainly)


def check_json(data: bytes, limits: Limits) -> None:
    """Look at JSON before it is read for good; what is none passes.

    Raises:
        APIResponseError: It would take more memory than the limits allow, or is nested deeper.
    """
    allowed = limits.object_bytes or max(USUAL_OBJECT_BYTES, 4 * limits.json_bytes)
    few = min(1000, allowed // sum(_SIZES.values()))  # a picture in base64 has fewer of each, and is passed at once
    if len(data) * _MOST_OF_A_BYTE > allowed and any(_has_often(data, sign, few) for sign in _SIZES):
        size = sum(each * data.count(sign) for sign, each in _SIZES.items())
        if size > allowed:
            raise APIResponseError(
                f"The answer's JSON would take about {size} bytes of memory, more than {allowed} bytes, which "
                f"limits=g4f.Limits(object_bytes=…) sets: {show_start(data)}"
            )
    if limits.json_depth < MAX_DEPTH:
        _check_depth(data, limits.json_depth)


def _check_depth(data: bytes, depth: int) -> None:
    if _has_many(data, depth):
        try:
            value = decode_json(data)
        except APIResponseError:
            return  # who reads it says what it is instead
        if _is_deep(value, depth):
            raise APIResponseError(f"The answer is nested deeper than {depth} levels: {show_start(data)}")


def _has_many(data: bytes, depth: int) -> bool:
    """Tell whether there are enough brackets to nest deep."""
    if len(data) < FEW_BYTES:
        return data.count(b"{") + data.count(b"[") > depth
    return _has_often(data, b"{", depth // 2) or _has_often(data, b"[", depth // 2)


def _has_often(data: bytes, bracket: bytes, times: int) -> bool:
    """Tell whether there are more than so many; a picture in base64 is searched in a tenth of the time of counting."""
    at = data.find(bracket)
    while at >= 0 and times:
        at = data.find(bracket, at + 1)
        times -= 1
    return at >= 0


def _is_deep(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            item
            for parent in level
            if isinstance(parent, (dict, list))
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, (dict, list))
        ]
    return bool(level)


def decode_object(data: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        APIResponseError: It is something else.
    """
    value = decode_json(data)
    if not isinstance(value, dict):
        raise APIResponseError(
            f"The answer is a JSON {type(value).__name__} where an object should be: {show_start(data)}"
        )
    return value


def decode_answer(data: bytes) -> dict[str, Any]:
    """Read a JSON object that is a whole answer; half a surrogate pair in its texts becomes U+FFFD.

    Raises:
        APIResponseError: It is something else.
    """
    value = decode_object(data)
    # A picture of some megabytes has no backslash, which alone is found fastest.
    if b"\\" in data and (b"\\ud" in data or b"\\uD" in data):
        value = join_all_surrogates(value)
    return value


def show_start(data: bytes, length: int = 120) -> str:
    """Show how an unexpected body begins, on one line."""
    text = " ".join(data[: 4 * length].decode("utf-8", "replace").split())
    return f"{text[:length]}…" if len(text) > length else text or "(empty)"
