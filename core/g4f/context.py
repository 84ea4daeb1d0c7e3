"""What surrounds a request: the call, the context of one attempt, and the network as a provider sees it.

Contracts only; the transport that keeps them is in `transport.py`, and who makes a context is `dispatch.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, TypeAlias

import attrs

from g4f.chat import ChatRequest
from g4f.errors import Attempt, InvalidInputError
from g4f.manifest import Manifest
from g4f.record import Record, Shown

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest
    from g4f.images import ImageRequest

MAX_DEPTH = 200  # of JSON: what is nested deeper is no answer, and more than Python's own recursion can walk
USUAL_OBJECT_BYTES = 128 * 2**20  # unless a user sets it, or allows larger answers
Request: TypeAlias = "ChatRequest | ImageRequest | EmbeddingRequest"


class _Usual(float):
    """A deadline that nobody set."""

    __slots__ = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Timeout(Record):
    """Deadlines in seconds by the wall clock; None waits for ever. Each is given by its name.

    Raises:
        InvalidInputError: One is no positive number.

    Attributes:
        connect: Until a connection stands, TLS included.
        stream_head: Until the head of a streamed answer is complete.
        head: Until the head of any other answer is complete. Long, because the head comes when the work is done.
        first_content: Until the first content of a stream; pings and empty chunks are no content.
        gap: Between two contents of a stream.
        total: Until an answer that is not streamed is complete.
    """

    connect: float | None = _Usual(10.0)
    stream_head: float | None = _Usual(60.0)
    head: float | None = _Usual(600.0)
    first_content: float | None = _Usual(120.0)
    gap: float | None = _Usual(60.0)
    total: float | None = _Usual(600.0)

    def __new__(cls, *unnamed: object, **_: object) -> Self:
        """Refuse a number without a name: other clients mean all deadlines by it.

        Raises:
            TypeError: There is one.
        """
        if unnamed:
            raise TypeError(
                "Timeout takes deadlines by name, as Timeout(total=5, gap=2); timeout=5 bounds each of them"
            )
        return super().__new__(cls)

    def __attrs_post_init__(self) -> None:
        for name in _DEADLINES:
            value = getattr(self, name)
            if value is not None and type(value) is not _Usual:
                _check_seconds(value, f"Timeout({name}=…)", "None")

    @classmethod
    def make(cls, timeout: float | Timeout | None, usual: Timeout | None = None) -> Timeout:
        """Read a user's `timeout=`: None is the usual, a number bounds each of the deadlines.

        Args:
            timeout: What the user gave.
            usual: What holds where that sets nothing, as a client's deadlines for a call; None is the default.

        Raises:
            InvalidInputError: It is no positive number.
        """
        if timeout is None:
            return usual or cls()
        if isinstance(timeout, Timeout):
            return timeout if usual is None else timeout._complete(usual)
        _check_seconds(timeout, "timeout", "a g4f.Timeout")
        seconds = float(timeout)
        every = dict.fromkeys(_DEADLINES, seconds)
        return cls(**{**every, "connect": min(seconds, 10.0)})

    def _complete(self, usual: Timeout) -> Timeout:
        """Return these deadlines, with those of another for what nobody set here."""
        unset = [name for name in _DEADLINES if isinstance(getattr(self, name), _Usual)]
        return attrs.evolve(self, **{name: getattr(usual, name) for name in unset})


_DEADLINES = tuple(attrs.fields_dict(Timeout))


def _check_seconds(value: object, what: str, instead: str) -> None:
    kind = f"{what} must be a positive number of seconds or {instead}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInputError(f"{kind}, not {value!r}.")
    try:
        seconds = float(value)
    except OverflowError:  # nor may its digits be written, of which Python has a limit
        raise InvalidInputError(f"{kind}, not one that is too large to be counted.") from None
    if not seconds > 0:  # nor is "not a number"
        raise InvalidInputError(f"{kind}, not {value!r}.")


def _check_bytes(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or value < 1:
        raise InvalidInputError(f"Limits({field.name}=…) must be a positive number of bytes, not {value!r}.")


def _check_depth(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if type(value) is not int or not 1 <= value <= MAX_DEPTH:
        raise InvalidInputError(f"Limits({field.name}=…) must be a number from 1 to {MAX_DEPTH}, not {value!r}.")


def _limit(default: int, check: Callable[[Any, attrs.Attribute[Any], object], None] = _check_bytes) -> int:
    return attrs.field(default=default, converter=attrs.converters.default_if_none(default), validator=check)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Limits(Record):
    """How large what a service sends may be, in bytes after decompression. What is larger is an `APIResponseError`.

    None means the default, since nothing may fill the memory.

    Attributes:
        json_bytes: Of an answer that is not streamed.
        object_bytes: Of the Python objects that JSON is read into, streamed or not, as estimated before it is read:
            `[{},{},…]` takes thirty times its bytes. None is 128 MiB, or four times `json_bytes` where that is more.
        images_bytes: Of such an answer where it may hold pictures; None is what the provider expects, as 256 MiB where
            pictures were asked for.
        event_bytes: Of one event of a stream, and of one line of it.
        download_bytes: Of a picture that an answer names.
        input_bytes: Of a picture that the user gives; a larger one is an `InvalidInputError`.
        error_bytes: Of the page that comes with an error's status: what is beyond is left unread.
        json_depth: How deep JSON may be nested. At most 200: Python itself does not walk much deeper.
    """

    json_bytes: int = _limit(32 * 2**20)
    object_bytes: int | None = attrs.field(default=None, validator=attrs.validators.optional(_check_bytes))
    images_bytes: int | None = attrs.field(default=None, validator=attrs.validators.optional(_check_bytes))
    event_bytes: int = _limit(16 * 2**20)
    download_bytes: int = _limit(32 * 2**20)
    input_bytes: int = _limit(32 * 2**20)
    error_bytes: int = _limit(64 * 2**10)
    json_depth: int = _limit(MAX_DEPTH, _check_depth)

    @classmethod
    def make(cls, limits: Limits | None) -> Limits:
        """Read a user's `limits=`: None is the default.

        Raises:
            InvalidInputError: It is something else.
        """
        if limits is None:
            return DEFAULT_LIMITS
        if not isinstance(limits, Limits):
            raise InvalidInputError(f"limits must be a g4f.Limits, not {limits!r}.")
        return limits


DEFAULT_LIMITS = Limits()


@attrs.frozen(eq=False, repr=False)
class HttpRequest(Record):
    """A request as a pure value, made by `wire.encode_*`.

    Attributes:
        method: The HTTP method.
        path: What follows the provider's base URL, as "/chat/completions"; or an absolute URL of an allowed origin.
        body: The body's bytes, empty for none.
        headers: Headers without the key, which the transport adds.
        query: The query's parameters.
        max_bytes: How large the decoded answer may be where it may hold pictures, unless the user's
            `Limits.images_bytes` says otherwise; None for every other answer, where `Limits.json_bytes` counts.
    """

    method: str
    path: str
    body: bytes = attrs.field(default=b"", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)  # some carry what nobody else should see
    query: Mapping[str, str] = attrs.field(factory=dict)
    max_bytes: int | None = None

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.body, (bytes, str)):  # the network would make a form of a dict
            kind = type(self.body).__name__
            raise TypeError(f"HttpRequest.body must be bytes, as g4f.wire.json.encode_json(…) makes them, not {kind}")


@attrs.frozen(eq=False, repr=False)
class HttpResponse(Record):
    """A whole answer; `headers` look names up in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    url: str = ""


