import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from multidict import CIMultiDict

from g4f.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from g4f.wire.errors import decode_error, make_body_error, read_retry_after

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "code",
                    "type",
                    "param",
                    "detail",
                    "details",
                    "@type",
                    "retryDelay",
                    "status",
                    "msg",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_every_object_makes_an_error(body: Any) -> None:
    """Whatever a service puts where an error should be, with a message on one line."""
    error = make_body_error(body)

    assert isinstance(error, APIStatusError)
    assert 400 <= error.status_code < 600
    assert "\n" not in error.message
    assert all(isinstance(text, str | None) for text in (error.code, error.type, error.param))


@given(st.integers(400, 599), st.dictionaries(st.text(), st.text(), max_size=3), st.binary() | json_values)
def test_every_answer_makes_an_error(status: int, headers: dict[str, str], body: Any) -> None:
    """JSON or not, with the status of the answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = decode_error(status, CIMultiDict(headers), data)

    assert error.status_code == status
    assert len(error.message) <= 1000


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, BadRequestError, False),
        (401, AuthenticationError, False),
        (402, PaymentRequiredError, False),
        (403, PermissionDeniedError, False),
        (404, NotFoundError, False),
        (405, APIStatusError, False),
        (408, APIStatusError, True),
        (409, ConflictError, True),
        (422, UnprocessableEntityError, False),
        (429, RateLimitError, True),
        (500, InternalServerError, True),
        (503, InternalServerError, True),
        (529, InternalServerError, True),
    ],
)
def test_the_status_chooses_the_class(status: int, kind: type[APIStatusError], retryable: bool) -> None:
    """And whether trying again may help."""
    error = decode_error(status, {}, b'{"error": {"message": "No."}}')

    assert type(error) is kind
    assert error.retryable is retryable


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "Too\n  long", "type": "t"}}, "Too long"),
        ({"error": "Too long"}, "Too long"),
        ({"error": "not_found", "message": "Too long"}, "not_found"),
        ({"error": None, "message": "Too long"}, "Too long"),
        ({"error": {"error": "Too long"}}, "Too long"),
        ({"message": "Too long"}, "Too long"),
        ({"detail": "Too long"}, "Too long"),
        ({"msg": "Too long"}, "Too long"),
        ([{"error": {"message": "Too long"}}], "Too long"),
        ({"detail": [{"loc": ["body", "n"], "msg": "Too long"}, {"msg": "Odd"}]}, "body.n: Too long; Odd"),
        ({"object": "error", "message": {"detail": [{"loc": [], "msg": "Too long"}]}}, "Too long"),
        ("Too long", "Too long"),
    ],
)
def test_the_message_is_found_in_every_shape(body: Any, message: str) -> None:
    """OpenAI's, and those of others."""
    assert decode_error(400, {}, json.dumps(body).encode()).message == message


def test_an_error_carries_what_the_service_said() -> None:
    """Code, type, parameter, the id of the request and the whole body."""
    body = {"error": {"message": "m", "code": 7, "type": "t", "param": "p"}}
    error = decode_error(400, {"x-request-id": "r-1"}, json.dumps(body).encode())

    assert (error.code, error.type, error.param, error.request_id) == ("7", "t", "p", "r-1")
    assert error.body == body
    assert decode_error(400, {"request-id": "r-2"}, b"").request_id == "r-2"
    beside = decode_error(400, {}, b'{"error": "m", "code": "c", "type": "t"}')
    assert (beside.message, beside.code, beside.type) == ("m", "c", "t")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html><head><title>502 Bad\nGateway</title></head><h1>x</h1>", "502 Bad Gateway"),
        (b"<H1 class='x'>Nope</H1>", "Nope"),
        (b"plain text", "plain text"),
        (b"", "(empty)"),
        (b"null", "null"),
        (b"{}", "{}"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"y" * 9999, "y" * 120 + "…"),
    ],
)
def test_a_page_that_is_no_json_is_told_by_its_title_or_its_start(body: bytes, message: str) -> None:
    """As the proxies in between send it."""
    error = decode_error(502, {}, body)

    assert error.message == message
    assert error.body == body.decode("utf-8", "replace")


def test_a_hostile_page_is_read_in_no_time() -> None:
    """A page of unclosed tags takes no quadratic search: that would take hours, and the test would never end."""
    for tag in (b"<h1", b"<h1>"):
        assert decode_error(502, {}, tag * 1_000_000).message


