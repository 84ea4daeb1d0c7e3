"""A program that leaves streams without end, again and again, each at a moment of its own.

`python leaving.py ORIGIN KIND COUNT` prints, in seconds, when the service saw each of them closed. It ends with an
error if one was not closed, if an answer was somebody else's, or if anything is left. `test_leaving.py` runs it.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import logging
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

import g4f
from counting import ENDLESS, make_word, read_state, write_question
from holding import Holding

AT_ONCE = 20
MOST_CHUNKS = 8
Leave = Callable[["Streams"], Coroutine[Any, Any, None]]


class EnoughError(Exception):
    """What a consumer raises."""


class Streams:
    """Streams of an asynchronous client, and when each was left."""

    def __init__(self, client: g4f.AsyncClient) -> None:
        self.client = client
        self.dice = random.Random(7)
        self.left: dict[int, float] = {}
        self._numbers = itertools.count(1)
        self._held: list[Any] = []

    def begin(self) -> tuple[int, Any]:
        """Return the next stream, and its number; it is held to the end, so that only leaving ends it."""
        number, stream = self.begin_unheld()
        self._held.append(stream)
        return number, stream

    def begin_unheld(self) -> tuple[int, Any]:
        """Return the next stream, which may be dropped, and its number."""
        number = next(self._numbers)
        return number, self.client.chat.completions.stream(write_question(number, ENDLESS))

    async def wait_a_moment(self, reader: Reader) -> None:
        """Let the reader go on, by some turns of the loop or some chunks."""
        if self.dice.random() < 0.5:
            for _ in range(self.dice.randrange(2, 60)):
                await asyncio.sleep(0)
            return
        reader.wanted = self.dice.randrange(1, MOST_CHUNKS)
        await reader.reached.wait()

    async def ask(self) -> None:
        """Ask for a whole answer, which must be the one to this question."""
        number = next(self._numbers)
        answer = await self.client.chat.completions.create(write_question(number))
        assert answer.choices[0].message.content == str(number)


class Reader:
    """Reads a stream, and expects each chunk in its turn."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.index = self.wanted = 0
        self.reached = asyncio.Event()

    def take(self, chunk: Any) -> bool:
        """Look at a chunk, and tell whether it has text."""
        word = chunk.choices[0].delta.content
        if word:
            assert word == make_word(self.number, self.index)
            self.index += 1
            if self.index == self.wanted:
                self.reached.set()
        return bool(word)

    async def read(self, chunks: AsyncIterator[Any]) -> None:
        """Read to the end, which is none."""
        async for chunk in chunks:
            self.take(chunk)


async def cancel(streams: Streams) -> None:
    """Cancel the task that reads."""
    number, stream = streams.begin()
    reader = Reader(number)
    task = asyncio.create_task(reader.read(stream))
    await streams.wait_a_moment(reader)
    task.cancel()
    await asyncio.wait([task])
    streams.left[number] = time.monotonic()
    assert task.cancelled()


async def time_out(streams: Streams) -> None:
    """Let `asyncio.timeout` end it."""
    number, stream = streams.begin()
    with suppress(TimeoutError):
        async with asyncio.timeout(streams.dice.uniform(0, 0.05)):
            await Reader(number).read(stream)
        raise AssertionError("it ended")
    streams.left[number] = time.monotonic()
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def leave_loop(streams: Streams) -> None:
    """`break`."""
    number, stream = streams.begin()
    reader, wanted = Reader(number), streams.dice.randrange(MOST_CHUNKS)
    async for chunk in stream:
        reader.take(chunk)
        if reader.index >= wanted:
            break
    streams.left[number] = time.monotonic()


async def fail(streams: Streams) -> None:
    """An exception of the consumer's own."""
    number, stream = streams.begin()
    with suppress(EnoughError):
        async for _ in stream:
            raise EnoughError
    streams.left[number] = time.monotonic()


async def close_inside(streams: Streams) -> None:
    """`aclose` by who reads: nothing more comes."""
    number, stream = streams.begin()
    reader, wanted = Reader(number), streams.dice.randrange(MOST_CHUNKS)
    async for chunk in stream:
        assert number not in streams.left
        reader.take(chunk)
        if reader.index >= wanted:
            await stream.aclose()
            streams.left[number] = time.monotonic()


async def close_outside(streams: Streams) -> None:
    """`aclose` by another task: who reads sees the end."""
    number, stream = streams.begin()
    reader = Reader(number)
    task = asyncio.create_task(reader.read(stream))
    await streams.wait_a_moment(reader)
    await stream.aclose()
    streams.left[number] = time.monotonic()
    await task


async def close_unread(streams: Streams) -> None:
    """`async with`, and nothing is read."""
    number, stream = streams.begin()
    async with stream:
        pass
    streams.left[number] = time.monotonic()


