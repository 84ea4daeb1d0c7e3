"""Leaving a stream, at any moment and by every door there is."""

from __future__ import annotations

import pytest

from counting import Manner, run_service
from life.program import run_program

QUICK = Manner(pause=0.01, burst=3)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("kind", "count"), [("cancels", 1000), ("breaks", 1000), ("threads", 240)])
def test_a_stream_that_is_left_at_any_moment_leaves_nothing_behind(kind: str, count: int) -> None:
    """No task, descriptor, thread or warning; the service sees all closed at once, no answer is somebody else's."""
    with run_service(QUICK) as origin:
        seen = int(run_program("leaving.py", origin, kind, str(count)))
    assert count / 3 < seen <= count  # some were left before they were asked for


def test_a_stream_that_is_not_left_is_seen() -> None:
    """So would be one that is closed late."""
    with run_service(QUICK) as origin, pytest.raises(AssertionError, match=r"stream \d+ is still open"):
        run_program("leaving.py", origin, "none", "20")
