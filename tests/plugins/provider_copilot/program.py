"""The real program `copilot`, which npm brings (`npm/`), and the processes that run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import npm


def find_program() -> Path:
    """Install the program if it is not in the cache; skips the test where there is none for this system."""
    if not Path("/proc/self/exe").exists():
        pytest.skip("these tests look for processes in /proc, which this system does not have")
    found = sorted((npm.install(Path(__file__).parent / "npm") / "@github").glob("copilot-*/copilot"))
    if not found:
        pytest.skip("there is no program copilot for this system in the npm registry")
    return found[0]


def list_processes(program: Path, *, own: bool = False) -> list[int]:
    """The processes that run the program now; or only those that this one started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "exe").readlink() != program.resolve():
                continue
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if not own or parent == str(os.getpid()):
            found.append(int(folder.name))
    return found
