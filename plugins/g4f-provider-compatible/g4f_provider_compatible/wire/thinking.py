"""Thoughts that a model writes into its text, between <think> and </think>, parted from the answer behind them.

Servers of open models send them so where they do not know the model's way to mark its thoughts.
"""

from __future__ import annotations

from typing import Any, Literal

from g4f.fold import list_objects, read_index
from g4f.wire.openai import AdaptAnswer
from g4f_provider_compatible.wire.answers import adapt_answer

_OPEN, _CLOSE = "<think>", "</think>"


class TagReader:
    """Parts the text of one answer, whole or piece by piece: a tag may come in several pieces.

    Thoughts are only what an answer begins with. The white space around them counts for nothing.
    """

    def __init__(self) -> None:
        self._place: Literal["before", "thoughts", "behind", "answer"] = "before"
        self._held = ""

    @property
    def idle(self) -> bool:
        """Whether all that is to come is the answer as it is."""
        return self._place == "answer"

    def feed(self, text: str, *, last: bool) -> tuple[str, str]:
        """Return the thoughts and the answer that a piece adds; with the `last` one nothing is held back."""
        text, self._held = self._held + text, ""
        thoughts = ""
        if self._place == "before":
            text = self._open(text, last=last)
        if self._place == "thoughts":
            thoughts, text = self._close(text, last=last)
        if self._place == "behind":
            text = text.lstrip()
            self._place = "answer" if text else "behind"
        return thoughts, text

    def _open(self, text: str, *, last: bool) -> str:
        start = text.lstrip()
        if start.startswith(_OPEN):
            thoughts = start.removeprefix(_OPEN).lstrip()
            if thoughts or last:
                self._place = "thoughts"
            else:
                self._held = _OPEN
            return thoughts
        if not last and _OPEN.startswith(start):
            self._held = text
            return ""
        self._place = "answer"
        return text

    def _close(self, text: str, *, last: bool) -> tuple[str, str]:
        thoughts, tag, rest = text.partition(_CLOSE)
        if tag:
            self._place = "behind"
            return thoughts.rstrip(), rest
        if not last:
            thoughts, self._held = _hold_back(text)
        return thoughts, ""


def _hold_back(text: str) -> tuple[str, str]:
    """Part what may be the end of the thoughts, or the white space before it, from what is not."""
    begun = next((size for size in range(len(_CLOSE) - 1, 0, -1) if text.endswith(_CLOSE[:size])), 0)
    sure = text[: len(text) - begun].rstrip()
    return sure, text[len(sure) :]


def make_thought_reader() -> AdaptAnswer:
    """Return what puts one answer, whole or its chunks in their order, into OpenAI's words."""
    readers: dict[int, TagReader] = {}

    def adapt(answer: dict[str, Any]) -> None:
        adapt_answer(answer)
        for choice in list_objects(answer.get("choices")):
            reader = readers.setdefault(read_index(choice), TagReader())
            if not reader.idle:
                _part_thoughts(choice, reader)

    return adapt


def _part_thoughts(choice: dict[str, Any], reader: TagReader) -> None:
    last = bool(choice.get("finish_reason"))
    message = choice.get("message") or choice.get("delta")
    if not isinstance(message, dict):
        message = choice["delta"] = {}  # what was held back may be told in it
    content = message.get("content")
    given = content if isinstance(content, str) else ""
    thoughts, text = reader.feed(given, last=last)
    if thoughts:
        message["reasoning_content"] = (message.get("reasoning_content") or "") + thoughts
    if text != given:
        message["content"] = text
