"""The synchronous twin of `AsyncClient`: the same arguments, run in a loop thread of its own."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, Never, NoReturn, Self, TypeVar, Unpack, overload
from weakref import WeakSet

from g4f.chat import Chunk, Completion, Usage
from g4f.client._arguments import (
    SHOWN_BY_CLIENTS,
    ByProvider,
    ChatArguments,
    ClientArguments,
    Messages,
    ParseArguments,
    ProvidersInput,
    SettingsInput,
    Tools,
    hide_arguments,
)
from g4f.client._async import AsyncClient, describe_client, describe_missing_resource
from g4f.client._final import CompletionStream
from g4f.context import Limits, Middleware, Timeout
from g4f.credentials import hide, hide_key
from g4f.errors import APIConnectionError, Attempt
from g4f.registry import Registry
from g4f.stream import ChatStream

if TYPE_CHECKING:
    from ssl import SSLContext

    from g4f.client._embeddings import SyncEmbeddings
    from g4f.client._images import SyncImages
    from g4f.client._models import SyncModels
    from g4f.client._parse import ParsedCompletion
    from g4f.client._portal import Portal, Stay

T = TypeVar("T")


class SyncStream:
    """A streamed answer for synchronous code: iterate over it, once; `with` and `close()` work as well.

    Leaving the loop early closes the connection. Errors carry in `partial` the text so far. The attributes are those
    of `ChatStream`.
    """

    def __init__(self, stream: ChatStream, client: Client) -> None:
        self._stream = stream
        self._client = client
        self._stay: Stay | None = None
        self._iterator: Iterator[Chunk] | None = None  # of `next`

    def __iter__(self) -> Iterator[Chunk]:
        if self._iterator is not None:  # the loop goes on where `next` was, and leaving it ends the stream
            iterator, self._iterator = self._iterator, None
            return iterator
        stay = self._enter()
        stay.check()
        return stay.iterate(self._stream.__aiter__(), self._stream._wrap)

    def __next__(self) -> Chunk:
        """Return the next chunk. Who reads so closes the stream, unless it is read to its end."""
        if self._iterator is None:
            if self._stream._iterated and self._stream._closed:
                raise StopIteration
            self._iterator = iter(self)
        return next(self._iterator)

    def open(self) -> Self:
        """Wait for the first content, and raise what goes wrong before it."""
        self._client._opened.add(self._stream)
        self._enter().run(self._stream.open())
        return self

    def close(self) -> None:
        """Close the stream and its connection."""
        if not self._stream._closed and self._enter().is_open():
            with suppress(APIConnectionError):  # the client was closed in this moment, and the stream with it
                self._enter().run(self._stream.aclose())

    def _enter(self) -> Stay:
        """Return the client's stay in which this stream began: its connection lives and ends there."""
        self._stay = self._stay or self._client._portal.enter()
        return self._stay

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def provider(self) -> str | None:
        """Name of the provider that answers, once known."""
        return self._stream.provider

    @property
    def model(self) -> str | None:
        """Model that was asked for, once known."""
        return self._stream.model

    @property
    def warnings(self) -> list[str]:
        """Sentences about what was changed or left out of the request."""
        return self._stream.warnings

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every try that the call took."""
        return self._stream.attempts

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, once known."""
        return self._stream.request_id

    @property
    def ended(self) -> bool:
        """Whether it came to its end by itself: neither was it left or closed before, nor did it fail."""
        return self._stream.ended

    @property
    def usage(self) -> Usage | None:
        """The tokens used, once the service has told."""
        return self._stream.usage

    def __repr__(self) -> str:
        return repr(self._stream) if hasattr(self, "_stream") else f"<{type(self).__name__} not made>"


class SyncCompletionStream(SyncStream, Generic[T]):
    """A streamed answer that can be had whole in the end, read as the type that was asked for. See `SyncStream`."""

    _stream: CompletionStream[T]

    def get_final_completion(self) -> ParsedCompletion[T]:
        """Read what is left of the stream, and return the whole answer; see the same method of `CompletionStream`."""
        return self._enter().run(self._stream.get_final_completion())


