"""What takes long to make, made by one process of a parallel run for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    import pytest


def share_folder(factory: pytest.TempPathFactory, name: str, fill: Callable[[Path], object]) -> Path:
    """Return a folder of this run that the first who asks for it has filled; the others wait until it is."""
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each worker has its own folder in that of the run
    folder = root / name
    with filelock.FileLock(root / f"{name}.lock"):
        if not folder.exists():
            made = root / f"{name}.made"
            made.mkdir()
            fill(made)
            made.rename(folder)
    return folder
