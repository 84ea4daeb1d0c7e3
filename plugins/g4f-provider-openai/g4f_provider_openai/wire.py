"""OpenAI's own quirks: parameters that its reasoning and image models refuse. Pure, as all of `g4f.wire`.

Sources: https://developers.openai.com/api/docs/guides/reasoning, …/guides/image-generation, and the errors that the
service answers with.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from g4f.context import HttpRequest
from g4f.wire import openai
from g4f.wire.dialect import Warn

if TYPE_CHECKING:
    from g4f.images import ImageOptions, ImageRequest

_REASONS = re.compile(r"(gpt-([5-9]|\d\d)(?!.*-chat(-|$))|o\d)")
_ONLY_WITHOUT_REASONING = (
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "logit_bias", "stop"
)  # fmt: skip
# These reason unless told otherwise, and do not call functions in chat completions while they do.
_CALLS_ONLY_WITHOUT_REASONING = r"gpt-(5\.6(-(sol|terra|luna))?|6-(sol|luna)|6\.1-terra)(-\d{4}-\d\d-\d\d)?$"
# What programs written for dall-e say, and the nearest that gpt-image models take.
_DRAWS = r"(chat)?gpt-image-"
_DRAWS_ANY_SHAPE = r"gpt-image-([2-9]|\d\d)"
_QUALITIES = {"standard": "auto", "hd": "high"}
_SMALL = {"256x256": "1024x1024", "512x512": "1024x1024"}
_LONG = {"1792x1024": "1536x1024", "1024x1792": "1024x1536"}
_forget_foreign = openai.forget_foreign()


def adapt_chat(body: dict[str, Any], warn: Warn) -> None:
    """Leave out, or say otherwise, what the model refuses; `warn` tells what was changed."""
    _forget_foreign(body, warn)
    model = body.get("model") or ""
    if not _REASONS.match(model):
        return
    limit = body.pop("max_tokens", None)
    if limit is not None and "max_completion_tokens" not in body:
        body["max_completion_tokens"] = limit
        warn(f"{model} takes max_completion_tokens, reasoning included, in place of max_tokens.")
    if body.get("tools") and "reasoning_effort" not in body and re.match(_CALLS_ONLY_WITHOUT_REASONING, model):
        body["reasoning_effort"] = "none"
        warn(f"reasoning_effort='none' was added: {model} calls no tools while it reasons.")
    if body.get("reasoning_effort") != "none":
        for name in _ONLY_WITHOUT_REASONING:
            if body.pop(name, None) is not None:
                warn(f"{name} was left out: {model} refuses it while it reasons.")


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for images, with dall-e's words put into those of the models that came after it."""
    if re.match(_DRAWS, request.model or ""):
        request = attrs.evolve(request, options=_adapt_options(request, warn))
    return openai.encode_image(request, warn=warn)


def _adapt_options(request: ImageRequest, warn: Warn) -> ImageOptions:
    options = request.options.copy()
    if options.pop("style", None) is not None:
        warn(f"style was left out: {request.model} has no such setting; say it in the prompt.")
    quality = options.get("quality")
    if quality in _QUALITIES:
        options["quality"] = _QUALITIES[quality]
        warn(f"quality {quality} became {options['quality']}, the nearest that {request.model} knows.")
    sizes = _SMALL if re.match(_DRAWS_ANY_SHAPE, request.model or "") else {**_SMALL, **_LONG}
    size = options.get("size")
    if size in sizes:
        options["size"] = sizes[size]
        warn(f"size {size} became {sizes[size]}, the nearest that {request.model} draws.")
    return options


OPENAI_CHAT = attrs.evolve(
    openai.OPENAI, encode_chat=partial(openai.encode_chat, adapt=adapt_chat), encode_image=encode_image
)
