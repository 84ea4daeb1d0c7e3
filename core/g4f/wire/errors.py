"""What services say when they refuse, in the shapes that most of them share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from g4f.errors import APIResponseError, APIStatusError, make_status_error
from g4f.wire.json import decode_json, show_start

# A used-up quota looks like a rate limit, but waiting does not help.
_QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_STATUS_BY_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "requests": 429,
    "tokens": 429,
    "overloaded_error": 529,
}
_TITLE = r"(?is)<(?:title|h1)[^>]*>(.*?)</"
_HEAD_BYTES = 4096  # of a page, where its title is
_MESSAGE_LENGTH = 1000  # of an error; all of it is in its `body`


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    try:
        decoded = decode_json(body)
    except APIResponseError:
        decoded = None
    error = make_body_error(decoded, status=status) if isinstance(decoded, (dict, list, str)) and decoded else None
    if error is None:
        title = re.search(_TITLE, body[:_HEAD_BYTES].decode("utf-8", "replace"))
        text = " ".join(title.group(1).split()) if title else show_start(body)
        error = make_status_error(text, status_code=status, body=body.decode("utf-8", "replace"))
    error.request_id = read_request_id(headers)
    retry_after = read_retry_after(headers)
    error.retry_after = error.retry_after if retry_after is None else retry_after
    should_retry = headers.get("x-should-retry")
    if should_retry in ("true", "false"):
        error.retryable = should_retry == "true"
    return error


def read_request_id(headers: Mapping[str, str]) -> str | None:
    """Return the service's id of a request, as OpenAI (and most others) and Anthropic name it."""
    return headers.get("x-request-id") or headers.get("request-id")


def make_body_error(body: Any, *, status: int | None = None) -> APIStatusError:
    """Make an error from a decoded error object: OpenAI's `{error: {...}}`, or what others put in its place.

    Args:
        body: The decoded object, list or text.
        status: The HTTP status; None where the error came inside a 200, and its code or type must tell.
    """
    first = body[0] if isinstance(body, list) and body else body
    details = first.get("error", first) if isinstance(first, dict) else first
    if not isinstance(details, dict):
        beside = first if isinstance(first, dict) else {}
        details = {**beside, "message": details if isinstance(details, str) else beside.get("message", details)}
    code, kind = details.get("code"), details.get("type")
    message = details.get("message") or details.get("detail") or details.get("error") or details.get("msg") or details
    known = status if status is not None else _guess_status(details)
    error = make_status_error(
        " ".join(_write_message(message).split())[:_MESSAGE_LENGTH],
        status_code=known,
        code=None if code is None else str(code),
        type=None if kind is None else str(kind),
        param=None if details.get("param") is None else str(details["param"]),
        body=body,
        retry_after=_read_retry_info(details.get("details")),
    )
    if known == 429 and not _QUOTA_CODES.isdisjoint((error.code, error.type)):
        error.retryable = False
    return error


def _read_retry_info(details: Any) -> float | None:
    """Return the seconds of a google.rpc.RetryInfo: Google says it in OpenAI's dialect, too, and in no header.

    Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto.
    """
    for item in details if isinstance(details, list) else ():
        if isinstance(item, dict) and str(item.get("@type")).endswith(".RetryInfo"):
            delay = item.get("retryDelay")  # a google.protobuf.Duration, as "34.4s"
            return _read_number(delay.removesuffix("s")) if isinstance(delay, str) else None
    return None


def _write_message(message: Any) -> str:
    """Return a message as text; the complaints of a validator (FastAPI's) each with its place."""
    if isinstance(message, dict) and "detail" in message:
        message = message["detail"]
    if not (isinstance(message, list) and message and all(isinstance(item, dict) for item in message)):
        return str(message)
    return "; ".join(f"{_write_place(item.get('loc'))}{item.get('msg') or item}" for item in message)


def _write_place(place: Any) -> str:
    return ".".join(map(str, place)) + ": " if isinstance(place, list) and place else ""


def _guess_status(details: Mapping[str, Any]) -> int:
    for value in (details.get("code"), details.get("status_code"), details.get("status")):
        number = int(value) if isinstance(value, str) and re.fullmatch(r"[45]\d\d", value, re.ASCII) else value
        if isinstance(number, int) and 400 <= number < 600:
            return number
    for value in (details.get("type"), details.get("code")):
        if isinstance(value, str) and value in _STATUS_BY_TYPE:
            return _STATUS_BY_TYPE[value]
    return 500


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that `retry-after-ms` or `Retry-After` (RFC 9110, 10.2.3) names; None for junk."""
    milliseconds = _read_number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    seconds = _read_number(value)
    if seconds is not None or value is None:
        return seconds
    from email.utils import parsedate_to_datetime  # a fifth of the client's whole import

    try:
        # Measured against the answer's own clock: nothing here knows the time, and the two clocks may differ.
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())


def _read_number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
