"""Thoughts that a model writes into its text, between <think> and </think>, parted from the answer behind them.

Servers of open models send them so where they do not know the model's way to mark its thoughts.
"""

from __future__ import annotations

from typing import Any, Literal

from g4f.chat import Chunk
from g4f.fold import list_objects, read_index
from g4f.manifest import StreamEnd
from g4f.wire.openai import ChunkDecoder
from g4f.wire.sse import Event
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


class ThoughtReader:
    """Puts one answer, whole or its chunks in their order, into OpenAI's words."""

    def __init__(self) -> None:
        self._readers: dict[int, TagReader] = {}

    def __call__(self, answer: dict[str, Any]) -> None:
        """Change an answer, or a chunk."""
        adapt_answer(answer)
        for choice in list_objects(answer.get("choices")):
            reader = self._readers.setdefault(read_index(choice), TagReader())
            if not reader.idle:
                _part_thoughts(choice, reader)

    def flush(self) -> list[dict[str, Any]]:
        """Return, as the choices of a chunk, what is still held back where no finish reason was told."""
        told = {index: reader.feed("", last=True) for index, reader in self._readers.items() if not reader.idle}
        return [
            {"index": index, "delta": {"reasoning_content": thoughts or None, "content": text or None}}
            for index, (thoughts, text) in told.items()
            if thoughts or text
        ]


def open_thoughts(answer: dict[str, Any]) -> None:
    """Write the opening tag that a whole answer lacks, as where a model's template put it into the prompt.

    In a stream it cannot be known before the closing tag comes; what was told till then is told.
    """
    for choice in list_objects(answer.get("choices")):
        message = choice.get("message")
        if not isinstance(message, dict):
            continue
        content = message.get("content")
        if isinstance(content, str) and _CLOSE in content and _OPEN not in content:
            message["content"] = _OPEN + content


class OpenChunkDecoder(ChunkDecoder):
    """Reads the chunks of one stream of an open model."""

    def __init__(self, stream_end: StreamEnd) -> None:
        self._thoughts = ThoughtReader()
        super().__init__(stream_end, self._thoughts)

    def feed(self, event: Event) -> Chunk | None:
        """Read one event; with [DONE] comes what was held back."""
        chunk = super().feed(event)
        if chunk is None and self.ended:
            choices = self._thoughts.flush()
            return Chunk.from_dict({"choices": choices}) if choices else None
        return chunk


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
