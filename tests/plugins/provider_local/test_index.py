from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from g4f_provider_local import index, leash
from g4f_provider_local.catalogue import WheelSource
from g4f_provider_local.index import append_piece, fetch_wheels, find_bundled_pip, find_client, keep_good_pieces
from g4f_provider_local.partial import PartialFile, SourceError
from loopback import STALL, Loopback, Received, Reply
from plugins.provider_local.tiny import DATA, Watcher, list_files

MakeWheels = Callable[..., WheelSource]


async def fetch(source: WheelSource, folder: Path, watcher: Watcher | None = None) -> bytes:
    """Fetch `DATA` from wheels into a folder, and return what is there afterwards."""
    part = folder / "part"
    with PartialFile(part, len(DATA)) as partial:

        def report(more: int, note: str) -> None:
            if watcher is not None:
                watcher(partial.size + more, partial.total, note)

        await fetch_wheels(source, partial, folder / "staging", report)
    return part.read_bytes()


async def test_the_pieces_of_the_wheels_are_put_together(
    tmp_path: Path, make_wheels: MakeWheels, watcher: Watcher
) -> None:
    """In order; nothing else is left of the wheels."""
    assert await fetch(make_wheels(3), tmp_path, watcher) == DATA
    assert watcher.notes == [f"from the package index, part {part} of 3" for part in (1, 2, 3)]
    assert not (tmp_path / "staging").exists()


async def test_a_fetch_goes_on_behind_the_last_good_piece(tmp_path: Path, make_wheels: MakeWheels) -> None:
    """What follows it is cut off, also if it is half a piece of another source."""
    source = make_wheels(3)
    good = source.wheels[0].size
    (tmp_path / "part").write_bytes(DATA[:good] + b"rest of something")
    wheel_one = next((tmp_path / "index").glob("tiny_part1*"))
    wheel_one.unlink()  # it is not asked for
    assert await fetch(source, tmp_path) == DATA


async def test_pieces_that_are_there_stay_when_a_wheel_is_missing(tmp_path: Path, make_wheels: MakeWheels) -> None:
    """The next try goes on there."""
    source = make_wheels(3)
    next((tmp_path / "index").glob("tiny_part3*")).unlink()
    with pytest.raises(SourceError, match=r"No matching distribution found for tiny-part3==1\.0"):
        await fetch(source, tmp_path)
    assert (tmp_path / "part").read_bytes() == DATA[: 2 * source.wheels[0].size]


async def test_a_piece_with_other_bytes_is_refused(tmp_path: Path, make_wheels: MakeWheels) -> None:
    """And taken back."""
    source = make_wheels(2)
    first, second = source.wheels
    with pytest.raises(SourceError, match=r"tiny-part2 1\.0 holds other bytes"):
        await fetch(WheelSource((first, attrs.evolve(second, sha256="0" * 64))), tmp_path)
    assert (tmp_path / "part").read_bytes() == DATA[: first.size]


def test_a_wheel_that_unpacks_to_more_than_it_should_is_refused(tmp_path: Path, make_wheels: MakeWheels) -> None:
    """Unpacking ends where the piece should."""
    (wheel,) = make_wheels(1, bytes(8 << 20)).wheels
    lying = attrs.evolve(wheel, size=10)
    with PartialFile(tmp_path / "part", len(DATA)) as partial:
        with pytest.raises(SourceError, match="other bytes"):
            append_piece(next((tmp_path / "index").iterdir()), lying, partial, threading.Event())
        assert partial.size == 0


@pytest.mark.parametrize("content", [b"no zip at all", None])
def test_a_file_that_is_not_the_wheel_is_refused(
    tmp_path: Path, make_wheels: MakeWheels, content: bytes | None
) -> None:
    """No archive, or one without the member."""
    (wheel,) = make_wheels(1).wheels
    file = tmp_path / "file.whl"
    if content is None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("other", b"")
    else:
        file.write_bytes(content)
    refused = pytest.raises(SourceError, match="is not the expected wheel")
    with PartialFile(tmp_path / "part", len(DATA)) as partial, refused:
        append_piece(file, wheel, partial, threading.Event())


def test_stopping_while_pieces_are_verified_keeps_them(tmp_path: Path, make_wheels: MakeWheels) -> None:
    """Only a piece that is bad is cut off."""
    (tmp_path / "part").write_bytes(DATA)
    stop = threading.Event()
    stop.set()
    with PartialFile(tmp_path / "part", len(DATA)) as partial:
        keep_good_pieces(make_wheels(3), partial, stop)
        assert partial.size == len(DATA)


def serve_index(wheel: Path, *pieces: bytes | float | str) -> Callable[[Received], Reply]:
    """Answer as a package index with one project does; the wheel's body is `pieces`."""

    def answer(request: Received) -> Reply:
        if request.path.endswith(".whl"):
            return Reply(200, {"content-length": str(wheel.stat().st_size)}, pieces, framing="length")  # type: ignore[arg-type]
        return Reply(200, {"content-type": "text/html"}, f'<a href="/{wheel.name}">{wheel.name}</a>'.encode())

    return answer


@pytest.fixture
def one_wheel(tmp_path: Path, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch) -> WheelSource:
    """A source of one wheel, which pip asks an index over HTTP for."""
    source = make_wheels(1)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return source


