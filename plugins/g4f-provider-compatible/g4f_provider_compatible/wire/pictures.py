"""Requests for pictures at services that do not speak OpenAI's dialect there: XAI and Together.

Sources: https://docs.x.ai/developers/model-capabilities/images/generation, https://docs.together.ai/docs/images-overview
and the types of Together's SDK.
"""

from __future__ import annotations

import math
from typing import Any

from g4f.context import HttpRequest
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn
from g4f.wire.json import encode_json
from g4f.wire.openai import MAX_IMAGES_BYTES
from g4f.wire.sizes import read_size

_RATIOS = (
    "1:1 3:4 4:3 9:16 16:9 2:3 3:2 9:19.5 19.5:9 9:20 20:9 1:2 2:1".split()  # noqa: SIM905 - shorter so
)


def encode_xai_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for pictures to XAI: shapes for sizes, and JSON also to edit."""
    fields = _take_options(request, {"n"}, "XAI", warn)
    size = request.options.get("size")
    wished = read_size(size)
    if wished is not None:
        fields["aspect_ratio"] = _choose_ratio(*wished)
        warn(f"size {size} became the aspect ratio {fields['aspect_ratio']}: XAI counts no pixels.")
    pictures = [{"type": "image_url", "url": url} for url in request.images]
    if request.operation == "generate":
        return _make_request(request, "/images/generations", fields)
    return _make_request(
        request, "/images/edits", {**fields, **({"image": pictures[0]} if len(pictures) == 1 else {"images": pictures})}
    )


def _choose_ratio(width: int, height: int) -> str:
    def measure(name: str) -> float:
        across, _, down = name.partition(":")
        return abs(math.log(width / height) - math.log(float(across) / float(down)))

    return min(_RATIOS, key=measure)


def encode_together_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for pictures to Together: width and height, and pictures to edit as references."""
    fields = _take_options(request, {"n", "output_format"}, "Together", warn)
    wished = read_size(request.options.get("size"))
    if wished is not None:
        fields["width"], fields["height"] = wished
    if len(request.images) == 1:
        fields["image_url"] = request.images[0]
    elif request.images:
        fields["reference_images"] = list(request.images)
    return _make_request(request, "/images/generations", fields)


def _take_options(request: ImageRequest, known: set[str], service: str, warn: Warn) -> dict[str, Any]:
    """Return the options that a service knows; of the others, tell that they are left out."""
    options: dict[str, Any] = dict(request.options)
    for name in options.keys() - known - {"size"}:
        warn(f"{name} was left out: {service} does not know it.")
    if request.mask is not None:
        warn(f"mask was left out: {service} takes none; say in the prompt what to change.")
    return {name: value for name, value in options.items() if name in known}


def _make_request(request: ImageRequest, path: str, fields: dict[str, Any]) -> HttpRequest:
    model = {} if request.model is None else {"model": request.model}
    body = {"prompt": request.prompt, **model, **fields, **request.provider_options, **request.extra_body}
    headers = {"Content-Type": "application/json", **request.extra_headers}
    return HttpRequest("POST", path, encode_json(body), headers, max_bytes=MAX_IMAGES_BYTES)