def test_a_very_long_message_is_cut_and_its_body_kept() -> None:
    """The error is one sentence."""
    error = decode_error(400, {}, json.dumps({"error": {"message": "x" * 50_000}}).encode())

    assert len(error.message) == 1000
    assert len(error.body["error"]["message"]) == 50_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": {"code": 429}}, 429),
        ({"error": {"code": "503"}}, 503),
        ({"error": {"status": 404}}, 404),
        ({"error": {"status_code": 401, "code": "x"}}, 401),
        ({"error": {"type": "invalid_request_error"}}, 400),
        ({"error": {"code": "rate_limit_exceeded"}}, 429),
        ({"error": {"type": "overloaded_error"}}, 529),
        ({"error": {"code": 200}}, 500),
        ({"error": {"code": "²²²"}}, 500),
        ({"error": {"code": "9" * 5000}}, 500),
        ({"error": {"code": ["insufficient_quota"], "type": {}}}, 500),
        ({"error": "boom"}, 500),
        (None, 500),
    ],
)
def test_an_error_inside_a_200_finds_its_status(body: Any, status: int) -> None:
    """By its code or type, else it counts as the service's failure."""
    assert make_body_error(body).status_code == status


@pytest.mark.parametrize(("field", "word"), [("code", "insufficient_quota"), ("type", "billing_not_active")])
def test_a_quota_that_is_used_up_is_not_tried_again(field: str, word: str) -> None:
    """It looks like a rate limit, but waiting does not help."""
    error = make_body_error({"error": {"message": "Pay.", field: word}}, status=429)

    assert isinstance(error, RateLimitError)
    assert not error.retryable
    assert make_body_error({"error": {"message": "Wait.", field: "other"}}, status=429).retryable


@pytest.mark.parametrize(("said", "retryable"), [("true", True), ("false", False), ("maybe", True)])
def test_a_service_may_say_whether_to_try_again(said: str, retryable: bool) -> None:
    """Its word counts more than the status."""
    assert decode_error(503, {"x-should-retry": said}, b"").retryable is retryable


DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "junk", "retry-after": "7"}, 7.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 -0000", "date": DATE}, None),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 +9999", "date": DATE}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "99999999"}, 99999999.0),
    ],
)
def test_the_wait_that_a_service_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    """In seconds, milliseconds or as a date by the service's own clock; junk counts for nothing."""
    assert read_retry_after(headers) == seconds
    assert decode_error(429, headers, b"{}").retry_after == seconds


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("34.4s", 34.4), ("0s", 0.0), ("7", 7.0), ("soon", None), ("-1s", None), ("infs", None), (5, None), (None, None)],
)
@pytest.mark.parametrize("inside_a_list", [False, True])
def test_a_wait_that_google_asks_for_is_read(delay: Any, seconds: float | None, inside_a_list: bool) -> None:
    """It stands in the error's details, and counts where no header says otherwise."""
    details = [None, {"@type": 5}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
    error = {"error": {"code": 429, "message": "later", "details": details}}
    body = json.dumps([error] if inside_a_list else error).encode()

    assert decode_error(429, {}, body).retry_after == seconds
    assert decode_error(429, {"retry-after": "2"}, body).retry_after == 2.0


NUMBERS = st.integers(-1, 60).map(str) | st.sampled_from(["01", "2026", "9999", "9" * 25, "1e3", "nan", "-inf", "²"])
ZONES = st.sampled_from(["GMT", "+0100", "-9999", "EST", "", "+" + "9" * 25])
DATES = st.builds("Mon, {} Jan {} {}:00:{} {}".format, NUMBERS, NUMBERS, NUMBERS, NUMBERS, ZONES)
GOOD_DATE = "Thu, 01 Jan 2026 00:00:07 GMT"
WAITS = st.one_of(st.text(), NUMBERS, DATES, st.just(GOOD_DATE))


@given(WAITS, WAITS)
@example(f"{GOOD_DATE[:-3]}+{'9' * 25}", GOOD_DATE)
@example(GOOD_DATE, GOOD_DATE.replace("2026", "9" * 25))
def test_no_junk_in_the_wait_is_an_error(value: str, date: str) -> None:
    """Neither in the header nor in the clock: no text, number or date, however large."""
    for headers in ({"retry-after": value, "date": date}, {"retry-after-ms": value, "retry-after": date}):
        wait = read_retry_after(headers)
        assert wait is None or 0 <= wait < float("inf")
