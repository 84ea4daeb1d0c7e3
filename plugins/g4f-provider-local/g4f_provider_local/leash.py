"""Runs pip in a process of its own that ends with its parent. A script: it imports the standard library and pip only.

Usage: python -P leash.py PATH CONNECT_SECONDS ARGUMENT...

PATH is where pip is imported from: a wheel of pip, or nothing for the environment's. Standard input is a pipe that
the parent holds: when it closes, however the parent ended, the process ends.
"""

from __future__ import annotations

import os
import runpy
import signal
import socket
import sys
import threading
from typing import Any

NO_CONNECTION = 75  # the exit status when pip failed and no connection came about
CONNECTED = 76  # the exit status when pip failed although some did


def end_with_parent() -> None:
    """Watch the pipe from a thread."""

    def watch() -> None:
        while os.read(0, 64):  # not sys.stdin: Python's end would find it locked by this thread
            pass
        if os.name == "posix" and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)  # with what pip has started
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def limit_connecting(seconds: float) -> list[bool]:
    """Bound how long each connecting may take; pip's own timeout is one for connecting and reading.

    Returns:
        A list that grows with each attempt by whether it succeeded, and with each name that has no address.
    """
    attempts: list[bool] = []
    connect = socket.socket.connect

    def connect_soon(self: socket.socket, address: Any) -> None:
        before = self.gettimeout()
        self.settimeout(seconds if before is None else min(before, seconds))
        attempts.append(False)
        try:
            connect(self, address)
        finally:
            self.settimeout(before)
        attempts[-1] = True

    look_up = socket.getaddrinfo

    def look_up_and_tell(*wanted: Any, **options: Any) -> Any:
        try:
            return look_up(*wanted, **options)
        except OSError:
            attempts.append(False)
            raise

    socket.getaddrinfo = look_up_and_tell
    socket.socket.connect = connect_soon  # type: ignore[assignment,method-assign]  # pip offers no other way
    return attempts


def run_pip(arguments: list[str]) -> int:
    """Run pip's command line and return its exit status."""
    sys.argv = ["pip", *arguments]
    try:
        runpy.run_module("pip", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def main(path: str, seconds: str, *arguments: str) -> int:
    """Run pip; tell a failure without any connection apart."""
    end_with_parent()
    attempts = limit_connecting(float(seconds))
    if path:
        sys.path.insert(0, path)
    status = run_pip(list(arguments))
    if status == 0 or not attempts:
        return status
    return CONNECTED if any(attempts) else NO_CONNECTION


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
