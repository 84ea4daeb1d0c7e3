"""The loop thread: who may end it, what becomes of calls that it ends, and leaving it by every door there is."""

from __future__ import annotations

import asyncio
import gc
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from g4f import AsyncClient, Client, hookimpl
from g4f.chat import ChatRequest, Chunk, Completion
from g4f.client import _portal
from g4f.context import Answered, Call, CallNext
from g4f.errors import APIConnectionError, APIError, G4FError

CLOSED = "The client was closed while this call ran."
SECONDS = 10.0  # far more than anything here takes: only a thread that hangs takes them
COPIES: list[dict[str, Any]] = [{"max_retries": 0}, {"proxies": {"all": "http://127.0.0.1:9"}}]


class Gate:
    """Answers, and goes on with a stream after its first word, when it is let."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.closed = threading.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    async def _wait(self) -> None:
        self._loop, self._open = asyncio.get_running_loop(), asyncio.Event()
        self.began.set()
        await self._open.wait()

    @hookimpl
    async def chat(self, request: ChatRequest) -> Completion:
        if request.messages[-1]["content"] == "wait":
            await self._wait()
        return Completion.from_text("done")

    @hookimpl
    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        try:
            yield Chunk.from_text("one ")
            await self._wait()
            yield Chunk.from_text("two")
        finally:
            self.closed.set()


class Words:
    """Streams as many words as it is asked for, and tells when a stream of it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    @hookimpl
    async def stream(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        try:
            for _ in range(int(request.messages[-1]["content"])):
                yield Chunk.from_text("x")
        finally:
            self.closed.set()


class Work:
    """Runs a function in a thread and holds what came of it."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.value, self.error = None, None
        try:
            self.value = self._function()
        except BaseException as error:  # noqa: BLE001 - also what no `except Exception` catches
            self.error = error

    def wait(self) -> Any:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "it hangs"
        if self.error is not None:
            raise self.error
        return self.value


def ask(client: Client, text: str = "hi") -> str | None:
    return client.chat.completions.create(text).choices[0].message.content


def read(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def count_threads() -> int:
    return sum(thread.name == "g4f-portal" for thread in threading.enumerate())


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def no_threads() -> Iterator[None]:
    """Fail where a loop thread is left."""
    gc.collect()
    before = count_threads()
    yield
    gc.collect()
    assert count_threads() == before


@pytest.mark.parametrize("options", COPIES)
@pytest.mark.parametrize("way", ["close", "drop"])
def test_a_copy_that_goes_leaves_the_calls_of_the_original_alone(
    options: dict[str, Any], way: str, gate: Gate, no_threads: None
) -> None:
    """Whether it shares the connections or has its own."""
    with Client(gate) as client:
        copy = client.with_options(**options)
        assert ask(copy) == "done"
        work = Work(lambda: ask(client, "wait"))
        assert gate.began.wait(SECONDS)
        if way == "close":
            copy.close()
        del copy
        gc.collect()
        gate.open()
        assert work.wait() == "done"


@pytest.mark.parametrize("options", COPIES)
def test_an_original_that_goes_leaves_the_calls_of_its_copies_alone(
    options: dict[str, Any], gate: Gate, no_threads: None
) -> None:
    """The other way round; the thread ends with the last."""
    client = Client(gate)
    copy = client.with_options(**options)
    work = Work(lambda: read(copy.chat.completions.stream("")))
    assert gate.began.wait(SECONDS)
    client.close()
    gate.open()
    assert work.wait() == "one two"
    copy.close()


def test_copies_made_for_one_call_share_one_thread(gate: Gate, no_threads: None) -> None:
    """`client.with_options(...).chat` starts no thread each time, although the client itself was never used."""
    client = Client(gate)
    ask(client.with_options(timeout=60))
    threads = set(threading.enumerate())
    ask(client.with_options(timeout=61))
    assert set(threading.enumerate()) == threads
    client.close()
    assert count_threads() < len(threads)


def test_closing_a_client_ends_its_call_with_an_error_of_ours(gate: Gate, no_threads: None) -> None:
    """No bare CancelledError, which no `except Exception` catches."""
    client = Client(gate)
    work = Work(lambda: ask(client, "wait"))
    assert gate.began.wait(SECONDS)
    client.close()
    with pytest.raises(APIConnectionError, match=CLOSED) as caught:
        work.wait()
    assert not caught.value.retryable


def test_closing_a_client_ends_its_stream_after_the_text(gate: Gate, no_threads: None) -> None:
    """The error carries what came, and says who was asked."""
    client, seen = Client(gate), []

    def consume() -> None:
        for chunk in client.chat.completions.stream(""):
            seen.append(read([chunk]))

    work = Work(consume)
    assert gate.began.wait(SECONDS)
    client.close()
    with pytest.raises(APIConnectionError, match=CLOSED) as caught:
        work.wait()
    assert seen == ["one "]
    assert (caught.value.partial, caught.value.provider, caught.value.retryable) == ("one ", "Gate", False)
    assert len(caught.value.attempts) == 1
    assert gate.closed.is_set()


def test_a_client_may_be_closed_by_the_reader_of_its_own_stream(no_threads: None) -> None:
    """What was received is read, then comes the error."""
    words = Words()
    client, seen = Client(words), []
    with pytest.raises(APIConnectionError, match=CLOSED) as caught:
        for chunk in client.chat.completions.stream("5000"):
            if not seen:
                client.close()
            seen.append(chunk)
    assert caught.value.partial == read(seen)
    assert words.closed.is_set()


@pytest.mark.parametrize("others", [0, 1])
def test_a_stream_that_was_opened_ends_with_its_client(others: int, no_threads: None) -> None:
    """It is neither cut off without a word nor read on in another loop, and its source is closed."""
    words = Words()
    client = Client(words)
    copies = [client.with_options(max_retries=0) for _ in range(others)]
    stream = client.chat.completions.stream("10").open()
    client.close()
    assert words.closed.is_set()
    with pytest.raises(APIConnectionError, match=CLOSED):
        read(stream)
    stream.close()
    assert read(client.chat.completions.stream("3")) == "xxx"
    client.close()
    del copies


def test_a_signal_may_close_a_client_that_waits(gate: Gate, no_threads: None) -> None:
    """The handler runs in the very thread that waits for the call."""
    client = Client(gate)
    before = signal.signal(signal.SIGTERM, lambda *_: client.close())
    try:
        Work(lambda: gate.began.wait(SECONDS) and os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(APIConnectionError, match=CLOSED):
            ask(client, "wait")
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("way", ["call", "copy", "stream", "close"])
def test_a_client_inside_its_own_call_is_told_to_be_an_asynchronous_one(way: str, no_threads: None) -> None:
    """It would wait for the thread that it holds up."""

    async def look_back(call: Call, call_next: CallNext) -> Answered:
        if way == "call":
            ask(client)
        elif way == "copy":
            ask(client.with_options(max_retries=0))
        elif way == "stream":
            read(client.chat.completions.stream("hi"))
        else:
            client.close()
        return await call_next(call)

    client = Client(Gate, middleware=[look_back])
    with pytest.raises(G4FError, match="AsyncClient"):
        Work(lambda: ask(client)).wait()
    client.close()


def test_other_clients_can_be_used_inside_a_call(no_threads: None) -> None:
    """An AsyncClient, a synchronous client of its own, and the same one from a thread beside."""

    async def look_around(call: Call, call_next: CallNext) -> Answered:
        if call.request.model != "inner":
            async with AsyncClient(Gate) as asynchronous:
                await asynchronous.chat.completions.create("hi")
            with Client(Gate) as other:
                ask(other)
            await asyncio.to_thread(client.chat.completions.create, "hi", "inner")
        return await call_next(call)

    with Client(Gate, middleware=[look_around]) as client:
        assert Work(lambda: ask(client)).wait() == "done"


def test_a_provider_that_exits_or_cancels_harms_its_own_call_only(no_threads: None) -> None:
    """SystemExit reaches whoever asked, a stray CancelledError becomes an error of ours, and the loop goes on."""

    class Odd:
        @hookimpl
        async def chat(self, request: ChatRequest) -> Completion:
            if request.model == "exit":
                raise SystemExit(3)
            if request.model == "cancel":
                raise asyncio.CancelledError
            return Completion.from_text("done")

    with Client(Odd) as client:
        with pytest.raises(SystemExit):
            Work(lambda: client.chat.completions.create("hi", "exit")).wait()
        with pytest.raises(APIError, match="though nobody canceled the call"):
            Work(lambda: client.chat.completions.create("hi", "cancel")).wait()
        assert Work(lambda: ask(client)).wait() == "done"


def test_a_call_that_begins_while_the_loop_ends_is_ended_too() -> None:
    """Whatever a task leaves behind when it is cancelled, nobody waits for ever."""
    portal = _portal.Portal()
    late = _portal._Call(asyncio.Event().wait, set())

    async def post_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            late.loop = asyncio.get_running_loop()
            late.loop.call_soon(late.loop.call_soon, late.begin)

    async def leave_behind() -> asyncio.Task[None]:
        task = asyncio.create_task(post_late())
        await asyncio.sleep(0)
        return task

    task = portal.run(leave_behind())
    portal.close(partial(asyncio.sleep, 0))
    assert task.cancelled()
    with pytest.raises(APIConnectionError):
        Work(late.wait).wait()


def test_a_consumer_that_empties_the_queue_while_it_is_counted_gets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop counts a full queue; before it begins to wait for room, all is taken."""
    full, armed, counted, emptied = (threading.Event() for _ in range(4))
    queues: list[Counted] = []

    class Counted(queue.SimpleQueue):  # type: ignore[type-arg] # a real one, at which the two threads can meet
        def __init__(self) -> None:
            queues.append(self)

        def qsize(self) -> int:
            size = super().qsize()
            if size >= _portal._MAX_QUEUED and threading.current_thread().name == "g4f-portal":
                full.set()
                if armed.is_set():
                    counted.set()
                    emptied.wait(SECONDS)
            return size

    def consume() -> int:
        chunks = iter(client.chat.completions.stream("5000"))
        next(chunks)
        assert full.wait(SECONDS)
        for _ in range(400):  # it was full once, and has had room again
            next(chunks)
        taken = 401
        armed.set()
        while not counted.is_set() or queues[0].qsize():
            next(chunks)
            taken += 1
        emptied.set()
        return taken + sum(1 for _ in chunks)

    monkeypatch.setattr(queue, "SimpleQueue", Counted)
    client = Client(Words)
    assert Work(consume).wait() == 5000
    client.close()


def test_an_abandoned_stream_may_be_collected_in_the_loop_thread(no_threads: None) -> None:
    """Garbage is collected anywhere: there, nobody can wait for the loop."""

    class Collector(Words):
        @hookimpl
        async def chat(self, request: ChatRequest) -> Completion:
            gc.collect()
            return Completion.from_text("done")

    collector = Collector()
    with Client(collector) as client:
        iterator = iter(client.chat.completions.stream("5000"))
        next(iterator)
        cycle: list[Any] = [iterator]
        cycle.append(cycle)
        del iterator, cycle
        assert Work(lambda: ask(client)).wait() == "done"
        assert collector.closed.wait(SECONDS)


@pytest.fixture
def switching() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_calls_and_closes_at_once_end_well(switching: None, no_threads: None) -> None:
    """Each call is answered, or ends with the one error; no thread hangs."""
    client = Client(Gate)
    clients = [client, client.with_options(max_retries=0), client.with_options(proxies={"all": "http://127.0.0.1:9"})]
    outcomes: list[str | None] = []

    def call(client: Client) -> None:
        for _ in range(300):
            try:
                outcomes.append(ask(client))
            except APIConnectionError as error:
                outcomes.append(error.message)

    works = [Work(partial(call, client)) for client in clients]
    for turn in range(300):
        clients[turn % 3].close()
        ask(client.with_options(max_retries=1))
    for work in works:
        work.wait()
    for client in clients:
        client.close()
    assert set(outcomes) <= {"done", CLOSED}


def test_streams_and_closes_at_once_end_well(switching: None, no_threads: None) -> None:
    """The same for streams, longer than the queue."""
    client = Client(Words)
    outcomes: list[str] = []

    def consume() -> None:
        for _ in range(100):
            try:
                outcomes.append(read(client.chat.completions.stream("600")))
            except APIConnectionError as error:
                assert error.message == CLOSED  # noqa: PT017 - it may also go well
                outcomes.append("closed")

    works = [Work(consume) for _ in range(3)]
    for _ in range(100):
        client.close()
    for work in works:
        work.wait()
    client.close()
    assert set(outcomes) <= {"x" * 600, "closed"}


PROGRAM = """
import asyncio, gc, os, signal, sys, threading, time
from g4f import Client, hookimpl
from g4f.chat import Chunk, Completion

class Slow:
    @hookimpl
    async def chat(self, request):
        if request.messages[-1]["content"] == "wait":
            began.set()
            await asyncio.Event().wait()
        return Completion.from_text("done")

    @hookimpl
    async def stream(self, request):
        try:
            yield Chunk.from_text("one")
            began.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

def interrupt():
    began.wait()
    # As a user does: when the program waits, and again if that fell into the instant in which it fell asleep
    while not interrupted.wait(0.5):
        os.kill(os.getpid(), signal.SIGINT)

began, closed, interrupted = threading.Event(), threading.Event(), threading.Event()
client = Client(Slow)
"""


def run_program(text: str) -> list[str]:
    """Run a program in a process of its own, and return what it prints; it must end well and say nothing else."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM + text], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    "work", ["list(client.chat.completions.stream('hi'))", "client.chat.completions.create('wait')"]
)
def test_ctrl_c_interrupts_and_leaves_a_client_that_works(work: str) -> None:
    """In mid-stream and in a call: KeyboardInterrupt at once, the rest is cancelled behind it."""
    told = run_program(f"""
interrupter = threading.Thread(target=interrupt)
interrupter.start()
try:
    {work}
except KeyboardInterrupt:
    interrupted.set()
    print("interrupted")
if "stream" in {work!r}:
    print(closed.wait(10))
print(client.chat.completions.create("hi").choices[0].message.content)
client.close()
interrupter.join()
print(threading.active_count())
""")
    assert told == ["interrupted", *(["True"] if "stream" in work else []), "done", "1"]


STATES = {
    "half read": "chunks = iter(client.chat.completions.stream('hi')); next(chunks)",
    "in a cycle": """
chunks = iter(client.chat.completions.stream("hi"))
next(chunks)
cycle = [chunks]
cycle.append(cycle)
del chunks
""",
    "opened": "stream = client.chat.completions.stream('hi').open()",
    "after work in threads": """
async def use_thread(call, call_next):
    await asyncio.to_thread(len, "")
    return await call_next(call)

threaded = Client(Slow, middleware=[use_thread])
threaded.chat.completions.create("hi")
""",
    "closed at exit": "import atexit; client.models.list(Slow); atexit.register(client.close)",
    "closed at exit, after the loop": "import atexit; atexit.register(client.close); client.models.list(Slow)",
    "called by a daemon thread": """
threading.excepthook = lambda arguments: None  # it gets its error while the interpreter exits
threading.Thread(target=client.chat.completions.create, args=["wait"], daemon=True).start()
began.wait()
""",
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_an_interpreter_exits_with_a_client_in_any_state(state: str) -> None:
    """Nothing was closed, and nothing hangs or complains."""
    assert run_program(f"{state}\nprint('bye')") == ["bye"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_in_mid_stream_leaves_the_stream_to_the_parent() -> None:
    """The child is told so, may ask anew, and closes what it likes; the parent reads on."""
    told = run_program("""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
class Halves:
    @hookimpl
    async def stream(self, request):
        global let
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        let = lambda: loop.call_soon_threadsafe(event.set)
        yield Chunk.from_text("one")
        began.set()
        await event.wait()
        yield Chunk.from_text("two")
    @hookimpl
    async def chat(self, request):
        return Completion.from_text("done")

client = Client(Halves)
stream = client.chat.completions.stream("hi")
chunks = iter(stream)
next(chunks)
began.wait()
child = os.fork()
if child == 0:
    try:
        next(chunks)
    except Exception as error:
        print(type(error).__name__, str(error).count("parent"))
    stream.close()
    print(client.chat.completions.create("hi").choices[0].message.content, flush=True)
    client.close()
    del chunks
    gc.collect()
    sys.exit()
print(os.waitpid(child, 0)[1])
let()
print("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
client.close()
""")
    assert told == ["APIConnectionError", "1", "done", "0", "two"]
