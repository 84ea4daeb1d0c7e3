"""What the service says when it refuses a request.

Source: https://docs.bfl.ai/api_integration/errors, https://help.bfl.ai/articles/2916279050-why-did-my-request-fail, and
FastAPI's validation errors in https://api.bfl.ai/openapi.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.errors import APIStatusError, make_status_error
from g4f.wire import errors

_NO_CREDITS = "The account has no credits left."


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    plain = errors.decode_error(status, headers, body)
    data = plain.body if isinstance(plain.body, dict) else {}
    problems = data.get("detail")
    if isinstance(problems, list) and problems and all(isinstance(problem, dict) for problem in problems):
        message, param = "; ".join(map(_describe, problems)), _find_field(problems[0])
    else:
        message, param = _find_message(data) or (_NO_CREDITS if status == 402 else plain.message), None
    return make_status_error(
        message,
        status_code=status,
        code=_find_code(status, data),
        param=param,
        body=plain.body,
        request_id=plain.request_id or headers.get("x-trace-id"),
        retry_after=_read_wait(data) if plain.retry_after is None else plain.retry_after,
    )


def _describe(problem: Mapping[str, Any]) -> str:
    field = _find_field(problem)
    return f"{field}: {problem.get('msg')}" if field else str(problem.get("msg"))


def _find_field(problem: Mapping[str, Any]) -> str | None:
    """Return where in the body a problem is."""
    place = problem.get("loc")
    names = [str(name) for name in place if name != "body"] if isinstance(place, list) else []
    return ".".join(names) or None


def _find_message(data: Mapping[str, Any]) -> str | None:
    told = (data.get(name) for name in ("detail", "message", "status"))
    return next((text for text in told if text and isinstance(text, str)), None)


def _find_code(status: int, data: Mapping[str, Any]) -> str | None:
    code = data.get("error")
    if isinstance(code, str) and code:
        return code
    return "insufficient_credits" if status == 402 else None


def _read_wait(data: Mapping[str, Any]) -> float | None:
    seconds = data.get("retry_after")
    return float(seconds) if isinstance(seconds, (int, float)) and seconds >= 0 else None
