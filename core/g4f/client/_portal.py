"""The loop thread behind synchronous clients: the only place that starts a thread or crosses into one.

    Portal           a client's way in; it and its copies share a thread
    └ Stay           from the client's first use, or the one after a close, until the next close; knows its calls
      └ _LoopThread  one event loop in one daemon thread; ends when the last stay in it is closed or dropped
        └ _Call      one coroutine; a _Flow is one that fills a queue

A stay is posted to under its thread's lock, and its thread ends only when no stay is left: so no call reaches a loop
that ends. Dropping takes no lock, because garbage is collected in the middle of anything. What a forked child finds
here belongs to its parent; it begins a stay of its own.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from g4f.errors import APIConnectionError, G4FError

T = TypeVar("T")
_MAX_QUEUED = 256
_CLOSED = "The client was closed while this call ran."
_CANCELLED = "The call was cancelled inside the provider or a middleware."
_INSIDE = "A Client cannot be used inside its own calls, as by a middleware or a provider: use an AsyncClient there."
_FORKED = "This stream was begun by the parent process, which goes on reading it."


class Portal:
    """A client's way into a loop thread.

    The thread is begun when it is first needed, and begun anew after a fork. It works in a thread that runs an event
    loop of its own, as in a notebook.
    """

    def __init__(self, threads: dict[int, weakref.ref[_LoopThread]] | None = None) -> None:
        # Both by process, and changed by one atomic step at a time: a lock might be held in the moment of a fork.
        self._threads = {} if threads is None else threads
        self._stays: dict[int, Stay] = {}
        self.enter()

    def share(self) -> Portal:
        """Return a portal for a copy of the client."""
        if self._stays:  # else the client is closed, and its copies keep a thread only for themselves
            self.enter()
        return Portal(self._threads)

    def enter(self) -> Stay:
        """Return the client's stay; a new one after `close` and after a fork."""
        process = os.getpid()
        return self._stays.get(process) or self._stays.setdefault(process, self._begin_stay(process))

    def _begin_stay(self, process: int) -> Stay:
        known = self._threads.get(process)
        thread = None if known is None else known()
        stay = None if thread is None else thread.admit()
        while stay is None:
            thread = _LoopThread()
            self._threads[process] = weakref.ref(thread)
            stay = thread.admit()
        return stay

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and wait for its result; see `Stay.run`."""
        return self.enter().run(work)

    def close(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """End the client's calls, await what `make` makes, and end the thread unless another client uses it."""
        stay = self.enter()
        with suppress(APIConnectionError):  # another thread closes it in this moment
            stay.check()
        if self._stays.get(os.getpid()) is stay:
            self._stays.pop(os.getpid(), None)
        stay.end(make)


