from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from faults.page import PAGE, write_page
from faults.places import MUTE_NAME
from faults.table import BOMBS, ROWS, WAYS
from faults.trial import KEY, PROVIDERS, list_sockets, try_row, wait_until, watch_logs
from g4f_testkit.faults import FAULTS


@pytest.fixture(autouse=True)
def mute_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A name server that does not answer for one name while a test runs; that of `life/names.py` never does."""
    over, look_up = threading.Event(), socket.getaddrinfo

    def ask(host: Any, *wanted: Any, **hints: Any) -> Any:
        if host == MUTE_NAME:
            over.wait()
        return look_up(host, *wanted, **hints)

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    yield
    over.set()


@pytest.mark.parametrize("name", [name for name in ROWS if name not in BOMBS])
async def test_a_fault_comes_to_what_the_table_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In each dialect, whatever was asked for: answer or error, in time; nothing is left open, and no key is seen."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = list_sockets()
    with watch_logs() as logs:
        found = await asyncio.gather(*(try_row(ROWS[name], dialect, way) for dialect in PROVIDERS for way in WAYS))
    problems = [problem for problems in found for problem in problems]
    problems += [f"the key was logged: {line}" for line in logs if KEY in line]
    problems += [f"the key was printed: {text}" for text in capfd.readouterr() if KEY in text]
    problems += [f"a file was written: {path}" for path in tmp_path.rglob("*")]
    if asyncio.all_tasks() != {asyncio.current_task()}:
        problems.append(f"tasks are left: {asyncio.all_tasks()}")
    if not await wait_until(lambda: list_sockets() <= before):
        problems.append("sockets are left")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("name", [name for name in ROWS if name not in BOMBS and not ROWS[name].again])
async def test_the_synchronous_client_comes_to_the_same(name: str) -> None:
    """Each call waits in a thread of its own."""
    before, threads = list_sockets(), list_threads()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(PROVIDERS) * len(WAYS), "waiting"))
    with watch_logs() as logs:
        calls = (try_row(ROWS[name], dialect, way, in_thread=True) for dialect in PROVIDERS for way in WAYS)
        found = await asyncio.gather(*calls)
    problems = [problem for problems in found for problem in problems]
    problems += [f"the key was logged: {line}" for line in logs if KEY in line]
    if not await wait_until(lambda: list_sockets() <= before):
        problems.append("sockets are left")
    if not await wait_until(lambda: list_threads() <= threads):
        problems.append(f"threads are left: {threading.enumerate()}")
    assert not problems, "\n".join(problems)


def list_threads() -> set[threading.Thread]:
    """The threads that run, but for those that wait for calls, or for a name server."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith(("waiting", "g4f-look-up"))}


def test_every_fault_of_the_kit_is_in_the_table() -> None:
    """What the server can do to an answer has a row, but for what has tests of its own."""
    met = {turn.fault for row in ROWS.values() for turn in row.turns}
    assert set(FAULTS) - met == {"endless-output"}


def test_the_page_tells_what_is_tested() -> None:
    """It is written anew by `python tests/faults/page.py`."""
    assert PAGE.read_text(encoding="utf-8") == write_page()
