"""Every error that g4f raises; foreign ones are turned into these where they appear.

    G4FError                       attempts
    ├ InvalidInputError            an argument that cannot be used       (a ValueError too)
    ├ ProviderNotFoundError        no such provider is installed         (an ImportError too)
    ├ ProviderBrokenError          installed, but it cannot be loaded
    │ └ ProviderBlockedError       since a setting forbids it
    ├ ProviderConflictError        two distributions claim one name
    ├ ModelNotFoundError           no installed provider serves the model
    ├ AmbiguousModelError          several do, and nothing says which
    ├ MissingCredentialsError      the provider needs a key
    ├ UnsupportedError             the provider cannot do this
    └ APIError                     provider, model, request_id, retryable, retry_after, partial
      ├ APIConnectionError         no answer
      │ └ APITimeoutError          none in time
      ├ APIResponseError           an answer that cannot be read
      │ ├ StreamTruncatedError     a stream that ended too early
      │ └ ParseError               one that cannot be read as the type that was asked for       completion
      │   ├ LengthFinishReasonError          it was cut at the limit of tokens
      │   └ ContentFilterFinishReasonError   the service withheld it
      └ APIStatusError             status_code, code, type, param, body
        ├ BadRequestError 400, AuthenticationError 401, PaymentRequiredError 402, PermissionDeniedError 403,
        ├ NotFoundError 404, ConflictError 409, UnprocessableEntityError 422, RateLimitError 429
        └ InternalServerError      500 and above

The status errors have the names of OpenAI's SDK, which has none for 402. All above APIError are raised before any I/O.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_ITSELF: Any = ...  # stands for an error in its own attempts


class Attempt(NamedTuple):
    """One try at one target.

    Attributes:
        provider: The provider's name.
        model: The model asked for, or None for the provider's default.
        error: What went wrong, or None for the try that succeeded.
        seconds: How long it took, in wall-clock seconds.
        passed_over: Whether it was not asked at all: it is missing, cannot serve this, or failed too often of late.
    """

    provider: str
    model: str | None
    error: G4FError | None
    seconds: float
    passed_over: bool = False


class G4FError(Exception):
    """Base of all errors of g4f; `str(error)` is one sentence that says what to do."""

    def __init__(self, message: str = "", *, attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(message)
        self.attempts = tuple(attempts)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """What was tried; the last is mostly this error itself."""
        return tuple(one._replace(error=self) if one.error is _ITSELF else one for one in self._attempts)

    @attempts.setter
    def attempts(self, attempts: Sequence[Attempt]) -> None:
        # An error that held itself would keep its traceback, and so all variables of who called, until the garbage
        # collector comes.
        self._attempts = tuple(one._replace(error=_ITSELF) if one.error is self else one for one in attempts)

    @property
    def message(self) -> str:
        """What went wrong."""
        return super().__str__()


class InvalidInputError(G4FError, ValueError):
    """An argument that cannot be used; nothing was sent."""


class ProviderNotFoundError(G4FError, ImportError):
    """No provider of that name is installed."""


class ProviderBrokenError(G4FError):
    """A provider is installed but cannot be loaded: broken, incompatible or blocked."""


class ProviderBlockedError(ProviderBrokenError):
    """A provider is installed, and G4F_PLUGINS or G4F_BLOCK forbids it."""


class ProviderConflictError(G4FError):
    """Two installed distributions register the same provider name."""


class ModelNotFoundError(G4FError):
    """No installed and usable provider claims the model."""


class AmbiguousModelError(G4FError):
    """Several providers claim the model and nothing says which one is meant."""


class MissingCredentialsError(G4FError):
    """The provider needs a key and none was given or found in the environment."""


class UnsupportedError(G4FError):
    """The chosen provider or model cannot do what was asked."""


class APIError(G4FError):
    """A request was begun and failed.

    Attributes:
        provider: Name of the provider that was asked, once known.
        model: The model that was asked for, once known.
        request_id: The service's id of the request.
        retryable: Whether the same request may succeed later.
        retry_after: Seconds that the service asks to wait, or None.
        partial: The text received before a stream failed, or None where nothing was streamed.
    """

    retryable: bool = False
    provider: str | None = None  # this and the like below: an error that is half made can be shown as well

    def __init__(
        self,
        message: str = "",
        *,
        provider: str | None = None,
        model: str | None = None,
        request_id: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        partial: str | None = None,
        attempts: Sequence[Attempt] = (),
    ) -> None:
        super().__init__(message, attempts=attempts)
        self.provider = provider
        self.model = model
        self.request_id = request_id
        if retryable is not None:
            self.retryable = retryable
        self.retry_after = retry_after
        self.partial = partial

    @property
    def message(self) -> str:
        """What went wrong, without the provider's name."""
        return super().__str__()

    def __str__(self) -> str:
        return (
            f"{self.provider}: {self.message}" if self.provider and self.provider not in self.message else self.message
        )