async def drop(streams: Streams) -> None:
    """Nothing holds it any more; every tenth is found by the garbage collector only."""
    number, stream = streams.begin_unheld()
    chunks, reader = aiter(stream), Reader(number)
    for _ in range(streams.dice.randrange(1, MOST_CHUNKS)):
        reader.take(await anext(chunks))
    streams.left[number] = time.monotonic()
    if number % 10:
        return
    cycle = [chunks, stream]
    cycle.append(cycle)
    del chunks, stream, cycle
    gc.collect()
    streams.left[number] = time.monotonic()


async def drop_opened(streams: Streams) -> None:
    """The same where it was opened and never read."""
    number, stream = streams.begin_unheld()
    await stream.open()
    streams.left[number] = time.monotonic()
    del stream


KINDS: dict[str, tuple[Leave, ...]] = {
    "cancels": (cancel, time_out),
    "breaks": (leave_loop, fail, close_inside, close_outside, close_unread, drop, drop_opened),
}


def make_arguments(origin: str) -> dict[str, Any]:
    """Return what a client of the service is made with."""
    return {
        "provider": "OpenaiChat",
        "api_key": "none",
        "base_url": f"{origin}/v1",
        "proxies": {},
        "max_retries": 0,
        "timeout": g4f.Timeout(connect=500, stream_head=500, first_content=500, gap=500),  # the machine may be busy
    }


async def leave_all(origin: str, kind: str, count: int) -> list[float]:
    """Leave so many streams, some at a time."""
    loop = asyncio.get_running_loop()
    before = Holding.look()
    async with g4f.AsyncClient(**make_arguments(origin)) as client:
        streams, turns = Streams(client), itertools.cycle(KINDS[kind])

        async def work() -> None:
            for number in range(count // AT_ONCE):
                await next(turns)(streams)
                if number % 4 == 0:
                    await streams.ask()

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
        delays = await asyncio.to_thread(read_delays, origin, streams.left)
        await loop.shutdown_default_executor()
    left = await before.wait_to_return()
    assert left == Holding(), left
    return delays


def leave_all_in_threads(origin: str, _: str, count: int) -> list[float]:
    """The same with the synchronous client, which eight threads share."""
    import threading

    before, left, works = Holding.look(), dict[int, float](), []
    with g4f.Client(**make_arguments(origin)) as client:
        for first in range(8):
            numbers = iter(range(first + 1, count + 1, 8))
            works.append(threading.Thread(target=leave_some, args=(client, numbers, left)))
            works[-1].start()
        for work in works:
            work.join()
        assert len(left) == count
        delays = read_delays(origin, left)
    assert Holding.look() == before
    return delays


def leave_some(client: g4f.Client, numbers: Iterator[int], left: dict[int, float]) -> None:
    """Leave the streams of these numbers: by dropping, by an exception, by `close`, and before anything was read."""
    for number in numbers:
        stream = client.chat.completions.stream(write_question(number, ENDLESS)).open()
        way = number // 8 % 4
        if way < 3:
            with suppress(EnoughError):
                read_some(stream, number, fail=way == 1)
        if way == 2:
            stream.close()
        del stream
        left[number] = time.monotonic()
        answer = client.chat.completions.create(write_question(number))
        assert answer.choices[0].message.content == str(number)


def read_some(stream: Iterable[Any], number: int, *, fail: bool) -> None:
    """Read some chunks."""
    reader, wanted = Reader(number), number % MOST_CHUNKS
    for chunk in stream:
        reader.take(chunk)
        if reader.index > wanted:
            if fail:
                raise EnoughError
            break


def read_delays(origin: str, left: dict[int, float]) -> list[float]:
    """Return after how many seconds the service saw each stream closed, once it has seen all, or after ten seconds."""
    end = time.monotonic() + 10
    state = read_state(origin)
    while len(state["hang_ups"]) < state["streams"] and time.monotonic() < end:
        time.sleep(0.05)
        state = read_state(origin)
    assert len(state["hang_ups"]) == state["streams"], state["streams"] - len(state["hang_ups"])
    return [seen - left[number] for number, seen in state["hang_ups"].items()]


def overlook_slowness() -> None:
    """Keep asyncio from telling of steps that took long: a machine that is busy is no defect.

    And from noting where everything began, ten frames deep: that costs more than all the rest.
    """
    asyncio.constants.DEBUG_STACK_DEPTH = 1
    logging.getLogger("asyncio").addFilter(lambda record: not str(record.msg).startswith("Executing"))


def main() -> None:
    """Leave them and tell."""
    overlook_slowness()
    origin, kind, count = sys.argv[1:]
    if kind == "threads":
        delays = leave_all_in_threads(origin, kind, int(count))
    else:
        delays = asyncio.run(leave_all(origin, kind, int(count)))
    gc.collect()
    sys.stdout.write(json.dumps(delays) + "\n")


if __name__ == "__main__":
    main()
