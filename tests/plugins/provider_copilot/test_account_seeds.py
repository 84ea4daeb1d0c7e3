"""The programs of the first documents that name CopilotAccount, unchanged, with the real package and program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from end_to_end import seeds
from end_to_end.test_seeds import CAT, GUIDE, SHOW, SITECUSTOMIZE  # skips these tests where the documents are not
from loopback import Loopback, Received, Reply, make_chunk, reply_events
from plugins.provider_copilot.program import find_program

pytestmark = [pytest.mark.large, pytest.mark.timeout(300)]


def _answer(request: Received) -> Reply:
    if request.path.endswith("cat.jpeg"):
        return Reply(200, {"content-type": "image/jpeg"}, CAT)
    asked = str(request.json["messages"][-1]["content"])
    text = "This is a cat" if "image/jpeg" in asked else "Hello" if asked.endswith("Hello, world!") else "What?"
    return reply_events(make_chunk(f"{request.json['model']}: {text}"), make_chunk(finish_reason="stop"))


@pytest.mark.parametrize(
    ("number", "then", "printed"),
    [(5, "", "a-model-of-the-account: This is a cat\n"), (9, SHOW, "gpt-4: Hello\n")],
    ids=["image", "chat"],
)
def test_a_program_of_the_documents_is_answered(number: int, then: str, printed: str, tmp_path: Path) -> None:
    """In a new interpreter and an empty folder, without a warning; a service on loopback is behind the program."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(dedent(SITECUSTOMIZE), encoding="utf-8")
    (tmp_path / "program.py").write_text(seeds.make_program(seeds.read_blocks(GUIDE)[number], then), encoding="utf-8")
    with Loopback(_answer) as service:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(site),
            "WORLD": service.url,
            "COPILOT_CLI_PATH": str(find_program()),
            "COPILOT_MODEL": "a-model-of-the-account",
            "COPILOT_PROVIDER_BASE_URL": f"{service.url}/v1",
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", "program.py"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, "")
