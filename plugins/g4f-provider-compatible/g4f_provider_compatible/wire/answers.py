"""Answers in OpenAI's words: what services call otherwise, or send in another form, whoever of them it was.

One reader for all: each form means the same wherever it comes from. Sources: recorded exchanges of the services, and
their API references. Thoughts inside of the text are left to `thinking.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from g4f.errors import APIResponseError
from g4f.fold import list_objects
from g4f.wire.errors import make_body_error
from g4f.wire.json import encode_json

Message = dict[str, Any]
_FINISH = {"eos": "stop", "model_length": "length", "sensitive": "content_filter"}
# The service failed while it answered: what came is no whole answer, whatever else says so.
_BROKEN = frozenset({"error", "network_error", "insufficient_system_resource", "abort"})
_CACHED = ("cached_tokens", "prompt_cache_hit_tokens", "num_cached_tokens", "cache_read_input_tokens")


def adapt_answer(answer: dict[str, Any]) -> None:
    """Put a whole answer, or a chunk of a stream, into OpenAI's words.

    Raises:
        APIStatusError, APIResponseError: The service says in it that it failed.
    """
    raise_groq_error(answer)
    for choice in list_objects(answer.get("choices")):
        message = choice.get("message") or choice.get("delta")
        if isinstance(message, dict):
            join_parts(message)
            name_reasoning(message)
            if message.get("tool_calls"):
                write_arguments(message)
        name_finish(choice)
    usage = answer.get("usage") or find_usage(answer)
    if isinstance(usage, dict):
        answer["usage"] = usage
        name_usage(usage)


def raise_groq_error(answer: dict[str, Any]) -> None:
    """Raise the error that Groq tells beside the request's id, as in the midst of a stream.

    Source: the types of Groq's SDK, where it is a text.
    """
    beside = answer.get("x_groq")
    error = beside.get("error") if isinstance(beside, dict) else None
    if isinstance(error, str) and error:
        raise APIResponseError(f"The service broke its answer off ({error}).", retryable=True)
    if error:
        raise make_body_error(beside)


def join_parts(message: Message) -> None:
    """Make text of a content that is a list of parts (Mistral), or an object (a schema's, at Cloudflare).

    Parts that are more than text stay in `content_parts`, so that they can be sent back.
    """
    content = message.get("content")
    if isinstance(content, dict):
        message["content"] = encode_json(content).decode()
    if not isinstance(content, list):
        return
    parts = list_objects(content)
    thoughts = [part for part in parts if part.get("type") == "thinking"]
    kept = [part for part in parts if part.get("type") not in ("text", "thinking") or part.get("signature")]
    message["content"] = _join(part.get("text") for part in parts)
    if thoughts:
        message["reasoning_content"] = _join(_read_thought(part.get("thinking")) for part in thoughts)
    if kept:
        message["content_parts"] = kept


def _read_thought(thinking: Any) -> Any:
    return _join(part.get("text") for part in list_objects(thinking)) if isinstance(thinking, list) else thinking


def _join(texts: Iterable[Any]) -> str:
    return "".join(text for text in texts if isinstance(text, str))


def name_reasoning(message: Message) -> None:
    """Call reasoning `reasoning_content`, which others call `reasoning` or tell in `reasoning_details`."""
    reasoning = message.get("reasoning")
    if isinstance(reasoning, str) and message.get("reasoning_content") in (None, "", reasoning):
        message["reasoning_content"] = message.pop("reasoning")
    details = message.get("reasoning_details")
    if details and not message.get("reasoning_content"):
        told = _join(detail.get("text") or detail.get("summary") for detail in list_objects(details))
        if told:
            message["reasoning_content"] = told


def write_arguments(message: Message) -> None:
    """Make JSON text of a function's arguments that came as an object."""
    for call in list_objects(message["tool_calls"]):
        function = call.get("function")
        if isinstance(function, dict) and isinstance(function.get("arguments"), (dict, list)):
            function["arguments"] = encode_json(function["arguments"]).decode()


def name_finish(choice: dict[str, Any]) -> None:
    """Call the end of an answer by OpenAI's name; a whole answer has one.

    Raises:
        APIStatusError, APIResponseError: It is a failure.
    """
    if choice.get("error"):
        raise make_body_error(choice)
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason in _BROKEN:
        raise APIResponseError(f"The service broke its answer off ({reason}).", retryable=True)
    if isinstance(reason, str) and reason in _FINISH:
        choice["finish_reason"] = _FINISH[reason]
    elif not reason and isinstance(choice.get("message"), dict):
        choice["finish_reason"] = "tool_calls" if choice["message"].get("tool_calls") else "stop"


def find_usage(answer: dict[str, Any]) -> Any:
    """Return the usage from where some put it: beside the request's id (Groq), or into a choice (Moonshot)."""
    groq = answer.get("x_groq")
    places = [groq] if isinstance(groq, dict) else list_objects(answer.get("choices"))
    return next((place["usage"] for place in places if place.get("usage")), None)


def name_usage(usage: dict[str, Any]) -> None:
    """Call tokens from a cache as OpenAI does, and count reasoning among those of the answer, as it does too."""
    details = usage.get("prompt_tokens_details")
    details = details if isinstance(details, dict) else {}
    cached = next((usage[name] for name in _CACHED if isinstance(usage.get(name), int)), None)
    if cached is not None and details.get("cached_tokens") is None:
        usage["prompt_tokens_details"] = {**details, "cached_tokens": cached}
    answered = usage.get("completion_tokens_details")
    reasoning = answered.get("reasoning_tokens") if isinstance(answered, dict) else None
    if reasoning and isinstance(reasoning, int):
        prompt, told, total = (usage.get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
        if isinstance(prompt, int) and isinstance(told, int) and total == prompt + told + reasoning:
            usage["completion_tokens"] = told + reasoning
