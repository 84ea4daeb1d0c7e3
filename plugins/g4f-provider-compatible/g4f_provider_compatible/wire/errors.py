"""What services say when they refuse, where they say it in a way of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from g4f.errors import APIStatusError
from g4f.wire import errors

_WAIT = re.compile(r"retry after (\d+(?:\.\d+)?) (milli)?second", re.IGNORECASE)
_WRONG_KEY = re.compile(rb"(incorrect|invalid) api key", re.IGNORECASE)


DecodeError = Callable[[int, Mapping[str, str], bytes], APIStatusError]


def know_id(header: str, decode: DecodeError = errors.decode_error) -> DecodeError:
    """Return what reads errors of a service that tells the id of a request in a header of its own."""

    def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
        error = decode(status, headers, body)
        error.request_id = error.request_id or headers.get(header)
        return error

    return decode_error


def decode_xai_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error of an answer from XAI, which says 400 to a wrong key."""
    return errors.decode_error(401 if status == 400 and _WRONG_KEY.search(body) else status, headers, body)


def decode_openrouter_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error of an answer from OpenRouter, with what the service behind it said."""
    error = errors.decode_error(status, headers, body)
    reason = _find_reason(error.body)
    if reason:
        error.args = (f"{error.message} ({reason})",)
    if error.retry_after is None:
        error.retry_after = _read_reset(error.body, headers)
    return error


def decode_azure_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error of an answer from Azure, which may tell in its text alone how long to wait."""
    error = errors.decode_error(status, headers, body)
    wait = _WAIT.search(error.message)
    if error.retry_after is None and wait:
        error.retry_after = float(wait[1]) / (1000 if wait[2] else 1)
    return error


def _find_metadata(body: Any) -> dict[str, Any]:
    details = body.get("error") if isinstance(body, dict) else None
    metadata = details.get("metadata") if isinstance(details, dict) else None
    return metadata if isinstance(metadata, dict) else {}


def _find_reason(body: Any) -> str:
    metadata = _find_metadata(body)
    said = (metadata.get("provider_name"), metadata.get("raw"))
    return ": ".join(" ".join(text.split()) for text in said if isinstance(text, str) and text)[:1000]


def _read_reset(body: Any, headers: Mapping[str, str]) -> float | None:
    """Return the seconds until a limit ends, which OpenRouter tells as a time in milliseconds; None for junk."""
    from email.utils import parsedate_to_datetime  # dear to import, and of use for errors alone

    told = _find_metadata(body).get("headers")
    reset = told.get("X-RateLimit-Reset") if isinstance(told, dict) else None
    try:
        # Measured against the answer's own clock, as a date in Retry-After is.
        wait = float(reset or "") / 1000 - parsedate_to_datetime(headers["date"]).timestamp()
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return max(0.0, wait) if wait < float("inf") else None
