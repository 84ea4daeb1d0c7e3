"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.cli.program import Program


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, without any provider of the test's own yet."""
    for name in ("here", "site", "home"):
        (tmp_path / name).mkdir()
    program = Program(tmp_path / "here", tmp_path / "site", tmp_path / "home")
    yield program
    program.stop()
