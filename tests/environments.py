"""New Python environments, which tests fill with packages as users get them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

import uv

ROOT = Path(__file__).parents[1]
UV = uv.find_uv_bin()
_BIN = "Scripts" if os.name == "nt" else "bin"


class Environment:
    """An environment in a folder, and beside it an empty folder in which its programs run.

    Attributes:
        variables: What its programs see of ours; without what steers Python or g4f.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "venv"
        self.python = self.folder / _BIN / "python"
        self.variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "G4F_"))}
        self._empty = folder / "empty"
        self._empty.mkdir()

    @classmethod
    def with_pip(cls, folder: Path) -> Self:
        """Make one as users do."""
        made = cls(folder)
        made._start(sys.executable, "-m", "venv", made.folder)
        made.variables["PIP_CONSTRAINT"] = str(made._write_pins())
        return made

    @classmethod
    def with_uv(cls, folder: Path) -> Self:
        """Make one in a moment; uv fills it in a second, where pip takes ten."""
        made = cls(folder)
        made._start(UV, "venv", "--quiet", "--python", sys.executable, made.folder)
        return made

    def install(self, *wheels: Path | str, requirements: Path) -> None:
        """Install wheels by uv, with what they require of those in the folder `requirements`; or some of those."""
        source = ("--no-index", "--find-links", requirements)
        self._start(UV, "pip", "install", "--quiet", "--python", self.python, *source, *wheels)

    def install_source(self, folder: Path) -> None:
        """Install a package as who writes it does; what it requires and is built with must be here already."""
        options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--python", self.python)
        self._start(UV, "pip", "install", *options, folder)

    def run(self, program: str, *arguments: str | Path) -> str:
        """Run a program of the environment, and return what it printed."""
        return self._start(self.folder / _BIN / program, *arguments)

    def run_shell(self, script: str) -> str:
        """Run lines as a user does who activated the environment, and return what they printed."""
        return self._start("sh", "-c", f'PATH="{self.folder / _BIN}:$PATH"\n{script}')

    def _start(self, *command: str | Path) -> str:
        done = subprocess.run(command, cwd=self._empty, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _write_pins(self) -> Path:
        lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
        pins = self._empty.parent / "pins.txt"
        pins.write_text("\n".join(re.findall(r"^(\S+==.+?) \\$", lock, re.MULTILINE)), encoding="utf-8")
        return pins
