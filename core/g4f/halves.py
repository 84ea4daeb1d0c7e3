"""Characters that a stream cut in half, put together again before anybody prints them.

JSON writes a character beyond U+FFFF as two escapes, a surrogate pair, and some services cut their texts between them.
"""

from __future__ import annotations

from typing import Any

from g4f.chat import Chunk
from g4f.fold import join_surrogates, list_objects, read_index


class Halves:
    """Gives each chunk whole characters: the half of a surrogate pair waits here for the other half.

    Attributes:
        waiting: The halves that wait, by their place in a chunk.
    """

    def __init__(self) -> None:
        self.waiting: dict[tuple[Any, ...], str] = {}

    def mend(self, chunk: Chunk) -> Chunk:
        """Return the chunk, or a changed copy where a text in it begins or ends within a character."""
        if not self.waiting and not is_cut(chunk):
            return chunk
        data = chunk._view()
        choices = [
            {**choice, "delta": self._mend(choice.get("delta"), (read_index(choice),))}
            for choice in list_objects(data.get("choices"))
        ]
        return Chunk.from_dict({**data, "choices": choices})

    def _mend(self, value: Any, place: tuple[Any, ...]) -> Any:
        if isinstance(value, str):
            text = self.waiting.pop(place, "") + value
            if "\ud800" <= text[-1:] <= "\udbff":
                text, self.waiting[place] = text[:-1], text[-1]
            return join_surrogates(text)
        if isinstance(value, dict):
            return {key: self._mend(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [
                self._mend(item, (*place, read_index(item) or at if isinstance(item, dict) else at))
                for at, item in enumerate(value)
            ]
        return value


def is_cut(chunk: Chunk) -> bool:
    """Tell whether a text in a chunk begins or ends within a character.

    The deltas alone are looked at: only they are mended, and log probabilities are many times as long.
    """
    choices = chunk._data.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if delta and _has_half(delta):
                return True
    return False


def _has_half(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and join_surrogates(value) is not value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    for item in value:  # noqa: SIM110 - any() of a generator takes twice as long, and this is done for each chunk
        if item and _has_half(item):
            return True
    return False
