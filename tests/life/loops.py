"""A program that uses event loops as programs do: `python loops.py ORIGIN STORY` ends with an error if that goes wrong.

`test_loops.py` runs it, and says what each story is.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

import g4f
from counting import ENDLESS, read_state, write_question
from holding import Holding
from life.leaving import Reader, count_hang_ups, make_arguments, overlook_slowness

RUNS = 100


def run_often(origin: str) -> None:
    """One client, many loops: each ends under a stream that is half read, by a variable or by a task that goes on."""
    client = g4f.AsyncClient(**make_arguments(origin))
    kept = []

    async def read_a_chunk(number: int) -> None:
        chunks = aiter(client.chat.completions.stream(write_question(number, ENDLESS)))
        reader = Reader(number)
        while not reader.take(await anext(chunks)):
            pass
        if number % 2:
            kept.append(chunks)
        if number % 3:
            asyncio.create_task(reader.read(chunks))  # noqa: RUF006 - nobody waits for it
            await asyncio.sleep(0)

    before = Holding.look()
    for number in range(RUNS):
        asyncio.run(read_a_chunk(number))
    assert wait_for_hang_ups(origin) == RUNS
    assert Holding.look() == before


def use_in_another_loop(origin: str) -> None:
    """A stream that was opened in a loop that is over: reading it is an error of ours, and closing it is none."""
    client = g4f.AsyncClient(**make_arguments(origin))

    async def begin(number: int) -> Any:
        return await client.chat.completions.stream(write_question(number, ENDLESS))

    async def read(stream: Any) -> None:
        async for _ in stream:
            pass

    stream, other = asyncio.run(begin(1)), asyncio.run(begin(2))
    try:
        asyncio.run(asyncio.wait_for(read(stream), 60))
    except g4f.APIError:
        pass
    else:
        raise AssertionError("it was read")
    asyncio.run(other.aclose())


def work_in_a_notebook(origin: str) -> None:
    """One loop that runs cell by cell: the synchronous client inside it, and a stream that is read in two cells."""
    loop = asyncio.new_event_loop()
    client, asynchronous = g4f.Client(**make_arguments(origin)), g4f.AsyncClient(**make_arguments(origin))
    chunks, reader = aiter(asynchronous.chat.completions.stream(write_question(1, ENDLESS))), Reader(1)

    async def read_some() -> None:
        for _ in range(3):
            reader.take(await anext(chunks))

    async def work_inside() -> None:
        inside = Reader(2)
        for chunk in client.chat.completions.stream(write_question(2, ENDLESS)):
            if inside.take(chunk) and inside.index > 3:
                break
        assert client.chat.completions.create(write_question(3)).choices[0].message.content == "3"

    for cell in (read_some, work_inside, read_some):
        loop.run_until_complete(cell())
    client.close()
    loop.run_until_complete(asynchronous.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert wait_for_hang_ups(origin) == 2


def fork_in_a_stream(origin: str) -> None:
    """The child asks, streams and closes by itself; the parent's stream and its connections are its own."""
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, of threads and forks
    client = g4f.Client(**make_arguments(origin))
    chunks, reader = iter(client.chat.completions.stream(write_question(1, ENDLESS))), Reader(1)
    while not reader.take(next(chunks)):
        pass
    child = os.fork()
    if not child:
        ask_and_leave(client, 2)
        client.close()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    while reader.index < 5:
        reader.take(next(chunks))
    ask_and_leave(client, 4)
    del chunks
    assert wait_for_hang_ups(origin) == 3
    client.close()


def ask_and_leave(client: g4f.Client, number: int) -> None:
    """Leave a stream of this number, and get the answer to the next."""
    reader = Reader(number)
    for chunk in client.chat.completions.stream(write_question(number, ENDLESS)):
        if reader.take(chunk):
            break
    answer = client.chat.completions.create(write_question(number + 1))
    assert answer.choices[0].message.content == str(number + 1)


@contextmanager
def interrupt_while(reader: Reader) -> Iterator[None]:
    """Press Ctrl-C once there is a chunk; and again, as a user does, if it fell into the instant of falling asleep."""
    over = threading.Event()

    def press() -> None:
        while not over.wait(0.3):
            if reader.index:
                os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
        raise AssertionError("nothing was interrupted")
    except KeyboardInterrupt:
        pass
    finally:
        over.set()
        thread.join()


def interrupt_asynchronous(origin: str) -> None:
    """Ctrl-C in the middle of a stream ends the loop and the stream; the client works in the next loop."""
    client, reader = g4f.AsyncClient(**make_arguments(origin)), Reader(1)

    async def read() -> None:
        await reader.read(client.chat.completions.stream(write_question(1, ENDLESS)))

    async def ask() -> str | None:
        answer = await client.chat.completions.create(write_question(2))
        return answer.choices[0].message.content

    before = Holding.look()
    with interrupt_while(reader):
        asyncio.run(read())
    assert wait_for_hang_ups(origin) == 1
    assert asyncio.run(ask()) == "2"
    assert Holding.look() == before


def interrupt_synchronous(origin: str) -> None:
    """The same for the synchronous client."""
    before = Holding.look()
    with g4f.Client(**make_arguments(origin)) as client:
        reader = Reader(1)
        with interrupt_while(reader):
            for chunk in client.chat.completions.stream(write_question(1, ENDLESS)):
                reader.take(chunk)
        assert wait_for_hang_ups(origin) == 1
        ask_and_leave(client, 2)
    assert Holding.look() == before


def wait_for_hang_ups(origin: str) -> int:
    """Return how many streams the service saw closed, once it has seen that of all, or after ten seconds."""
    end = time.monotonic() + 10
    while len((state := read_state(origin))["hang_ups"]) < state["streams"] and time.monotonic() < end:
        time.sleep(0.05)
    return count_hang_ups(origin)


STORIES: dict[str, Callable[[str], None]] = {
    function.__name__: function
    for function in (
        run_often,
        use_in_another_loop,
        work_in_a_notebook,
        fork_in_a_stream,
        interrupt_asynchronous,
        interrupt_synchronous,
    )
}

if __name__ == "__main__":
    overlook_slowness()
    STORIES[sys.argv[2]](sys.argv[1])
    gc.collect()
