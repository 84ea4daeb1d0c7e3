"""Name servers that never answer."""

from __future__ import annotations

import pytest

from life import names
from life.program import run_program
from loopback import Loopback, reply_json

ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("story", names.STORIES)
def test_a_mute_name_server_holds_up_no_call_and_no_program(story: str) -> None:
    """What each story is, `names.py` says; the program ends, though its look-ups never do."""
    with Loopback(reply_json(ANSWER)) as server:
        assert run_program("names.py", server.url, story, seconds=60) == ""