class APIConnectionError(APIError):
    """The service could not be reached, or the connection broke."""

    retryable = True


class APITimeoutError(APIConnectionError):
    """A deadline passed."""


class APIResponseError(APIError):
    """The service answered something that cannot be read as an answer."""


class StreamTruncatedError(APIResponseError):
    """A stream ended before it was complete; `partial` holds the text so far."""

    retryable = True


class ParseError(APIResponseError):
    """An answer cannot be read as the type that was asked for; `partial` holds its text.

    Where it is no value of the type, what its class said is the `__cause__`, as pydantic's `ValidationError`.

    Attributes:
        completion: The whole answer, a `Completion`.
    """

    retryable = True
    completion: Any = None


class LengthFinishReasonError(ParseError):
    """An answer that was to be read as a type was cut at the limit of tokens."""

    retryable = False


class ContentFilterFinishReasonError(ParseError):
    """An answer that was to be read as a type was withheld by the service's filter."""

    retryable = False


class APIStatusError(APIError):
    """The service answered with an error.

    Attributes:
        status_code: The HTTP status, or the nearest one for an error that came inside a stream.
        code: The service's own error code, if it sent one.
        type: The service's own kind of error.
        param: The parameter that the service blames.
        body: The decoded error body, or its text.
    """

    status_code: int = 0

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        code: str | None = None,
        type: str | None = None,
        param: str | None = None,
        body: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(message, **common)
        self.status_code = status_code
        self.code = code
        self.type = type
        self.param = param
        self.body = body

    def __str__(self) -> str:
        return f"{self.provider or 'The service'} answered {self.status_code}: {self.message}"


class BadRequestError(APIStatusError):
    """400: the service rejects the request."""


class AuthenticationError(APIStatusError):
    """401: the key is wrong or missing."""


class PaymentRequiredError(APIStatusError):
    """402: the account has no credit left."""


class PermissionDeniedError(APIStatusError):
    """403: the key may not do this."""


class NotFoundError(APIStatusError):
    """404: no such model or address."""


class ConflictError(APIStatusError):
    """409: the request conflicts with another."""

    retryable = True


class UnprocessableEntityError(APIStatusError):
    """422: the request is well-formed but cannot be followed."""


class RateLimitError(APIStatusError):
    """429: too many requests, or the quota is used up (then `retryable` is False)."""

    retryable = True


class InternalServerError(APIStatusError):
    """500 and above: the service failed."""

    retryable = True


def copy_error(error: Exception) -> Exception:
    """Return an error that says the same and was never raised: so it holds nobody's variables."""
    kind = type(error)
    copy: Exception = kind.__new__(kind, *error.args)
    copy.__dict__.update(vars(error))
    copy.__cause__, copy.__suppress_context__ = error.__cause__, error.__suppress_context__
    return copy


_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def select_status_error(status: int) -> type[APIStatusError]:
    """Return the error class for an HTTP status."""
    return _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)


def make_status_error(message: str, *, status_code: int, **fields: Any) -> APIStatusError:
    """Make the error of the class that fits `status_code`; 408 is retryable as well."""
    if status_code == 408:
        fields.setdefault("retryable", True)
    return select_status_error(status_code)(message, status_code=status_code, **fields)