class HttpStream(Protocol):
    """An answer whose body is read as it comes: `async for data in stream`, then `await stream.aclose()`."""

    status: int
    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the decompressed bytes as they come."""

    def wait(self) -> Awaitable[None] | None:
        """Return what to await until something came, None where it may have; what goes wrong is told by reading."""

    async def read(self, max_bytes: int) -> bytes:
        """Return the first `max_bytes` of the rest: for the pages of errors."""

    async def finish(self) -> None:
        """Read what is left if it is nearly there, so that the connection can be used again."""

    async def aclose(self) -> None:
        """Close the connection unless the answer was read to its end."""


class Transport(Protocol):
    """The network as one attempt may use it: bound to the provider's origins, key, proxy and deadlines.

    Both methods return whatever status the service answers and raise APIConnectionError, APITimeoutError or
    APIResponseError for everything that is no HTTP answer.
    """

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Send a request and read the whole answer."""

    async def stream(self, request: HttpRequest) -> HttpStream:
        """Send a request and return once the answer's head is there."""


class Target(NamedTuple):
    """Where a request goes: a provider's name and the model's id there (None is the provider's default)."""

    provider: str
    model: str | None


@attrs.define(eq=False, repr=False)
class Call(Shown):
    """One call of the user, on its way through the middleware.

    Attributes:
        request: What was asked, with the target's model filled in.
        target: The target now tried.
        attempts: What was tried before.
        warnings: Sentences for the answer's `warnings`.
        idempotency_key: The same for all repeats of this call at one target.
        account: Tells the target's account, by the provider, the address and the key that were given, from others; None
            where nobody said.
    """

    request: Request
    target: Target
    attempts: list[Attempt] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    idempotency_key: str = ""
    account: Hashable = None


