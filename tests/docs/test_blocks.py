"""Every block of code in the documents does what the page says."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from docs.pages import Block, Page, compare_output, read_pages
from docs.readers import Programs, begin_session, make_environment
from docs.service import answer
from g4f_provider_local.download import ensure_model
from loopback import Loopback

PAGES = read_pages()
SESSIONS = [page for page in PAGES if page.is_session]
SINGLE = [block for page in PAGES if not page.is_session for block in page.blocks if block.not_run is None]
PROGRAMS = [block for block in SINGLE if block.language == "python"]
COMMANDS = [block for block in SINGLE if block.language == "sh"]
NOT_RUN = [block for page in PAGES for block in page.blocks if block.not_run is not None]
SECONDS = 300  # what hangs ends; a page may put a provider to the whole kit on a machine with other work
LOCAL_SECONDS = 1400  # the first that asks the local model waits until half a gigabyte is there

posix = pytest.mark.skipif(sys.platform == "win32", reason="commands are for a POSIX shell, and programs are forked")


@pytest.fixture(scope="module")
def service() -> Iterator[Loopback]:
    """The service that the programs talk with."""
    with Loopback(answer) as server:
        yield server


@pytest.fixture(scope="module")
def programs(service: Loopback) -> Iterator[Programs]:
    """Who runs them."""
    reader = Programs(service.url)
    yield reader
    reader.end()


def make_parameters(found: Sequence[Block | Page]) -> list[Any]:
    return [pytest.param(one, id=one.name, marks=pytest.mark.timeout(find_limit(one) + 60)) for one in found]


def find_limit(one: Block | Page) -> float:
    return LOCAL_SECONDS if one.local else SECONDS


@posix
@pytest.mark.parametrize("block", make_parameters(PROGRAMS))
def test_a_program_runs_and_prints_what_the_page_says(block: Block, tmp_path: Path, programs: Programs) -> None:
    """In an empty folder, with warnings as errors."""
    done = programs.run(block.code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Exception ignored" not in done.stderr, done.stderr
    if block.output is not None:
        assert compare_output(block, done.stdout), done.stdout + done.stderr


@posix
def test_a_program_begins_and_ends_as_if_it_were_alone(programs: Programs, tmp_path: Path) -> None:
    """Though they are forked from one process: what one does is nothing to the next, and what fails is told."""
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = programs.run(
        "import os, json\njson.mark = os.environ['MARK'] = '1'\nopen('left', 'w')\n1 / 0", tmp_path / "first"
    )
    assert first.returncode == 1
    assert "ZeroDivisionError" in first.stderr
    assert "Exception ignored" in first.stderr  # a file that was not closed
    told = programs.run(
        "import json, os, sys\nprint(__name__, os.listdir(), hasattr(json, 'mark'), 'MARK' in os.environ)\nsys.exit(3)",
        tmp_path / "second",
    )
    assert (told.returncode, told.stdout) == (3, "__main__ [] False False\n"), told.stderr


@posix
@pytest.mark.parametrize("block", make_parameters(COMMANDS))
def test_a_command_prints_what_the_page_says(block: Block, tmp_path: Path, service: Loopback) -> None:
    """In an empty folder, in an environment in which g4f is installed."""
    with begin_session(tmp_path, service.url, seconds=find_limit(block)) as session:
        check_output(block, session.do(block))


@pytest.fixture(scope="session")
def small_weights() -> None:
    """The model that a page loads; fetched if it is not here yet, since a reader's pip has no network."""
    asyncio.run(ensure_model("smollm2-135m-instruct"))


@posix
@pytest.mark.usefixtures("small_weights")
@pytest.mark.parametrize("page", make_parameters(SESSIONS))
def test_a_reader_who_follows_a_page_gets_what_it_shows(page: Page, tmp_path: Path, service: Loopback) -> None:
    """Its files are written and its commands run, from its top to its end."""
    with begin_session(tmp_path, service.url, seconds=find_limit(page)) as session:
        if page.needs_checkout:
            session.lay_out_checkout()
        for block in page.blocks:
            if block.not_run is None and (block.file or block.language in ("python", "sh")):
                check_output(block, session.do(block))


def check_output(block: Block, printed: str | None) -> None:
    if block.output is not None:
        assert printed is not None, f"{block.name} is a file and prints nothing"
        assert compare_output(block, printed), f"{block.name} printed:\n{printed}"


def test_blocks_that_are_not_run_say_why(capsys: pytest.CaptureFixture[str]) -> None:
    """They are few, and they are told at each run."""
    total = sum(len(page.blocks) for page in PAGES)
    lines = [f"{len(NOT_RUN)} of {total} blocks of the documents are not run:"]
    lines += [f"  {block.name} {block.not_run}" for block in NOT_RUN]
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert all(block.not_run for block in NOT_RUN)


def test_every_block_is_of_a_language_that_we_run_or_of_none_that_runs() -> None:
    """One without a language, or with a misspelled one, would be passed over."""
    run = {"python", "sh"}
    others = [block for page in PAGES for block in page.blocks if block.not_run is None and block.language not in run]
    assert [block.name for block in others if block.language not in ("text", "toml")] == []


def test_only_what_the_local_model_says_may_be_worded_otherwise() -> None:
    """Such a page shows an answer that would itself pass."""
    varying = [block for page in PAGES for block in page.blocks if block.must_contain]
    assert [block.name for block in varying if not block.local] == []
    assert [block.name for block in varying if not compare_output(block, block.output or "")] == []


@pytest.mark.parametrize(
    ("printed", "fits"),
    [
        ("The capital of France is Paris, that of Italy is Rome.", True),
        ("PARIS!\nrome", True),
        ("Rome, and then Paris", False),
        ("It is Paris.", False),
        ("Parish and Romeo", False),
    ],
)
def test_words_that_must_come_are_found_in_any_wording(printed: str, fits: bool) -> None:
    """In their order, as whole words, in small letters or capitals."""
    block = Block("page.md", 1, "python", "", output="Paris\nRome\n", must_contain=("Paris", "Rome"))
    assert compare_output(block, printed) == fits


def test_a_program_of_a_reader_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine changes what a page shows."""
    monkeypatch.setenv("G4F_PROVIDERS", "Custom")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert not {"G4F_PROVIDERS", "HTTPS_PROXY"} & make_environment("http://127.0.0.1:1").keys()
