"""Looking names up in threads that nobody waits for, so that a mute name server holds up no call, loop or program.

No look-up can be interrupted: it takes as long as the system likes, often half a minute. An event loop makes them in
its executor, whose few threads all work shares, and which it joins at its end. Here each has its own daemon thread.
How names are asked for and remembered, and which address is tried first, is aiohttp's.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar, cast

import aiohttp

T = TypeVar("T")


async def look_up(host: str, port: int | None, **hints: Any) -> list[Any]:
    """Return what `socket.getaddrinfo` does, and raise what it raises; to cancel it gives up waiting."""
    return await _run_apart(partial(socket.getaddrinfo, host, port, **hints))


class Resolver(aiohttp.ThreadedResolver):
    """aiohttp's resolver, apart from the loop's executor: `aiohttp.TCPConnector(resolver=Resolver())`."""

    def __init__(self) -> None:
        super().__init__(cast(asyncio.AbstractEventLoop, _LookUps()))  # of a loop it uses no more than is there


class _LookUps:
    """What aiohttp's resolver asks an event loop for."""

    getaddrinfo = staticmethod(look_up)

    async def getnameinfo(self, address: tuple[Any, ...], flags: int = 0) -> tuple[str, str]:
        return await _run_apart(partial(socket.getnameinfo, address, flags))


async def _run_apart(work: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[T] = loop.create_future()
    threading.Thread(target=_run, args=(work, loop, waiting), name="g4f-look-up", daemon=True).start()
    try:
        return await waiting
    finally:
        del waiting  # which holds the error, whose traceback holds this frame: a circle


def _run(work: Callable[[], T], loop: asyncio.AbstractEventLoop, waiting: asyncio.Future[T]) -> None:
    settle: Callable[[], None]
    try:
        settle = partial(waiting.set_result, work())
    except Exception as error:  # noqa: BLE001 - whatever it is goes to who waits
        settle = partial(waiting.set_exception, error.with_traceback(None))  # with it: a circle
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(_settle, waiting, settle)


def _settle(waiting: asyncio.Future[T], settle: Callable[[], None]) -> None:
    if not waiting.done():  # else nobody waits any more
        settle()
