"""Requests: a conversation is begun, then takes one message at a time; the rest of a chat goes along as context.

Source: https://learn.microsoft.com/en-us/microsoft-365-copilot/extensibility/api/ai-services/chat/copilotconversation-chat.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import attrs

from g4f.chat import ChatRequest
from g4f.context import HttpRequest, HttpResponse
from g4f.errors import APIResponseError, UnsupportedError
from g4f.wire.dialect import Warn
from g4f.wire.json import decode_object, encode_json, show_start
from g4f_provider_copilot.conversation import Conversation, Turn, read_conversation
from g4f_provider_copilot.m365.wire.decode import MODEL

_PATH = "/conversations"
_JSON = {"Content-Type": "application/json"}
_PROVIDER_OPTIONS = {"conversation_id", "files", "time_zone", "web_search"}
# What is refused, or asks for nothing.
_SILENT = {"response_format", "tools", "tool_choice", "parallel_tool_calls", "stream_options"}


def check_request(request: ChatRequest) -> None:
    """Refuse, before anything is sent, what the service cannot do.

    Raises:
        UnsupportedError: The request has images, tools, or a form that the answer must have.
        InvalidInputError: There is no text in it.
    """
    _read(request)
    if request.options.get("tools") and request.options.get("tool_choice") != "none":
        raise UnsupportedError("Copilot calls no functions: leave tools out, or choose another provider.")
    form: Mapping[str, Any] = request.options.get("response_format") or {}
    if form.get("type", "text") != "text":
        raise UnsupportedError("Copilot cannot be held to JSON: leave response_format out, or choose another provider.")


def _read(request: ChatRequest) -> Conversation:
    conversation = read_conversation(request.messages, "Copilot")
    if conversation.images:
        raise UnsupportedError("Copilot cannot read images; CopilotAccount can.")
    return conversation


def keep_last(request: ChatRequest) -> ChatRequest:
    """Leave only the user's last message: the service has the conversation before it."""
    said = [message for message in request.messages if message.get("role") == "user"]
    return attrs.evolve(request, messages=tuple(said[-1:]) or request.messages)


def encode_conversation() -> HttpRequest:
    """Write the request for a new conversation."""
    return HttpRequest("POST", _PATH, b"{}", _JSON)


def decode_conversation(response: HttpResponse) -> str:
    """Read the id of a new conversation.

    Raises:
        APIResponseError: There is none.
    """
    found = decode_object(response.body).get("id")
    if not (isinstance(found, str) and found):
        raise APIResponseError(f"The new conversation has no id: {show_start(response.body)}")
    return found


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest:
    """Write one turn of a conversation; its id and the time zone are provider options."""
    conversation = _read(request)
    _warn_of_unknown(request, warn)
    body: dict[str, Any] = {
        "message": {"text": _join_instructions(conversation, warn)},
        "locationHint": {"timeZone": request.provider_options["time_zone"]},
    }
    if conversation.turns:
        body["additionalContext"] = list(_describe_turns(conversation.turns, warn))
    resources = _encode_resources(request.provider_options)
    if resources:
        body["contextualResources"] = resources
    body.update(request.extra_body)
    where = quote(str(request.provider_options["conversation_id"]), safe="")
    path = f"{_PATH}/{where}/{'chatOverStream' if stream else 'chat'}"
    return HttpRequest("POST", path, encode_json(body), {**_JSON, **request.extra_headers})


def _warn_of_unknown(request: ChatRequest, warn: Warn) -> None:
    for name, value in request.options.items():
        if name not in _SILENT and (name, value) != ("n", 1):
            warn(f"{name} was left out: Copilot has no such setting.")
    if request.options.get("tools"):
        warn("tools was left out: Copilot calls no functions.")
    for name in request.provider_options:
        if name not in _PROVIDER_OPTIONS:
            known = ", ".join(sorted(_PROVIDER_OPTIONS))
            warn(f"The provider option {name} was left out: Copilot knows {known}.")
    if request.model not in (None, MODEL):
        warn(f"The model {request.model} was left out: Copilot chooses its model itself.")


def _join_instructions(conversation: Conversation, warn: Warn) -> str:
    if not conversation.instructions:
        return conversation.prompt
    warn("The system message stands at the head of the user's: Copilot takes none of its own.")
    return f"{conversation.instructions}\n\n{conversation.prompt}"


def _describe_turns(turns: tuple[Turn, ...], warn: Warn) -> Iterator[dict[str, str]]:
    """Give what else was said as context: the service takes no answers that it did not give itself."""
    warn("The rest of the conversation went along as additional context: Copilot takes one message at a time.")
    for number, turn in enumerate(turns, 1):
        description = f"Message {number} of {len(turns)} of the conversation so far, by the {turn.role}"
        yield {"text": turn.text, "description": description}


def _encode_resources(options: Mapping[str, Any]) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if options.get("files"):
        resources["files"] = [{"uri": uri} for uri in options["files"]]
    if options.get("web_search") is not None:
        resources["webContext"] = {"isWebEnabled": bool(options["web_search"])}
    return resources
