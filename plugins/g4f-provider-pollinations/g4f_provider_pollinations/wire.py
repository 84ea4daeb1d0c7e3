"""Pollinations' own words: pictures by JSON alone, settings of its models, what it says when it refuses. Pure.

Source: https://gen.pollinations.ai/docs, and https://github.com/pollinations/pollinations/tree/main/shared/schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from g4f.context import HttpRequest
from g4f.errors import APIStatusError
from g4f.images import ImageRequest
from g4f.wire import errors
from g4f.wire.dialect import Warn
from g4f.wire.json import encode_json
from g4f.wire.openai import MAX_IMAGES_BYTES, OPENAI
from g4f.wire.pictures import read_size, warn_of_rest

_OWN = ("enhance", "negative_prompt", "safe", "seed", "transparent")
_QUALITIES = ("standard", "hd", "low", "medium", "high")


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for one picture. What is to be changed goes as URLs, data URLs among them.

    Raises:
        InvalidInputError: There is no such size.
    """
    warn_of_rest(request, "Pollinations", warn, options=("n", "size", "quality", "background", "user"), own=_OWN)
    body: dict[str, Any] = {"prompt": request.prompt, "model": request.model, **_encode_options(request, warn)}
    if request.operation == "edit":
        path = "/images/edits"
        body["image"] = [{"image_url": url} for url in request.images]
    else:
        path = "/images/generations"
        body["response_format"] = "b64_json"
    data = encode_json({**body, **request.extra_body})
    headers = {"Content-Type": "application/json", **request.extra_headers}
    return HttpRequest("POST", path, data, headers, max_bytes=MAX_IMAGES_BYTES)


def _encode_options(request: ImageRequest, warn: Warn) -> dict[str, Any]:
    options = request.options
    found: dict[str, Any] = {}
    if read_size(options.get("size")) is not None:
        found["size"] = options["size"]
    quality = options.get("quality")
    if quality in _QUALITIES:
        found["quality"] = quality
    elif quality not in (None, "auto"):
        warn(f"quality {quality!r} was left out: Pollinations knows {', '.join(_QUALITIES)}.")
    background = options.get("background")
    if background in ("transparent", "opaque"):
        found["transparent"] = background == "transparent"
    elif background not in (None, "auto"):
        warn(f"background {background!r} was left out: Pollinations knows transparent and opaque.")
    if options.get("user") is not None:
        found["user"] = options["user"]
    return found | {name: value for name, value in request.provider_options.items() if name in _OWN}


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    error = errors.decode_error(status, headers, body)
    details = error.body.get("error") if isinstance(error.body, dict) else None
    request_id = details.get("requestId") if isinstance(details, dict) else None
    if isinstance(request_id, str):
        error.request_id = error.request_id or request_id
    if error.type == "safety_error":
        error.code = "content_filter"
    return error


POLLINATIONS = attrs.evolve(OPENAI, encode_image=encode_image, decode_error=decode_error)
