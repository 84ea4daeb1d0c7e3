"""Tries in a process of its own, for a limited time, what may end Python, hang or print."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

IMPORT_SECONDS = 10.0
# A program writes down how it went, so that nothing else that it does to its process counts.
_BEFORE = """
import json, os, sys
place, path, *words = sys.argv[1:]
sys.path[:] = json.loads(path)
text = ""
"""
_AFTER = """
with open(place, "w", encoding="utf-8", errors="replace") as file:
    file.write(json.dumps(text))
os._exit(0)  # a thread that was begun would keep the process alive
"""


def try_import(who: str, program: str, *words: str) -> str:
    """Run a program for `IMPORT_SECONDS` at most, and return in a sentence what is wrong; nothing where all is well.

    Args:
        who: What is tried, as the sentence begins.
        program: Python that imports it and, where that fails, puts the sentence into `text`.
        *words: What the program finds in `words`.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "outcome"
        command = [sys.executable, "-c", _BEFORE + program + _AFTER, str(place), json.dumps(sys.path), *words]
        quiet = subprocess.DEVNULL
        child = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
        try:
            what = f"ends Python with exit code {child.wait(IMPORT_SECONDS)} when it is imported."
        except subprocess.TimeoutExpired:
            what = f"is not imported after {IMPORT_SECONDS:g} s."
        finally:
            _end(child)
        return str(json.loads(place.read_text("utf-8"))) if place.exists() else f"{who} {what}"


def _end(child: subprocess.Popen[bytes]) -> None:
    """End it with all that it began, which its session holds together where there are sessions."""
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
