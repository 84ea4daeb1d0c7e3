"""Answers: the conversation with the new turn. A stream's events are each the whole of it, so far.

Source: https://learn.microsoft.com/en-us/microsoft-365-copilot/extensibility/api/ai-services/chat/copilotconversation-chatoverstream
and the resource types beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from g4f.chat import Chunk, Completion
from g4f.context import HttpResponse
from g4f.errors import APIResponseError
from g4f.fold import list_objects
from g4f.manifest import StreamEnd
from g4f.wire.json import decode_object, show_start
from g4f.wire.sse import Event
from g4f_provider_copilot.m365.wire.errors import make_body_error

MODEL = "copilot"
REWRITTEN = (
    "Copilot changed what it had said already: the stream has the earlier words, and the last chunk all of the answer, "
    "in delta.extra_content['microsoft']['text']."
)
_DISENGAGED = "disengagedForRai"  # the service broke the conversation off, for its rules of responsible use
_PLAIN = {"@odata.type", "id", "text", "createdDateTime"}  # of a message; the rest tells something beside the text
# Of a conversation; what may come beside is handed on.
_KNOWN = {"@odata.context", "agentId", "createdDateTime", "displayName", "id", "messages", "state", "turnCount"}


def decode_chat(response: HttpResponse) -> Completion:
    """Read a conversation whose last message is the answer.

    Raises:
        APIResponseError: There is no answer in it.
        APIStatusError: It is an error in spite of its status.
    """
    answer = _read_answer(response.body)
    if not (answer.text or answer.is_blocked):
        raise APIResponseError(f"The conversation has no answer: {show_start(response.body)}")
    message = {"role": "assistant", "content": answer.text, **answer.list_extras()}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    return Completion.from_dict({**answer.head, "object": "chat.completion", "choices": [choice], "usage": None})


def _read_answer(data: bytes) -> _Answer:
    value = decode_object(data)
    if value.get("error"):
        raise make_body_error(value)
    return _Answer(value)


class _Answer:
    """What a conversation says of the turn that was asked.

    Attributes:
        text: What was answered so far, or None for nothing.
        is_whole: Whether the turn is over. Then the messages are the user's, once more, and the answer.
        is_blocked: Whether the service broke it off.
        head: What a completion and its chunks begin with; the id is the conversation's, so that one can go on with it.
    """

    def __init__(self, conversation: Mapping[str, Any]) -> None:
        messages, turns = list_objects(conversation.get("messages")), conversation.get("turnCount")
        self.is_blocked = conversation.get("state") == _DISENGAGED
        self.is_whole = self.is_blocked or len(messages) > 1 or (isinstance(turns, int) and turns > 0)
        is_prompt = self.is_blocked and len(messages) == 1
        self._message = messages[-1] if messages and not is_prompt else {}
        text = self._message.get("text")
        self.text = text if isinstance(text, str) else None
        created = _read_time(conversation.get("createdDateTime"))
        unknown = {name: value for name, value in conversation.items() if name not in _KNOWN}
        self.head = {**unknown, "id": conversation.get("id") or "", "created": created, "model": MODEL}

    @property
    def finish_reason(self) -> str:
        return "content_filter" if self.is_blocked else "stop"

    def list_extras(self, **more: str) -> dict[str, Any]:
        """Return what the service tells beside the text: sources, cards, the label of what was read."""
        told = {name: value for name, value in self._message.items() if name not in _PLAIN and _tells(value)}
        return {"extra_content": {"microsoft": {**told, **more}}} if told or more else {}


def _read_time(text: Any) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp())
    except (TypeError, ValueError, OverflowError):
        return 0


def _tells(value: Any) -> bool:
    """Tell what says something from empty lists and tables of nulls."""
    return any(item is not None for item in value.values()) if isinstance(value, dict) else bool(value)


class ConversationDecoder:
    """Reads the events of one stream, and tells what each adds to those before."""

    def __init__(self) -> None:
        self.complete = False
        self.ended = False  # there is no marker: the service closes the connection
        self._said = ""
        self._begun = False

    def feed(self, event: Event) -> Chunk | None:
        """Read one event.

        Raises:
            APIStatusError: The event is an error.
            APIResponseError: The event cannot be read, or is the end of an answer without words.
        """
        _, data = event
        if not data.strip():
            return None
        answer = _read_answer(data)
        self.complete = self.complete or answer.is_whole
        delta = self._continue(answer)
        if answer.is_whole and not (self._said or answer.text or answer.is_blocked):
            raise APIResponseError(f"The conversation has no answer: {show_start(data)}")
        if not delta and not answer.is_whole:
            return None
        if not self._begun:
            self._begun, delta = True, {"role": "assistant", **delta}
        finish_reason = answer.finish_reason if answer.is_whole else None
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return Chunk.from_dict({**answer.head, "object": "chat.completion.chunk", "choices": [choice]})

    def _continue(self, answer: _Answer) -> dict[str, Any]:
        """Return the delta. What was delivered cannot be taken back: a changed text is told beside it, at the end."""
        text = answer.text or ""
        fits = text.startswith(self._said)
        news = text[len(self._said) :] if fits else ""
        self._said += news
        delta: dict[str, Any] = {"content": news} if news else {}
        if answer.is_whole:
            delta.update(answer.list_extras() if fits or not text else answer.list_extras(text=text))
        return delta


def decode_stream(stream_end: StreamEnd) -> ConversationDecoder:  # noqa: ARG001 - it ends in one way
    """Return the decoder of one stream."""
    return ConversationDecoder()


def is_rewritten(chunk: Chunk) -> bool:
    """Tell the chunk that has another text than what was streamed."""
    deltas = [choice.delta.to_dict() for choice in chunk.choices]
    return any("text" in delta.get("extra_content", {}).get("microsoft", {}) for delta in deltas)
