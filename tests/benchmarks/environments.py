"""One virtual environment for each client, made once in a cache folder, as `pip install` makes it on any machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
OURS = ("-e", str(ROOT), "-e", str(ROOT / "plugins" / "g4f-provider-openai"))


@attrs.frozen
class Peer:
    """Somebody who is measured.

    Attributes:
        name: What the tables call it.
        module: Its file in `clients/`.
        requirements: What pip installs for it.
        distribution: Whose version is shown.
    """

    name: str
    module: str
    requirements: tuple[str, ...]
    distribution: str


RAW = Peer("raw aiohttp + orjson", "raw", ("aiohttp", "orjson"), "aiohttp")
FAST = Peer("g4f [speed]", "g4f", ("orjson", *OURS), "g4f-core")
PLAIN = Peer("g4f", "g4f", OURS, "g4f-core")
LLM = Peer("llm", "llm", ("llm",), "llm")
OTHERS = (
    Peer("gpt4free", "gpt4free", ("g4f",), "g4f"),
    Peer("openai", "openai", ("openai",), "openai"),
    Peer("litellm", "litellm", ("litellm",), "litellm"),
    LLM,
)


class SkippedError(Exception):
    """A client cannot be measured here; the text says why."""


def prepare(peer: Peer) -> Path:
    """Return the Python of a client's environment, made if it is not there yet.

    Raises:
        SkippedError: It does not install.
    """
    place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "g4f-bench"
    words = re.findall(r"\w+", peer.name)
    name = "-".join([*words, f"{sys.version_info.major}.{sys.version_info.minor}"])
    folder, python = place / name, place / name / "bin" / "python"
    stamp = folder / "made-for"
    if stamp.is_file() and stamp.read_text("utf-8") == repr(peer):
        return python
    shutil.rmtree(folder, ignore_errors=True)
    sys.stderr.write(f"Installing {peer.name} ...\n")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirements],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SkippedError(f"it does not install: {quote_last_line(done.stderr or done.stdout)}")
    stamp.write_text(repr(peer), "utf-8")
    return python


def quote_last_line(told: str) -> str:
    """Return what a program that failed said in the end."""
    return (told.strip().splitlines() or ["it said nothing"])[-1][:200]


def read_version(python: Path, distribution: str) -> str:
    """Return the installed version of a distribution."""
    program = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
