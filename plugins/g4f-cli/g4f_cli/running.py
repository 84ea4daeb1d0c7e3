"""Runs a command's coroutine over the core's client, in an event loop that Ctrl-C ends."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from g4f_cli.interrupts import leave_interrupted

if TYPE_CHECKING:
    from g4f import AsyncClient

T = TypeVar("T")


def import_client() -> type[AsyncClient]:
    """Return our client.

    Raises:
        ImportError: The package `g4f` is another project's, whose client would ask other services.
    """
    from g4f.client import AsyncClient

    if AsyncClient.__module__ != "g4f.client._async":
        raise ImportError("the package g4f is not that of g4f-core")
    return AsyncClient


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end.

    Ctrl-C cancels it, so that its blocks close connections and stop a local model; then the program exits.
    """
    import asyncio  # 40 ms that help need not pay

    with asyncio.Runner() as runner:
        try:
            return runner.run(work)
        except KeyboardInterrupt:
            leave_interrupted()  # here, because closing the runner waits for its threads
