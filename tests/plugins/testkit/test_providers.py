"""Our own providers, put to the kit as their users would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GRADES = {"OpenaiChat": "silver", "Anthropic": "silver", "Gemini": "bronze", "Custom": "silver"}


@pytest.mark.parametrize("provider", GRADES)
def test_a_provider_has_its_grade(provider: str, tmp_path: Path) -> None:
    """In an empty folder, with one command."""
    command = [sys.executable, "-m", "pytest", "-q", f"--g4f-provider={provider}", "--g4f-json=grade.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    told = json.loads((tmp_path / "grade.json").read_text())[provider]
    assert told["grade"] == GRADES[provider], done.stdout
