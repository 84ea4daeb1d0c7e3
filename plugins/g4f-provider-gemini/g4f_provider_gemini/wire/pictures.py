"""Requests for pictures, in the words of the image models: a prompt, pictures to change, an aspect ratio, a size class.

Source: https://ai.google.dev/gemini-api/docs/image-generation.
"""

from __future__ import annotations

from typing import Any

from g4f.images import ImageRequest
from g4f.wire.dialect import Warn
from g4f.wire.pictures import choose_ratio, read_size, warn_of_rest
from g4f_provider_gemini.wire.contents import encode_url
from g4f_provider_gemini.wire.families import list_ratios

_CLASSES = {"1K": 1024, "2K": 2048, "4K": 4096}  # the side of a square
_SLACK = 1.8  # so that OpenAI's 1792x1024 is 1K and what is called 4K, 3840x2160, is that here
_OPTIONS = {"aspect_ratio": "aspectRatio", "image_size": "imageSize"}
_KNOWN = frozenset({*_OPTIONS, "api_version"})


def encode_picture(request: ImageRequest, warn: Warn) -> dict[str, Any]:
    """Return the body of a request for one picture; several are several requests.

    Raises:
        InvalidInputError: A picture to change is none.
    """
    warn_of_rest(request, "Gemini", warn, own=_KNOWN)
    parts = [{"text": request.prompt}, *(encode_url(image) for image in request.images)]
    given = {_OPTIONS[name]: value for name, value in request.provider_options.items() if name in _OPTIONS}
    shape = {**_encode_size(request.options.get("size"), request.model or "", warn), **given}
    config = {"responseModalities": ["IMAGE"], **({"imageConfig": shape} if shape else {})}
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}


def _encode_size(size: str | None, model: str, warn: Warn) -> dict[str, Any]:
    ratios = list_ratios(model)
    if size in ratios:
        return {"aspectRatio": size}
    wished = read_size(size, also=f", 'auto' or one of {', '.join(ratios)}")
    if wished is None:
        return {}
    width, height = wished
    ratio = choose_ratio(width, height, ratios)
    kind = next((name for name, side in _CLASSES.items() if width * height <= _SLACK * side**2), "4K")
    if (width, height) != (_CLASSES[kind], _CLASSES[kind]):
        warn(f"size {size} became the aspect ratio {ratio} in {kind}: Gemini counts no pixels.")
    return {"aspectRatio": ratio} if kind == "1K" else {"aspectRatio": ratio, "imageSize": kind}
