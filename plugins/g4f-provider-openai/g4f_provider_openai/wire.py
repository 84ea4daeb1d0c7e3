"""OpenAI's own quirks: parameters that its reasoning models refuse in chat completions. Pure, as all of `g4f.wire`.

Source: https://developers.openai.com/api/docs/guides/reasoning, and the errors that the service answers with.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import attrs

from g4f.wire import openai
from g4f.wire.dialect import Warn

_REASONS = re.compile(r"(gpt-([5-9]|\d\d)|o\d)")
# These reason unless told otherwise, and do not call functions in chat completions while they do.
_CALLS_ONLY_WITHOUT_REASONING = re.compile(
    r"gpt-(5\.6(-(sol|terra|luna))?|6-(sol|luna)|6\.1-terra)(-\d{4}-\d\d-\d\d)?$"
)


def adapt_chat(body: dict[str, Any], warn: Warn) -> None:
    """Leave out, or say otherwise, what the model refuses; `warn` tells what was changed."""
    model = body.get("model") or ""
    if not _REASONS.match(model):
        return
    limit = body.pop("max_tokens", None)
    if limit is not None and "max_completion_tokens" not in body:
        body["max_completion_tokens"] = limit
        warn(f"{model} takes max_completion_tokens, reasoning included, in place of max_tokens.")
    if body.get("tools") and "reasoning_effort" not in body and _CALLS_ONLY_WITHOUT_REASONING.match(model):
        body["reasoning_effort"] = "none"
        warn(f"reasoning_effort='none' was added: {model} calls no tools while it reasons.")
    if body.get("reasoning_effort") != "none":
        for name in ("temperature", "top_p"):
            if body.pop(name, None) is not None:
                warn(f"{name} was left out: {model} refuses it while it reasons.")


OPENAI_CHAT = attrs.evolve(openai.OPENAI, encode_chat=partial(openai.encode_chat, adapt=adapt_chat))
