"""Our own providers, put to the kit as their users would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOLD = ["OpenaiChat", "Anthropic", "Gemini", "Custom"]


def read_grade(provider: str, folder: Path, *more: str) -> tuple[str | None, str]:
    """Run the kit in an empty folder, and return the grade, and what was printed."""
    command = [sys.executable, "-m", "pytest", "-q", f"--g4f-provider={provider}", "--g4f-json=grade.json", *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    told = json.loads((folder / "grade.json").read_text())[provider]
    return told["grade"], done.stdout


@pytest.mark.parametrize("provider", GOLD)
def test_a_provider_that_speaks_http_is_gold(provider: str, tmp_path: Path) -> None:
    """With one command and no key."""
    grade, printed = read_grade(provider, tmp_path)
    assert grade == "gold", printed


def test_a_project_says_once_what_its_services_speak(tmp_path: Path) -> None:
    """In pytest's own settings, for a provider's name in any letter case."""
    (tmp_path / "lead.py").write_text(
        "class Mute:\n    lacks = frozenset()\n    read_request = lambda self, request: None\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\ng4f_dialects =\n    Custom = lead.py:Mute\n")
    command = [sys.executable, "-m", "pytest", "-q", "--g4f-provider=custom", "-k", "test_somebody_answers"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert "NotFoundError" in done.stdout


def test_the_model_in_the_process_passes_what_applies(tmp_path: Path) -> None:
    """No server can play its service, but it chats, streams, can be left, and keeps deadlines."""
    grade, printed = read_grade("Local", tmp_path, "--g4f-model=smollm2-135m-instruct")
    assert grade == "gold", printed
    assert "16 checks passed" in printed
