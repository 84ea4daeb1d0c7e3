"""Requests for chats, pictures and the list of models, put together from contents and options.

Source: https://ai.google.dev/api/generate-content, https://ai.google.dev/api/models.
"""

from __future__ import annotations

from g4f.chat import ChatRequest
from g4f.context import HttpRequest
from g4f.images import ImageRequest
from g4f.wire.dialect import Warn
from g4f.wire.openai import MAX_IMAGES_BYTES
from g4f_provider_gemini.wire.contents import encode_messages
from g4f_provider_gemini.wire.options import encode_options
from g4f_provider_gemini.wire.pictures import encode_picture
from g4f_provider_gemini.wire.requests import make_request, make_root

MAX_ANSWER_BYTES = 64 * 2**20  # an answer may hold pictures
PAGE_SIZE = "1000"


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest:
    """Write a chat request.

    Raises:
        InvalidInputError: Something in it cannot be said in this dialect.
    """
    body = {
        **encode_messages(request.messages, model=request.model or "", warn=warn),
        **encode_options(request, warn),
    }
    if stream:
        return make_request(request, body, "streamGenerateContent", query={"alt": "sse"})
    return make_request(request, body, "generateContent", max_bytes=MAX_ANSWER_BYTES)


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for one picture.

    Raises:
        InvalidInputError: Something in it cannot be said in this dialect.
    """
    return make_request(request, encode_picture(request, warn), "generateContent", max_bytes=MAX_IMAGES_BYTES)


def encode_models(*, api_version: str | None = None, page: str = "") -> HttpRequest:
    """Write the request for a page of the list of models.

    Args:
        api_version: As in the path.
        page: What the page before named as the next; empty for the first.
    """
    query = {"pageSize": PAGE_SIZE, "pageToken": page} if page else {"pageSize": PAGE_SIZE}
    return HttpRequest("GET", f"{make_root(api_version)}/models", query=query)
