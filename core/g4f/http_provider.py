"""The base of every provider that speaks HTTP: a dialect's pure functions, joined to the transport.

A provider without quirks is a manifest and a subclass of one line; one with quirks says in which `wire` it differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import attrs

from g4f.chat import ChatOptions, ChatRequest, Chunk, Completion
from g4f.context import DEFAULT_LIMITS, Context, HttpRequest, HttpResponse, HttpStream, Limits
from g4f.errors import APIResponseError, StreamTruncatedError
from g4f.fold import unfold_completion
from g4f.hookspecs import hookimpl
from g4f.manifest import StreamEnd
from g4f.wire.dialect import Wire
from g4f.wire.errors import read_request_id
from g4f.wire.json import FEW_BYTES, check_json, show_start
from g4f.wire.openai import OPENAI
from g4f.wire.sse import Event, SseDecoder

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest, Embeddings
    from g4f.images import ImageRequest, Images

# What each hook needs of a dialect.
_NEEDS = {
    "chat": "encode_chat",
    "stream": "decode_stream",
    "image": "encode_image",
    "embed": "encode_embed",
    "models": "encode_models",
}
TAIL_SECONDS = 10.0  # for what may come after a stream's finish reason
_EVENT_STREAM = b"data:"  # stands for the beginning of a stream that begins as it should
_NONE: Iterator[Chunk] = iter(())
_START_BYTES = 512  # of a stream: enough to tell what it is, however small the pieces that it comes in


class HttpProvider:
    """A provider that speaks a dialect over HTTP. It has the hooks that its dialect has words for.

    Attributes:
        wire: The dialect; OpenAI's unless a subclass says otherwise.
    """

    wire: ClassVar[Wire] = OPENAI

    def __init_subclass__(cls, **more: Any) -> None:
        """Take back the hooks that the dialect has no words for; those that a subclass writes itself stay."""
        super().__init_subclass__(**more)
        if not isinstance(cls.wire, Wire):
            kind = type(cls.wire).__name__
            raise TypeError(
                f"{cls.__name__}.wire must be a g4f.wire.dialect.Wire, as g4f.wire.openai.OPENAI, not {kind}"
            )
        for hook, function in _NEEDS.items():
            if not cls.wire.has(function) and getattr(cls, hook) is getattr(HttpProvider, hook):
                setattr(cls, hook, None)

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole."""
        asked = leave_out_denied(request, context)
        response = await self.send(self.wire.encode_chat(asked, stream=False, warn=context.warn), context)
        answer = self.wire.decode_chat(response)
        answer.request_id = read_request_id(response.headers)
        return answer

    @hookimpl
    def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece."""
        ask, gap = lambda: self._ask_for_stream(request, context), context.timeout.gap
        patience = TAIL_SECONDS if gap is None else min(gap / 2, TAIL_SECONDS)
        return ChunkReader(self.wire, ask, context.manifest.stream_end, patience, context.limits)

    async def _ask_for_stream(self, request: ChatRequest, context: Context) -> HttpStream:
        asked = leave_out_denied(request, context)
        encoded = self.wire.encode_chat(asked, stream=True, warn=context.warn)
        return await context.transport.stream(self.complete(encoded, context))

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures."""
        response = await self.send(self.wire.encode_image(request, warn=context.warn), context)
        answer = self.wire.decode_image(response)
        answer.request_id = read_request_id(response.headers)
        return answer

    @hookimpl
    async def embed(self, request: EmbeddingRequest, context: Context) -> Embeddings:
        """Turn texts into vectors."""
        response = await self.send(self.wire.encode_embed(request, warn=context.warn), context)
        answer = self.wire.decode_embed(response)
        answer.request_id = read_request_id(response.headers)
        return answer

    @hookimpl
    async def models(self, context: Context) -> list[dict[str, Any]]:
        """Ask the service for its models."""
        return self.wire.decode_models(await self.send(self.wire.encode_models(), context))

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:  # noqa: ARG002 - for those that override
        """Return a request as it is sent: with what the settings decide, of which the wire knows nothing."""
        return request

    async def send(self, request: HttpRequest, context: Context) -> HttpResponse:
        """Send a request and return the answer, unless its status says that it failed.

        Raises:
            APIStatusError: The service answered with a status of 400 or above.
        """
        response = await context.transport.send(self.complete(request, context))
        if response.status >= 400:
            raise self.wire.decode_error(response.status, _date(response.headers), response.body)
        return response


