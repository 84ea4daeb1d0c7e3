"""MAI-Image's dialect: one picture a request, sizes as width and height, PNG in base64. Pure, as all of `g4f.wire`.

Source: https://learn.microsoft.com/azure/foundry/foundry-models/how-to/use-foundry-models-mai, as of 2026-09-04.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from g4f.context import HttpRequest, HttpResponse
from g4f.errors import APIStatusError, InvalidInputError
from g4f.images import ImageRequest, Images
from g4f.wire import errors, openai
from g4f.wire.dialect import Warn, Wire
from g4f.wire.json import encode_json
from g4f.wire.pictures import SizeLimits, fit_size, read_size, warn_of_rest

LIMITS = SizeLimits(least=768, most=1365, area=1024 * 1024)
_USUAL_SIZE = 1024, 1024
_NAME = "MAI-Image"
_OWN = ("auto_aspect_ratio", "web_grounding")
_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
# What a resource's portal and other clients show behind its address: their own interfaces, or this one's paths.
_TAIL = re.compile(
    r"/(mai(/v1(/images(/generations|/edits)?)?)?|openai(/v1)?|models|api/projects/[^/]+)$", re.IGNORECASE
)
_BLOCKED = frozenset({"contentfilter", "contentpolicyviolation", "responsibleaipolicyviolation"})


def find_root(base_url: str) -> str:
    """Return the address of a Foundry resource, or of what stands in its place."""
    return _TAIL.sub("", base_url.partition("?")[0].rstrip("/"))


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for one picture: JSON to generate, multipart form data to edit.

    Raises:
        InvalidInputError: There is no such size, or what is to be edited is not one PNG or JPEG.
    """
    fields = {"model": request.model, "prompt": request.prompt}
    own = {name: value for name, value in request.provider_options.items() if name in _OWN}
    if request.operation == "generate":
        warn_of_rest(request, _NAME, warn, options=("n", "size", "output_format"), own=_OWN)
        fields |= {**_encode_size(request, warn), **own, **request.extra_body}
        path, body, headers = "generations", encode_json(fields), {"Content-Type": "application/json"}
    else:
        warn_of_rest(request, _NAME, warn, options=("n", "output_format"), own=_OWN)
        body, headers = openai.encode_multipart({**fields, **own, **request.extra_body}, [_encode_picture(request)])
        path = "edits"
    _warn_of_format(request, warn)
    return HttpRequest("POST", f"/mai/v1/images/{path}", body, {**headers, **request.extra_headers})


def _warn_of_format(request: ImageRequest, warn: Warn) -> None:
    if request.options.get("output_format") not in (None, "png"):
        warn(f"output_format was left out: {_NAME} draws PNG.")


def _encode_size(request: ImageRequest, warn: Warn) -> dict[str, Any]:
    wished = read_size(request.options.get("size"))
    if wished is None and request.provider_options.get("auto_aspect_ratio"):
        return {}
    width, height = fit_size(*(wished or _USUAL_SIZE), LIMITS)
    if wished not in (None, (width, height)):
        warn(
            f"size {request.options.get('size')} became {width}x{height}: "
            f"a side has at least {LIMITS.least} pixels here, and a picture at most {LIMITS.area:,}."
        )
    return {"width": width, "height": height}


def _encode_picture(request: ImageRequest) -> tuple[str, str, str, bytes]:
    if len(request.images) != 1:
        raise InvalidInputError(f"{_NAME} edits one image at a time, not {len(request.images)}.")
    _, data = openai.split_data_url(request.images[0])
    media_type = next((kind for start, kind in _TYPES.items() if data.startswith(start)), None)
    if media_type is None:
        raise InvalidInputError(f"{_NAME} edits png and jpeg images alone; convert this one.")
    return "image", f"image.{media_type.rpartition('/')[2]}", media_type, data


def decode_image(response: HttpResponse) -> Images:
    """Read an answer; tokens, of which the documentation says nothing, are put into OpenAI's words.

    Raises:
        APIResponseError: There is no image in it.
    """
    images = openai.decode_image(response)
    if images.usage is None:
        return images
    told = images.usage.to_dict()
    read = _count(told, "num_input_text_tokens", "num_input_image_tokens")
    written = _count(told, "num_output_tokens") or _count(told, "output_image_tokens")
    usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written, **told}
    return Images.from_dict({**images.to_dict(), "usage": usage})


def _count(told: Mapping[str, Any], *names: str) -> int:
    return sum(value for name in names if isinstance(value := told.get(name), int))


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> APIStatusError:
    """Make the error that an answer with a status of 400 or above means."""
    error = errors.decode_error(status, headers, body)
    error.request_id = error.request_id or headers.get("apim-request-id") or headers.get("x-ms-request-id")
    if any(_fold(code) in _BLOCKED for code in _list_codes(error)):
        error.code = "content_filter"
    return error


def _list_codes(error: APIStatusError) -> list[Any]:
    details = error.body.get("error") if isinstance(error.body, dict) else None
    details = details if isinstance(details, dict) else {}
    inner = details.get("innererror") or details.get("inner_error")
    return [error.code, error.type, inner.get("code") if isinstance(inner, dict) else None]


def _fold(code: Any) -> str:
    return str(code).replace("_", "").lower()


MAI = Wire(encode_image=encode_image, decode_image=decode_image, decode_error=decode_error)
