"""The base of every provider that speaks HTTP: a dialect's pure functions, joined to the transport.

A provider without quirks is a manifest and a subclass of one line; one with quirks says in which `wire` it differs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import MAX_ERROR_BYTES, MAX_JSON_BYTES, Context, HttpRequest, HttpResponse, HttpStream
from g4f.embeddings import EmbeddingRequest, Embeddings
from g4f.errors import APIResponseError, StreamTruncatedError
from g4f.fold import unfold_completion
from g4f.hookspecs import hookimpl
from g4f.images import ImageRequest, Images
from g4f.wire.dialect import StreamDecoder, Wire
from g4f.wire.json import show_start
from g4f.wire.openai import OPENAI
from g4f.wire.sse import SseDecoder

_START_BYTES = 512  # of a stream: enough to tell what it is, however small the pieces that it comes in


class HttpProvider:
    """A provider that speaks a dialect over HTTP.

    Attributes:
        wire: The dialect; OpenAI's unless a subclass says otherwise.
    """

    wire: ClassVar[Wire] = OPENAI

    @hookimpl
    async def chat(self, request: ChatRequest, context: Context) -> Completion:
        """Answer a chat as a whole."""
        response = await self.send(self.wire.encode_chat(request, stream=False, warn=context.warn), context)
        return self.wire.decode_chat(response)

    @hookimpl
    async def stream(self, request: ChatRequest, context: Context) -> AsyncIterator[Chunk]:
        """Answer a chat piece by piece."""
        sent = self.complete(self.wire.encode_chat(request, stream=True, warn=context.warn), context)
        response = await context.transport.stream(sent)
        try:
            if response.status >= 400:
                raise self.wire.decode_error(response.status, response.headers, await response.read(MAX_ERROR_BYTES))
            reader = _StreamReader(self.wire.decode_stream(context.manifest.stream_end))
            async for data in response:
                if reader.is_fresh and _is_json(response.headers, data):
                    for chunk in await self._read_unstreamed(response, data):
                        yield chunk
                    return
                for chunk in reader.feed(data):
                    yield chunk
                if reader.decoder.ended:
                    await response.finish()
                    return
            for chunk in reader.close():
                yield chunk
        finally:
            await response.aclose()

    async def _read_unstreamed(self, response: HttpStream, start: bytes) -> list[Chunk]:
        """Read a whole answer that came where a stream was asked for."""
        body = start + await response.read(MAX_JSON_BYTES)
        return unfold_completion(self.wire.decode_chat(HttpResponse(response.status, response.headers, body)))

    @hookimpl
    async def image(self, request: ImageRequest, context: Context) -> Images:
        """Draw or edit pictures."""
        return self.wire.decode_image(await self.send(self.wire.encode_image(request, warn=context.warn), context))

    @hookimpl
    async def embed(self, request: EmbeddingRequest, context: Context) -> Embeddings:
        """Turn texts into vectors."""
        return self.wire.decode_embed(await self.send(self.wire.encode_embed(request, warn=context.warn), context))

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
            raise self.wire.decode_error(response.status, response.headers, response.body)
        return response


class _StreamReader:
    """Network reads in, chunks out. Generators, so that what came before a broken event is delivered first."""

    def __init__(self, decoder: StreamDecoder) -> None:
        self.decoder = decoder
        self._events = SseDecoder()
        self._start = b""

    @property
    def is_fresh(self) -> bool:
        return not self._start

    def feed(self, data: bytes) -> Iterator[Chunk]:
        if len(self._start) < _START_BYTES:
            self._start += data[:_START_BYTES]
        feed = self.decoder.feed
        for event in self._events.feed(data):
            chunk = feed(event)
            if chunk is not None:
                yield chunk

    def close(self) -> Iterator[Chunk]:
        start = self._start
        with suppress(APIResponseError):  # the last event may lack its blank line; if it was cut, that is told below
            yield from self.feed(b"\n\n")
        if not self.decoder.complete:
            raise _describe_early_end(start)


def _is_json(headers: Mapping[str, str], start: bytes) -> bool:
    """Tell a JSON answer from an event stream; servers forget the type, and no event begins with a brace."""
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    return said == "application/json" or start.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"{")


def _describe_early_end(start: bytes) -> APIResponseError:
    """Tell a stream that was cut from an answer that never was one."""
    first_line = start.lstrip(b"\xef\xbb\xbf\r\n ")[:6]
    if first_line.startswith((b"data:", b"event:", b":", b"id:", b"retry:")):
        return StreamTruncatedError("The stream ended before the answer was complete.")
    return APIResponseError(f"The answer is no event stream: {show_start(start)}", retryable=not start)
