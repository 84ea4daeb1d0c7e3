"""What a reader's computer does with a block: a program in an empty folder, or a page followed to its end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docs.pages import ROOT, Block
from docs.service import KEY
from environments import UV

# The address that the pages give to a server of the reader's own.
OWN_SERVER = "http://127.0.0.1:8080"
OWN_PORT = "8080"
# What a reader puts in its place: `export OPENAI_API_KEY=...`
_OPEN = re.compile(r"\b([A-Z0-9_]+)=\.\.\.")
_INSTALLED = ("core", "plugins", "pyproject.toml", "README.md", "LICENSE")  # of a checkout
_FOREIGN = ("G4F_", "ANTHROPIC_", "OPENAI_", "GEMINI_", "GOOGLE_", "CUSTOM_", "COPILOT_", "M365_", "PYTHON")


def make_environment(url: str, **more: str) -> dict[str, str]:
    """The reader's environment: ours without what could steer a program, and with a key for the service at `url`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": f"{url}/v1",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": url,
        "AZURE_API_KEY": KEY,
        "AZURE_ENDPOINT": url,
        "BFL_API_KEY": KEY,
        "BFL_BASE_URL": url,
        "POLLINATIONS_API_KEY": KEY,
        "POLLINATIONS_BASE_URL": f"{url}/v1",
        "M365_COPILOT_TOKEN": KEY,
        "M365_COPILOT_BASE_URL": url,
        "COPILOT_GITHUB_TOKEN": KEY,
        "PYTHONIOENCODING": "utf-8",
        **more,
    }


class Programs:
    """A reader who runs programs, with warnings as errors; a server of their own is the service at `url`.

    They are run by `docs.worker`, which is begun with the first of them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._worker: subprocess.Popen[str] | None = None

    def run(self, code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program in an empty folder, with `more` in its environment."""
        place, out, err = folder / "work", folder / "out", folder / "err"
        place.mkdir()
        job = {"code": code.replace(OWN_SERVER, self._url), "folder": str(place), "out": str(out), "err": str(err)}
        try:
            ended = self._ask(json.dumps({**job, "variables": make_environment(self._url, **more)}))
        except BaseException:  # it hangs, or the test was ended: nobody else may wait for it
            self.end()
            raise
        return subprocess.CompletedProcess(code, ended, out.read_text("utf-8"), err.read_text("utf-8"))

    def _ask(self, job: str) -> int:
        worker = self._worker = self._worker or self._begin()
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(f"{job}\n")
        worker.stdin.flush()
        return int(worker.stdout.readline())

    def _begin(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-W", "error", Path(__file__).parent / "worker.py"],
            env=make_environment(self._url),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,
        )

    def end(self) -> None:
        """End what runs."""
        if self._worker is not None:
            os.killpg(self._worker.pid, signal.SIGKILL)
            self._worker.communicate()
            self._worker = None


@contextmanager
def begin_session(folder: Path, url: str, *, seconds: float = 60) -> Iterator[Session]:
    """Sit down at an empty folder; what the commands left running ends with the block."""
    session = Session(folder, url, seconds)
    try:
        yield session
    finally:
        session.end()


class Session:
    """A reader with an empty folder and an environment of their own, in which g4f is installed."""

    def __init__(self, folder: Path, url: str, seconds: float) -> None:
        self._seconds = seconds
        self._folder = folder / "work"
        self._folder.mkdir()
        self._tools = make_tools(folder / "venv")
        (self._folder / "scripts").symlink_to(self._tools)  # scripts/g4f is the command of a checkout
        self._logs = folder / "logs"
        self._logs.mkdir()
        self._groups: list[int] = []
        self._port = str(_find_port())
        path = os.pathsep.join([str(self._tools), os.environ["PATH"]])
        own = folder / "own"  # what a reader's g4f keeps is not the tester's
        # A reader's pip fetches what builds a package; ours has it, and no network is needed. Plugins of our pytest are
        # none of theirs, but for the one that we bring.
        self._environment = make_environment(
            url,
            PATH=path,
            XDG_CONFIG_HOME=str(own),
            XDG_DATA_HOME=str(own),
            PIP_NO_BUILD_ISOLATION="0",
            PIP_NO_INDEX="1",
            PIP_NO_DEPS="1",
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            PYTEST_PLUGINS="g4f_testkit.plugin",
        )

    def lay_out_checkout(self) -> None:
        """Turn the folder into a checkout, as far as it is installed."""
        for name in _INSTALLED:
            source, target = ROOT / name, self._folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)

    def do(self, block: Block) -> str | None:
        """Write a block's file, or run it and return what it printed; `NAME=...` is what the environment has of it.

        Raises:
            AssertionError: A command failed, or the environment has nothing of a name.
        """
        code = _OPEN.sub(r'\1="${\1:?}"', block.code.replace(OWN_PORT, self._port))
        if block.file is not None:
            path = self._folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code, encoding="utf-8")
            return None
        return self._run('python -c "$0"' if block.language == "python" else code, code)

    def _run(self, script: str, argument: str) -> str:
        """Run a script in the shell; where it stands and what it exports is there for the next one."""
        state = self._logs / "state"
        # What pip warns of is no matter of ours
        warnings = "" if "pip install" in script else "error"
        before = f"[ ! -e {state} ] || . {state}\nexport PYTHONWARNINGS={warnings}"
        after = f"{{ export -p; echo cd '\"'$PWD'\"'; }} >{state}"
        printed_to = self._logs / str(len(self._groups))
        with printed_to.open("wb") as log:  # a file, since a pipe would wait for what runs in the background
            process = subprocess.Popen(
                ["bash", "-e", "-c", f"{before}\n{script}\n{after}", argument],  # noqa: S607 - wherever it is
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._groups.append(process.pid)
            code = process.wait(self._seconds)
        printed = printed_to.read_text(encoding="utf-8").replace(self._port, OWN_PORT)
        assert code == 0, printed
        return printed

    def end(self) -> None:
        """End what the commands left running."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue  # the usual case: nothing is left of it


def make_tools(folder: Path) -> Path:
    """Make an environment that has what ours has and the commands that pages use; return its folder of programs.

    `pip` is uv there, which takes the same words and a third of the time; tests/packaging installs with pip itself.
    """
    venv.create(folder, with_pip=False)
    tools = folder / "bin"
    (site,) = folder.glob("lib/python*/site-packages")
    ours = sysconfig.get_path("purelib")
    (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    python = tools / "python"
    how = f"--quiet --offline --no-deps --no-build-isolation --python '{python}'"
    _write_script(tools / "pip", f"'{UV}' pip \"$@\" {how}")
    for name, module in {"pytest": "pytest", "g4f": "g4f_cli"}.items():
        _write_script(tools / name, f"'{python}' -m {module} \"$@\"")
    return tools


def _write_script(path: Path, command: str) -> None:
    path.write_text(f"#!/bin/sh\nexec {command}\n")
    path.chmod(0o755)


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
