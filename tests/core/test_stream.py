import asyncio
import gc
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from typing import Any

import pytest

from g4f.chat import Chunk
from g4f.context import Timeout
from g4f.errors import APIError, APIResponseError, APITimeoutError, StreamTruncatedError
from g4f.fold import fold_chunks
from g4f.stream import MAX_HELD_BYTES, MAX_HELD_CHUNKS, ChatStream

ON_BOTH_LOOPS = pytest.mark.asyncio(loop_factories=["asyncio", "uvloop"])
FAST = Timeout(first_content=0.1, gap=0.1)


class Source:
    """A provider's stream: pauses at `...`, raises what is an exception, and remembers whether it was freed."""

    def __init__(self, *items: Any) -> None:
        self.items = items
        self.begun = False
        self.freed = asyncio.Event()
        self.waiting = asyncio.Event()

    def __call__(self) -> AsyncGenerator[Chunk, None]:
        return self._tell()

    async def _tell(self) -> AsyncGenerator[Chunk, None]:
        self.begun = True
        try:
            for item in self.items:
                if item is ...:
                    self.waiting.set()
                    await asyncio.Event().wait()
                elif isinstance(item, BaseException):
                    raise item
                elif isinstance(item, float):
                    await asyncio.sleep(item)
                else:
                    yield item
        finally:
            self.freed.set()


def make_stream(*items: Any, **arguments: Any) -> tuple[ChatStream, Source]:
    source = Source(*items)
    return ChatStream(source(), **arguments), source


