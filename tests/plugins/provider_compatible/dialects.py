"""The services as the conformance kit plays them: OpenAI's dialect, with the words that each of them has in its place.

Where a service refuses what it does not know, so does its stand-in: by the fields that its SDK sends. They are told by
name: `pytest --g4f-provider=Mistral --g4f-dialect=tests/plugins/provider_compatible/dialects.py:MistralDialect`.
"""

from __future__ import annotations

import json
from typing import Any

import attrs

from g4f_testkit import Asked, Request
from g4f_testkit.dialects.openai import OpenaiDialect

Body = dict[str, Any]
_CHAT = {"messages", "model", "stream", "temperature", "top_p", "stop", "n", "response_format", "tools", "tool_choice"}
_CHAT |= {"frequency_penalty", "presence_penalty", "logprobs", "top_logprobs", "parallel_tool_calls", "metadata"}
_CHAT |= {"reasoning_effort", "service_tier"}


class WordsDialect(OpenaiDialect):
    """A service that is asked in words of its own; `translate` says what they mean in OpenAI's."""

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks."""
        if not request.body:
            return super().read_request(request)
        body = self.translate(dict(request.table), request.path)
        return super().read_request(attrs.evolve(request, body=json.dumps(body).encode()))

    def translate(self, body: Body, path: str) -> Body:
        """Return the body that OpenAI would be sent."""
        return body


def check_known(body: Body, known: set[str], messages: dict[str, set[str]]) -> None:
    """Refuse what a service does not know, as it would: the client then gets no answer."""
    assert body.keys() <= known, body.keys() - known
    for message in body["messages"]:
        fields = messages.get(message["role"], {"content"}) | {"role"}
        assert message.keys() <= fields, message.keys() - fields


class OpenrouterDialect(WordsDialect):
    """OpenRouter: how hard to think stands in `reasoning`."""

    def translate(self, body: Body, path: str) -> Body:
        """Return the body that OpenAI would be sent."""
        return body | {"reasoning_effort": body.get("reasoning", {}).get("effort")}


class GroqDialect(WordsDialect):
    """Groq: it refuses what it does not know."""

    def translate(self, body: Body, path: str) -> Body:
        """Return the body that OpenAI would be sent."""
        known = _CHAT | {"max_tokens", "max_completion_tokens", "seed", "stream_options", "user"}
        refused = {"logprobs", "top_logprobs", "metadata", "frequency_penalty", "presence_penalty"}
        assistant = {"content", "reasoning", "tool_calls"}
        check_known(body, known - refused, {"assistant": assistant, "tool": {"content", "tool_call_id"}})
        return body


class MistralDialect(WordsDialect):
    """Mistral: it refuses what it does not know, has parts of its own, and tells the usage unasked."""

    def translate(self, body: Body, path: str) -> Body:
        """Return the body that OpenAI would be sent."""
        if not path.endswith("/chat/completions"):
            return body
        own = {"max_tokens", "random_seed", "prompt_cache_key", "prediction", "safe_prompt"}
        fields = {"assistant": {"content", "tool_calls", "prefix"}, "tool": {"content", "tool_call_id", "name"}}
        check_known(body, _CHAT | own, fields)
        messages = [message | {"content": _translate_content(message.get("content"))} for message in body["messages"]]
        return body | {"messages": messages, "stream_options": {"include_usage": True}}


def _translate_content(content: Any) -> Any:
    return [_translate_part(part) for part in content] if isinstance(content, list) else content


def _translate_part(part: Body) -> Body:
    if part["type"] == "document_url":
        return {"type": "file", "file": {"file_data": part["document_url"]}}
    if part["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": {"data": part["input_audio"]}}
    return part


class XaiDialect(WordsDialect):
    """xAI: pictures are changed by JSON."""

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks."""
        return _read_edit(request, "image") if request.path.endswith("/edits") else super().read_request(request)


class TogetherDialect(WordsDialect):
    """Together: pictures are changed where they are drawn."""

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks."""
        return _read_edit(request, "image_url") if "image_url" in request.table else super().read_request(request)


def _read_edit(request: Request, field: str) -> Asked:
    from g4f_testkit.dialects.reading import read_picture

    body = request.table
    given = body.get(field, body.get("images"))
    pictures = given if isinstance(given, list) else [given]
    urls = [picture["url"] if isinstance(picture, dict) else picture for picture in pictures]
    return Asked("image_edit", body["model"], texts=(body["prompt"],), pictures=tuple(map(read_picture, urls)))
