import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import g4f
from g4f import errors
from g4f.errors import (
    APIConnectionError,
    APIError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    Attempt,
    G4FError,
    InternalServerError,
    InvalidInputError,
    ProviderNotFoundError,
    RateLimitError,
    StreamTruncatedError,
    make_status_error,
    select_status_error,
)

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, G4FError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_can_be_had_from_g4f_and_stands_in_the_drawing(kind: type[G4FError]) -> None:
    """So that users find it."""
    assert getattr(g4f, kind.__name__) is kind
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.__doc__


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_made_from_a_message_and_survives_pickling(kind: type[G4FError]) -> None:
    """With all that it carries, since results cross processes."""
    error = kind("What went wrong.", attempts=[Attempt("A", None, None, 1.5)])
    if isinstance(error, APIError):
        error.partial, error.retry_after, error.provider = "so far", 2.5, "Somebody"
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 - our own
        assert type(other) is kind
        assert str(other) == str(error)
        assert vars(other) == vars(error)


@pytest.mark.parametrize("leave", [pickle.dumps, copy.deepcopy, copy.copy])
def test_an_error_among_its_own_attempts_is_no_circle(leave: Callable[[object], Any]) -> None:
    """It tells of itself all the same, and so does a copy."""
    other, error = APIError("first"), APIError("last")
    error.attempts = (Attempt("A", None, other, 1.5), Attempt("B", None, error, 2.5))
    assert [attempt.error for attempt in error.attempts] == [other, error]
    left = leave(error)
    copied = pickle.loads(left) if isinstance(left, bytes) else left  # noqa: S301 - our own
    assert [str(attempt.error) for attempt in copied.attempts] == ["first", "last"]
    assert copied.attempts[1].error is copied
    assert error not in [attempt.error for attempt in vars(error)["_attempts"]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_is_what_went_wrong_and_the_text_says_it(kind: type[G4FError]) -> None:
    """Whatever else the text says."""
    error = kind("What went wrong.")

    assert error.message == "What went wrong."
    assert "What went wrong." in str(error)
    assert kind().message == ""


def test_errors_are_also_what_python_programs_expect() -> None:
    """A bad argument is a ValueError, a missing provider an ImportError."""
    assert issubclass(InvalidInputError, ValueError)
    assert issubclass(ProviderNotFoundError, ImportError)
    assert issubclass(APITimeoutError, APIConnectionError)
    assert issubclass(StreamTruncatedError, APIResponseError)


def test_an_api_error_names_its_provider_once() -> None:
    """Before the message, unless the message does."""
    assert str(APIError("No.", provider="Somebody")) == "Somebody: No."
    assert str(APIError("Somebody says no.", provider="Somebody")) == "Somebody says no."
    assert str(APIStatusError("No.", provider="Somebody", status_code=400)) == "Somebody answered 400: No."
    assert str(APIStatusError("No.", status_code=400)) == "The service answered 400: No."


@pytest.mark.parametrize(
    ("kind", "retryable"),
    [
        (APIError, False),
        (APIConnectionError, True),
        (APITimeoutError, True),
        (APIResponseError, False),
        (StreamTruncatedError, True),
        (RateLimitError, True),
        (InternalServerError, True),
    ],
)
def test_an_error_knows_whether_to_try_again(kind: type[APIError], retryable: bool) -> None:
    """By its kind, unless it was told otherwise."""
    assert kind("x").retryable is retryable
    assert kind("x", retryable=not retryable).retryable is not retryable
    assert kind("x").retryable is retryable


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 422, 429, 500, 599])
def test_a_status_has_openais_class(status: int) -> None:
    """The names are those of its SDK."""
    error = make_status_error("No.", status_code=status, code="c", body={"a": 1})

    assert type(error) is select_status_error(status) is not APIStatusError
    assert (error.status_code, error.code, error.body) == (status, "c", {"a": 1})


def test_a_status_without_a_class_is_a_status_error() -> None:
    """A time-out of the server's may be tried again."""
    assert type(make_status_error("No.", status_code=418)) is APIStatusError
    assert make_status_error("No.", status_code=408).retryable
    assert not make_status_error("No.", status_code=408, retryable=False).retryable
