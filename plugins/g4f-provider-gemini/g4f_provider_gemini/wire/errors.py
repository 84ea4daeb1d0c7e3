"""What the service says when it refuses: google.rpc.Status with its details.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting and
https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.errors import APIResponseError, APIStatusError, AuthenticationError
from g4f.wire import errors
from g4f.wire.json import decode_json
from g4f_provider_gemini.wire.lenient import read_table, read_tables, read_text


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    plain = errors.decode_error(status, headers, body)
    try:
        details = _find_details(decode_json(body))
    except APIResponseError:
        return plain
    return _refine(plain, details) if details else plain


def make_body_error(body: Any) -> APIStatusError:
    """Make an error from an error object that came inside a 200."""
    return _refine(errors.make_body_error(body), _find_details(body))


def _find_details(body: Any) -> dict[str, Any]:
    """Return the Status; where a JSON array was asked for, it is the array's only element."""
    first = body[0] if isinstance(body, list) and body else body
    return read_table(read_table(first).get("error"))


def _refine(error: APIStatusError, status: dict[str, Any]) -> APIStatusError:
    by_kind = {read_text(item.get("@type")).rpartition(".")[2]: item for item in read_tables(status.get("details"))}
    reason = read_text(by_kind.get("ErrorInfo", {}).get("reason"))
    if reason == "API_KEY_INVALID":  # the service answers 400 to a wrong key
        error = _change_class(error, AuthenticationError)
    error.type = read_text(status.get("status")) or error.type
    error.code = reason or error.type or error.code
    error.param = _read_field(by_kind.get("BadRequest", {})) or error.param
    quotas = read_tables(by_kind.get("QuotaFailure", {}).get("violations"))
    if any("PerDay" in read_text(quota.get("quotaId")) for quota in quotas):
        error.retryable = False
    return error


def _change_class(error: APIStatusError, kind: type[APIStatusError]) -> APIStatusError:
    return kind(
        error.message,
        status_code=error.status_code,
        body=error.body,
        request_id=error.request_id,
        retry_after=error.retry_after,
    )


def _read_field(bad_request: dict[str, Any]) -> str | None:
    fields = [read_text(item.get("field")) for item in read_tables(bad_request.get("fieldViolations"))]
    return next((field for field in fields if field), None)
