"""What the service says when it refuses.

Source: https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from g4f.errors import APIStatusError
from g4f.wire import errors

# Kinds of errors, for those that come inside a stream and so without a status.
_STATUS_BY_TYPE = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "conflict_error": 409,
    "gateway_timeout_error": 504,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "request_too_large": 413,
    "timeout_error": 504,
}
_RESETS = "anthropic-ratelimit-{}-reset"
_REMAINING = "anthropic-ratelimit-{}-remaining"
_LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    error = errors.decode_error(status, headers, body)
    _complete_error(error)
    if error.retry_after is None and status == 429:
        error.retry_after = read_reset(headers)
    return error


def make_event_error(event: Any) -> APIStatusError:
    """Make the error that an event of a stream, or an answer of status 200, tells."""
    details = event.get("error") if isinstance(event, dict) else None
    kind = details.get("type") if isinstance(details, dict) else None
    error = errors.make_body_error(event, status=_STATUS_BY_TYPE.get(kind) if isinstance(kind, str) else None)
    _complete_error(error)
    return error


def _complete_error(error: APIStatusError) -> None:
    body = error.body if isinstance(error.body, dict) else {}
    request_id = body.get("request_id")
    if error.request_id is None and isinstance(request_id, str):
        error.request_id = request_id
    details = body.get("error")
    details = details.get("details") if isinstance(details, dict) else None
    code = details.get("error_code") if isinstance(details, dict) else None
    if isinstance(code, str):
        error.code = error.code or code
        if code.endswith("_spend_limit_reached"):  # a rate limit in name only: waiting does not lift it
            error.retryable = False


def read_reset(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until the limits that are used up are lifted; None where the headers do not tell."""
    used_up = [name for name in _LIMITS if headers.get(_REMAINING.format(name)) == "0"]
    try:
        # Measured against the answer's own clock, as nothing here knows the time.
        now = parsedate_to_datetime(headers["date"])
        waits = [(datetime.fromisoformat(headers[_RESETS.format(name)]) - now).total_seconds() for name in used_up]
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return max(0.0, *waits) if waits else None