class Stay:
    """One client in one loop thread, until it is closed or dropped."""

    def __init__(self, thread: _LoopThread) -> None:
        self._thread: _LoopThread | None = thread
        self._process = os.getpid()
        self._calls: set[_Call[Any]] = set()

    def is_open(self) -> bool:
        """Tell whether calls can be made: it is not closed, and no parent's."""
        return self._thread is not None and self._process == os.getpid()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and wait for its result; Ctrl-C cancels it.

        One lock and one wake-up, where `run_coroutine_threadsafe` takes two futures, each with its own.

        Raises:
            APIConnectionError: The client was closed meanwhile.
            G4FError: This is the loop's own thread.
        """
        call = _Call(lambda: work, self._calls)
        try:
            self._post(call)
        except Exception:
            work.close()
            raise
        return call.wait()

    def iterate(self, source: AsyncGenerator[T, None], finish: Callable[[Exception], Exception]) -> Iterator[T]:
        """Iterate over an async source that lives in the loop; leaving early closes it there.

        Args:
            source: What to iterate over.
            finish: Is given our own error before it is raised, and returns the one to raise.

        Raises:
            APIConnectionError: The client was closed meanwhile, or the process forked.
        """
        flow = _Flow(source, self._calls)
        self._post(flow)
        process, getpid, take = self._process, os.getpid, flow.take
        try:
            while not isinstance(item := take(), _End):
                yield item
                if getpid() != process:
                    raise finish(_make_error(_FORKED))
        except BaseException:
            if getpid() == process:
                flow.cancel_soon()  # not waited for: this may be garbage collection, in the middle of anything
            raise
        if item.was_cancelled:
            raise finish(flow.explain())
        error = item.error
        del item, flow, take  # which hold it, as its traceback will hold them: a circle
        if error is not None:
            try:
                raise error
            finally:
                del error

    def end(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """See `Portal.close`; does nothing where it is over."""
        thread = self._thread
        call = _Call(lambda: self._wind_up(make), set())
        try:
            self._post(call, last=True)
        except APIConnectionError:
            return
        assert thread is not None
        try:
            call.wait()
        finally:
            thread.dismiss(self)

    async def _wind_up(self, make: Callable[[], Coroutine[Any, Any, None]]) -> None:
        tasks = [call.end() for call in self._calls]
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            await make()

    def check(self) -> _LoopThread:
        """Return the thread.

        Raises:
            APIConnectionError: There is none any more, or it is the parent process's.
            G4FError: It is this one.
        """
        thread = self._thread
        if self._process != os.getpid():
            raise _make_error(_FORKED)
        if thread is None:
            raise _make_error(_CLOSED)
        if thread.ident == threading.get_ident():
            raise G4FError(_INSIDE)
        return thread

    def _post(self, call: _Call[Any], *, last: bool = False) -> None:
        thread = self.check()
        with thread.lock:
            if self._thread is None:
                raise _make_error(_CLOSED)
            call.loop = thread.get_loop()
            try:
                call.loop.call_soon_threadsafe(call.begin)
            except RuntimeError:  # the interpreter exits, and has ended the loop
                raise _make_error(_CLOSED) from None
            if last:
                self._thread = None


class _LoopThread:
    """An event loop in a daemon thread; both begin when a call is first posted."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a signal's handler may close a client while this thread posts a call
        self.ident: int | None = None
        self._stays: weakref.WeakSet[Stay] = weakref.WeakSet()
        self._over = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: Callable[[], object] | None = None

    def admit(self) -> Stay | None:
        """Return a new stay, or None where the thread has ended."""
        stay = Stay(self)
        with self.lock:
            if not self._over:
                self._stays.add(stay)
        return None if self._over else stay

    def dismiss(self, stay: Stay) -> None:
        """Forget a stay, and end with the last one."""
        with self.lock:
            self._stays.discard(stay)
            self._over = not self._stays
        if self._over and self._end is not None:
            self._end()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; the lock is held."""
        if self._loop is None:
            loop, ending = asyncio.new_event_loop(), asyncio.Event()
            thread = threading.Thread(target=_run_loop, args=(loop, ending), name="g4f-portal", daemon=True)
            thread.start()
            self._loop, self.ident = loop, thread.ident
            # Every stay holds this object, so that dropping the last client ends the loop.
            self._end = weakref.finalize(self, _end_loop, loop, ending, thread, os.getpid())
        return self._loop


def _run_loop(loop: asyncio.AbstractEventLoop, ending: asyncio.Event) -> None:
    asyncio.set_event_loop(loop)
    life = loop.create_task(_live(ending))
    try:
        while not life.done():
            with suppress(KeyboardInterrupt, SystemExit):  # a hook's own; whoever waits for that hook gets it
                loop.run_until_complete(life)
    finally:
        loop.close()


async def _live(ending: asyncio.Event) -> None:
    await ending.wait()
    loop = asyncio.get_running_loop()
    await _end_tasks()
    await loop.shutdown_asyncgens()
    with suppress(RuntimeError):  # it takes a thread, and none can be begun while the interpreter exits
        await loop.shutdown_default_executor()
    await _end_tasks()


async def _end_tasks() -> None:
    """Cancel all tasks, also those that begin meanwhile: whoever waits for one must not wait for ever."""
    await asyncio.sleep(0)  # what was posted before begins here
    while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(0)


def _end_loop(loop: asyncio.AbstractEventLoop, ending: asyncio.Event, thread: threading.Thread, process: int) -> None:
    if process != os.getpid():
        return
    with suppress(RuntimeError):  # it is closed
        loop.call_soon_threadsafe(ending.set)
    if thread is not threading.current_thread():  # where garbage is collected is anybody's guess
        thread.join()


def _make_error(message: str) -> APIConnectionError:
    return APIConnectionError(message, retryable=False)


class _Call(Generic[T]):
    """One coroutine on its way through the loop.

    Args:
        make: Makes the coroutine, in the loop.
        calls: Holds this while it runs; touched in the loop only.
    """

    loop: asyncio.AbstractEventLoop

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T]], calls: set[_Call[Any]]) -> None:
        self._make = make
        self._calls = calls
        self._done = threading.Lock()
        self._done.acquire()
        self._closed = False
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        """Start; called in the loop, as are `end` and `cancel`."""
        self._task = self.loop.create_task(self._make())
        self._calls.add(self)
        self._task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[T]) -> None:
        self._calls.discard(self)
        if not task.cancelled():
            task.exception()  # or it is logged as never retrieved, where Ctrl-C left nobody to retrieve it
        self._done.release()

    def end(self) -> asyncio.Task[T]:
        """Cancel it because the client is closed."""
        assert self._task is not None
        self._closed = True
        self._task.cancel()
        return self._task

    def cancel(self) -> None:
        """Cancel it because nobody wants the result any more."""
        if self._task is not None:
            self._task.cancel()

    def cancel_soon(self) -> None:
        """Cancel it, from any thread and without a lock."""
        with suppress(RuntimeError):  # the loop has ended, and the call with it
            self.loop.call_soon_threadsafe(self.cancel)

    def explain(self) -> APIConnectionError:
        """Make the error of a call that was cancelled."""
        return _make_error(_CLOSED if self._closed else _CANCELLED)

    def wait(self) -> T:
        """Wait for the result."""
        try:
            self._done.acquire()
        except BaseException:  # Ctrl-C
            self.cancel_soon()
            raise
        task, self._task = self._task, None  # an error's traceback holds this call, and would be held by it: a circle
        assert task is not None
        try:
            if task.cancelled():
                raise self.explain()
            return task.result()
        finally:
            del task


class _End:
    def __init__(self, error: BaseException | None, *, was_cancelled: bool) -> None:
        self.error = error
        self.was_cancelled = was_cancelled


class _Flow(_Call[None], Generic[T]):
    """A queue that the loop fills from an async source, and stops filling while the consumer is far behind."""

    def __init__(self, source: AsyncGenerator[T, None], calls: set[_Call[Any]]) -> None:
        super().__init__(self._fill, calls)
        self._source = source
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._room = asyncio.Event()
        self._full = False

    async def _fill(self) -> None:
        put, size = self._queue.put, self._queue.qsize
        try:
            async for item in self._source:
                put(item)
                if size() >= _MAX_QUEUED:
                    await self._wait_for_room()
        finally:
            await self._source.aclose()

    async def _wait_for_room(self) -> None:
        self._room.clear()
        self._full = True
        if self._queue.qsize() >= _MAX_QUEUED:  # again: whoever emptied it before saw no need to tell
            await self._room.wait()

    def _finish(self, task: asyncio.Task[None]) -> None:
        super()._finish(task)
        self._task = None  # as in `wait`
        cancelled = task.cancelled()
        self._queue.put(_End(None if cancelled else task.exception(), was_cancelled=cancelled))

    def take(self) -> T | _End:
        """Wait for the next item."""
        item = self._queue.get()
        if self._full and self._queue.qsize() < _MAX_QUEUED // 2:
            self._full = False
            with suppress(RuntimeError):  # the loop has ended
                self.loop.call_soon_threadsafe(self._room.set)
        return item
