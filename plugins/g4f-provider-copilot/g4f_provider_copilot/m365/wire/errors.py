"""What Microsoft Graph says when it refuses.

Source: https://learn.microsoft.com/en-us/graph/errors and https://learn.microsoft.com/en-us/graph/throttling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.errors import APIStatusError
from g4f.wire import errors

# For an error that comes inside a stream and so has no status; in lower case, as both cases occur.
_STATUS_BY_CODE = {
    "accessdenied": 403,
    "activitylimitreached": 429,
    "forbidden": 403,
    "invalidauthenticationtoken": 401,
    "invalidrequest": 400,
    "itemnotfound": 404,
    "notfound": 404,
    "toomanyrequests": 429,
    "unauthenticated": 401,
    "unauthorized": 401,
}


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    return _complete(errors.decode_error(status, headers, body))


def make_body_error(body: dict[str, Any]) -> APIStatusError:
    """Make an error from an error object that came inside a 200."""
    code = _read_table(body.get("error")).get("code")
    return _complete(errors.make_body_error(body, status=_STATUS_BY_CODE.get(str(code).lower())))


def _complete(error: APIStatusError) -> APIStatusError:
    inner = _read_table(_read_table(_read_table(error.body).get("error")).get("innerError"))
    request_id = error.request_id or inner.get("request-id")
    error.request_id = request_id if isinstance(request_id, str) else None
    return error


def _read_table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
