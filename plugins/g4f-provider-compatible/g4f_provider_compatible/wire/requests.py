"""Requests in a service's words: what changes the body of a chat before it is written, piece by piece.

Each piece is a function of the body and `warn`, or makes one; a service is a list of them. Sources: the API references
of the services and the types of their SDKs, named where they are used.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from g4f.fold import list_objects
from g4f.wire.dialect import Warn
from g4f.wire.json import encode_json
from g4f.wire.openai import AdaptBody

Body = dict[str, Any]
Message = Mapping[str, Any]
_ALWAYS = frozenset({"messages", "model", "stream", "stream_options"})
_MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")


def do_all(*steps: AdaptBody) -> AdaptBody:
    """Return what takes several steps, in their order."""

    def adapt(body: Body, warn: Warn) -> None:
        for step in steps:
            step(body, warn)

    return adapt


def rename(**names: str) -> AdaptBody:
    """Return what calls options by other names; what the user gave under the service's own name stays."""

    def adapt(body: Body, _: Warn) -> None:
        for old, new in names.items():
            if old in body:
                value = body.pop(old)
                body.setdefault(new, value)

    return adapt


def keep(service: str, known: str) -> AdaptBody:
    """Return what leaves out the options that a service does not know, and says so.

    Args:
        service: Its name, for the warning.
        known: The names that it knows, parted by spaces.
    """
    names = _ALWAYS | set(known.split())

    def adapt(body: Body, warn: Warn) -> None:
        for name in [name for name in body if name not in names]:
            del body[name]
            warn(f"{name} was left out: {service} does not know it.")

    return adapt


def drop_usage_option(body: Body, _: Warn) -> None:
    """Leave out `stream_options`, for services that tell the usage in any case and refuse to be asked."""
    body.pop("stream_options", None)


def answer_once(service: str) -> AdaptBody:
    """Return what leaves out an `n` above 1, which a service refuses."""

    def adapt(body: Body, warn: Warn) -> None:
        if body.get("n", 1) != 1:
            del body["n"]
            warn(f"n was left out: {service} gives one answer a request.")

    return adapt


def each_message(*changes: Callable[[Message], Message]) -> AdaptBody:
    """Return what changes each message, in the order given; the user's own are replaced, never changed."""

    def adapt(body: Body, _: Warn) -> None:
        messages = body["messages"]
        for change in changes:
            messages = [change(message) for message in messages]
        body["messages"] = messages

    return adapt


def keep_fields(**known: str) -> Callable[[Message], Message]:
    """Return what leaves out of a message what a service refuses there, as what others said in an answer.

    Args:
        **known: The names of fields that it knows, parted by spaces, by role. Other roles have `role` and `content`.
    """
    names = {role: set(fields.split()) for role, fields in known.items()}

    def keep_known(message: Message) -> Message:
        fields = names.get(str(message.get("role")), {"role", "content"})
        return {name: value for name, value in message.items() if name in fields}

    return keep_known


def warn_of_names(service: str) -> AdaptBody:
    """Return what says that authors' names are left out, as `keep_fields` does where a service does not know them."""

    def adapt(body: Body, warn: Warn) -> None:
        if any(message.get("name") and message.get("role") != "tool" for message in body["messages"]):
            warn(f"name was left out of messages: {service} does not know it.")

    return adapt


def say_system(message: Message) -> Message:
    """Call a developer's message a system message, for services that know no developers."""
    return {**message, "role": "system"} if message.get("role") == "developer" else message


def say_reasoning(message: Message) -> Message:
    """Send reasoning back under the name that most services gave it; details of it say the same and more."""
    if "reasoning_content" not in message:
        return message
    kept = {key: value for key, value in message.items() if key != "reasoning_content"}
    if message.get("reasoning_details"):
        return kept
    return {**kept, "reasoning": message["reasoning_content"]}


# OpenRouter: https://openrouter.ai/docs/guides/best-practices/reasoning-tokens


def nest_effort(body: Body, _: Warn) -> None:
    """Say how much to think in OpenRouter's own `reasoning`, which it understands for every model."""
    effort = body.pop("reasoning_effort", None)
    if effort is not None:
        body.setdefault("reasoning", {"effort": effort})


# Together: https://docs.together.ai/reference/chat-completions-1


def count_logprobs(body: Body, warn: Warn) -> None:
    """Say how many tokens to show with their probabilities, where OpenAI says whether."""
    wanted, count = body.pop("logprobs", None), body.pop("top_logprobs", None)
    if wanted:
        body["logprobs"] = count or 1
    elif count:
        warn("top_logprobs was left out: it needs logprobs=True.")