async def _no_fetch(url: str) -> HttpResponse:
    raise InvalidInputError(f"There is no network here to fetch {url} with.")


@attrs.frozen(eq=False, repr=False)
class Context(Shown):
    """What a provider may use while it serves one attempt.

    Attributes:
        transport: The network, already holding the key (the provider never sees it).
        manifest: What the provider says of itself.
        model: The target's model.
        base_url: Where the provider is for this client, without a slash at the end; empty where it has no network.
        settings: The values of the manifest's settings that are set.
        foreign: Whether requests go to an address of the user's own that the manifest does not know: what is kept for
            the service, as the token of a sign-in, does not belong there.
        timeout: The deadlines, for a provider that does not go through `transport`.
        limits: How large answers may be, for the same; `transport` itself keeps to those of whole answers.
        idempotency_key: To send along where the service knows such a key.
        warnings: Where `warn` writes.
        jobs: Where `commit` and `withdraw` write.
    """

    transport: Transport
    manifest: Manifest = attrs.field(factory=Manifest)
    model: str | None = None
    base_url: str = ""
    settings: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    foreign: bool = False
    timeout: Timeout = attrs.field(factory=Timeout)
    limits: Limits = DEFAULT_LIMITS
    idempotency_key: str = ""
    warnings: list[str] = attrs.field(factory=list)
    jobs: list[str] = attrs.field(factory=list)
    _fetch: Callable[[str], Awaitable[HttpResponse]] = attrs.field(default=_no_fetch, repr=False)
    _secret: Callable[[], str | None] = attrs.field(default=lambda: None, repr=False)
    _conceal: Callable[[str], None] = attrs.field(default=lambda _: None, repr=False)

    def warn(self, sentence: str) -> None:
        """Tell the user that something of the request was changed or left out. The same sentence is told once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def commit(self, job: str = "") -> None:
        """Tell that the service may have taken a job that it charges for: whatever fails now, nobody begins it again.

        Args:
            job: The service's id of it, once that is known; an error then carries it as its `request_id`.
        """
        self.jobs.append(job)

    def withdraw(self) -> None:
        """Tell that the service took no job after all, so that it may be offered again."""
        self.jobs.remove("")

    async def fetch(self, url: str) -> HttpResponse:
        """Download a public URL without credentials; private addresses are refused.

        Raises:
            APIConnectionError: It cannot be had.
        """
        return await self._fetch(url)

    def secret(self) -> str | None:
        """Return the key, for a provider with `auth.kind = "own"`; None for every other."""
        return self._secret()

    def conceal(self, key: str) -> None:
        """Have a key that the provider got by itself, as the token of a sign-in, taken out of this attempt's errors."""
        self._conceal(key)


Answered = Any  # a Completion, Images or ChatStream: what a call resolves to
CallNext = Callable[[Call], Awaitable[Answered]]


class Middleware(Protocol):
    """What happens around a target. The client's list is the order of execution; the innermost step is the hook."""

    async def __call__(self, call: Call, call_next: CallNext) -> Answered:
        """Do something, `await call_next(call)` (once, repeatedly or never), and return an answer."""
