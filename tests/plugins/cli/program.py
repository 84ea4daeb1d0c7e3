"""The program as users run it: in a process of its own, beside provider distributions made for the test."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from distributions import write_distribution
from loopback import Answer, Loopback, Reply
from plugins.cli.starter import Starter
from plugins.cli.terminal import Terminal

ROOT = Path(__file__).parents[3]
PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=")
SERVICE = """
from g4f import HttpProvider

class {name}(HttpProvider):
    pass
"""


@attrs.frozen
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str


@attrs.define
class Program:
    """`python -m g4f_cli` in an empty folder.

    Attributes:
        folder: Where it runs.
        site: Where distributions made for the test are installed.
        home: The user's home folder.
        variables: What stands in the environment of all its runs.
        starter: Starts runs, where there is one.
    """

    folder: Path
    site: Path
    home: Path
    variables: dict[str, str] = attrs.field(factory=dict)
    _starter: Starter | None = None
    _terminals: list[Terminal] = attrs.field(factory=list)
    _services: list[Loopback] = attrs.field(factory=list)
    _processes: list[subprocess.Popen[bytes]] = attrs.field(factory=list)

    def run(self, *arguments: str | bytes | Path, piped: bytes = b"", **variables: str) -> Done:
        """Run it to its end; standard input is empty unless given."""
        environment = self.make_environment(**variables)
        if self._starter is not None and not self._needs_its_own_python(variables):
            words = list(map(os.fsdecode, arguments))
            code, out, err = self._starter.run(words, self.folder, environment, piped)
            return Done(code, out.decode(), err.decode())
        done = subprocess.run(
            [sys.executable, "-m", "g4f_cli", *arguments],
            cwd=self.folder,
            env=environment,
            input=piped,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _needs_its_own_python(self, variables: dict[str, str]) -> bool:
        """Tell whether a run depends on how Python starts, or on another package `g4f`."""
        starting = any(name.startswith(("PYTHON", "LANG", "LC_")) for name in (*self.variables, *variables))
        return starting or (self.site / "g4f").exists()

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start it; the test's end kills what is left of it."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(
            [sys.executable, "-m", "g4f_cli", *arguments],
            cwd=self.folder,
            env=self.make_environment(),
            **options,
        )
        self._processes.append(process)
        return process

    def open(self, *arguments: str, rows: int = 24, columns: int = 80, **variables: str) -> Terminal:
        """Start it in a terminal; the test's end closes that."""
        command = [sys.executable, "-m", "g4f_cli", *arguments]
        return self.open_other(command, rows=rows, columns=columns, **{"TERM": "xterm-256color", **variables})

    def open_other(self, command: Sequence[str], rows: int = 24, columns: int = 80, **variables: str) -> Terminal:
        """Start another program in a terminal."""
        terminal = Terminal(command, self.folder, self.make_environment(**variables), (rows, columns))
        self._terminals.append(terminal)
        return terminal

    def make_environment(self, **variables: str) -> dict[str, str]:
        """Return the variables of a run: nothing of the tester's own but what a program needs to start."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TMPDIR")}
        places = (self.site, ROOT / "core", ROOT / "plugins/g4f-cli")
        path = os.pathsep.join(map(str, places))
        return {**kept, "PYTHONPATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", **self.variables, **variables}

    def install(self, provider: str, **options: Any) -> None:
        """Write a provider's distribution; see `write_distribution`."""
        write_distribution(self.site, provider, **options)

    def serve(self, answer: Answer | Reply, *, provider: str = "Service", auth: str = "") -> Loopback:
        """Start a server and install the provider that speaks to it."""
        service = Loopback(answer).__enter__()
        self._services.append(service)
        manifest = f"""
            contract = 1
            title = "{provider}"
            base_url = "{service.url}"
            models = "open"
            {auth}
            [capabilities]
            chat = "yes"
            image = "yes"
            vision = "yes"
        """
        self.install(provider, code=SERVICE, manifest=manifest)
        return service

    def stop(self) -> None:
        """End what was started."""
        for terminal in self._terminals:
            terminal.close()
        for process in self._processes:
            process.kill()
            process.communicate()
        for service in self._services:
            service.__exit__()
