"""What services say when they refuse, where they say it in a way of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from g4f.errors import APIStatusError
from g4f.wire import errors

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
    return error


def _find_reason(body: Any) -> str:
    details = body.get("error") if isinstance(body, dict) else None
    metadata = details.get("metadata") if isinstance(details, dict) else None
    if not isinstance(metadata, dict):
        return ""
    said = (metadata.get("provider_name"), metadata.get("raw"))
    return ": ".join(" ".join(text.split()) for text in said if isinstance(text, str) and text)[:1000]
