"""A program that leaves streams without end, again and again, each at a moment of its own.

`python leaving.py ORIGIN KIND COUNT` prints how many of them the service saw closed. It ends with an error if one was
not closed at once, if an answer was somebody else's, or if anything is left. `test_leaving.py` runs it.

At once is counted in events, since a machine may be busy: the connection is closed before the loop has turned ten more
times, so the service sees that before it sees whatever the program sends then.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import logging
import random
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

import g4f
from counting import ENDLESS, TURNS, make_word, read_state, write_question
from holding import Holding

AT_ONCE = 20
MOST_CHUNKS = 8
Leave = Callable[["Streams"], Coroutine[Any, Any, None]]


class EnoughError(Exception):
    """What a consumer raises."""


class Streams:
    """Streams of an asynchronous client, and which of them were left."""

    def __init__(self, client: g4f.AsyncClient, service: HTTPConnection) -> None:
        self.client = client
        self.dice = random.Random(7)
        self.left: set[int] = set()
        self._service = service
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

    async def leave(self, number: int) -> None:
        """Expect that a stream, which was left, is closed soon; the loop does not turn while the service is asked."""
        self.left.add(number)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert not is_open(self._service, number), f"stream {number} is still open"

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
    await streams.leave(number)
    assert task.cancelled()


async def time_out(streams: Streams) -> None:
    """Let `asyncio.timeout` end it."""
    number, stream = streams.begin()
    with suppress(TimeoutError):
        async with asyncio.timeout(streams.dice.uniform(0, 0.05)):
            await Reader(number).read(stream)
        raise AssertionError("it ended")
    await streams.leave(number)
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
    await streams.leave(number)


async def fail(streams: Streams) -> None:
    """An exception of the consumer's own."""
    number, stream = streams.begin()
    with suppress(EnoughError):
        async for _ in stream:
            raise EnoughError
    await streams.leave(number)


async def close_inside(streams: Streams) -> None:
    """`aclose` by who reads: nothing more comes."""
    number, stream = streams.begin()
    reader, wanted = Reader(number), streams.dice.randrange(MOST_CHUNKS)
    async for chunk in stream:
        assert number not in streams.left
        reader.take(chunk)
        if reader.index >= wanted:
            await stream.aclose()
            await streams.leave(number)


async def close_outside(streams: Streams) -> None:
    """`aclose` by another task: who reads sees the end."""
    number, stream = streams.begin()
    reader = Reader(number)
    task = asyncio.create_task(reader.read(stream))
    await streams.wait_a_moment(reader)
    await stream.aclose()
    await streams.leave(number)
    await task


async def close_unread(streams: Streams) -> None:
    """`async with`, and nothing is read."""
    number, stream = streams.begin()
    async with stream:
        pass
    await streams.leave(number)


async def drop(streams: Streams) -> None:
    """Nothing holds it any more; every tenth is found by the garbage collector only."""
    number, stream = streams.begin_unheld()
    chunks, reader = aiter(stream), Reader(number)
    for _ in range(streams.dice.randrange(1, MOST_CHUNKS)):
        reader.take(await anext(chunks))
    cycle = [chunks, stream]
    if number % 10 == 0:
        cycle.append(cycle)
    del chunks, stream, cycle
    if number % 10 == 0:
        gc.collect()
    await streams.leave(number)


async def drop_opened(streams: Streams) -> None:
    """The same where it was opened and never read."""
    number, stream = streams.begin_unheld()
    await stream.open()
    del stream
    await streams.leave(number)


async def keep(streams: Streams) -> None:
    """Say that it was left, and hold it."""
    number, stream = streams.begin()
    chunks = aiter(stream)
    await anext(chunks)
    await streams.leave(number)


KINDS: dict[str, tuple[Leave, ...]] = {
    "cancels": (cancel, time_out),
    "breaks": (leave_loop, fail, close_inside, close_outside, close_unread, drop, drop_opened),
    "none": (keep,),
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


async def leave_all(origin: str, kind: str, count: int) -> int:
    """Leave so many streams, some at a time."""
    loop = asyncio.get_running_loop()
    before = Holding.look()
    async with g4f.AsyncClient(**make_arguments(origin)) as client:
        service = connect(origin)
        streams, turns = Streams(client, service), itertools.cycle(KINDS[kind])

        async def work() -> None:
            for number in range(count // AT_ONCE):
                await next(turns)(streams)
                if number % 4 == 0:
                    await streams.ask()

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())
        service.close()
        seen = await asyncio.to_thread(count_hang_ups, origin)
        await loop.shutdown_default_executor()
    left = await before.wait_to_return()
    assert left == Holding(), left
    return seen


def leave_all_in_threads(origin: str, _: str, count: int) -> int:
    """The same with the synchronous client, which eight threads share."""
    import threading

    before, left, works = Holding.look(), set[int](), []
    with g4f.Client(**make_arguments(origin)) as client:
        for first in range(8):
            numbers = iter(range(first + 1, count + 1, 8))
            works.append(threading.Thread(target=leave_some, args=(client, origin, numbers, left)))
            works[-1].start()
        for work in works:
            work.join()
        assert len(left) == count
        seen = count_hang_ups(origin)
    assert Holding.look() == before
    return seen


def leave_some(client: g4f.Client, origin: str, numbers: Iterator[int], left: set[int]) -> None:
    """Leave the streams of these numbers: by dropping, by an exception, by `close`, and before anything was read."""
    service = connect(origin)
    for number in numbers:
        stream = client.chat.completions.stream(write_question(number, ENDLESS)).open()
        way = number // 8 % 4
        if way < 3:
            with suppress(EnoughError):
                read_some(stream, number, fail=way == 1)
        if way == 2:
            stream.close()
        del stream
        for _ in range(TURNS):  # the client's loop turns for each answer
            answer = client.chat.completions.create(write_question(number))
            assert answer.choices[0].message.content == str(number)
            if not is_open(service, number):
                left.add(number)
                break
    service.close()


def read_some(stream: Iterable[Any], number: int, *, fail: bool) -> None:
    """Read some chunks."""
    reader, wanted = Reader(number), number % MOST_CHUNKS
    for chunk in stream:
        reader.take(chunk)
        if reader.index > wanted:
            if fail:
                raise EnoughError
            break


def connect(origin: str) -> HTTPConnection:
    """Return a connection for questions to the service, besides the client's."""
    return HTTPConnection(origin.removeprefix("http://"))


def is_open(service: HTTPConnection, number: int) -> bool:
    """Ask the service whether a stream's connection is open, and wait for the answer."""
    service.request("GET", f"/open/{number}")
    return bool(json.load(service.getresponse()))


def count_hang_ups(origin: str) -> int:
    """Return how many streams the service saw closed: all that it was asked for."""
    state = read_state(origin)
    assert len(state["hang_ups"]) == state["streams"], state["streams"] - len(state["hang_ups"])
    return len(state["hang_ups"])


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
        seen = leave_all_in_threads(origin, kind, int(count))
    else:
        seen = asyncio.run(leave_all(origin, kind, int(count)))
    gc.collect()
    sys.stdout.write(f"{seen}\n")


if __name__ == "__main__":
    main()
