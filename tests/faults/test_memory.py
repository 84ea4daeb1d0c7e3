from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from g4f_testkit.dialects import DIALECTS
from g4f_testkit.server import Server

PROGRAM = Path(__file__).parent / "grow.py"
LIMIT = 128 * 2**10  # KiB
BOMBS = [
    "endless-headers", "endless-header", "endless-error-page", "endless-json", "gzip-bomb", "deflate-bomb",
    "endless-line", "json-nested-deep",
]  # fmt: skip


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system does not measure peaks")
def test_what_has_no_end_takes_little_memory() -> None:
    """In each dialect, whole and streamed, a process grows by 128 MiB at most."""
    with ExitStack() as stack:
        servers = {dialect: stack.enter_context(Server(DIALECTS[dialect])).url for dialect in DIALECTS}
        command = [sys.executable, str(PROGRAM), json.dumps(servers), *BOMBS]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    grown = json.loads(done.stdout)
    assert len(grown) == 2 * len(DIALECTS) * (len(BOMBS) + 1)
    assert {what: size for what, size in grown.items() if size > LIMIT} == {}
