"""OpenAI's own quirks: parameters that its reasoning models refuse in chat completions. Pure, as all of `g4f.wire`.

Source: https://developers.openai.com/api/docs/guides/reasoning, and the errors that the service answers with.
"""

from __future__ import annotations

import re
from typing import cast

import attrs

from g4f.chat import ChatOptions, ChatRequest
from g4f.context import HttpRequest
from g4f.wire import openai
from g4f.wire.dialect import Warn

_REASONS = re.compile(r"(gpt-([5-9]|\d\d)|o\d)")
# These reason unless told otherwise, and do not call functions in chat completions while they do.
_CALLS_ONLY_WITHOUT_REASONING = re.compile(
    r"gpt-(5\.6(-(sol|terra|luna))?|6-(sol|luna)|6\.1-terra)(-\d{4}-\d\d-\d\d)?$"
)


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest:
    """Write a chat request in the words that the model takes; `warn` tells what was changed."""
    model = request.model or ""
    if _REASONS.match(model):
        options = _adapt_options(dict(request.options), model, warn)
        request = attrs.evolve(request, options=cast(ChatOptions, options))
    return openai.encode_chat(request, stream=stream, warn=warn)


def _adapt_options(options: dict[str, object], model: str, warn: Warn) -> dict[str, object]:
    limit = options.pop("max_tokens", None)
    if limit is not None and "max_completion_tokens" not in options:
        options["max_completion_tokens"] = limit
        warn(f"{model} takes max_completion_tokens, reasoning included, in place of max_tokens.")
    if options.get("tools") and "reasoning_effort" not in options and _CALLS_ONLY_WITHOUT_REASONING.match(model):
        options["reasoning_effort"] = "none"
        warn(f"reasoning_effort='none' was added: {model} calls no tools while it reasons.")
    if options.get("reasoning_effort") != "none":
        for name in ("temperature", "top_p"):
            if options.pop(name, None) is not None:
                warn(f"{name} was left out: {model} refuses it while it reasons.")
    return options


OPENAI_CHAT = attrs.evolve(openai.OPENAI, encode_chat=encode_chat)
