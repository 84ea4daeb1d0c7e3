"""How programs with a local model end: soon, silently, and leaving nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # the first time, weights are fetched

BEGIN = """
import asyncio, os, sys
from pathlib import Path
from g4f_provider_local.engine import Engine, Engines, EngineSettings

def ask(engine, content="Hi", tokens=2):
    return engine.complete({"messages": [{"role": "user", "content": content}], "max_tokens": tokens})

engine = Engine(Path(sys.argv[1]), EngineSettings(n_ctx=4096, parallel=2))
"""


def run(weights: Path, code: str, status: int = 0) -> str:
    """Run a program that has loaded a model, and return what it prints. It must end soon and without a word."""
    command = [sys.executable, "-W", "error", "-c", BEGIN + code, str(weights)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == status
    return done.stdout


def test_a_program_that_closes_nothing_ends_clean(small_weights: Path) -> None:
    """It only asked."""
    assert run(small_weights, "asyncio.run(ask(engine)); print('done')") == "done\n"


def test_a_program_that_only_loads_ends_clean(small_weights: Path) -> None:
    """It never asked."""
    assert run(small_weights, "print('done')") == "done\n"


def test_a_program_that_exits_in_the_middle_ends_clean(small_weights: Path) -> None:
    """While an answer is computed, in another thread."""
    code = """
import threading, time
def work():
    try:
        asyncio.run(ask(engine, "one two " * 1000, 500))
    except Exception:
        pass
threading.Thread(target=work, daemon=True).start()
time.sleep(0.5)
raise SystemExit(3)
"""
    run(small_weights, code, status=3)


def test_a_task_that_is_never_awaited_ends_clean(small_weights: Path) -> None:
    """The loop cancels it."""
    code = """
async def main():
    task = asyncio.create_task(ask(engine, "one two " * 1000, 500))
    await asyncio.sleep(0.3)
asyncio.run(main())
"""
    run(small_weights, code)


def test_many_loops_one_after_the_other(small_weights: Path) -> None:
    """Nothing of a loop is kept."""
    code = """
import time
def count():
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc") else 0
before = count()
for _ in range(20):
    asyncio.run(ask(engine, tokens=1))
end = time.monotonic() + 3  # the runtime's end of the last connection is in this process too
while count() > before and time.monotonic() < end:
    time.sleep(0.05)
print(count() > before)
"""
    assert run(small_weights, code) == "False\n"


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="there is no fork here")
def test_a_fork_has_its_own_model_and_leaves_the_parents_alone(small_weights: Path) -> None:
    """The child cannot use what it inherited, loads anew, and ends like any program; so does one that does nothing."""
    code = """
from g4f.errors import APIConnectionError
def child():
    try:
        asyncio.run(ask(engine))
    except APIConnectionError as error:
        print(error, flush=True)
    own = Engine(Path(sys.argv[1]), EngineSettings(n_ctx=512, parallel=1))
    asyncio.run(ask(own))
    print("own answer", flush=True)

asyncio.run(ask(engine))
for work in (child, lambda: None):
    pid = os.fork()
    if not pid:
        work()
        sys.exit(0)
    print(os.waitpid(pid, 0)[1], flush=True)
asyncio.run(ask(engine))
print("parent's answer")
"""
    assert run(small_weights, code).splitlines() == [
        "The local model is closed.",
        "own answer",
        "0",
        "0",
        "parent's answer",
    ]


def test_an_interrupted_program_ends_soon(small_weights: Path) -> None:
    """Ctrl-C while a long prompt is read."""
    code = "print('ready', flush=True)\nasyncio.run(ask(engine, 'one two three four ' * 900, 500))"
    command = [sys.executable, "-c", BEGIN + code, str(small_weights)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1.0)  # into the prompt
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_importing_the_provider_loads_neither_runtime_nor_network() -> None:
    """They are loaded when somebody chats."""
    code = """
import sys
import g4f_provider_local
print(sorted({"xllamacpp", "aiohttp", "asyncio", "filelock", "platformdirs"} & sys.modules.keys()))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "[]\n"
