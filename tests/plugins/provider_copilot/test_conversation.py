from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.errors import InvalidInputError, UnsupportedError
from g4f_provider_copilot.conversation import Turn, read_conversation


def _say(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_a_single_message_is_the_prompt() -> None:
    """There is nothing before it."""
    found = read_conversation([_say("user", "Hi")], "X")
    assert (found.instructions, found.turns, found.prompt, found.images) == ("", (), "Hi", ())


def test_a_chat_is_taken_apart() -> None:
    """Instructions are joined, the user's last message is the prompt, the rest stays in order."""
    messages = [
        _say("system", "Be brief."),
        _say("user", "One?"),
        _say("assistant", "Two."),
        _say("developer", "In German."),
        _say("user", "Three?"),
    ]
    found = read_conversation(messages, "X")
    assert found.instructions == "Be brief.\n\nIn German."
    assert found.turns == (Turn("user", "One?"), Turn("assistant", "Two."))
    assert found.prompt == "Three?"


def test_what_follows_the_last_message_of_the_user_is_not_lost() -> None:
    """As the calls and results of another provider's model."""
    call = {"function": {"name": "get_weather", "arguments": '{"city": "Oslo"}'}}
    messages = [
        _say("user", "How is the weather?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "Rain", "tool_call_id": "1"},
    ]
    found = read_conversation(messages, "X")
    assert found.prompt == "How is the weather?"
    assert found.turns == (Turn("assistant", '(calls get_weather with {"city": "Oslo"})'), Turn("tool", "Rain"))


def test_parts_are_joined_and_images_are_kept() -> None:
    """Of all messages, in order."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    other = {"type": "image_url", "image_url": "https://example.org/b.png"}
    messages = [
        _say("user", [image, {"type": "text", "text": "This"}]),
        _say("user", [{"type": "text", "text": "or"}, {"type": "text", "text": "that?"}, other]),
    ]
    found = read_conversation(messages, "X")
    assert found.images == ("data:image/png;base64,AA==", "https://example.org/b.png")
    assert (found.turns, found.prompt) == ((Turn("user", "This"),), "or\nthat?")


def test_instructions_alone_are_what_is_asked() -> None:
    """A message there must be."""
    found = read_conversation([_say("system", "Say hello.")], "X")
    assert (found.instructions, found.prompt) == ("", "Say hello.")


@pytest.mark.parametrize("messages", [[], [_say("user", "")], [_say("assistant", "Hi")], [_say("user", [])]])
def test_a_chat_without_a_question_is_refused(messages: list[dict[str, Any]]) -> None:
    """Nothing could be sent."""
    with pytest.raises(InvalidInputError, match="X needs a message of the user with text"):
        read_conversation(messages, "X")


@pytest.mark.parametrize("kind", ["file", "input_audio", "video", None])
def test_a_part_that_is_neither_text_nor_image_is_refused(kind: str | None) -> None:
    """By its kind."""
    with pytest.raises(UnsupportedError, match=f"X cannot read a part of the kind {kind!r}"):
        read_conversation([_say("user", [{"type": kind}])], "X")


@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text("abc", min_size=1)), min_size=1))
def test_no_word_is_lost(said: list[tuple[str, str]]) -> None:
    """Each text is in exactly one place, and those of one place keep their order."""
    messages = [_say(role, text) for role, text in said]
    if not any(role in ("user", "system") for role, _ in said):
        return
    found = read_conversation(messages, "X")
    told = [*found.instructions.split("\n\n"), *(turn.text for turn in found.turns), *found.prompt.split("\n\n")]
    assert sorted(filter(None, told)) == sorted(text for _, text in said)
