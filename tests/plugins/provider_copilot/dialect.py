"""The Chat API as the conformance kit plays it: a conversation is opened, then asked."""

from __future__ import annotations

from g4f_testkit import Asked, Failure, Reply, Request, Turn
from g4f_testkit.dialect import Feature
from g4f_testkit.dialects.reading import read_table, read_text
from g4f_testkit.http import reply_json, reply_stream, write_event
from plugins.provider_copilot.graph import BEGUN, make_message

_STATES = {"content_filter": "disengagedForRai"}


class M365Dialect:
    """It has text alone, no system message, one way to end, and counts no tokens."""

    lacks: frozenset[Feature] = frozenset(
        {"usage", "cached_tokens", "reasoning_tokens", "length", "type", "system", "models"}
    )

    def read_request(self, request: Request) -> Asked | None:
        """Return what a turn asks, or that a conversation is opened."""
        if request.method != "POST":
            return None
        if request.path.endswith("/copilot/conversations"):
            return Asked("chat", opens=True)
        action = request.path.rpartition("/")[2]
        if action not in ("chat", "chatOverStream"):
            return None
        text = read_text(read_table(request.table.get("message")).get("text"))
        return Asked("chat", "copilot", stream=action == "chatOverStream", texts=(text,))

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:
        """Return the conversation, new or with its turn."""
        return (
            reply_json(BEGUN, 201) if asked.opens else reply_json(self._tell(asked, turn, len(turn.text), whole=True))
        )

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Return the conversation again and again, each time with more of the answer."""
        updates = [self._tell(asked, turn, count) for count in range(1, len(turn.text) + 1)]
        events = [write_event(update) for update in updates]
        if turn.failure is not None:
            return reply_stream([*events, write_event(_describe(turn.failure))], [b""])
        return reply_stream(events, [write_event(self._tell(asked, turn, len(turn.text), whole=True))])

    def write_error(self, failure: Failure) -> Reply:
        """Return Graph's error object."""
        headers = {} if failure.retry_after is None else {"retry-after": f"{failure.retry_after:g}"}
        return reply_json(_describe(failure), failure.status, headers)

    def _tell(self, asked: Asked, turn: Turn, count: int, *, whole: bool = False) -> dict[str, object]:
        nulls = {"adaptiveCards": None, "attributions": None, "sensitivityLabel": None} if turn.nulls else {}
        answer = make_message("".join(turn.text[:count]), **nulls)
        messages = [make_message(asked.texts[0], **nulls), answer] if whole else [answer]
        state = _STATES.get(turn.finish_reason, "active") if whole else "active"
        told = {**BEGUN, "state": state, "turnCount": int(whole), "messages": messages, **turn.extra}
        return {**told, "agentId": None, "createdDateTime": None} if turn.nulls else told


def _describe(failure: Failure) -> dict[str, object]:
    inner = {"date": "2026-11-22T00:00:00", "request-id": failure.request_id}
    return {"error": {"code": failure.code, "message": failure.message, "innerError": inner}}
