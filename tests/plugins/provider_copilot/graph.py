"""The Chat API as its documentation shows it, on the loopback server: conversations are begun, then asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from loopback import Loopback, Piece, Received, Reply, reply_events, reply_json

CONVERSATION = "0d110e7e-2b7e-4270-a899-fd2af6fde333"
BEGUN = {
    "id": CONVERSATION,
    "createdDateTime": "2025-09-30T15:28:46.1560062Z",
    "displayName": "",
    "state": "active",
    "turnCount": 0,
}
NO_LABEL = {"sensitivityLabelId": None, "displayName": None, "tooltip": None, "priority": None, "isEncrypted": None}
CITATION = {
    "attributionType": "citation",
    "providerDisplayName": "Contoso Engineering Standup",
    "attributionSource": "model",
    "seeMoreWebUrl": "https://teams.microsoft.com/l/meeting/details?eventId=AA",
}


def make_message(text: str, **more: Any) -> dict[str, Any]:
    """One message of a conversation."""
    return {
        "@odata.type": "#microsoft.graph.copilotConversationResponseMessage",
        "id": "3fe6b260-c682-4f8e-a201-022ccb300742",
        "text": text,
        "createdDateTime": "2025-09-30T15:55:58.9856658Z",
        "adaptiveCards": [],
        "attributions": [],
        "sensitivityLabel": NO_LABEL,
        **more,
    }


def make_answer(text: str = "This is a test", prompt: str = "Hi", **more: Any) -> dict[str, Any]:
    """A conversation after a turn: the user's message once more, then the answer."""
    messages = [make_message(prompt), make_message(text, **more)]
    return {**BEGUN, "displayName": prompt, "turnCount": 1, "messages": messages}


def make_update(*texts: str) -> dict[str, Any]:
    """A conversation in the middle of a turn."""
    return {**BEGUN, "displayName": "Intermediate Conversation Update", "messages": [*map(make_message, texts)]}


def reply_stream(*events: Any, end: Sequence[Piece] = ()) -> Reply:
    """A stream of events as the service writes them, with an id behind the data."""
    pieces = [_write_event(number, event) if isinstance(event, dict) else event for number, event in enumerate(events)]
    return reply_events(*pieces, end=end)


def _write_event(number: int, event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event)}\nid:{number}\n\n".encode()


STREAM = reply_stream(make_update("This"), make_update(), make_update("This is a"), make_answer())


class Graph:
    """The service: it begins conversations, and answers turns with what it is given."""

    def __init__(self, server: Loopback) -> None:
        self.server = server
        self.begun = reply_json(BEGUN, 201)
        self.turn: Reply | None = None
        server.answer = self._answer

    def _answer(self, request: Received) -> Reply:
        if request.path.endswith("/conversations"):
            return self.begun
        if self.turn is not None:
            return self.turn
        return STREAM if request.path.endswith("/chatOverStream") else reply_json(make_answer())

    @property
    def turns(self) -> list[Received]:
        """The requests for an answer."""
        return [request for request in self.server.requests if "/conversations/" in request.path]


def list_errors() -> Iterator[tuple[int, str]]:
    """Statuses, and the codes that Graph gives with them."""
    yield 400, "BadRequest"
    yield 401, "InvalidAuthenticationToken"
    yield 403, "Forbidden"
    yield 404, "NotFound"
    yield 429, "TooManyRequests"
    yield 500, "InternalServerError"
    yield 503, "ServiceUnavailable"


def make_error(code: str, message: str = "no") -> dict[str, Any]:
    """Graph's form of errors."""
    inner = {"date": "2026-11-22T00:00:00", "request-id": "b1f7", "client-request-id": "c2"}
    return {"error": {"code": code, "message": message, "innerError": inner}}