def _date(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Return an answer's headers with a date: whoever receives none adds its own (RFC 9110, 6.6.1).

    Without it a `Retry-After` that is a date tells of no wait.
    """
    if "date" in headers or "retry-after" not in headers:
        return headers
    from email.utils import formatdate  # here because only what goes wrong needs it

    from multidict import CIMultiDict

    return CIMultiDict({**headers, "date": formatdate(usegmt=True)})


def leave_out_denied(request: ChatRequest, context: Context) -> ChatRequest:
    """Return a chat without the one setting that a manifest can deny; what it needs besides, routing has looked at."""
    effort = request.options.get("reasoning_effort")
    if effort is None or not context.manifest.denies("reasoning", request.model):
        return request
    if effort != "none":
        context.warn(f"reasoning_effort was left out: {request.model or context.manifest.title} cannot reason.")
    options = {name: value for name, value in request.options.items() if name != "reasoning_effort"}
    return attrs.evolve(request, options=cast(ChatOptions, options))


class ChunkReader:
    """A streamed answer: iterate over its chunks, or take all those that came together, as `ChatStream` does.

    Chunks are decoded when they are taken: so what came before a broken event is delivered, and no garbage collector
    walks over hundreds of them that wait.

    Args:
        wire: The dialect of the answer.
        ask: Sends the request and returns the answer's head; called when the first chunk is asked for.
        stream_end: When the answer is complete.
        patience: Seconds to wait for more when the finish reason was told, and no marker will: a server may also hold
            the connection open for ever, or send signs of life on it.
        limits: How large the answer's parts may be.

    Attributes:
        bytes_read: How much of the answer came so far.
        request_id: The service's id of the request, once the answer's head is there and has one.
    """

    __slots__ = (
        "_ask", "_batch", "_decoder", "_events", "_limits", "_over", "_patience", "_reads", "_response", "_start",
        "_tail_ends", "_wire", "bytes_read", "request_id",
    )  # fmt: skip

    def __init__(
        self,
        wire: Wire,
        ask: Callable[[], Awaitable[HttpStream]],
        stream_end: StreamEnd,
        patience: float = TAIL_SECONDS,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._wire = wire
        self._ask: Callable[[], Awaitable[HttpStream]] | None = ask
        self.request_id: str | None = None
        self._decoder = wire.decode_stream(stream_end)
        self._patience = patience if stream_end == "finish" else None
        self._tail_ends: float | None = None  # the loop's time at which nothing more is waited for
        self._response: HttpStream | None = None
        self._limits = limits
        self._events = SseDecoder(limits.event_bytes)
        self._start = b""
        self._batch = _NONE
        self._over = False
        self.bytes_read = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next chunk; see `read_batch`."""
        try:
            while True:
                for chunk in self._batch:
                    return chunk
                batch = await self.read_batch()
                if batch is None:
                    raise StopAsyncIteration
                self._batch = batch
        except BaseException:
            await self.aclose()
            raise

    def wait_for_batch(self) -> Awaitable[None] | None:
        """Return what to await until something comes; None where `read_batch` waits in its own way."""
        response = self._response
        return None if response is None or self._over or self._decoder.complete else response.wait()

    async def read_batch(self) -> Iterator[Chunk] | None:
        """Return the chunks of one network read, perhaps none; None at the end of the answer.

        Raises:
            G4FError: The request failed, or the answer broke; out of the iterator as well.
        """
        if self._over:
            return None
        response = self._response
        if response is None:
            response = await self._open()
        elif self._decoder.ended:
            self._over = True
            await response.finish()
            return None
        if self._patience and self._decoder.complete:
            data = await self._read_tail(self._patience)
        else:
            self._tail_ends = None
            data = await anext(self._reads, None)
        if data is None:
            self._over = True
            return self._end()
        self.bytes_read += len(data)
        if not self._start and _is_json(response.headers, data):
            self._over = True
            return iter(await self._read_unstreamed(response, data))
        if len(self._start) < _START_BYTES and not _is_event_stream(self._start):
            start = self._start + data[:_START_BYTES]
            self._start = _EVENT_STREAM if _is_event_stream(start) else start
        return self._decode(self._events.feed(data))

    async def _read_tail(self, patience: float) -> bytes | None:
        """Return what comes after the finish reason, as the usage of some services; None where nothing does in time."""
        import asyncio  # here because a program that only imports the client need not pay for it

        if self._tail_ends is None:
            self._tail_ends = asyncio.get_running_loop().time() + patience
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._tail_ends):
                return await anext(self._reads, None)
        return None

    async def _open(self) -> HttpStream:
        assert self._ask is not None
        self._response = response = await self._ask()
        self._ask = None  # it holds the whole request
        self.request_id = read_request_id(response.headers)
        if response.status >= 400:
            page = await response.read(self._limits.error_bytes)
            raise self._wire.decode_error(response.status, _date(response.headers), page)
        self._reads = aiter(response)
        return response

    def _decode(self, events: Iterable[Event]) -> Iterator[Chunk]:
        if self._limits is not DEFAULT_LIMITS or self._events.largest > FEW_BYTES:
            events = self._check(events)
        return filter(None, map(self._decoder.feed, events))  # a generator is a thirtieth of what a chunk costs

    def _check(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            check_json(event[1], self._limits)
            yield event

    def _end(self) -> Iterator[Chunk]:
        start = self._start
        events = self._events.feed(b"\n\n")  # for the last one may lack its blank line
        with suppress(APIResponseError):  # if it was cut, that is told below
            yield from self._decode(events)
        if not self._decoder.complete:
            raise _describe_early_end(start)

    async def _read_unstreamed(self, response: HttpStream, start: bytes) -> list[Chunk]:
        """Read a whole answer that came where a stream was asked for."""
        limit = self._limits.json_bytes
        body = start + await response.read(limit)
        if len(body) > limit:
            raise APIResponseError(f"The answer is larger than {limit} bytes.")
        check_json(body, self._limits)
        return unfold_completion(self._wire.decode_chat(HttpResponse(response.status, response.headers, body)))

    async def aclose(self) -> None:
        """Close the connection unless the answer was read to its end."""
        self._over, self._batch = True, _NONE
        response, self._response = self._response, None
        if response is not None:
            await response.aclose()


def _is_json(headers: Mapping[str, str], start: bytes) -> bool:
    """Tell a JSON answer from an event stream; servers forget the type, and no event begins with a brace."""
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    return said == "application/json" or start.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"{")


def _is_event_stream(start: bytes) -> bool:
    return start.lstrip(b"\xef\xbb\xbf\r\n ")[:6].startswith((b"data:", b"event:", b":", b"id:", b"retry:"))


def _describe_early_end(start: bytes) -> APIResponseError:
    """Tell a stream that was cut from an answer that never was one."""
    if _is_event_stream(start):
        return StreamTruncatedError("The stream ended before the answer was complete.")
    return APIResponseError(f"The answer is no event stream: {show_start(start)}", retryable=not start)
