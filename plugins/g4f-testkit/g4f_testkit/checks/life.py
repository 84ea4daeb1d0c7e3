"""Life and death of a call: whole, streamed, left early. Also for providers that speak no HTTP."""

from __future__ import annotations

import asyncio
import copy
from contextlib import suppress
from typing import Any

import pytest

from g4f.context import Call, CallNext, Request
from g4f_testkit.claims import claim
from g4f_testkit.kit import PROMPT, SYSTEM, Kit
from g4f_testkit.script import Turn

FEW = 16  # tokens: a model on this machine takes its time
WORDY = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": [{"type": "text", "text": PROMPT}]},
]
LEAVES = pytest.mark.parametrize("how", ["break", "aclose", "cancel"])


class LifeChecks:
    """The grades bronze and silver."""

    @claim("bronze", "chat", reach="any")
    async def test_somebody_answers(self, kit: Kit) -> None:
        """With text, a reason why it ends, and the provider's name."""
        answer = await kit.ask(max_tokens=FEW)
        choice = answer.choices[0]
        assert choice.message.content
        assert choice.finish_reason in ("stop", "length")
        assert answer.provider == kit.name

    @claim("bronze", "chat", reach="any")
    async def test_somebody_answers_in_pieces(self, kit: Kit) -> None:
        """With text, and a reason why it ends."""
        heard = await kit.listen(max_tokens=FEW)
        assert heard.error is None
        assert heard.text
        assert heard.finish_reason in ("stop", "length")

    @claim("silver", "chat", reach="any")
    async def test_two_calls_at_once_do_not_mix(self, kit: Kit) -> None:
        """Each gets an answer of its own."""
        async with kit.make_client() as client:
            answers = await asyncio.gather(*(kit.ask(client=client, max_tokens=FEW) for _ in range(4)))
        assert all(answer.choices[0].message.content for answer in answers)
        assert len({id(answer) for answer in answers}) == 4

    @claim("silver", "chat", reach="any")
    async def test_a_request_stays_as_it_is(self, kit: Kit) -> None:
        """Its lists and objects are the user's, and a repeat gets the same ones."""
        asked: dict[str, Any] = {
            "messages": copy.deepcopy(WORDY),
            "stop": ["###"],
            "max_tokens": FEW,
            "temperature": 0.5,
        }
        given = copy.deepcopy(asked)
        keep = _Keep()
        async with kit.make_client(middleware=[keep]) as client:
            for stream in (False, True):
                kit.play(Turn())
                answer: Any = client.chat.completions.create(
                    model=kit.subject.choose_model("chat"), stream=stream, **given
                )
                answer = await answer
                if stream:
                    await answer.aclose()
        assert keep.changed == []
        assert given == asked

    @claim("silver", "chat", reach="any")
    @LEAVES
    async def test_a_stream_may_be_left(self, kit: Kit, how: str) -> None:
        """By `break`, `aclose` or cancellation; the same client then answers again."""
        async with kit.make_client() as client:
            await _leave(kit, client, how)
            kit.play(Turn())
            answer = await kit.ask(client=client, max_tokens=FEW)
        assert answer.choices[0].message.content

    @claim("silver", "chat", features=("stream",))
    @LEAVES
    async def test_the_service_sees_a_stream_being_left(self, kit: Kit, how: str) -> None:
        """Its connection is closed, while the client lives on: nobody pays for what nobody hears."""
        kit.play(Turn(fault="endless-output"))
        async with kit.make_client() as client:
            await _leave(kit, client, how)
            assert await kit.wait_until(lambda: kit.server.hang_ups), "The connection was left open."

    @claim("silver")
    async def test_the_service_sees_a_call_being_canceled(self, kit: Kit) -> None:
        """Its connection is closed, while the client lives on."""
        kit.play(Turn(fault="first-byte-never-comes"))
        async with kit.make_client() as client:
            task = asyncio.create_task(kit.use(client))
            assert await kit.wait_until(lambda: kit.asked)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            assert await kit.wait_until(lambda: kit.server.hang_ups), "The connection was left open."


class _Keep:
    """A middleware that notes which requests were changed on their way."""

    def __init__(self) -> None:
        self.changed: list[Request] = []

    async def __call__(self, call: Call, call_next: CallNext) -> Any:
        before = copy.deepcopy(call.request)
        answer = await call_next(call)
        if call.request != before:
            self.changed.append(call.request)
        return answer


async def _leave(kit: Kit, client: object, how: str) -> None:
    """Leave a stream after its first content."""
    stream = client.chat.completions.stream(PROMPT, kit.subject.choose_model("chat"))  # type: ignore[attr-defined]
    if how == "cancel":
        await _cancel(stream)
        return
    async for chunk in stream:
        if any(choice.delta.content for choice in chunk.choices):
            break
    if how == "aclose":
        await stream.aclose()


async def _cancel(stream: object) -> None:
    begun = asyncio.Event()

    async def read() -> None:
        async for _ in stream:  # type: ignore[attr-defined]
            begun.set()

    task, waiter = asyncio.create_task(read()), asyncio.create_task(begun.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
