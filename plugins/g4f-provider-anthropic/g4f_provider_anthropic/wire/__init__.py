"""The Messages dialect of Anthropic. Pure, as all of `g4f.wire`; one file for each translation.

Source: https://platform.claude.com/docs/en/api/messages, and the types of the official SDK.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.chat import ChatRequest
from g4f.context import HttpRequest
from g4f.wire.dialect import Warn, Wire
from g4f.wire.json import encode_json
from g4f_provider_anthropic.wire.decode import decode_chat
from g4f_provider_anthropic.wire.errors import decode_error
from g4f_provider_anthropic.wire.families import find_family
from g4f_provider_anthropic.wire.messages import encode_messages
from g4f_provider_anthropic.wire.models import decode_models, encode_models, find_next_page
from g4f_provider_anthropic.wire.options import encode_options
from g4f_provider_anthropic.wire.stream import decode_stream

__all__ = [
    "ANTHROPIC",
    "decode_chat",
    "decode_error",
    "decode_models",
    "decode_stream",
    "encode_chat",
    "encode_models",
    "find_next_page",
]

VERSION_HEADER = "anthropic-version"
DEFAULT_VERSION = "2023-06-01"
# The first version that knows neither temperature nor top_p, for whatever model.
VERSION_WITHOUT_SAMPLING = "2026-10-21"
# What `provider_options` may hold beside fields of the body.
_HEADER_OPTIONS = {"api_version": VERSION_HEADER, "betas": "anthropic-beta"}


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> HttpRequest:
    """Write a chat request; `warn` tells what the service does not know.

    Raises:
        InvalidInputError: A message cannot be said in this dialect.
        UnsupportedError: The service cannot read a part of a message.
    """
    headers = _encode_headers(request)
    family = find_family(request.model or "")
    samples = family.samples and headers[VERSION_HEADER] < VERSION_WITHOUT_SAMPLING
    options, instruction = encode_options(request.options, family, warn, samples=samples)
    system, messages = encode_messages(request.messages, instruction, warn)
    body: dict[str, Any] = {"model": request.model, "messages": messages, **options}
    if system is not None:
        body["system"] = system
    if stream:
        body["stream"] = True
    body.update({name: value for name, value in request.provider_options.items() if name not in _HEADER_OPTIONS})
    body.update(request.extra_body)
    return HttpRequest("POST", "/v1/messages", encode_json(body), headers)


def _encode_headers(request: ChatRequest) -> Mapping[str, str]:
    headers = {"content-type": "application/json", VERSION_HEADER: DEFAULT_VERSION}
    for option, header in _HEADER_OPTIONS.items():
        value = request.provider_options.get(option)
        if value:
            headers[header] = value if isinstance(value, str) else ",".join(map(str, value))
    return {**headers, **{name.lower(): value for name, value in request.extra_headers.items()}}


ANTHROPIC = Wire(
    encode_chat=encode_chat,
    decode_chat=decode_chat,
    decode_stream=decode_stream,
    encode_models=encode_models,
    decode_models=decode_models,
    decode_error=decode_error,
)
