"""Embeddings: texts in, one batch a request, vectors out.

Source: https://ai.google.dev/api/embeddings.
"""

from __future__ import annotations

from typing import Any

from g4f.context import HttpRequest, HttpResponse
from g4f.embeddings import EmbeddingRequest, Embeddings, is_vector
from g4f.errors import APIResponseError, InvalidInputError
from g4f.wire.dialect import Warn
from g4f.wire.json import decode_object, show_start
from g4f_provider_gemini.wire.errors import make_body_error
from g4f_provider_gemini.wire.lenient import read_count, read_table, read_tables
from g4f_provider_gemini.wire.options import warn_of_provider_options
from g4f_provider_gemini.wire.requests import make_name, make_request

_KNOWN = frozenset({"task_type", "api_version"})


def list_texts(request: EmbeddingRequest) -> list[str]:
    """Return the texts of a request.

    Raises:
        InvalidInputError: There are tokens in place of texts.
    """
    given = [request.input] if isinstance(request.input, str) else list(request.input)
    texts = [item for item in given if isinstance(item, str)]
    if not texts or len(texts) < len(given):
        raise InvalidInputError("Gemini makes embeddings of texts; it takes no token ids.")
    return texts


def encode_embed(request: EmbeddingRequest, *, warn: Warn) -> HttpRequest:
    """Write a request for embeddings.

    Raises:
        InvalidInputError: There are tokens in place of texts.
    """
    if request.options.get("user") is not None:
        warn("user was left out: Gemini has no such setting.")
    warn_of_provider_options(request.provider_options, _KNOWN, warn)
    dimensions, task = request.options.get("dimensions"), request.provider_options.get("task_type")
    common: dict[str, Any] = {
        "model": make_name(request.model),
        **({} if dimensions is None else {"outputDimensionality": dimensions}),
        **({} if task is None else {"taskType": task}),
    }
    rows = [{**common, "content": {"role": "user", "parts": [{"text": text}]}} for text in list_texts(request)]
    return make_request(request, {"requests": rows}, "batchEmbedContents")


def decode_embed(response: HttpResponse) -> Embeddings:
    """Read the answer to a request for embeddings.

    Raises:
        APIResponseError: There is no vector in it.
        APIStatusError: It is an error in spite of its status.
    """
    value = decode_object(response.body)
    if value.get("error"):
        raise make_body_error(value)
    vectors = [row.get("values") for row in read_tables(value.get("embeddings"))]
    if not vectors or not all(map(is_vector, vectors)):
        raise APIResponseError(f"The answer has no embedding: {show_start(response.body)}")
    tokens = read_count(read_table(value.get("usageMetadata")).get("promptTokenCount"))
    rows = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
    usage = {"usage": {"prompt_tokens": tokens, "total_tokens": tokens}} if tokens else {}
    return Embeddings.from_dict({"object": "list", "data": rows, **usage})
