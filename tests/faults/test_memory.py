from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import g4f
from faults.table import CHAT, ENDLESS, ENDLESS_BEFORE, ROWS, Way
from g4f_testkit.dialects import DIALECTS
from g4f_testkit.script import Turn
from g4f_testkit.server import PICTURE_PATH, Server

PROGRAM = Path(__file__).parent / "grow.py"
LIMIT = 128 * 2**10  # KiB
LIMIT_OF_PICTURES = 288 * 2**10  # an answer with pictures may have 256 MiB
TRIES: list[tuple[str, str, Way]] = [
    *((dialect, fault, way) for dialect in DIALECTS for fault in ENDLESS for way in CHAT),
    *(("openai", fault, way) for fault in ENDLESS_BEFORE for way in CHAT),  # no dialect has a part in them
    ("openai", "endless-json", "pictures"),
    ("openai", "gzip-bomb", "pictures"),
    ("picture", "", "pictures"),  # a download without end, of a picture that the answer names
]
DOWNLOADS = (Turn(), Turn(picture_url=f"{PICTURE_PATH}?fault=endless-json"))


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system does not measure peaks")
def test_what_has_no_end_takes_little_memory() -> None:
    """In each dialect, whole and streamed, a process grows by 128 MiB at most, and the error is that of the table."""
    with ExitStack() as stack:
        urls = {dialect: stack.enter_context(Server(DIALECTS[dialect])).url for dialect in DIALECTS}
        urls["picture"] = stack.enter_context(Server(DIALECTS["openai"], *DOWNLOADS)).url
        tries = json.dumps([(dialect, urls[dialect], fault, way) for dialect, fault, way in TRIES])
        done = subprocess.run(
            [sys.executable, str(PROGRAM), tries], capture_output=True, text=True, check=False, timeout=200
        )
    assert done.returncode == 0, done.stderr
    for (dialect, fault, way), (size, error) in zip(TRIES, json.loads(done.stdout), strict=True):
        limit = LIMIT_OF_PICTURES if way == "pictures" and fault else LIMIT
        assert size <= limit, (dialect, fault, way, size)
        wanted = find_error(dialect, fault, way)
        assert wanted is None or issubclass(getattr(g4f, error), wanted), (dialect, fault, way, error)


def find_error(dialect: str, fault: str, way: Way) -> type[g4f.G4FError] | None:
    """What the table says of it; for pictures, what it says of whole answers."""
    if dialect == "picture":
        return g4f.APIResponseError
    row = ROWS.get(fault)
    end = row.expect(dialect, "whole" if way == "pictures" else way) if row else None
    return end.error if end else None