EMPTY = Chunk.from_dict({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
HI = Chunk.from_text("Hi")
END = Chunk.from_text(None, finish_reason="stop")
USAGE = Chunk.from_dict({"choices": [], "usage": {"total_tokens": 3}})


async def read_texts(stream: ChatStream) -> list[str]:
    return [chunk.choices[0].delta.content or "" for chunk in [chunk async for chunk in stream] if chunk.choices]


async def test_a_stream_can_be_iterated_without_being_awaited() -> None:
    """`async for` alone is enough, and every chunk comes, usage included."""
    stream, source = make_stream(EMPTY, HI, END, USAGE)

    assert [chunk async for chunk in stream] == [EMPTY, HI, END, USAGE]
    assert source.freed.is_set()
    assert stream.usage is not None
    assert stream.usage.total_tokens == 3


async def test_a_stream_can_be_awaited_first() -> None:
    """`await` resolves to the stream itself, at the first content; awaiting again changes nothing."""
    stream, source = make_stream(EMPTY, HI, ..., END)

    assert await stream is stream
    assert await stream is stream
    assert not source.waiting.is_set()
    await stream.aclose()


async def test_a_stream_is_an_async_context_manager() -> None:
    """`async with` opens it and closes it."""
    stream, source = make_stream(HI, ..., END)

    async with stream as entered:
        assert entered is stream
        assert source.begun
        assert not source.freed.is_set()
    assert source.freed.is_set()


async def test_nothing_is_asked_for_before_a_stream_is_used() -> None:
    """Making a stream does not begin it."""
    stream, source = make_stream(HI)

    assert not source.begun
    assert "not begun" in repr(stream)
    await stream.aclose()
    assert not source.begun
    assert "closed" in repr(stream)


async def test_opening_holds_back_what_comes_before_the_first_content() -> None:
    """Chunks without content are waited through, and delivered later in their order."""
    stream, _ = make_stream(EMPTY, EMPTY, HI, END)

    await stream.open()

    assert [chunk async for chunk in stream] == [EMPTY, EMPTY, HI, END]


@pytest.mark.parametrize("more", [1, 64, 65, 400])
async def test_no_more_than_64_chunks_are_held_back_one_by_one(more: int) -> None:
    """What comes after them, before any content, comes as one."""
    stream, _ = make_stream(*[EMPTY] * (MAX_HELD_CHUNKS + more), HI, EMPTY, END)

    first, (joined, *rest) = (chunks := [chunk async for chunk in stream])[:64], chunks[64:]
    assert first == [EMPTY] * MAX_HELD_CHUNKS
    assert joined.choices[0].delta.to_dict() == EMPTY.choices[0].delta.to_dict()
    assert rest == [HI, EMPTY, END]


async def test_nothing_that_is_told_before_the_content_is_lost() -> None:
    """However much comes before it: tokens used, fields that nobody knows, which are joined as in a whole answer."""
    notes = [Chunk.from_dict({"choices": [{"index": 1, "delta": {"x_note": f"{at} "}}]}) for at in range(500)]
    stream, _ = make_stream(*[EMPTY] * 100, USAGE, *notes, *[EMPTY] * 100, HI, END)
    chunks = [chunk async for chunk in stream]

    assert len(chunks) < 70
    assert stream.usage == USAGE.usage
    assert fold_chunks(chunks).choices[1].message.to_dict()["x_note"] == "".join(f"{at} " for at in range(500))
    assert fold_chunks(chunks) == fold_chunks([*[EMPTY] * 200, USAGE, *notes, HI, END])


async def test_what_tells_too_much_before_the_content_is_an_error() -> None:
    """Else it would fill the memory."""
    note = Chunk.from_dict({"choices": [{"index": 0, "delta": {"x_note": "x" * (MAX_HELD_BYTES // 100)}}]})
    stream, source = make_stream(*[note] * 400, HI, END)

    with pytest.raises(APIResponseError, match="More than 1048576 characters came before any content"):
        await stream.open()
    assert source.freed.is_set()


class LongSource:
    """A provider's stream that knows how much of it came: a little more with each chunk, and content with the tenth."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.told = 0

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        self.bytes_read += MAX_HELD_BYTES // 3
        self.told += 1
        if self.told > 10:
            raise StopAsyncIteration
        return HI if self.told == 10 else EMPTY


async def test_no_more_than_a_mebibyte_is_held_back_one_by_one() -> None:
    """Else events that are large and say nothing would fill the memory."""
    chunks = [chunk async for chunk in ChatStream(LongSource())]

    assert chunks[:4] == [EMPTY] * 4
    assert chunks[5:] == [HI]


SIGNS_OF_LIFE = (
    {"tool_calls": [{"index": 0, "id": "call_1", "function": {"arguments": ""}}]},
    {"x_note": "still here"},
    {"role": "assistant", "content": "", "reasoning_content": None},
)


@pytest.mark.parametrize("delta", SIGNS_OF_LIFE)
@pytest.mark.parametrize("before", [(), (HI,)])
async def test_signs_of_life_put_no_deadline_off(delta: dict[str, Any], before: tuple[Chunk, ...]) -> None:
    """Neither that of the first content nor that of the gap: they are delivered, and the clock runs on."""
    sign = Chunk.from_dict({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    stream, _ = make_stream(*before, *[sign, 0.03] * 9, ..., timeout=FAST)
    with pytest.raises(APITimeoutError, match="in the middle" if before else "stream's start"):
        await read_texts(stream)


NAMED = {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ""}}]}


@pytest.mark.parametrize(
    "choice",
    [
        {"delta": {}, "finish_reason": "stop"},
        {"delta": NAMED, "finish_reason": None},
        {"delta": {"function_call": {"name": "f", "arguments": ""}}, "finish_reason": None},
    ],
)
async def test_what_is_told_again_puts_no_deadline_off(choice: dict[str, Any]) -> None:
    """That a choice ended, and what a call is named, is content once."""
    chunk = Chunk.from_dict({"choices": [{"index": 0, **choice}]})
    stream, source = make_stream(*[chunk, 0.03] * 100, ..., timeout=FAST)
    with pytest.raises(APITimeoutError, match="in the middle"):
        await read_texts(stream)
    assert not source.waiting.is_set()


async def test_what_goes_on_with_the_answer_puts_the_deadline_off() -> None:
    """The end of another choice, the name of another call, and arguments, even if they are the same again."""
    ends = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(3)]
    names = [{"delta": {"tool_calls": [{"index": index, "function": {"name": "f"}}]}} for index in range(3)]
    pieces = [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "0"}}]}}] * 3
    thoughts = [{"delta": {"reasoning_content": "Hm"}}] * 3
    chunks = [Chunk.from_dict({"choices": [choice]}) for choice in [*names, *pieces, *thoughts, *ends]]
    stream, _ = make_stream(*(item for chunk in chunks for item in (chunk, 0.06)), timeout=FAST)

    assert [chunk async for chunk in stream] == chunks


@pytest.mark.parametrize("items", [(), (EMPTY,), (USAGE,), (EMPTY, USAGE), (EMPTY,) * 100])
async def test_a_stream_without_content_is_an_error_that_may_be_retried(items: tuple[Chunk, ...]) -> None:
    """An empty stream is no answer; nothing was delivered, so it may be asked for again."""
    stream, source = make_stream(*items)

    with pytest.raises(APIResponseError, match="without any content") as caught:
        await stream
    assert caught.value.retryable
    assert caught.value.partial is None
    assert source.freed.is_set()
    with pytest.raises(APIResponseError, match="without any content"):
        await stream
    with pytest.raises(APIResponseError, match="without any content"):
        await read_texts(stream)


async def test_a_second_iteration_raises() -> None:
    """A stream is told once, whether it was read to its end or not."""
    stream, _ = make_stream(HI, END)
    assert await read_texts(stream) == ["Hi", ""]

    with pytest.raises(RuntimeError, match="iterated once"):
        aiter(stream)


async def test_a_closed_stream_cannot_be_iterated() -> None:
    """It says that it is closed instead of looking empty."""
    stream, _ = make_stream(HI, END)
    await stream.aclose()

    with pytest.raises(RuntimeError, match="is closed"):
        aiter(stream)


async def test_break_closes_the_source_while_a_variable_still_holds_the_stream() -> None:
    """Leaving the loop is enough; nobody has to close anything."""
    stream, source = make_stream(HI, ..., END)

    async for _ in stream:
        break

    async with asyncio.timeout(1):
        await source.freed.wait()
    assert repr(stream).startswith("<ChatStream closed")


@pytest.mark.parametrize("method", ["aclose", "close"])
async def test_closing_works_before_during_and_after_iterating(method: str) -> None:
    """At any time, and more than once."""
    before, source_before = make_stream(HI, END)
    await getattr(before, method)()
    assert not source_before.begun

    during, source_during = make_stream(HI, HI, END)
    seen = []
    async for chunk in during:
        seen.append(chunk)
        await getattr(during, method)()
    assert seen == [HI]
    assert source_during.freed.is_set()

    after, source_after = make_stream(HI, END)
    assert await read_texts(after) == ["Hi", ""]
    await getattr(after, method)()
    await getattr(after, method)()
    assert source_after.freed.is_set()


@pytest.mark.parametrize("items", [(HI, ..., END), (..., HI, END)], ids=["while iterating", "while opening"])
async def test_another_task_can_close_a_stream_that_is_waited_for(items: tuple[Any, ...]) -> None:
    """The task that waits sees the end of the stream, frees its source and is not cancelled."""
    stream, source = make_stream(*items, timeout=Timeout(first_content=None, gap=None))
    reader = asyncio.create_task(read_texts(stream))
    await source.waiting.wait()

    await stream.aclose()

    assert await reader in ([], ["Hi"])
    assert reader.cancelling() == 0
    assert source.freed.is_set()


async def test_another_task_can_close_a_stream_whose_consumer_is_busy() -> None:
    """The source is freed at once, and the consumer gets nothing more."""
    stream, source = make_stream(HI, HI, END)
    got, go_on = asyncio.Event(), asyncio.Event()
    seen = []

    async def consume() -> None:
        async for chunk in stream:
            seen.append(chunk)
            got.set()
            await go_on.wait()

    consumer = asyncio.create_task(consume())
    await got.wait()
    await stream.aclose()
    assert source.freed.is_set()
    go_on.set()
    await consumer

    assert seen == [HI]


async def test_a_stream_that_another_task_is_opening_is_left_to_it() -> None:
    """Nobody gets an empty answer or an open stream without content: the second task is told, the first goes on."""
    stream, source = make_stream(EMPTY, 0.05, HI, END)
    opener = asyncio.create_task(stream.open())
    await asyncio.sleep(0)
    assert source.begun

    for use in (stream.open, stream.__aenter__, lambda: read_texts(stream)):
        with pytest.raises(RuntimeError, match="Another task waits"):
            await use()

    assert await opener is stream
    assert await stream.open() is stream
    assert await read_texts(stream) == ["", "Hi", ""]


async def test_an_iteration_that_comes_too_early_does_not_close_the_stream() -> None:
    """Though its generator was made before another task began to open it."""
    stream, source = make_stream(EMPTY, 0.05, HI, END)
    iterator = aiter(stream)
    opener = asyncio.create_task(stream.open())
    await asyncio.sleep(0)
    assert source.begun

    with pytest.raises(RuntimeError, match="Another task waits"):
        await anext(iterator)

    assert await opener is stream
    assert not source.freed.is_set()
    await stream.aclose()
    assert source.freed.is_set()


async def test_closing_a_stream_that_is_being_asked_for_gives_up_asking() -> None:
    """A stream that begins later is cancelled where it begins."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def begin() -> ChatStream:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    stream = ChatStream.begin_later(begin)
    reader = asyncio.create_task(read_texts(stream))
    await began.wait()

    await stream.aclose()

    assert await reader == []
    assert ended.is_set()


def test_an_abandoned_stream_leaves_nothing_behind(recwarn: pytest.WarningsRecorder) -> None:
    """Dropped unused, opened, or in the middle: the source is freed and nobody is warned."""
    sources = []
    complaints = []

    async def abandon() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        for steps in range(3):
            stream, source = make_stream(HI, HI, ..., END)
            sources.append(source)
            if steps:
                await stream.open()
            if steps == 2:
                iterator = aiter(stream)
                await anext(iterator)
                del iterator
            del stream
        gc.collect()
        for source in sources[1:]:
            await source.freed.wait()

    asyncio.run(asyncio.wait_for(abandon(), 5))
    gc.collect()

    assert not complaints
    assert not recwarn.list


async def test_the_first_content_has_a_deadline_that_empty_chunks_do_not_move() -> None:
    """Pings for ever are no answer."""
    pings = [item for _ in range(30) for item in (EMPTY, 0.02)]
    stream, source = make_stream(*pings, timeout=FAST)

    with pytest.raises(APITimeoutError, match=r"No content came within 0\.1 s") as caught:
        await stream
    assert source.freed.is_set()
    assert caught.value.partial is None
    assert caught.value.__context__ is None


@ON_BOTH_LOOPS
async def test_a_gap_has_a_deadline_that_empty_chunks_do_not_move() -> None:
    """Once content has come, more must follow in time; pings do not count."""
    pings = [item for _ in range(60) for item in (0.02, EMPTY)]
    stream, source = make_stream(HI, *pings, END, timeout=FAST)
    seen = []

    with pytest.raises(APITimeoutError, match=r"No content came for 0\.1 s") as caught:
        async for chunk in stream:
            seen.append(chunk)
    assert seen[0] is HI
    assert 1 < len(seen) < 60
    assert caught.value.partial == "Hi"
    assert caught.value.__context__ is None
    assert source.freed.is_set()


@ON_BOTH_LOOPS
async def test_content_moves_the_deadline_of_the_gap() -> None:
    """A stream may take much longer than the gap, as long as content keeps coming."""
    stream, _ = make_stream(*[item for _ in range(4) for item in (HI, 0.2)], END, timeout=Timeout(gap=0.5))

    assert await read_texts(stream) == ["Hi"] * 4 + [""]


@ON_BOTH_LOOPS
async def test_a_stream_goes_on_after_something_held_the_loop_up() -> None:
    """What came meanwhile is looked for before anything is called late."""
    stream, _ = make_stream(HI, 0.1, HI, 0.1, END, timeout=Timeout(gap=0.3))
    asyncio.get_running_loop().call_later(0.05, time.sleep, 0.5)

    assert await read_texts(stream) == ["Hi", "Hi", ""]


@ON_BOTH_LOOPS
async def test_a_slow_consumer_does_not_trip_the_deadline() -> None:
    """Only waiting for the service counts."""
    stream, _ = make_stream(HI, EMPTY, HI, END, timeout=FAST)
    seen = []

    async for chunk in stream:
        await asyncio.sleep(0.15)
        seen.append(chunk)

    assert seen == [HI, EMPTY, HI, END]


async def test_a_deadline_after_a_slow_consumer_is_not_late() -> None:
    """What was left of the gap before the consumer's own time is what is left after it."""
    stream, source = make_stream(HI, 0.6, EMPTY, ..., timeout=Timeout(gap=0.8))

    async with asyncio.timeout(1.5):  # 0.6 + 0.4 of the consumer + the 0.2 that are left, and not a second whole gap
        with pytest.raises(APITimeoutError):
            async for chunk in stream:
                if chunk is EMPTY:
                    await asyncio.sleep(0.4)
    assert source.freed.is_set()


@ON_BOTH_LOOPS
async def test_a_deadline_leaves_the_task_as_it_was() -> None:
    """The task that met a deadline is not cancelled and goes on."""
    task = asyncio.current_task()
    assert task is not None
    for items in ((...,), (HI, ...)):
        stream, _ = make_stream(*items, timeout=FAST)
        with pytest.raises(APITimeoutError):
            await read_texts(stream)
        assert task.cancelling() == 0
        await asyncio.sleep(0)


async def test_a_deadline_is_kept_inside_a_task_that_was_cancelled_before() -> None:
    """A stream that is read while a cancelled task cleans up times out like any other."""
    outcome: list[BaseException] = []
    began = asyncio.Event()

    async def clean_up() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stream, _ = make_stream(HI, ..., timeout=FAST)
            try:
                await read_texts(stream)
            except BaseException as error:
                outcome.append(error)
                raise

    task = asyncio.create_task(clean_up())
    await began.wait()
    task.cancel()
    await asyncio.wait([task])

    assert [type(error) for error in outcome] == [APITimeoutError]


@pytest.mark.parametrize("items", [(...,), (HI, ...)], ids=["while opening", "while iterating"])
async def test_cancelling_the_task_comes_through_as_cancellation(items: tuple[Any, ...]) -> None:
    """It is the caller's own wish and no error of the service; the source is freed."""
    stream, source = make_stream(*items)
    task = asyncio.create_task(read_texts(stream))
    await source.waiting.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert task.cancelled()
    assert source.freed.is_set()


async def test_a_timeout_of_the_caller_comes_through_as_timeout() -> None:
    """`asyncio.timeout` around a stream works as around anything."""
    stream, source = make_stream(HI, ...)

    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.05):
            await read_texts(stream)
    assert not isinstance(caught.value, APIError)
    assert source.freed.is_set()


async def test_an_error_carries_the_text_so_far() -> None:
    """What was received is not lost with the rest, and half a character in it is whole text."""
    error = StreamTruncatedError("cut")
    stream, source = make_stream(HI, Chunk.from_text(" the\ud83d"), Chunk.from_text("\ude00re\ud83d"), error)
    stream.attempts = ()

    with pytest.raises(StreamTruncatedError) as caught:
        await read_texts(stream)
    assert caught.value is error
    assert error.partial == "Hi the😀re\ufffd"
    assert source.freed.is_set()


async def test_a_partial_text_that_the_provider_told_is_kept() -> None:
    """A provider may know better."""
    stream, _ = make_stream(HI, APIError("broke", partial="more"))

    with pytest.raises(APIError) as caught:
        await read_texts(stream)
    assert caught.value.partial == "more"


@pytest.mark.parametrize("items", [(), (HI,)], ids=["while opening", "while iterating"])
async def test_foreign_errors_are_converted(items: tuple[Any, ...]) -> None:
    """Whatever a provider raises becomes what `convert_error` makes of it, with the text so far."""
    foreign = ValueError("odd")
    stream, _ = make_stream(*items, foreign, convert_error=lambda error: APIError(f"wrapped {error}"))

    with pytest.raises(APIError, match="wrapped odd") as caught:
        await read_texts(stream)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert caught.value.partial == ("Hi" if items else None)


async def test_the_end_is_reported_once_to_everyone_who_asked() -> None:
    """With the error that ended the stream, or None for an end that nobody regrets."""
    for items, expected in (((HI, END), None), ((HI, APIError("broke")), "broke")):
        told: list[tuple[int, ChatStream, Exception | None]] = []
        stream, _ = make_stream(*items)
        for number in range(2):
            stream.report_end(lambda stream, error, number=number, told=told: told.append((number, stream, error)))
        with suppress(APIError):
            await read_texts(stream)
        await stream.aclose()

        assert [(number, told_of) for number, told_of, _ in told] == [(0, stream), (1, stream)]
        assert {str(error) if error else None for *_, error in told} == {expected}
        assert stream.ended == (expected is None)


async def test_the_end_is_reported_for_streams_that_are_left_early() -> None:
    """Break, closing and cancelling are ends too."""
    told: list[Exception | None] = []
    closed, _ = make_stream(HI, ...)
    closed.report_end(lambda stream, error: told.append(error))
    await closed.open()
    await closed.aclose()
    assert told == [None]

    left, source = make_stream(HI, ...)
    left.report_end(lambda stream, error: told.append(error))
    async for _ in left:
        break
    await source.freed.wait()
    await asyncio.sleep(0)
    assert told == [None, None]
    assert not closed.ended
    assert not left.ended


async def test_a_stream_is_an_iterator_too() -> None:
    """Chunk by chunk, and the rest in a loop; its end is the end of every iterator."""
    stream, source = make_stream(EMPTY, HI, END)
    assert await anext(stream) is EMPTY
    assert [chunk async for chunk in stream] == [HI, END]
    assert await anext(stream, None) is None

    stepped, _ = make_stream(HI, END)
    assert [await anext(stepped, None) for _ in range(4)] == [HI, END, None, None]
    assert stepped.ended

    left, source = make_stream(HI, END, ...)
    assert await anext(left) is HI
    await left.aclose()
    assert source.freed.is_set()
    assert await anext(left, None) is None
    assert not left.ended

    closed, source = make_stream(HI, END)
    await closed.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        await anext(closed)


async def test_an_error_comes_out_of_anext_once() -> None:
    """After it the iterator is at its end."""
    stream, _ = make_stream(HI, APIError("broke"))
    assert await anext(stream) is HI
    with pytest.raises(APIError, match="broke") as caught:
        await anext(stream)
    assert caught.value.partial == "Hi"
    assert await anext(stream, None) is None


async def test_a_source_that_fails_while_it_is_freed_does_not_spoil_the_answer() -> None:
    """The answer is over by then."""

    async def tell() -> AsyncGenerator[Chunk, None]:
        try:
            yield HI
            yield HI
        finally:
            raise OSError("cannot hang up")

    stream = ChatStream(tell())
    async with aclosing(aiter(stream)) as iterator:
        assert await anext(iterator) is HI
    other = await ChatStream(tell())
    await other.aclose()


async def test_a_source_may_be_any_async_iterator() -> None:
    """It needs no `aclose`."""

    class Plain:
        def __init__(self) -> None:
            self.left = [HI, END]

        def __aiter__(self) -> AsyncIterator[Chunk]:
            return self

        async def __anext__(self) -> Chunk:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop(0)

    assert await read_texts(ChatStream(Plain())) == ["Hi", ""]


class Batches:
    """A source that can tell which chunks came together; what is an exception is raised in its place."""

    def __init__(self, *batches: list[Any]) -> None:
        self.batches = list(batches)
        self.closed = False

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        raise AssertionError("nobody asks for a chunk alone who may have them all")

    def wait_for_batch(self) -> None:
        return None

    async def read_batch(self) -> Iterator[Chunk] | None:
        await asyncio.sleep(0)
        return self._tell(self.batches.pop(0)) if self.batches else None

    def _tell(self, items: list[Any]) -> Iterator[Chunk]:
        for item in items:
            if isinstance(item, BaseException):
                raise item
            yield item

    async def aclose(self) -> None:
        self.closed = True


async def test_chunks_that_came_together_are_taken_together() -> None:
    """One after the other all the same, those held back for the first content before them; empty batches are no end."""
    source = Batches([], [EMPTY], [EMPTY, HI, HI], [], [HI, END])

    assert await read_texts(ChatStream(source)) == ["", "", "Hi", "Hi", "Hi", ""]
    assert source.closed


async def test_an_error_among_chunks_that_came_together_comes_after_those_before_it() -> None:
    """It carries their text, and nothing after it is delivered."""
    source = Batches([HI, HI, APIError("broke"), HI])
    seen = []
    with pytest.raises(APIError, match="broke") as caught:
        async for chunk in ChatStream(source):
            seen.append(chunk)

    assert seen == [HI, HI]
    assert caught.value.partial == "HiHi"
    assert source.closed


async def test_closing_a_stream_ends_it_among_chunks_that_came_together() -> None:
    """Those that were not delivered yet never are."""
    source = Batches([HI, HI, HI], [HI])
    stream = ChatStream(source)
    seen = []
    async for chunk in stream:
        seen.append(chunk)
        if len(seen) == 2:
            await stream.aclose()

    assert seen == [HI, HI]
    assert source.closed


async def test_a_stream_that_begins_later_becomes_the_one_it_was_given() -> None:
    """Users hold one object from the start; who answers is known once it is open."""
    inner, source = make_stream(EMPTY, HI, END)
    inner.provider, inner.model, inner.warnings = "Somebody", "m", ["changed"]
    told = []
    inner.report_end(lambda stream, error: told.append(stream))
    begun = []

    async def begin() -> ChatStream:
        begun.append(True)
        return await inner.open()

    outer = ChatStream.begin_later(begin)
    assert not begun
    assert await outer is outer
    assert (outer.provider, outer.model, outer.warnings) == ("Somebody", "m", ["changed"])

    assert await read_texts(outer) == ["", "Hi", ""]
    assert told == [outer]
    assert source.freed.is_set()


async def test_a_stream_that_cannot_begin_raises_what_it_was_told() -> None:
    """Each time it is used, and never looks like an empty answer."""
    error = APIError("no")

    async def begin() -> ChatStream:
        raise error

    stream = ChatStream.begin_later(begin)
    for use in (stream.open, stream.__aenter__, lambda: read_texts(stream)):
        with pytest.raises(APIError) as caught:
            await use()
        assert (type(caught.value), str(caught.value), vars(caught.value)) == (APIError, "no", vars(error))


async def test_chunks_without_choices_are_kept_from_those_who_asked_for_none() -> None:
    """Their usage is known all the same."""

    async def begin() -> ChatStream:
        stream, _ = make_stream(USAGE, HI, END, USAGE)
        return await stream.open()

    stream = ChatStream.begin_later(begin, tell_all=False)

    assert [chunk async for chunk in stream] == [HI, END]
    assert stream.usage is not None


async def test_characters_cut_in_half_are_delivered_whole() -> None:
    """In chunks that were held back and in those after them."""
    stream, _ = make_stream(*map(Chunk.from_text, ("a\ud83d", "\ude00b\ud83d", "\ude00")), END)

    assert await read_texts(stream) == ["a", "😀b", "😀", ""]


@pytest.mark.parametrize("odd", ["text", None, {"choices": []}])
async def test_what_is_no_chunk_is_told_by_its_kind(odd: object) -> None:
    """The first slip of who writes a provider."""

    async def write() -> AsyncIterator[Any]:
        yield odd

    with pytest.raises(APIResponseError, match=f"must yield Chunk; it yielded a {type(odd).__name__}"):
        await ChatStream(write()).open()
