"""A program whose name server never answers, and which ends all the same: `python names.py ORIGIN STORY`.

`test_names.py` runs it, and says what each story is. A look-up that is waited for anywhere is waited for without end.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest has it

import g4f
import g4f.transport  # here, since its import takes long beside a deadline
from life.leaving import overlook_slowness

SECONDS = 1.0
MANY = 40  # more than an event loop has threads for look-ups
asked = threading.Semaphore(0)
look_up = socket.getaddrinfo


def look_up_in_vain(host: Any, *wanted: Any, **hints: Any) -> Any:
    """Look a name up, as the system does, but for those that nobody answers for."""
    if not str(host).endswith(".invalid"):
        return look_up(host, *wanted, **hints)
    asked.release()
    threading.Event().wait()
    return []


def make_arguments(url: str = "http://mute.invalid", seconds: float = SECONDS) -> Any:
    """Return what makes a client."""
    return {"provider": "OpenaiChat", "api_key": "k", "base_url": url, "timeout": seconds, "max_retries": 0}


def call(_: str) -> None:
    """The synchronous client."""
    with g4f.Client(**make_arguments()) as client:
        try:
            client.chat.completions.create("Hi", "gpt-4o-mini")
        except g4f.APITimeoutError:
            return
    raise AssertionError("there was an answer")


def await_call(_: str) -> None:
    """The asynchronous client, whose loop ends."""
    asyncio.run(expect_to_be_late("http://mute.invalid"))


async def expect_to_be_late(url: str) -> None:
    """Make a call that nobody answers."""
    async with g4f.AsyncClient(**make_arguments(url)) as client:
        try:
            await client.chat.completions.create("Hi", "gpt-4o-mini")
        except g4f.APITimeoutError:
            return
    raise AssertionError("there was an answer")


def interrupt_call(_: str) -> None:
    """Ctrl-C, while the name is looked up."""
    threading.Thread(target=interrupt).start()
    try:
        with g4f.Client(**make_arguments(seconds=600)) as client:
            client.chat.completions.create("Hi", "gpt-4o-mini")
    except KeyboardInterrupt:
        return
    raise AssertionError("it was not interrupted")


def interrupt() -> None:
    """Press Ctrl-C once a name is looked up."""
    asked.acquire()
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


def call_beside_many(origin: str) -> None:
    """A name that is known, while many others are looked up in vain."""
    asyncio.run(expect_an_answer(origin))


async def expect_an_answer(origin: str) -> None:
    """Make a call while many others wait."""
    others = [asyncio.create_task(expect_to_be_late(f"http://mute-{number}.invalid")) for number in range(MANY)]
    await asyncio.gather(*others)
    url = f"http://localhost:{origin.rpartition(':')[2]}/v1"
    async with g4f.AsyncClient(**make_arguments(url, 60)) as client:
        await client.chat.completions.create("Hi", "gpt-4o-mini")


STORIES: dict[str, Callable[[str], None]] = {
    story.__name__: story for story in (call, await_call, interrupt_call, call_beside_many)
}

if __name__ == "__main__":
    overlook_slowness()
    socket.getaddrinfo = look_up_in_vain
    STORIES[sys.argv[2]](sys.argv[1])
