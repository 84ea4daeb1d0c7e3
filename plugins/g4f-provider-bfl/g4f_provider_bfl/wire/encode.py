"""Requests: a job, in the words of its model, and the question for its picture.

Source: https://docs.bfl.ai/api-reference, and https://docs.bfl.ai/integration_guidelines.
"""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import quote

from g4f.context import HttpRequest
from g4f.errors import InvalidInputError
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn
from g4f.wire.json import encode_json
from g4f.wire.openai import split_data_url
from g4f.wire.pictures import SizeLimits, fit_size, read_size, warn_of_rest
from g4f_provider_bfl.wire.decode import Job
from g4f_provider_bfl.wire.families import Family, find_family

_OPTIONS = ("n", "size", "output_format")
_RATIO = re.compile(r"[1-9]\d{0,4}:[1-9]\d{0,4}", re.ASCII)
_WIDEST = 21 / 9


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write the request that begins a job.

    Raises:
        InvalidInputError: There is no such size, or these are not pictures that the model takes.
    """
    family = find_family(request.model or "")
    warn_of_rest(request, "Black Forest Labs", warn, options=_OPTIONS, own=family.own)
    body = {
        "prompt": request.prompt,
        **_encode_pictures(request, family),
        **_encode_size(request, family.limits, warn),
        **_encode_settings(request, family),
        **request.extra_body,
    }
    headers = {"Content-Type": "application/json", **request.extra_headers}
    return HttpRequest("POST", f"/v1/{_make_path(request.model)}", encode_json(body), headers)


def _make_path(model: str | None) -> str:
    """Return a model's path; no name leads out of where the models are."""
    if not model or not {"", ".", ".."}.isdisjoint(model.split("/")):
        raise InvalidInputError(f"Black Forest Labs has no model {model!r}.")
    return quote(model)


def _encode_pictures(request: ImageRequest, family: Family) -> dict[str, str]:
    if len(request.images) > family.pictures:
        can = f"at most {family.pictures} images" if family.pictures else "no images, and flux-2-pro up to 8"
        raise InvalidInputError(f"{request.model} takes {can}; there are {len(request.images)}.")
    names = ["input_image", *(f"input_image_{at}" for at in range(2, len(request.images) + 1))]
    return {name: _encode_picture(image) for name, image in zip(names, request.images, strict=False)}


def _encode_picture(url: str) -> str:
    """Return what the service takes: an address as it is, else base64."""
    if not url.startswith("data:"):
        return url
    split_data_url(url)  # it must be one
    return url.partition(",")[2]


def _encode_size(request: ImageRequest, limits: SizeLimits | None, warn: Warn) -> dict[str, Any]:
    size = request.options.get("size")
    if limits is None:
        return _encode_ratio(size, request.model, warn)
    wished = read_size(size)
    if wished is None:
        return {}
    width, height = fit_size(*wished, limits)
    if wished != (width, height):
        warn(f"size {size} became {width}x{height}, the nearest that {request.model} draws.")
    return {"width": width, "height": height}


def _encode_ratio(size: str | None, model: str | None, warn: Warn) -> dict[str, Any]:
    if isinstance(size, str) and _RATIO.fullmatch(size):
        return {"aspect_ratio": size}
    wished = read_size(size, also=", 'auto' or as '16:9'")
    if wished is None:
        return {}
    width, height = wished
    shared = math.gcd(width, height)
    ratio = f"{width // shared}:{height // shared}"
    if not 1 / _WIDEST <= width / height <= _WIDEST:
        ratio = "21:9" if width > height else "9:21"
    warn(f"size {size} became the aspect ratio {ratio}: {model} counts no pixels.")
    return {"aspect_ratio": ratio}


def _encode_settings(request: ImageRequest, family: Family) -> dict[str, Any]:
    given = {name: value for name, value in request.provider_options.items() if name in family.own}
    if request.options.get("output_format") is not None:
        given.setdefault("output_format", request.options["output_format"])
    if "disable_pup" in family.own and "prompt_upsampling" in given:
        given["disable_pup"] = not given.pop("prompt_upsampling")  # two models say it the other way round
    return given


def encode_result(job: Job) -> HttpRequest:
    """Write the question for a job's picture: where the service said, else at the address that the job went to."""
    query = {} if "id=" in job.polling_url else {"id": job.id}
    return HttpRequest("GET", job.polling_url or "/v1/get_result", query=query)
