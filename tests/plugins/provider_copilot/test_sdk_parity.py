"""What Copilot sends is what Microsoft's SDK sent for the same call, as that was recorded.

What may differ stands in docs/reference/wire-differences.md.
"""

from __future__ import annotations

from typing import Any

import pytest

import parity
from g4f import AsyncClient
from loopback import reply_json
from plugins.provider_copilot.graph import BEGUN, Graph

# The recording of each call, and which of our requests it is compared with.
CASES = {
    "conversation": ("m365_conversations", 0),
    "chat": ("m365_chat", 1),
    "stream": ("m365_chatOverStream", 1),
}


@parity.needs_recordings
@pytest.mark.parametrize("call", CASES)
async def test_our_request_is_the_recorded_one_of_the_sdk(call: str, graph: Graph) -> None:
    """Everything is equal but for what the table allows to this call; nobody was signed in there."""
    name, number = CASES[call]
    graph.begun = reply_json({**BEGUN, "id": "conv1"}, 201)
    settings = {"time_zone": "Europe/Berlin"}
    address = f"{graph.server.url}/beta/copilot"
    async with AsyncClient(provider="Copilot", base_url=address, settings=settings) as client:
        answer: Any = client.chat.completions.create("Say this is a test", stream=call == "stream")
        await answer
    recording = parity.read_recording(name, "")
    assert parity.find_differences(recording, graph.server.requests[number]) == parity.list_allowed("Copilot", call)


def test_every_row_of_the_table_speaks_of_a_call_that_is_made() -> None:
    """None is allowed for nothing."""
    assert parity.list_calls("Copilot") <= set(CASES)


@parity.needs_recordings
def test_every_recorded_request_is_compared() -> None:
    """There are three."""
    assert parity.list_recordings("m365") == {name for name, _ in CASES.values()}
