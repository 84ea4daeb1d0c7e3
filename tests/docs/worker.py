"""Runs the programs of pages one after the other, each in a process of its own, which is forked from this one.

Loading g4f takes most of such a program's time, and here it is loaded already. Nothing else is shared: a program has
its own folder, environment and output, is `__main__`, and ends as Python ends.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any

LOADED = ("aiohttp", "g4f.client", "g4f.dispatch", "g4f.transport", "g4f_provider_openai")


def run_jobs() -> None:
    """Read jobs from standard input, a line each, and write their exit codes to standard output."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            run_program(**json.loads(line))
            return
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def run_program(code: str, folder: str, variables: dict[str, str], out: str, err: str) -> None:
    """Become a program in a folder of its own."""
    for number, path in enumerate((os.devnull, out, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[0] = ""
    main = sys.modules["__main__"] = ModuleType("__main__")
    namespace: dict[str, Any] = main.__dict__
    exec(compile(code, "<string>", "exec"), namespace)  # noqa: S102 - that is what it is for


if __name__ == "__main__":
    for name in LOADED:
        import_module(name)
    run_jobs()
