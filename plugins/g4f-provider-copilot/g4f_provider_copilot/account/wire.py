"""What a chat is to the program `copilot`: a session and a message in; out of its events, chunks. Pure.

Source: https://github.com/github/copilot-sdk (python/README.md, the events of its schema), and what the program sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from g4f.chat import ChatRequest, Chunk
from g4f.errors import (
    APIError,
    APIResponseError,
    APIStatusError,
    InvalidInputError,
    UnsupportedError,
    make_status_error,
)
from g4f.wire.dialect import Warn
from g4f_provider_copilot.conversation import Conversation, Turn, read_conversation

_OPTIONS = {"reasoning_effort", "response_format", "tools", "tool_choice", "parallel_tool_calls", "stream_options"}
_PROVIDER_SETTINGS = {"base_url": "", "type": "openai", "wire_api": "", "api_key": ""}
# In the text of what went wrong when it asked GitHub about a token.
_GITHUB_STATUS = re.compile(r"token validation failed: [^:]*: ([45]\d\d)\b")
_STATUS_BY_KIND = {
    "authentication": 401,
    "authorization": 403,
    "context_limit": 400,
    "quota": 429,
    "rate_limit": 429,
}
_FINISH_REASONS = {
    "content_filter": "content_filter",
    "length": "length",
    "max_output_tokens": "length",
    "max_tokens": "length",
    "refusal": "content_filter",
}


def check_request(request: ChatRequest, settings: Mapping[str, str]) -> None:
    """Refuse, before anything is sent, what cannot be done.

    Raises:
        UnsupportedError: The request has tools, parts other than text and images, or wants JSON of no schema.
        InvalidInputError: There is nothing in it to answer, or another service would not know by which model.
    """
    _read(request)
    service = encode_provider(request, settings)
    if service is not None and not (_find_model(request, settings) or service.get("model_id")):
        raise InvalidInputError("Name a model, or set COPILOT_MODEL: only GitHub has one where none is named.")
    if request.options.get("tools") and request.options.get("tool_choice") != "none":
        raise UnsupportedError("CopilotAccount calls no functions: leave tools out, or choose another provider.")
    _find_schema(request)


def _read(request: ChatRequest) -> Conversation:
    return read_conversation(request.messages, "CopilotAccount")


def _find_schema(request: ChatRequest) -> Mapping[str, Any] | None:
    form: Mapping[str, Any] = request.options.get("response_format") or {}
    kind = form.get("type", "text")
    if kind == "text":
        return None
    schema = (form.get("json_schema") or {}).get("schema") if kind == "json_schema" else None
    if not isinstance(schema, Mapping):
        raise UnsupportedError(
            f"CopilotAccount needs a JSON schema: response_format {kind!r} without one is unknown there."
        )
    return schema


def encode_session(request: ChatRequest, settings: Mapping[str, str], *, warn: Warn) -> dict[str, Any]:
    """Write what a session is told; the system message takes the place of the agent's own, which is 14 kB."""
    _warn_of_unknown(request, warn)
    session: dict[str, Any] = {"system_message": {"mode": "replace", "content": _read(request).instructions}}
    model = _find_model(request, settings)
    if model:
        session["model"] = model
    if request.options.get("reasoning_effort"):
        session["reasoning_effort"] = request.options["reasoning_effort"]
    return session


def _find_model(request: ChatRequest, settings: Mapping[str, str]) -> str | None:
    return request.model or settings.get("model")


def _warn_of_unknown(request: ChatRequest, warn: Warn) -> None:
    for name, value in request.options.items():
        if name not in _OPTIONS and (name, value) != ("n", 1):
            warn(f"{name} was left out: GitHub Copilot has no such setting.")
    if request.options.get("tools"):
        warn("tools was left out: CopilotAccount calls no functions.")
    if request.extra_body:
        warn("extra_body was left out: the program copilot writes the requests itself.")
    for name in request.provider_options:
        if name != "provider":
            warn(f"The provider option {name} was left out: CopilotAccount knows provider.")


def encode_provider(request: ChatRequest, settings: Mapping[str, str]) -> dict[str, Any] | None:
    """Write which service of the user's own answers in place of GitHub's models, if one does."""
    given = request.provider_options.get("provider")
    if given is not None:
        return dict(given)
    if not settings.get("provider_base_url"):
        return None
    found = {name: settings.get(f"provider_{name}", usual) for name, usual in _PROVIDER_SETTINGS.items()}
    return {name: value for name, value in found.items() if value}


def list_images(request: ChatRequest) -> tuple[str, ...]:
    """Return the URLs of the images in all messages."""
    return _read(request).images


def encode_message(request: ChatRequest, images: Sequence[tuple[str, str]], *, warn: Warn) -> dict[str, Any]:
    """Write the message.

    Args:
        request: What is asked.
        images: Media type and base64 of each image.
        warn: Is told what was changed.
    """
    conversation = _read(request)
    message: dict[str, Any] = {"prompt": conversation.prompt}
    if conversation.turns:
        warn("The rest of the conversation went along in the message: GitHub Copilot takes one message at a time.")
        message["prompt"] = _join_turns(conversation.turns, conversation.prompt)
    if images:
        message["attachments"] = [_describe_image(number, *image) for number, image in enumerate(images, 1)]
    schema = _find_schema(request)
    if schema is not None:
        message["response_schema"] = schema
    if request.extra_headers:
        message["request_headers"] = dict(request.extra_headers)
    return message