def find_clients(folder: Path, what: bytes = b"leash") -> list[int]:
    """Return the processes that have the folder's name in their command line, and what they are."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in command and what in command:
                found.append(int(process.name))
    return found


async def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Wait until something holds, and tell whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.05)
    return True


async def test_progress_is_seen_while_a_wheel_is_fetched_and_cancelling_ends_the_client(
    tmp_path: Path, one_wheel: WheelSource, monkeypatch: pytest.MonkeyPatch, watcher: Watcher
) -> None:
    """The bytes are counted as they come; the caller is free at once and no process is left."""
    wheel = next((tmp_path / "index").iterdir())
    half = wheel.read_bytes()[: wheel.stat().st_size // 2]
    with Loopback(serve_index(wheel, half, STALL)) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        task = asyncio.create_task(fetch(one_wheel, tmp_path, watcher))
        assert await wait_until(lambda: watcher.told and watcher.told[-1][0] >= len(DATA) // 4, 30), watcher.told
        assert len(find_clients(tmp_path)) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert find_clients(tmp_path) == []
    assert not (tmp_path / "staging").exists()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
async def test_cancelling_ends_what_the_client_has_started(
    tmp_path: Path, one_wheel: WheelSource, monkeypatch: pytest.MonkeyPatch, watcher: Watcher
) -> None:
    """As the program that tells pip which system this is."""
    teller = tmp_path / "bin/lsb_release"
    teller.parent.mkdir()
    teller.write_text("#!/bin/sh\nsleep 60\n")
    teller.chmod(0o755)
    monkeypatch.setenv("PATH", f"{teller.parent}:{os.environ['PATH']}")
    with Loopback(serve_index(next((tmp_path / "index").iterdir()), STALL)) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        task = asyncio.create_task(fetch(one_wheel, tmp_path, watcher))
        assert await wait_until(lambda: find_clients(tmp_path, b"lsb_release"), 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await wait_until(lambda: not find_clients(tmp_path, b"lsb_release"), 5)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_the_client_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """Not even SIGKILL leaves an orphan: the pipe to it closes."""
    script = f"""
import subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-P", {leash.__file__!r}, "", "5", "download", "--dest={tmp_path}", "-r", "/dev/fd/3"],
    stdin=subprocess.PIPE, pass_fds=[3],
)
print(child.pid, flush=True)
time.sleep(60)
"""
    reading, writing = os.pipe()  # pip waits for the requirements that never come
    try:
        with subprocess.Popen(
            [sys.executable, "-c", f"import os; os.dup2({reading}, 3)\n{script}"],
            stdout=subprocess.PIPE,
            pass_fds=[reading],
        ) as parent:
            assert parent.stdout is not None
            child = Path("/proc") / parent.stdout.readline().strip().decode()
            assert child.exists()
            parent.kill()
        end = time.monotonic() + 5
        while child.exists() and time.monotonic() < end and "zombie" not in (child / "status").read_text():
            time.sleep(0.05)
        assert not child.exists() or "zombie" in (child / "status").read_text()
    finally:
        os.close(reading)
        os.close(writing)


async def test_a_failure_of_the_server_is_tried_again(
    tmp_path: Path, one_wheel: WheelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is there, so it may be better the next time."""
    wheel = next((tmp_path / "index").iterdir())
    good = serve_index(wheel, wheel.read_bytes())
    asked: list[str] = []

    def answer(request: Received) -> Reply:
        asked.append(request.path)
        return good(request) if asked.count(request.path) > 1 else Reply(503, {}, b"busy")

    with Loopback(answer) as server:
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
        assert await fetch(one_wheel, tmp_path) == DATA


async def test_an_index_without_an_address_is_told_as_such(
    tmp_path: Path, one_wheel: WheelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pip alone would say that there is no such wheel."""
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    with pytest.raises(SourceError, match="no connection"):
        await fetch(one_wheel, tmp_path)


async def test_an_index_out_of_reach_is_given_up_soon(
    tmp_path: Path, one_wheel: WheelSource, monkeypatch: pytest.MonkeyPatch, deaf_address: str
) -> None:
    """Connecting has five seconds, however long pip itself would wait."""
    monkeypatch.setenv("PIP_INDEX_URL", f"{deaf_address}/simple")
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "60")
    started = time.monotonic()
    with pytest.raises(SourceError, match="no connection within 5 s"):
        await fetch(one_wheel, tmp_path)
    assert time.monotonic() - started > 4


def hide(monkeypatch: pytest.MonkeyPatch, *, pip: bool = False, bundled: bool = False) -> None:
    """Make a machine without pip, or without the wheel of it that Python carries."""
    real = importlib.util.find_spec
    if pip:
        monkeypatch.setattr(
            "importlib.util.find_spec", lambda name, *rest: None if name == "pip" else real(name, *rest)
        )
    if bundled:
        monkeypatch.setattr(index, "find_bundled_pip", lambda: None)


async def test_an_environment_without_pip_uses_the_one_that_python_carries(
    tmp_path: Path, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As environments that uv makes."""
    assert find_bundled_pip() is not None
    hide(monkeypatch, pip=True)
    assert find_client()[-1].endswith(".whl")
    assert await fetch(make_wheels(2), tmp_path) == DATA


async def test_a_python_without_any_pip_uses_uv(
    tmp_path: Path, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uv brings a pip along for the moment."""
    pip = find_bundled_pip()
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert pip is not None
    assert uv is not None, "uv is a development requirement"
    monkeypatch.setenv("PATH", str(Path(uv).parent), prepend=os.pathsep)
    monkeypatch.setenv("UV_NO_INDEX", "1")  # its pip comes from a folder too
    monkeypatch.setenv("UV_FIND_LINKS", str(pip.parent))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    hide(monkeypatch, pip=True, bundled=True)
    assert find_client()[0] == uv
    assert await fetch(make_wheels(1), tmp_path) == DATA


async def test_a_machine_without_any_client_says_what_to_install(
    tmp_path: Path, make_wheels: MakeWheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither pip nor uv."""
    hide(monkeypatch, pip=True, bundled=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="install pip or uv"):
        await fetch(make_wheels(1), tmp_path)
    assert list_files(tmp_path / "staging") == []
