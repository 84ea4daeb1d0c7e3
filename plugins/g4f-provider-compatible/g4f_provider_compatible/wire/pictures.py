"""Requests for pictures at services that do not speak OpenAI's dialect there: XAI and Together.

Sources: https://docs.x.ai/developers/model-capabilities/images/generation, https://docs.together.ai/docs/images-overview
and the types of Together's SDK.
"""

from __future__ import annotations

from typing import Any

from g4f.context import HttpRequest
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn
from g4f.wire.json import encode_json
from g4f.wire.openai import MAX_IMAGES_BYTES
from g4f.wire.pictures import choose_ratio, read_size, warn_of_rest

_RATIOS = ("1:1", "3:4", "4:3", "9:16", "16:9", "2:3", "3:2", "9:19.5", "19.5:9", "9:20", "20:9", "1:2", "2:1")


def encode_xai_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for pictures to XAI: shapes for sizes, and JSON also to edit."""
    warn_of_rest(request, "XAI", warn, own=request.provider_options)
    fields = _take_count(request)
    size = request.options.get("size")
    wished = read_size(size)
    if wished is not None:
        fields["aspect_ratio"] = choose_ratio(*wished, _RATIOS)
        warn(f"size {size} became the aspect ratio {fields['aspect_ratio']}: XAI counts no pixels.")
    if request.operation == "generate":
        return _make_request(request, "/images/generations", fields)
    pictures = [{"type": "image_url", "url": url} for url in request.images]
    given = {"image": pictures[0]} if len(pictures) == 1 else {"images": pictures}
    return _make_request(request, "/images/edits", {**fields, **given})


def encode_together_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for pictures to Together: width and height, and pictures to edit as references."""
    warn_of_rest(request, "Together", warn, options=("n", "size", "output_format"), own=request.provider_options)
    fields = _take_count(request)
    if "output_format" in request.options:
        fields["output_format"] = request.options["output_format"]
    wished = read_size(request.options.get("size"))
    if wished is not None:
        fields["width"], fields["height"] = wished
    if len(request.images) == 1:
        fields["image_url"] = request.images[0]
    elif request.images:
        fields["reference_images"] = list(request.images)
    return _make_request(request, "/images/generations", fields)


def _take_count(request: ImageRequest) -> dict[str, Any]:
    return {"n": request.options["n"]} if "n" in request.options else {}


def _make_request(request: ImageRequest, path: str, fields: dict[str, Any]) -> HttpRequest:
    model = {} if request.model is None else {"model": request.model}
    body = {"prompt": request.prompt, **model, **fields, **request.provider_options, **request.extra_body}
    headers = {"Content-Type": "application/json", **request.extra_headers}
    return HttpRequest("POST", path, encode_json(body), headers, max_bytes=MAX_IMAGES_BYTES)
