"""What the network raises, said in our words: each kind, from the narrowest to whatever else there may be."""

from __future__ import annotations

import errno
import ssl
from typing import Any

import aiohttp
import aiohttp.http_exceptions
import pytest
from yarl import URL

from g4f import APIConnectionError, APIError, APIResponseError, APITimeoutError
from g4f.network_errors import PrivateAddressError, convert_error, make_late_error, show_place

URL_WITH_KEY = "https://user:sk-secret@example.com:8443/v1/chat?key=sk-secret"
KEY: Any = aiohttp.client_reqrep.ConnectionKey("example.com", 8443, True, True, None, None, None)
REQUEST: Any = aiohttp.RequestInfo(URL(URL_WITH_KEY), "POST", {"authorization": "sk-secret"}, URL(URL_WITH_KEY))
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "sk-secret")
CASES: list[tuple[Exception, type[APIError], str, bool]] = [
    (ssl.SSLCertVerificationError("sk-secret"), APIConnectionError, "certificate that cannot be trusted", False),
    (ssl.SSLError("sk-secret"), APIConnectionError, "does not speak TLS", False),
    (aiohttp.ClientConnectorDNSError(KEY, OSError("sk-secret")), APIConnectionError, "its name has no address", True),
    (aiohttp.ClientHttpProxyError(REQUEST, ()), APIConnectionError, "The proxy refuses", False),
    (aiohttp.ClientProxyConnectionError(KEY, REFUSED), APIConnectionError, "The proxy for", True),
    (aiohttp.ClientConnectorError(KEY, REFUSED), APIConnectionError, "Connection refused", True),
    (TimeoutError("sk-secret"), APITimeoutError, "No connection to example.com:8443 in time", True),
    (aiohttp.InvalidURL("sk-secret"), APIConnectionError, "no usable address", False),
    (aiohttp.ServerDisconnectedError(), APIConnectionError, "closed the connection without an answer", True),
    (aiohttp.http_exceptions.ContentEncodingError("sk-secret"), APIResponseError, "not compressed as it says", False),
    (aiohttp.ClientPayloadError("sk-secret"), APIConnectionError, "broke in the middle", True),
    (ConnectionResetError("sk-secret"), APIConnectionError, "broke in the middle", True),
    (aiohttp.ClientResponseError(REQUEST, ()), APIResponseError, "no HTTP", False),
    (ValueError("sk-secret"), APIConnectionError, "cannot be sent: ValueError", False),
    (RuntimeError("sk-secret"), APIConnectionError, "failed: RuntimeError", True),
    (PrivateAddressError("sk-secret"), APIConnectionError, "not a public address", False),
]


@pytest.mark.parametrize(("raised", "kind", "said", "retryable"), CASES, ids=lambda case: type(case).__name__)
def test_what_is_raised_becomes_an_error_of_ours(
    raised: Exception, kind: type[APIError], said: str, retryable: bool
) -> None:
    """With the place, whether trying again may help, and nothing of the foreign text, which may hold a key."""
    error = convert_error(raised, URL_WITH_KEY)
    assert type(error) is kind
    assert said in error.message
    assert "example.com:8443" in error.message
    assert error.retryable is retryable
    assert "secret" not in f"{error!r} {vars(error)}"
    assert error.__cause__ is None


def test_a_body_that_is_not_compressed_as_it_says_is_told_by_its_cause() -> None:
    """The payload is said to be incomplete, and why only in what that was raised from."""
    raised = aiohttp.ClientPayloadError("incomplete")
    raised.__cause__ = aiohttp.http_exceptions.ContentEncodingError("deflate")
    assert isinstance(convert_error(raised, URL_WITH_KEY), APIResponseError)


def test_an_error_of_ours_stays_as_it_is() -> None:
    """It was said already."""
    error = APIResponseError("said")
    assert convert_error(error, URL_WITH_KEY) is error


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (URL_WITH_KEY, "example.com:8443"),
        ("https://[::1]/v1", "::1"),
        ("data:text/plain,sk-secret", "data"),
        ("https://[", "an address that cannot be read"),
    ],
)
def test_a_place_is_named_without_what_may_be_secret(url: str, place: str) -> None:
    """No user, no path, no query."""
    assert show_place(url) == place


def test_a_deadline_is_told_with_its_seconds() -> None:
    """As a person writes the number."""
    assert make_late_error("The head", 60.0).message == "The head did not come within 60 s."
