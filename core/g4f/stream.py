"""The stream that users hold. It owns the source that a provider's hook gave.

What its chunks tell is left to `fold.py`, characters cut in half to `halves.py`, deadlines to `watch.py`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any, Protocol, Self, cast

from g4f.chat import Chunk, Usage
from g4f.context import Timeout
from g4f.errors import APIError, APIResponseError, Attempt, copy_error
from g4f.fold import examine_chunk, join_chunks, join_surrogates, list_signs, read_content
from g4f.halves import Halves, is_cut
from g4f.watch import Watch, ends_task, forget_origin, name_error

MAX_HELD_CHUNKS = 64
MAX_HELD_BYTES = 2**20
_NONE: Iterator[Chunk] = iter(())
_NO_SIGNS = frozenset[tuple[object, ...]]()


class ChatStream:
    """A streamed answer: iterate with `async for`; `await`, `async with` and `aclose()` work as well.

    It can be iterated once, and is for one task at a time: only `aclose()` may come from another. Leaving the loop
    early closes the connection. Errors carry in `partial` the text so far.

    Args:
        source: What a provider's hook gave; None for a stream that takes over another one.
        timeout: `first_content` and `gap` count here.
        convert_error: Makes an error of ours of whatever comes out of the source, and says what caused it.

    Attributes:
        ended: Whether it came to its end by itself: neither was it left or closed before, nor did it fail.
        request_id: The service's id of the request, once known.
        provider: Name of the provider that answers, once known.
        model: Model that was asked for, once known.
        warnings: Sentences about what was changed or left out of the request.
        attempts: Every try that the call took.
        usage: The tokens used, once the service has told.
    """

    __slots__ = (
        "__weakref__", "_begin", "_closed", "_convert_error", "_failure", "_halves", "_held", "_iterated", "_iterator",
        "_lively", "_opened", "_opening", "_reports", "_signs", "_source", "_tell_all", "_text", "_timeout", "_watch",
        "attempts", "ended", "model", "provider", "request_id", "usage", "warnings",
    )  # fmt: skip

    def __init__(
        self,
        source: AsyncIterator[Chunk] | None,
        *,
        timeout: Timeout | None = None,
        convert_error: Callable[[Exception], Exception] | None = None,
    ) -> None:
        self._source = source
        self._begin: Callable[[], Awaitable[ChatStream]] | None = None
        self._timeout = timeout or Timeout()
        self._convert_error = convert_error
        self._reports: tuple[Callable[[ChatStream, Exception | None], None], ...] = ()
        self._watch: Watch | None = None
        self._failure: Exception | None = None
        self._held = _NONE
        self._halves: Halves | None = None  # made for the first chunk that needs it
        self._text: list[str] = []
        self._opened = self._opening = self._iterated = self._closed = False
        self._iterator: AsyncGenerator[Chunk, None] | None = None  # of `anext`
        self.ended = False
        self._tell_all = True
        self._lively = False  # whether content came in this batch
        self._signs = _NO_SIGNS  # what is content only once
        self.provider: str | None = None
        self.model: str | None = None
        self.warnings: list[str] = []
        self.attempts: tuple[Attempt, ...] = ()
        self.request_id: str | None = None
        self.usage: Usage | None = None

    @classmethod
    def begin_later(cls, begin: Callable[[], Awaitable[ChatStream]], *, tell_all: bool = True) -> Self:
        """Make a stream that is asked for when it is first used.

        Args:
            begin: Returns the stream to take over.
            tell_all: Whether chunks without choices are delivered too, as the one with `usage`.
        """
        stream = cls(None)
        stream._begin, stream._tell_all = begin, tell_all
        return stream

    async def open(self) -> Self:
        """Wait for the first content. What comes before it is held back, so nothing has been delivered yet.

        Raises:
            APIResponseError: The stream ended without any content.
            APITimeoutError: No content came in time.
            RuntimeError: Another task waits for it already.
        """
        if self._failure is not None:
            raise copy_error(self._failure)
        self._expect_one_task()
        if self._opened:
            return self
        self._opened = self._opening = True
        begin, self._begin = self._begin, None  # it holds the whole request
        ready, failure = False, None
        try:
            await (self._hold_until_content() if begin is None else self._take_over(begin()))
            ready = not self._closed
        except BaseException as error:
            if ends_task(error):
                raise
            failure = name_error(error) if begin else self._wrap(name_error(error))
        finally:
            self._opening = False
            if not ready:
                await self._shut()
        if failure is not None:  # outside of `except`, where its __context__ would hold the network's frames
            self._failure = copy_error(failure)  # for whoever asks again: the one that is raised holds this frame
            try:
                raise failure
            finally:
                failure = None
        return self

    def _expect_one_task(self) -> None:
        if self._opening:
            raise RuntimeError("Another task waits for this ChatStream to open; a stream is for one task at a time.")

    async def _hold_until_content(self) -> None:
        assert self._source is not None
        source, held = self._source, _Held()
        read_batch = _read_in_batches(source).read_batch
        with self._watch_for(self._timeout.first_content) as watch:
            while (batch := await read_batch()) is not None:
                for chunk in batch:
                    if not isinstance(chunk, Chunk):
                        kind = type(chunk).__name__
                        raise APIResponseError(f"A provider's stream must yield Chunk; it yielded a {kind}.")
                    if read_content(chunk) is not None:
                        self.request_id = self._read_request_id()
                        self._held = chain(held.list_chunks(), (chunk,), batch)
                        return
                    held.add(chunk, getattr(source, "bytes_read", 0))  # few sources know
        watch.raise_if_late("No content came within {:g} s of the stream's start.")
        if watch.stopped is None:
            raise APIResponseError("The stream ended without any content.", retryable=True)

    async def _take_over(self, beginning: Awaitable[ChatStream]) -> None:
        """Become another stream, opened and not iterated: users hold this object, and one generator is enough."""
        with self._watch_for(None):
            other = await beginning
            for name in ("_source", "_timeout", "_convert_error", "_reports", "_held", "_text", "_closed"):
                setattr(self, name, getattr(other, name))
            for name in ("provider", "model", "warnings", "attempts", "request_id", "usage"):
                setattr(self, name, getattr(other, name))
            other._source, other._closed, other._reports = None, True, ()

    def _watch_for(self, seconds: float | None) -> Watch:
        self._watch = Watch(seconds)
        return self._watch

    def __aiter__(self) -> AsyncGenerator[Chunk, None]:
        """Return a fresh generator, so that leaving a loop ends it even while a variable holds the stream.

        After `anext` the loop goes on with its generator.
        """
        if self._iterator is not None:
            iterator, self._iterator = self._iterator, None
            return iterator
        if self._iterated:
            raise RuntimeError("A ChatStream can be iterated once; keep its chunks in a list to read them again.")
        if self._closed and self._failure is None:
            raise RuntimeError("This ChatStream is closed.")
        self._expect_one_task()
        self._iterated = True
        return self._iterate()

    async def __anext__(self) -> Chunk:
        """Return the next chunk. Who reads so closes the stream, unless it is read to its end."""
        if self._iterator is None:
            if self._iterated and self._closed:
                raise StopAsyncIteration
            self._iterator = aiter(self)
        return await anext(self._iterator)

    async def _iterate(self) -> AsyncGenerator[Chunk, None]:  # noqa: C901 - all ways out of a stream
        self._expect_one_task()  # here too, since to open it may have begun meanwhile; and before what closes it
        failure: Exception | None = None
        try:
            await self.open()
            if self._source is None:
                return
            source = _read_in_batches(self._source)
            with self._watch_for(self._timeout.gap) as watch:
                batch: Iterator[Chunk] | None = self._held
                self._held = _NONE
                while batch is not None:
                    watch.pause()
                    self._lively = False
                    for chunk in batch:
                        told = self._take(chunk)
                        if told is not None:
                            yield told
                        if self._source is None:  # it was closed meanwhile
                            return
                    watch.resume(content=self._lively)
                    batch = None  # nothing of it need be kept while the next one is waited for
                    waiting = source.wait_for_batch()
                    if waiting is not None:
                        try:  # noqa: SIM105 - `suppress` is an eightieth of what an open stream holds
                            await waiting  # here, where fewer frames wait than in `read_batch`
                        except Exception:  # noqa: BLE001, S110 - `read_batch` tells it as it should be told
                            pass
                    batch = await source.read_batch()
            watch.raise_if_late("No content came for {:g} s in the middle of the stream.")
            self.ended = watch.stopped is None
        except BaseException as error:
            if ends_task(error):
                forget_origin(error)
                raise
            failure = self._wrap(name_error(error)) if self._failure is None else name_error(error)
        finally:
            await self._shut()
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # its traceback holds this frame: a circle, and in it the request and all chunks

    def _take(self, chunk: Chunk) -> Chunk | None:
        """Note what a chunk tells, and return it as it is delivered; None for what the user did not ask for."""
        content, plain = examine_chunk(chunk)
        if content:
            self._lively = True
            self._text.append(content)
        elif content is not None and self._is_news(chunk):
            self._lively = True
        data = chunk._data
        if data.get("usage"):
            self.usage = chunk.usage
        if not (self._tell_all or data.get("choices")):
            return None
        return chunk if plain and (self._halves is None or not self._halves.waiting) else self._mend(chunk)

    def _is_news(self, chunk: Chunk) -> bool:
        """Tell a chunk without text that goes on with the answer from one that only tells again how it ended."""
        signs = list_signs(chunk)
        if signs is None:
            return True
        known = signs <= self._signs
        self._signs |= signs
        return not known

    def _mend(self, chunk: Chunk) -> Chunk:
        if self._halves is None:
            if not is_cut(chunk):
                return chunk
            self._halves = Halves()
        return self._halves.mend(chunk)

    def _wrap(self, error: Exception) -> Exception:
        wrapped = self._convert_error(error) if self._convert_error else error
        if isinstance(wrapped, APIError):
            if wrapped.partial is None and self._text:
                wrapped.partial = join_surrogates("".join(self._text))
            wrapped.attempts = wrapped.attempts or _tell_last(self.attempts, wrapped)
            wrapped.request_id = wrapped.request_id or self._read_request_id()
        wrapped.__suppress_context__ = True
        self._end(wrapped)
        return wrapped

    def _read_request_id(self) -> str | None:
        """Return what the source knows by now."""
        return self.request_id or getattr(self._source, "request_id", None)

    def _end(self, error: Exception | None) -> None:
        reports, self._reports = self._reports, ()
        for report in reports:
            report(self, error)

    def report_end(self, report: Callable[[ChatStream, Exception | None], None]) -> None:
        """Have `report` called once, when the stream ends, with the error that ended it; see `ended`."""
        self._reports += (report,)

    async def aclose(self) -> None:
        """Close the stream and its connection; before, during or after iterating, from any task, more than once."""
        if self._closed:
            return
        self._opened = self._closed = True
        if self._watch is None or not self._watch.interrupt():  # else the task that waits for content closes it
            await self._shut()

    async def _shut(self) -> None:
        self._closed = True
        source, self._source, self._held, self._iterator = self._source, None, _NONE, None
        close = getattr(source, "aclose", None)
        try:
            if close is not None:
                with suppress(Exception):  # the answer is over: what fails while it is freed changes nothing in it
                    await close()
        finally:
            self._end(None)

    close = aclose

    def __await__(self) -> Generator[Any, None, Self]:
        return self.open().__await__()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        if not hasattr(self, "usage"):  # the last to be set
            return "<ChatStream not made>"
        state = "closed" if self._closed else "open" if self._opened else "not begun"
        return f"<ChatStream {state}, provider={self.provider!r}, model={self.model!r}>"


def _tell_last(attempts: tuple[Attempt, ...], error: APIError) -> tuple[Attempt, ...]:
    """Return the tries with what became of the last one, which had begun well."""
    return (*attempts[:-1], attempts[-1]._replace(error=error)) if attempts else ()


class _Held:
    """What came before the first content: the first chunks as they are, and those after them as one.

    Delivered, they would pass for the answer's beginning; dropped, something might be lost, as the tokens used.
    """

    __slots__ = ("_bytes_read", "_chunks", "_rest")

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._rest: list[Chunk] = []
        self._bytes_read = 0  # when they were last put together

    def add(self, chunk: Chunk, bytes_read: int) -> None:
        """Hold one more, after which so much of the stream has come.

        Raises:
            APIResponseError: What they tell fills the memory.
        """
        if not self._rest and len(self._chunks) < MAX_HELD_CHUNKS and self._bytes_read <= MAX_HELD_BYTES:
            self._chunks.append(chunk)
            self._bytes_read = bytes_read
            return
        self._rest.append(chunk)
        if len(self._rest) > MAX_HELD_CHUNKS or bytes_read - self._bytes_read > MAX_HELD_BYTES:
            self._bytes_read = bytes_read
            _expect_little(chunk)  # before it is copied
            self._rest = [join_chunks(self._rest)]
            _expect_little(self._rest[0])

    def list_chunks(self) -> list[Chunk]:
        """Return them in their order."""
        return [*self._chunks, join_chunks(self._rest)] if self._rest else self._chunks


def _expect_little(chunk: Chunk) -> None:
    if len(str(chunk._data)) > MAX_HELD_BYTES:
        raise APIResponseError(f"More than {MAX_HELD_BYTES} characters came before any content.")


class _Batches(Protocol):
    """A source that can tell which chunks came together."""

    def wait_for_batch(self) -> Awaitable[None] | None:
        """Return what to await until something comes, if there is such; what goes wrong is told by reading."""

    async def read_batch(self) -> Iterator[Chunk] | None:
        """Return chunks that came together, perhaps none; None at the end."""


class _OneByOne:
    """A source that cannot tell."""

    def __init__(self, source: AsyncIterator[Chunk]) -> None:
        self._source = source

    def wait_for_batch(self) -> None:
        return None

    async def read_batch(self) -> Iterator[Chunk] | None:
        try:
            return iter((await anext(self._source),))
        except StopAsyncIteration:
            return None


def _read_in_batches(source: AsyncIterator[Chunk]) -> _Batches:
    return cast(_Batches, source) if hasattr(source, "read_batch") else _OneByOne(source)
