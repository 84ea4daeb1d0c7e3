"""The pytest plugin as the author of a provider runs it: in a folder of their own, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from distributions import write_distribution

Run = Callable[..., tuple[int, str]]
ECHO = """
from g4f import Completion, hookimpl

class TheEcho:
    @hookimpl
    async def chat(self, request):
        return Completion.from_text(str(request.messages[-1]["content"]))
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run pytest in an empty folder; return its exit code and what it printed."""

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_one_command_grades_an_installed_provider(run: Run, tmp_path: Path) -> None:
    """The grade stands at the end, and in a file for other programs."""
    (tmp_path / "test_own.py").write_text("def test_own(): assert False, 'nobody asked for it'")
    code, printed = run("-q", "--g4f-provider=Custom", "--g4f-json=grade.json")
    assert code == 0, printed
    assert "= g4f conformance =" in printed
    assert "\nCustom: gold (" in printed
    told = json.loads((tmp_path / "grade.json").read_text())["Custom"]
    assert (told["grade"], told["missing"]) == ("gold", [])
    assert told["passed"] > 100


def test_checks_that_were_left_out_cost_the_grade(run: Run) -> None:
    """`-k` makes no gold; and a check that does not apply says why."""
    code, printed = run("-q", "-rs", "--g4f-provider=Custom", "-k", "picture_is_drawn or chat_is_answered")
    assert code == 0
    assert "Custom: no grade (1 checks passed, 1 do not apply); missing for bronze:" in printed
    assert "checks were not run" in printed
    assert "The manifest does not declare image: it says 'unknown'." in printed


def test_several_providers_are_graded_one_by_one(run: Run) -> None:
    """Each with its own tests."""
    code, printed = run("-q", "--g4f-provider=Custom", "--g4f-provider=openaichat", "-k", "test_a_chat_is_answered")
    assert code == 0
    assert "2 passed" in printed
    assert "\nCustom: " in printed
    assert "\nopenaichat: " in printed


def test_own_tests_go_along_where_they_are_named(run: Run, tmp_path: Path) -> None:
    """Files on the command line are run as ever."""
    (tmp_path / "test_own.py").write_text("def test_own(): pass")
    _, printed = run("-q", "--g4f-provider=Custom", "test_own.py", "-k", "test_own or test_a_chat_is_answered")
    assert "2 passed" in printed


def test_a_class_of_ones_own_is_graded_too(run: Run, tmp_path: Path) -> None:
    """A provider that speaks no HTTP gets the part that applies, and no gold for nothing."""
    (tmp_path / "test_echo.py").write_text(
        f"{ECHO}\nfrom g4f_testkit import ProviderConformance\n"
        "class TestEcho(ProviderConformance):\n    provider = TheEcho\n"
    )
    code, printed = run("-q", "test_echo.py")
    assert code == 0, printed
    assert "test_echo.py::TestEcho: silver (" in printed
    assert "none of the checks for gold applies" in printed


def test_a_manifest_that_claims_more_than_is_reached_fails(run: Run, tmp_path: Path) -> None:
    """Though each check passes or does not apply."""
    (tmp_path / "test_echo.py").write_text(
        f"{ECHO}\nfrom g4f import Manifest\nfrom g4f_testkit import ProviderConformance\n"
        "TheEcho.manifest = Manifest(title='Echo', capabilities={'chat': 'yes', 'image': 'no'}, grade='gold')\n"
        "class TestEcho(ProviderConformance):\n    provider = TheEcho\n"
    )
    code, printed = run("-q", "test_echo.py", "--g4f-json=grade.json")
    assert (code, "failed" in printed) == (1, False), printed
    assert "TestEcho: silver (" in printed
    assert "The manifest claims gold, which is not reached." in printed
    assert json.loads((tmp_path / "grade.json").read_text())["test_echo.py::TestEcho"]["unproved"] == "gold"


def test_a_provider_that_cannot_do_anything_gets_no_grade(run: Run, tmp_path: Path) -> None:
    """Though no check fails."""
    (tmp_path / "test_mute.py").write_text(
        "from g4f import Manifest, hookimpl\nfrom g4f_testkit import ProviderConformance\n"
        "class Mute:\n    manifest = Manifest(title='Mute', capabilities={'chat': 'unknown'})\n"
        "    @hookimpl\n    async def models(self):\n        return []\n"
        "class TestMute(ProviderConformance):\n    provider = Mute\n"
    )
    code, printed = run("-q", "test_mute.py")
    assert code == 0, printed
    assert "TestMute: no grade (0 checks passed" in printed
    assert "none of the checks for bronze applies" in printed


def test_a_provider_that_is_not_installed_is_told_at_once(run: Run) -> None:
    """Once, and not at each check."""
    code, printed = run("--g4f-provider=Nope")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert printed.count("There is no provider 'Nope'.") == 1


def test_a_provider_that_does_not_load_is_told_once(run: Run, tmp_path: Path) -> None:
    """And not by each check."""
    write_distribution(tmp_path, "Slip", code="class Slip(:\n", manifest="contract = 1\n")
    own = "from g4f_testkit import ProviderConformance\nclass TestSlip(ProviderConformance):\n    provider = 'Slip'\n"
    (tmp_path / "test_slip.py").write_text(own)
    code, printed = run("-q", PYTHONPATH=str(tmp_path))
    assert code == 1
    assert re.search(r"deselected, 1 error in", printed)
    assert "The provider Slip of g4f-provider-slip 1.0 cannot be imported: SyntaxError: invalid syntax" in printed


def test_a_manifest_that_cannot_be_used_is_told_in_a_sentence(run: Run, tmp_path: Path) -> None:
    """Without a line of ours."""
    write_distribution(tmp_path, "Slip", manifest="contract = 1\ntitle = 'Slip'\n[capabilities]\nchat = 'maybe'\n")
    own = "from g4f_testkit import ProviderConformance\nclass TestSlip(ProviderConformance):\n    provider = 'Slip'\n"
    (tmp_path / "test_slip.py").write_text(own)
    code, printed = run("-q", PYTHONPATH=str(tmp_path))
    assert code == 1
    sentence = """Slip.toml that cannot be used: chat in capabilities must be "yes", "no" or "unknown", not 'maybe'."""
    assert sentence in printed
    assert "registry.py" not in printed


def test_a_dialect_that_is_not_there_is_told_at_once(run: Run) -> None:
    """With what would do."""
    code, printed = run("--g4f-provider=Custom", "--g4f-dialect=nowhere.py:Nothing")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "There is no dialect 'nowhere.py:Nothing'" in printed


def test_a_dialect_of_ones_own_is_read_from_a_file(run: Run, tmp_path: Path) -> None:
    """And what it raises is told to its author, not taken for a fault of the provider."""
    (tmp_path / "own.py").write_text(
        "from g4f_testkit.dialects.openai import OpenaiDialect\n"
        "class Broken(OpenaiDialect):\n"
        "    def write_answer(self, asked, turn, request):\n        raise LookupError('in the dialect')\n"
    )
    code, printed = run(
        "-q", "--g4f-provider=Custom", "--g4f-dialect=own.py:Broken", "-k", "test_the_effort or test_a_chat_is_answered"
    )
    assert code == 1
    assert "LookupError: in the dialect" in printed


def test_a_project_says_once_what_its_services_speak(run: Run, tmp_path: Path) -> None:
    """In pytest's own settings, for a provider's name in any letter case."""
    (tmp_path / "lead.py").write_text(
        "class Mute:\n    lacks = frozenset()\n    read_request = lambda self, request: None\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\ng4f_dialects =\n    Custom = lead.py:Mute\n")
    _, printed = run("-q", "--g4f-provider=custom", "-k", "test_somebody_answers")
    assert "NotFoundError" in printed


def test_a_provider_with_a_dialect_that_nobody_knows_is_never_asked_at_its_real_address(
    run: Run, tmp_path: Path
) -> None:
    """What needs no server is checked all the same."""
    manifest = (
        "contract = 1\ntitle = 'Foreign'\nbase_url = 'http://127.0.0.1:1'\ndialect = ''\nmodels = 'open'\n"
        "[capabilities]\nchat = 'yes'\nimage = 'no'\n[auth]\nvariables = ['FOREIGN_KEY']\n"
    )
    code_of_it = "from g4f import HttpProvider\n\nclass Foreign(HttpProvider):\n    pass\n"
    write_distribution(tmp_path, "Foreign", manifest=manifest, code=code_of_it)
    code, printed = run("-q", "-rs", "--g4f-provider=Foreign", PYTHONPATH=str(tmp_path))
    assert code == 0, printed
    assert "Foreign: no grade (" in printed
    assert "The provider speaks a dialect of its own: name it with --g4f-dialect=path.py:Class." in printed


def test_nothing_is_added_where_nobody_asks(run: Run, tmp_path: Path) -> None:
    """The plugin sits in every pytest of the environment, and imports g4f only when it is needed."""
    (tmp_path / "test_own.py").write_text("import sys\ndef test_own(): assert 'g4f' not in sys.modules")
    code, printed = run("-q", "-p", "no:asyncio", "-p", "no:hypothesispytest")
    assert code == 0, printed
    assert "1 passed" in printed
    assert "g4f conformance" not in printed
