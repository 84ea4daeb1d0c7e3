"""Chats: what arrives at the service, and what of its answers arrives at the user."""

from __future__ import annotations

from typing import Any

import pytest

from g4f_testkit.claims import claim
from g4f_testkit.kit import PROMPT, SYSTEM, Kit
from g4f_testkit.script import FinishReason, Turn, Usage

TEXT = "This is a test"
FOREIGN = ("Grüße, ", "世界 ", "🌍", "\u2028", ' "quoted" \\ and\nbroken')
SIZES = pytest.mark.parametrize("size", [1, 37, 1000])
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
FINISHES = pytest.mark.parametrize("finish", ["stop", "length", "content_filter"])
CONVERSATION = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Good day"},
    {"role": "user", "content": PROMPT},
]


class ChatChecks:
    """The grade bronze, mostly."""

    @claim("bronze", "chat")
    async def test_a_chat_is_answered(self, kit: Kit) -> None:
        """The text, why it ends, and who answered arrive."""
        answer = await kit.ask()
        choice = answer.choices[0]
        assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", TEXT, "stop")
        assert answer.provider == kit.name
        assert len(kit.asked) == 1

    @claim("bronze", "chat")
    async def test_the_model_is_the_one_that_was_asked_for(self, kit: Kit) -> None:
        """It arrives at the service, and stands in the answer."""
        model = kit.subject.choose_model("chat")
        answer = await kit.ask()
        assert kit.asked[0].model == model
        assert answer.model == model

    @claim("bronze", "chat", features=("system",))
    async def test_a_conversation_arrives_in_its_order(self, kit: Kit) -> None:
        """The system's words and every turn of the user."""
        await kit.ask(CONVERSATION)
        assert kit.asked[0].system == SYSTEM
        assert kit.asked[0].texts == ("Hello", PROMPT)

    @claim("bronze", "chat", features=("stream",))
    @SIZES
    async def test_a_stream_says_the_same_however_it_is_cut(self, kit: Kit, size: int) -> None:
        """In pieces of 1, 37 and 1000 bytes, with characters of every length."""
        kit.play(Turn(text=FOREIGN, size=size))
        heard = await kit.listen()
        assert heard.error is None
        assert heard.text == "".join(FOREIGN)
        assert heard.finish_reason == "stop"
        assert kit.asked[0].stream

    @claim("bronze", "chat", features=("stream",))
    async def test_a_stream_comes_piece_by_piece(self, kit: Kit) -> None:
        """What the service says is delivered before it has said the rest."""
        kit.play(Turn(fault="pauses-between-events"))
        sent = []
        async with kit.make_client() as client:
            stream = client.chat.completions.stream(PROMPT, kit.subject.choose_model("chat"))
            async for chunk in stream:
                if any(choice.delta.content for choice in chunk.choices):
                    sent.append(kit.server.sent)
        assert sent[0] < kit.server.sent
        assert len(sent) > 1

    @claim("bronze", "chat")
    async def test_every_character_survives(self, kit: Kit) -> None:
        """There and back, whatever alphabet it is of."""
        text = "".join(FOREIGN)
        kit.play(Turn(text=FOREIGN))
        answer = await kit.ask(text)
        assert kit.asked[0].texts == (text,)
        assert answer.choices[0].message.content == text

    @claim("silver", "chat", features=("usage",))
    @STREAMED
    async def test_tokens_are_counted(self, kit: Kit, streamed: bool) -> None:
        """Those of the prompt, of the answer, and their sum."""
        kit.play(Turn(usage=Usage(prompt=1234, answer=567)))
        usage = await _read_usage(kit, streamed=streamed)
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1234, 567, 1801)

    @claim("silver", "chat", features=("usage", "cached_tokens"))
    @STREAMED
    async def test_cached_tokens_are_told(self, kit: Kit, streamed: bool) -> None:
        """As part of the prompt's."""
        kit.play(Turn(usage=Usage(prompt=1234, answer=567, cached=1024)))
        usage = await _read_usage(kit, streamed=streamed)
        assert usage.prompt_tokens == 1234
        assert usage.prompt_tokens_details.cached_tokens == 1024

    @claim("silver", "chat", "reasoning", features=("usage", "reasoning_tokens"))
    @STREAMED
    async def test_tokens_of_thoughts_are_told(self, kit: Kit, streamed: bool) -> None:
        """As part of the answer's."""
        kit.play(Turn(usage=Usage(prompt=1234, answer=567, reasoning=400)))
        usage = await _read_usage(kit, streamed=streamed)
        assert usage.completion_tokens == 567
        assert usage.completion_tokens_details.reasoning_tokens == 400

    @claim("silver", "chat")
    @STREAMED
    @FINISHES
    async def test_it_is_told_why_an_answer_ends(self, kit: Kit, finish: FinishReason, streamed: bool) -> None:
        """In OpenAI's words: it was done, it became too long, a filter stopped it."""
        kit.skip_if_lacking(finish)
        kit.play(Turn(finish=finish))
        if streamed:
            heard = await kit.listen()
            assert heard.error is None
            assert heard.finish_reason == finish
        else:
            assert (await kit.ask()).choices[0].finish_reason == finish

    @claim("silver", "chat", features=("extra",))
    async def test_unknown_fields_survive(self, kit: Kit) -> None:
        """What a service adds tomorrow is in the answer, though nobody knows it today."""
        kit.play(Turn(extra={"g4f_unknown": {"deep": ["canary-field"]}}))
        answer = await kit.ask()
        assert answer.choices[0].message.content == TEXT
        assert "canary-field" in str(answer.to_dict())

    @claim("silver", "chat")
    @STREAMED
    async def test_nulls_are_no_trouble(self, kit: Kit, streamed: bool) -> None:
        """A field that is null counts as absent."""
        kit.play(Turn(nulls=True, extra={"g4f_unknown": None}))
        if streamed:
            heard = await kit.listen()
            assert (heard.error, heard.text, heard.finish_reason) == (None, TEXT, "stop")
        else:
            choice = (await kit.ask()).choices[0]
            assert (choice.message.content, choice.finish_reason) == (TEXT, "stop")
            assert not choice.message.tool_calls

    @claim("silver", "chat", "reasoning")
    @STREAMED
    async def test_thoughts_are_kept_apart(self, kit: Kit, streamed: bool) -> None:
        """They are in `reasoning_content`, and not in the text."""
        kit.play(Turn(reasoning=("First ", "I think.")))
        if streamed:
            heard = await kit.listen(needs="reasoning")
            assert (heard.error, heard.reasoning, heard.text) == (None, "First I think.", TEXT)
        else:
            message = (await kit.ask(needs="reasoning")).choices[0].message
            assert (message.reasoning_content, message.content) == ("First I think.", TEXT)

    @claim("silver", "chat", "reasoning")
    async def test_the_effort_to_think_arrives(self, kit: Kit) -> None:
        """In whatever words the service has for `reasoning_effort`."""
        await kit.ask(needs="reasoning", reasoning_effort="high")
        assert kit.asked[0].effort


async def _read_usage(kit: Kit, *, streamed: bool) -> Any:
    """Return the tokens that an answer tells; and a stream tells them to whoever looks."""
    if not streamed:
        return (await kit.ask()).usage
    heard = await kit.listen()
    assert heard.error is None
    assert heard.stream is not None
    return heard.stream.usage
