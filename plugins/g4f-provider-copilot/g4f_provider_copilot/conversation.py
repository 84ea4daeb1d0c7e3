"""What a chat says, for services that take one message at a time: instructions, what was said before, the message.

Where each part goes is left to the providers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs

from g4f.errors import InvalidInputError, UnsupportedError


@attrs.frozen
class Turn:
    """One message of the conversation around the one that is answered now."""

    role: str
    text: str


@attrs.frozen
class Conversation:
    """A chat, taken apart.

    Attributes:
        instructions: What system and developer messages say.
        turns: All other messages but the prompt, in order.
        prompt: The user's last message.
        images: The URLs of all images, in order.
    """

    instructions: str
    turns: tuple[Turn, ...]
    prompt: str
    images: tuple[str, ...]


def read_conversation(messages: Sequence[Mapping[str, Any]], provider: str) -> Conversation:
    """Take a chat apart.

    Args:
        messages: OpenAI's message objects.
        provider: Who reads it, for messages.

    Raises:
        UnsupportedError: There is something else than text and images in it.
        InvalidInputError: There is no text in it.
    """
    said: list[Turn] = []
    images: list[str] = []
    for message in messages:
        texts = [*_read_parts(message, provider, images), *_list_calls(message)]
        said.append(Turn(str(message.get("role", "user")), "\n".join(text for text in texts if text)))
    system = [turn.text for turn in said if turn.role in ("system", "developer")]
    turns = [turn for turn in said if turn.role not in ("system", "developer")]
    at = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=None)
    instructions = "\n\n".join(text for text in system if text)
    if at is None:
        # Instructions alone are what is asked.
        instructions, prompt = "", instructions
    else:
        prompt = turns.pop(at).text
    if not prompt and not images:
        raise InvalidInputError(f"{provider} needs a message of the user with text.")
    return Conversation(instructions, tuple(turn for turn in turns if turn.text), prompt, tuple(images))


def _read_parts(message: Mapping[str, Any], provider: str, images: list[str]) -> Iterator[str]:
    """Yield a message's texts, and note its images."""
    content = message.get("content")
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content or ():
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "image_url":
            images.append(_read_url(part["image_url"]))
        elif kind in ("text", "refusal"):
            yield str(part.get(kind) or "")
        else:
            raise UnsupportedError(f"{provider} cannot read a part of the kind {kind!r} in a message.")


def _read_url(image: Any) -> str:
    return str(image.get("url", "") if isinstance(image, Mapping) else image)


def _list_calls(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what functions a message of another model calls."""
    for call in message.get("tool_calls") or ():
        function = call.get("function", {})
        yield f"(calls {function.get('name')} with {function.get('arguments')})"
