"""Runs a program of this folder in a process of its own, where warnings are errors and asyncio looks for mistakes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run_program(name: str, *arguments: str, seconds: float = 560) -> str:
    """Return what it prints; it must end well, in so many seconds, and complain of nothing."""
    command = [sys.executable, "-X", "dev", "-W", "error", str(Path(__file__).with_name(name)), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout
