"""What aiohttp, ssl and the system raise, said in errors of ours. Pure; `transport.py` catches and raises."""

from __future__ import annotations

import os
import ssl
from urllib.parse import urlsplit

import aiohttp
import aiohttp.http_exceptions

from g4f.errors import APIConnectionError, APIError, APIResponseError, APITimeoutError

# What aiohttp, ssl or the system raised, the first that fits; what we say; whether trying again may help.
_SAID: tuple[tuple[tuple[type[Exception], ...], type[APIError], str, bool], ...] = (
    (
        (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError),
        APIConnectionError,
        "{host} has a certificate that cannot be trusted.",
        False,
    ),
    (
        (aiohttp.ClientConnectorSSLError, ssl.SSLError),
        APIConnectionError,
        "{host} does not speak TLS as it should.",
        False,
    ),
    ((aiohttp.ClientConnectorDNSError,), APIConnectionError, "{host} is not known: its name has no address.", True),
    ((aiohttp.ClientHttpProxyError,), APIConnectionError, "The proxy refuses to connect to {host}.", False),
    ((aiohttp.ClientProxyConnectionError,), APIConnectionError, "The proxy for {host} cannot be reached.", True),
    ((aiohttp.ClientConnectorError,), APIConnectionError, "No connection to {host}: {reason}.", True),
    ((aiohttp.ServerTimeoutError, TimeoutError), APITimeoutError, "No connection to {host} in time.", True),
    ((aiohttp.InvalidURL,), APIConnectionError, "{host} is no usable address.", False),
    ((aiohttp.ServerDisconnectedError,), APIConnectionError, "{host} closed the connection without an answer.", True),
    (
        (aiohttp.http_exceptions.ContentEncodingError,),
        APIResponseError,
        "The answer of {host} is not compressed as it says.",
        False,
    ),
    (
        (
            aiohttp.ClientPayloadError,
            aiohttp.http_exceptions.PayloadEncodingError,
            aiohttp.ClientOSError,
            ConnectionError,
        ),
        APIConnectionError,
        "The connection to {host} broke in the middle of the answer.",
        True,
    ),
    (
        (aiohttp.ClientResponseError, aiohttp.http.HttpProcessingError),
        APIResponseError,
        "{host} answered something that is no HTTP.",
        False,
    ),
    ((ValueError, TypeError), APIConnectionError, "The request to {host} cannot be sent: {kind}.", False),
    ((Exception,), APIConnectionError, "The request to {host} failed: {kind}.", True),
)


class PrivateAddressError(OSError):
    """A public URL led to an address that is not public."""


def convert_error(error: Exception, url: str) -> APIError:
    """Say in our words what aiohttp, ssl or the system said; nothing else of the foreign error is kept."""
    if isinstance(error, APIError):
        return error
    _forget_frames(error)
    if isinstance(error.__cause__, aiohttp.http_exceptions.ContentEncodingError):
        error = error.__cause__
    cause = getattr(error, "os_error", error)
    if isinstance(cause, PrivateAddressError):
        return make_private_error(url)
    _, ours, text, retryable = next(row for row in _SAID if isinstance(error, row[0]))
    number = getattr(cause, "errno", None)
    reason = os.strerror(number) if number else type(cause).__name__
    return ours(text.format(host=show_place(url), reason=reason, kind=type(error).__name__), retryable=retryable)


def _forget_frames(error: BaseException | None) -> None:
    """Let go of the frames of an error and of its causes: some hold, or are held by, what keeps the error: a circle."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__


def show_place(url: str) -> str:
    """Name the place of a URL without what may be secret in it."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname or parts.scheme)
    except ValueError:
        return "an address that cannot be read"


def make_late_error(what: str, seconds: float | None) -> APITimeoutError:
    """Say that something did not come before its deadline."""
    return APITimeoutError(f"{what} did not come within {seconds:g} s.")


def make_private_error(url: str) -> APIConnectionError:
    """Say that a public URL led to an address that is not public."""
    return APIConnectionError(
        f"{show_place(url)} is not a public address; pass allow_private_urls=True to allow it.", retryable=False
    )
