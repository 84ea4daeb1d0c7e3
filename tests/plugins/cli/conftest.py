"""What the tests of the command line share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.cli.program import Program
from plugins.cli.starter import Starter


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter | None]:
    """Starts the program faster than Python starts, where processes can fork."""
    if not hasattr(os, "fork"):
        yield None
        return
    starter = Starter()
    yield starter
    starter.stop()


@pytest.fixture
def program(tmp_path: Path, starter: Starter | None) -> Iterator[Program]:
    """The program, without any provider of the test's own yet."""
    for name in ("here", "site", "home"):
        (tmp_path / name).mkdir()
    program = Program(tmp_path / "here", tmp_path / "site", tmp_path / "home", starter=starter)
    yield program
    program.stop()