def _join_turns(turns: Sequence[Turn], prompt: str) -> str:
    said = [f"[{turn.role}]\n{turn.text}" for turn in turns]
    return "\n\n".join(["The conversation so far:", *said, "Answer this message now:", prompt])


def _describe_image(number: int, media_type: str, data: str) -> dict[str, str]:
    name = f"image-{number}.{media_type.rpartition('/')[2]}"
    return {"type": "blob", "data": data, "mimeType": media_type, "displayName": name}


class EventDecoder:
    """Reads the events of one turn."""

    def __init__(self) -> None:
        self._said = ""
        self._thought = False
        self._usage: dict[str, int] = {}
        self._head: dict[str, Any] = {"object": "chat.completion.chunk", "id": "", "created": 0, "model": ""}
        self._finish_reason = "stop"

    def feed(self, kind: str, data: Mapping[str, Any]) -> Iterator[Chunk]:
        """Yield the chunks that an event means.

        Raises:
            APIStatusError: The event is an error.
            APIResponseError: It is the end of a turn without an answer.
        """
        if kind == "assistant.message_delta":
            yield from self._say(str(data.get("deltaContent") or ""))
        elif kind == "assistant.reasoning_delta":
            self._thought = True
            yield self._make_chunk({"reasoning_content": str(data.get("deltaContent") or "")})
        elif kind == "assistant.usage":
            self._count(data)
        elif kind == "assistant.message":
            yield from self._complete(data)
        elif kind == "session.error":
            raise _make_error(data)
        elif kind == "session.idle":
            yield from self._end(data)

    def _say(self, text: str) -> Iterator[Chunk]:
        self._said += text
        if text:
            yield self._make_chunk({"content": text})

    def _complete(self, data: Mapping[str, Any]) -> Iterator[Chunk]:
        """Tell what a whole message has beyond its deltas: all of it, where the model does not stream."""
        self._head["id"] = data.get("apiCallId") or self._head["id"]
        self._head["model"] = data.get("model") or self._head["model"]
        if data.get("reasoningText") and not self._thought:
            yield self._make_chunk({"reasoning_content": data["reasoningText"]})
        whole = str(data.get("content") or "")
        if whole.startswith(self._said):
            yield from self._say(whole[len(self._said) :])

    def _count(self, data: Mapping[str, Any]) -> None:
        self._head["model"] = data.get("model") or self._head["model"]
        reason = "content_filter" if data.get("contentFilterTriggered") else data.get("finishReason")
        self._finish_reason = _FINISH_REASONS.get(str(reason), "stop")
        for name in ("inputTokens", "outputTokens", "cacheReadTokens", "reasoningTokens"):
            if isinstance(data.get(name), int):
                self._usage[name] = self._usage.get(name, 0) + data[name]

    def _end(self, data: Mapping[str, Any]) -> Iterator[Chunk]:
        if data.get("aborted") or not (self._said or self._finish_reason == "content_filter"):
            raise APIResponseError("GitHub Copilot ended without an answer.", retryable=True)
        yield self._make_chunk({}, self._finish_reason)
        if self._usage:
            yield Chunk.from_dict({**self._head, "choices": [], "usage": self._describe_usage()})

    def _describe_usage(self) -> dict[str, Any]:
        told = self._usage
        asked, answered = told.get("inputTokens", 0), told.get("outputTokens", 0)
        usage: dict[str, Any] = {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        }
        if "cacheReadTokens" in told:
            usage["prompt_tokens_details"] = {"cached_tokens": told["cacheReadTokens"]}
        if "reasoningTokens" in told:
            usage["completion_tokens_details"] = {"reasoning_tokens": told["reasoningTokens"]}
        return usage

    def _make_chunk(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> Chunk:
        choice = {"index": 0, "delta": dict(delta), "finish_reason": finish_reason}
        return Chunk.from_dict({**self._head, "choices": [choice]})


def make_refusal(message: str) -> APIError:
    """Make an error of what the program answers in place of doing what it was told."""
    text = " ".join(message.split())
    status = _GITHUB_STATUS.search(text)
    if status is None:
        return APIError(f"The program copilot refuses: {text}")
    return make_status_error(text, status_code=int(status[1]))


def _make_error(data: Mapping[str, Any]) -> APIStatusError:
    """Make an error of what the program says; it has repeated by itself what was worth it."""
    status, kind = data.get("statusCode"), str(data.get("errorType") or "")
    return make_status_error(
        " ".join(str(data.get("message") or "no reason").split()),
        status_code=status if isinstance(status, int) else _STATUS_BY_KIND.get(kind, 500),
        code=data.get("errorCode"),
        type=kind or None,
        param=data.get("providerErrorParam"),
        request_id=data.get("serviceRequestId") or data.get("providerCallId"),
        retryable=False,
        body=dict(data),
    )