class Client:
    """`AsyncClient` for synchronous code, with the same arguments; it works in a running event loop as well.

    Use it with `with`, or call `close()`. Threads may share one client.

    Raises:
        InvalidInputError: An argument cannot be used.
    """

    def __init__(
        self,
        provider: ProvidersInput | None = None,
        image_provider: ProvidersInput | None = None,
        api_key: ByProvider | None = None,
        base_url: ByProvider | None = None,
        proxies: str | Mapping[str, str] | None = None,
        timeout: float | Timeout | None = None,
        max_retries: int | None = 2,
        middleware: Sequence[Middleware] | None = None,
        registry: Registry | None = None,
        media_folder: str | None = None,
        allow_private_urls: bool = False,
        api_version: ByProvider | None = None,
        settings: SettingsInput | None = None,
        limits: Limits | None = None,
        default_headers: SettingsInput | None = None,
        default_query: SettingsInput | None = None,
        ssl_context: SSLContext | None = None,
        **unknown: Never,
    ) -> None:
        # As in AsyncClient: this frame, too, is shown by reports of errors.
        api_key, base_url, proxies, settings = hide(api_key), hide(base_url), hide(proxies), hide(settings)
        default_headers, default_query, unknown = hide(default_headers), hide(default_query), hide(unknown)
        provider, image_provider = hide_key(provider), hide_key(image_provider)
        inner = AsyncClient(
            provider,
            image_provider,
            api_key,
            base_url,
            proxies,
            timeout,
            max_retries,
            middleware,
            registry,
            media_folder,
            allow_private_urls,
            api_version,
            settings,
            limits,
            default_headers,
            default_query,
            ssl_context,
            **unknown,
        )
        from g4f.client._portal import (
            Portal,
        )  # asyncio is a quarter of the import, and asynchronous users have it

        self._attach(inner, Portal())

    def _attach(self, inner: AsyncClient, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal
        self._opened: WeakSet[ChatStream] = WeakSet()
        self.chat = SyncChat(self)

    @cached_property
    def images(self) -> SyncImages:
        """See the same of `AsyncClient`."""
        from g4f.client._images import SyncImages

        return SyncImages(self)

    @cached_property
    def embeddings(self) -> SyncEmbeddings:
        """See the same of `AsyncClient`."""
        from g4f.client._embeddings import SyncEmbeddings

        return SyncEmbeddings(self)

    @cached_property
    def models(self) -> SyncModels:
        """See the same of `AsyncClient`."""
        from g4f.client._models import SyncModels

        return SyncModels(self)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._portal.run(work)

    def with_options(self, **changes: Unpack[ClientArguments]) -> Client:
        """Return a client with other arguments; it shares connections as `AsyncClient.with_options` does.

        Raises:
            InvalidInputError: An argument cannot be used.
            TypeError: There is no such argument.
        """
        changes = hide_arguments(changes, SHOWN_BY_CLIENTS)
        other = Client.__new__(Client)
        other._attach(self._inner.with_options(**changes), self._portal.share())
        return other

    copy = with_options

    @property
    def base_url(self) -> str | None:
        """The address that was given for the one named provider; None where each provider's own counts."""
        return self._inner.base_url

    @property
    def timeout(self) -> Timeout:
        """The deadlines."""
        return self._inner.timeout

    @property
    def max_retries(self) -> int:
        """How often a failed try is repeated."""
        return self._inner.max_retries

    def is_closed(self) -> bool:
        """Tell whether it was closed, or one that shares its connections, and none of them used since."""
        return self._inner.is_closed()

    def close(self) -> None:
        """End the calls that run, close the connections, and free the local models that no other client uses.

        Calls of this client in other threads raise an `APIConnectionError`. The loop thread ends with the last of the
        clients that share it. The client can be used again.
        """
        self._portal.close(self._shut)

    async def _shut(self) -> None:
        with suppress(KeyError):  # none is left; by pop, because other threads open streams meanwhile
            while True:
                await self._opened.pop().aclose()
        await self._inner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    if not TYPE_CHECKING:  # a checker shall know each attribute

        def __getattr__(self, name: str) -> NoReturn:
            raise AttributeError(describe_missing_resource(self, name))

    def __repr__(self) -> str:
        return describe_client(self, vars(self).get("_inner"))


class SyncChat:
    """`client.chat`."""

    def __init__(self, client: Client) -> None:
        self.completions = SyncCompletions(client)


class SyncCompletions:
    """`client.chat.completions`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        stream: Literal[False] = False,
        **arguments: Unpack[ChatArguments],
    ) -> Completion: ...

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        stream: Literal[True],
        **arguments: Unpack[ChatArguments],
    ) -> SyncStream: ...

    @overload
    def create(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        stream: bool,
        **arguments: Unpack[ChatArguments],
    ) -> Completion | SyncStream: ...

    def create(
        self,
        messages: Messages = (),
        model: str | None = None,
        provider: ProvidersInput | None = None,
        stream: bool = False,
        **arguments: Unpack[ChatArguments],
    ) -> Completion | SyncStream:
        """Ask for an answer; see the same method of `AsyncClient`. A stream is asked for when it is first used."""
        if arguments:
            arguments = hide_arguments(arguments)
        if stream:
            begin = self._client._inner.chat.completions.create
            return SyncStream(begin(messages, model, provider, stream=True, **arguments), self._client)
        answer = self._client._inner.chat.completions.create(messages, model, provider, **arguments)
        return self._client._run(answer)

    @overload
    def stream(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type[T],
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> SyncCompletionStream[T]: ...

    @overload
    def stream(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: Mapping[str, Any] | None = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> SyncCompletionStream[None]: ...

    def stream(
        self,
        messages: Messages = (),
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: Any = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> SyncCompletionStream[Any]:
        """Ask for an answer as it is made, with the whole at the end; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments)
        begin = self._client._inner.chat.completions.stream
        stream = begin(messages, model, provider, response_format=response_format, tools=tools, **arguments)
        return SyncCompletionStream(stream, self._client)

    @overload
    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: type[T],
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> ParsedCompletion[T]: ...

    @overload
    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: None = None,
        tools: Tools,
        **arguments: Unpack[ParseArguments],
    ) -> ParsedCompletion[None]: ...

    def parse(
        self,
        messages: Messages,
        model: str | None = None,
        provider: ProvidersInput | None = None,
        *,
        response_format: Any = None,
        tools: Tools | None = None,
        **arguments: Unpack[ParseArguments],
    ) -> ParsedCompletion[Any]:
        """Ask for an answer of a type; see the same method of `AsyncClient`."""
        arguments = hide_arguments(arguments)
        parse = self._client._inner.chat.completions.parse
        answer = parse(messages, model, provider, response_format=response_format, tools=tools or (), **arguments)
        return self._client._run(answer)