def turn_off_reasoning(body: Body, _: Warn) -> None:
    """Say by a switch what OpenAI says by the effort "none"."""
    if body.get("reasoning_effort") == "none":
        del body["reasoning_effort"]
        body.setdefault("reasoning", {"enabled": False})


# DeepSeek: https://api-docs.deepseek.com/guides/thinking_mode, …/guides/json_mode


def switch_thinking(body: Body, warn: Warn) -> None:
    """Say by a switch what OpenAI says by the effort "none"; tell what counts for nothing while DeepSeek thinks."""
    if body.get("reasoning_effort") == "none":
        del body["reasoning_effort"]
        body["thinking"] = {"type": "disabled"}
        return
    for name in ("temperature", "presence_penalty", "frequency_penalty"):
        if name in body:
            warn(f"{name} counts for nothing while DeepSeek thinks; reasoning_effort='none' turns that off.")


def explain_schema(body: Body, warn: Warn) -> None:
    """Ask in words for a schema that DeepSeek cannot be held to, and for JSON."""
    wanted = body.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return
    schema = encode_json((wanted.get("json_schema") or {}).get("schema") or {}).decode()
    ask = {"role": "system", "content": f"Answer with nothing but JSON that fits this JSON schema: {schema}"}
    body["messages"] = [ask, *body["messages"]]
    body["response_format"] = {"type": "json_object"}
    warn("The JSON schema became a sentence of the prompt: DeepSeek does not hold itself to one.")


# XAI: https://docs.x.ai/docs/guides/reasoning


def drop_penalties(body: Body, warn: Warn) -> None:
    """Leave out what Grok's reasoning models refuse; all that are not called otherwise reason."""
    model = body.get("model") or ""
    if "non-reasoning" in model:
        return
    for name in ("presence_penalty", "frequency_penalty", "stop"):
        if body.pop(name, None) is not None:
            warn(f"{name} was left out: {model or 'XAI'} refuses it.")


# Mistral: https://docs.mistral.ai/api and the types of its SDK; it refuses whatever it does not know.


def mark_beginning(body: Body, _: Warn) -> None:
    """Mark an assistant's message at the end as the beginning of the answer, which Mistral takes it for only then."""
    *others, last = body["messages"] or [{}]
    if last.get("role") == "assistant":
        body["messages"] = [*others, {"prefix": True, **last}]


def write_thoughts(message: Message) -> Message:
    """Send reasoning back as parts of the content; parts that came signed go back as they came."""
    if message.get("role") != "assistant":
        return message
    signed = [part for part in list_objects(message.get("content_parts")) if part.get("type") == "thinking"]
    said = message.get("reasoning_content")
    thoughts = signed or ([{"type": "thinking", "thinking": [_write_text(said)]}] if said else [])
    return {**message, "content": [*thoughts, *_list_parts(message.get("content"))]} if thoughts else message


def write_documents(message: Message) -> Message:
    """Send files and sounds under Mistral's names."""
    content = message.get("content")
    if not isinstance(content, (list, tuple)):
        return message
    return {**message, "content": [_write_document(part) for part in content]}


def _write_document(part: Any) -> Any:
    file = part.get("file") if isinstance(part, dict) else None
    if isinstance(file, dict) and "file_data" in file:
        named = {"document_name": file["filename"]} if "filename" in file else {}
        return {"type": "document_url", "document_url": file["file_data"], **named}
    sound = part.get("input_audio") if isinstance(part, dict) else None
    return {**part, "input_audio": sound["data"]} if isinstance(sound, dict) and "data" in sound else part


def _list_parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [_write_text(content)] if content else []
    return list(content or ())


def _write_text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def shorten_ids(message: Message) -> Message:
    """Give calls ids of nine letters and digits, as Mistral takes them; another service's becomes always the same."""
    written = dict(message)
    if "tool_call_id" in message:
        written["tool_call_id"] = _shorten_id(message["tool_call_id"])
    if message.get("tool_calls"):
        written["tool_calls"] = [
            {**call, "id": _shorten_id(call.get("id"))} for call in list_objects(message["tool_calls"])
        ]
    return written


def _shorten_id(number: Any) -> Any:
    if not isinstance(number, str) or _MISTRAL_ID.fullmatch(number):
        return number
    return hashlib.sha256(number.encode("utf-8", "replace")).hexdigest()[:9]
