"""A process that has imported the program already, and forks for each run: Python and its imports start but once.

A run is a process of its own all the same, with its own arguments, variables, folder, path, input and output.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NoReturn

SECONDS = 60.0
_BIG = 1 << 20


class Starter:
    """Starts runs of the program, one after the other."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(SECONDS)
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-I", __file__, str(number)]
            self._process = subprocess.Popen(command, pass_fds=[number], start_new_session=True)

    def run(
        self, arguments: Sequence[str], folder: Path, environment: dict[str, str], piped: bytes
    ) -> tuple[int, bytes, bytes]:
        """Run the program to its end; return its exit code, output and errors."""
        wish = json.dumps({"arguments": arguments, "folder": str(folder), "environment": environment}).encode()
        read, write = os.pipe()
        with TemporaryFile() as out, TemporaryFile() as err:
            socket.send_fds(self._channel, [wish], [read, out.fileno(), err.fileno()])
            os.close(read)
            with suppress(BrokenPipeError), os.fdopen(write, "wb") as pipe:
                pipe.write(piped)
            code = json.loads(self._channel.recv(_BIG))
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()

    def stop(self) -> None:
        """End it, and a run that hangs."""
        self._channel.close()
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def serve(channel: socket.socket) -> None:
    """Fork for each wish that comes, and answer with the exit code."""
    import_program()
    while True:
        wish, numbers, _, _ = socket.recv_fds(channel, _BIG, 3)
        if not wish:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            become_program(json.loads(wish), numbers)
        for number in numbers:
            os.close(number)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        channel.sendall(json.dumps(code).encode())


def import_program() -> None:
    """Import what runs need, as far as it looks at nothing of theirs."""
    from importlib import import_module
    from pkgutil import walk_packages

    import g4f
    import g4f_cli
    import g4f_doctor

    own = (
        found.name
        for package in (g4f, g4f_cli, g4f_doctor)
        for found in walk_packages(package.__path__, f"{package.__name__}.")
    )
    for module in ("aiohttp", "markdown_it", "tomllib", *own):
        if not module.endswith("__main__"):
            import_module(module)


def become_program(wish: dict[str, Any], numbers: Sequence[int]) -> NoReturn:
    """Do what `python -m g4f_cli` does."""
    for number, taken in enumerate(numbers):
        os.dup2(taken, number)
        os.close(taken)
    os.chdir(wish["folder"])
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.path[:0] = [wish["folder"], *os.environ["PYTHONPATH"].split(os.pathsep)]
    sys.argv = ["g4f", *wish["arguments"]]
    # As Python opens them where the locale is C.UTF-8.
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    from g4f_cli.__main__ import main

    main()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as opened:
        serve(opened)
