"""Event loops as programs have them: many in a row, forked, interrupted, and cell by cell."""

from __future__ import annotations

import os

import pytest

from counting import Manner, run_service
from life import loops
from life.program import run_program


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", loops.STORIES)
def test_a_client_outlives_its_loops_and_leaves_nothing_open(story: str) -> None:
    """What each story is, `loops.py` says; none leaves a descriptor, a thread or a warning."""
    if story == "fork_in_a_stream" and not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    with run_service(Manner(pause=0.02, burst=3)) as origin:
        assert run_program("loops.py", origin, story) == ""
