"""The OpenAI dialect, which most services speak: chat completions, images, models.

Sources: https://platform.openai.com/docs/api-reference/chat, …/images, …/models. A service's own quirks are left to the
`wire` of its provider.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.context import HttpRequest, HttpResponse
from g4f.errors import APIResponseError, G4FError, InvalidInputError
from g4f.fold import join_surrogates, list_objects, read_index
from g4f.manifest import StreamEnd
from g4f.wire import errors
from g4f.wire.dialect import StreamDecoder, Warn, Wire, decode_events, expect_answer
from g4f.wire.json import decode_answer, decode_json, encode_json, show_start
from g4f.wire.sse import Event, is_event_stream

if TYPE_CHECKING:
    from g4f.embeddings import EmbeddingRequest, Embeddings
    from g4f.images import ImageRequest, Images

MAX_IMAGES_BYTES = 256 * 2**20
# A service's own words, in place: the body of a request before it is written (what the user adds to it comes after),
# and a decoded answer, or a decoded chunk of a stream, before it becomes a value.
AdaptBody = Callable[[dict[str, Any], Warn], None]
AdaptAnswer = Callable[[dict[str, Any]], None]
_JSON = {"Content-Type": "application/json"}
# What services tell in an answer beside OpenAI's words. Whoever did not say it may refuse a history that has it.
_FOREIGN = frozenset({
    "content_blocks", "content_parts", "extra_content", "images", "reasoning", "reasoning_content", "reasoning_details",
    "thinking_blocks",
})  # fmt: skip


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn, adapt: AdaptBody | None = None) -> HttpRequest:
    """Write a chat request. Streams ask for usage, unless the user says otherwise in `stream_options`.

    Args:
        request: What the user asks.
        stream: Whether the answer is to come as it is made.
        warn: Told what is changed or left out.
        adapt: Puts OpenAI's words into the service's own.
    """
    body: dict[str, Any] = {"messages": request.messages, **request.options}
    if request.model is not None:
        body["model"] = request.model
    if stream:
        body["stream"] = True
        body["stream_options"] = {
            "include_usage": True,
            **(request.options.get("stream_options") or {}),
        }
    else:
        body.pop("stream_options", None)
    if adapt is not None:
        adapt(body, warn)
    body.update({**request.provider_options, **request.extra_body})
    return HttpRequest("POST", "/chat/completions", encode_json(body), {**_JSON, **request.extra_headers})


def forget_foreign(*own: str) -> AdaptBody:
    """Return what leaves out of a history what only the service that said it understands, as signed thoughts.

    Args:
        *own: The names of fields that this service said.
    """
    foreign = _FOREIGN - {*own}
    telling = foreign | {"tool_calls"}  # which may have such fields as well

    def adapt(body: dict[str, Any], _: Warn) -> None:
        messages = body["messages"]
        if not telling.isdisjoint(set().union(*messages)):
            body["messages"] = tuple([_forget(each, foreign) for each in messages])

    return adapt


def _forget(message: Mapping[str, Any], foreign: frozenset[str]) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name not in foreign}
    if kept.get("tool_calls"):
        calls = list_objects(kept["tool_calls"])
        kept["tool_calls"] = [{name: value for name, value in call.items() if name not in foreign} for call in calls]
    return kept


def decode_chat(response: HttpResponse, adapt: AdaptAnswer | None = None) -> Completion:
    """Read a whole answer, also one that came as a stream though none was asked for.

    Args:
        response: What the service answered.
        adapt: Puts the service's own words into OpenAI's.

    Raises:
        APIResponseError: It is no completion, or one with nothing in it.
        APIStatusError: It is an error in spite of its status.
    """
    if is_event_stream(response.body):
        return decode_events(ChunkDecoder("finish", adapt), response.body)
    data = _decode_answer(response)
    if adapt is not None:
        adapt(data)
    return expect_answer(Completion.from_dict(data), response.body)


def _decode_answer(response: HttpResponse) -> dict[str, Any]:
    data = decode_answer(response.body)
    if data.get("error"):
        raise errors.make_body_error(data)
    return data


class ChunkDecoder:
    """Reads the chunks of one stream, and knows when it is complete.

    Args:
        stream_end: What makes it complete.
        adapt: Puts the service's own words into OpenAI's; called with each chunk, in order.
    """

    __slots__ = ("_adapt", "_by_close", "_finished", "ended")

    def __init__(self, stream_end: StreamEnd, adapt: AdaptAnswer | None = None) -> None:
        self._adapt = adapt
        # The choices that were told of, and whether they ended; None where that ends no stream.
        self._finished: dict[int, bool] | None = {} if stream_end == "finish" else None
        self._by_close = stream_end == "close"
        self.ended = False

    @property
    def complete(self) -> bool:
        """Whether the end was told: by [DONE], or (if `stream_end` says so) by every choice's finish reason."""
        if self.ended or self._by_close:
            return True
        return all(self._finished.values()) if self._finished else False

    def feed(self, event: Event) -> Chunk | None:
        """Read one event; what comes after [DONE] counts for nothing.

        Raises:
            APIStatusError: The event is an error.
            APIResponseError: The event cannot be read.
        """
        kind, data = event
        if self.ended or (not data.startswith(b"{") and self._is_no_chunk(kind, data.strip())):
            return None
        value = decode_json(data)
        if kind == "error" or not isinstance(value, dict) or value.get("error"):
            raise _make_event_error(kind, value, data)
        if self._adapt is not None:
            self._adapt(value)
        if self._finished is not None:
            _note_ends(value.get("choices"), self._finished)
        return Chunk.from_dict(value)

    def _is_no_chunk(self, kind: str, data: bytes) -> bool:
        self.ended = data == b"[DONE]"
        return self.ended or not (data or kind == "error")


def _note_ends(choices: Any, finished: dict[int, bool]) -> None:
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            index = choice.get("index")
            index = index if isinstance(index, int) else 0  # as `read_index` does, without a call for each chunk
            if choice.get("finish_reason") or index not in finished:
                finished[index] = bool(choice.get("finish_reason"))


def _make_event_error(kind: str, value: Any, data: bytes) -> G4FError:
    if kind == "error" or isinstance(value, (dict, str)):
        return errors.make_body_error(value)
    return APIResponseError(f"An event of the stream is no object: {show_start(data)}")


def decode_stream(stream_end: StreamEnd, adapt: AdaptAnswer | None = None) -> StreamDecoder:
    """Return the decoder of one stream; see `ChunkDecoder`."""
    return ChunkDecoder(stream_end, adapt)


def encode_image(request: ImageRequest, *, warn: Warn) -> HttpRequest:  # noqa: ARG001 - others warn
    """Write a request for images: JSON to generate, multipart form data to edit."""
    fields: dict[str, Any] = {"prompt": request.prompt, **request.options}
    if request.model is not None:
        fields["model"] = request.model
    fields.update({**request.provider_options, **request.extra_body})
    if request.operation == "generate":
        path, body, headers = "/images/generations", encode_json(fields), _JSON
    else:
        path = "/images/edits"
        body, headers = encode_multipart(fields, _list_files(request))
    return HttpRequest("POST", path, body, {**headers, **request.extra_headers}, max_bytes=MAX_IMAGES_BYTES)


def _list_files(request: ImageRequest) -> list[tuple[str, str, str, bytes]]:
    name = "image" if len(request.images) == 1 else "image[]"
    files = [_make_file(name, f"image{at}", image) for at, image in enumerate(request.images)]
    return [*files, _make_file("mask", "mask", request.mask)] if request.mask else files


def _make_file(name: str, stem: str, data_url: str) -> tuple[str, str, str, bytes]:
    media_type, data = split_data_url(data_url)
    return name, f"{stem}.{media_type.rpartition('/')[2]}", media_type, data


def split_data_url(url: str) -> tuple[str, bytes]:
    """Return the media type and bytes of a base64 data URL (RFC 2397).

    Raises:
        InvalidInputError: It is none.
    """
    head, _, data = url.partition(",")
    if not (head[:5].lower() == "data:" and head[-7:].lower() == ";base64"):
        raise InvalidInputError(f"{head[:40]!r} does not begin a base64 data URL.")
    try:
        return head[5:-7].partition(";")[0], base64.b64decode(data, validate=True)
    except ValueError:
        raise InvalidInputError("The data URL's base64 is broken.") from None


def encode_multipart(
    fields: Mapping[str, Any], files: list[tuple[str, str, str, bytes]]
) -> tuple[bytes, dict[str, str]]:
    """Write form data (RFC 7578): the body and its headers. Files are (field, file name, media type, bytes)."""
    parts = [(f'name="{_quote(name)}"\r\n\r\n'.encode(), _write_field(value)) for name, value in fields.items()]
    for name, file_name, media_type, data in files:
        head = f'name="{_quote(name)}"; filename="{_quote(file_name)}"\r\nContent-Type: {_quote(media_type)}\r\n\r\n'
        parts.append((head.encode(), data))
    # From the contents, so that equal requests are equal bytes and no part can hold the boundary by chance.
    digest = hashlib.sha256()
    for part in parts:
        for piece in part:
            digest.update(piece)
    boundary = digest.hexdigest()[:32]
    start = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    # Joined once: a picture is megabytes.
    pieces = (piece for part in parts for piece in (start, *part, b"\r\n"))
    body = b"".join((*pieces, f"--{boundary}--\r\n".encode()))
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def _quote(name: str) -> str:
    """Escape a name as browsers do (HTML, 4.10.21.8)."""
    return join_surrogates(name).replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _write_field(value: Any) -> bytes:
    return join_surrogates(value).encode() if isinstance(value, str) else encode_json(value)


def decode_image(response: HttpResponse) -> Images:
    """Read the answer to a request for images.

    Raises:
        APIResponseError: There is no image in it.
        APIStatusError: It is an error in spite of its status.
    """
    from g4f.images import Images  # here because a program that only chats need not pay for it

    images = Images.from_dict(_decode_answer(response))
    if not any(isinstance(image.url or image.b64_json, str) for image in images.data):
        raise APIResponseError(f"The answer has no image: {show_start(response.body)}")
    return images


def encode_embed(request: EmbeddingRequest, *, warn: Warn, adapt: AdaptBody | None = None) -> HttpRequest:
    """Write a request for embeddings; see `encode_chat`."""
    body: dict[str, Any] = {"input": request.input, **request.options}
    if request.model is not None:
        body["model"] = request.model
    if adapt is not None:
        adapt(body, warn)
    body.update({**request.provider_options, **request.extra_body})
    return HttpRequest("POST", "/embeddings", encode_json(body), {**_JSON, **request.extra_headers})


def decode_embed(response: HttpResponse) -> Embeddings:
    """Read the answer to a request for embeddings.

    Raises:
        APIResponseError: There is no vector in it.
        APIStatusError: It is an error in spite of its status.
    """
    from g4f.embeddings import Embeddings, is_vector  # here because a program that only chats need not pay for it

    answer = _decode_answer(response)
    rows = list_objects(answer.get("data"))
    told = [row["index"] for row in rows if isinstance(row.get("index"), int)]
    if len(set(told)) < len(told):
        raise APIResponseError(f"The answer has two embeddings for one text: {show_start(response.body)}")
    embeddings = Embeddings.from_dict({**answer, "data": sorted(rows, key=read_index)})
    if not all(is_vector(item.embedding) for item in embeddings.data) or not rows:
        raise APIResponseError(f"The answer has no embedding: {show_start(response.body)}")
    return embeddings


def encode_models() -> HttpRequest:
    """Write the request for the list of models."""
    return HttpRequest("GET", "/models")


def decode_models(response: HttpResponse) -> list[dict[str, Any]]:
    """Read the list of models: `{data: [...]}`, or the bare list that some services send.

    Raises:
        APIResponseError: It is no list of models.
    """
    value = decode_json(response.body)
    rows = value.get("data") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise APIResponseError(f"The answer is no list of models: {show_start(response.body)}")
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]


OPENAI = Wire(
    encode_chat=encode_chat,
    decode_chat=decode_chat,
    decode_stream=decode_stream,
    encode_image=encode_image,
    decode_image=decode_image,
    encode_embed=encode_embed,
    decode_embed=decode_embed,
    encode_models=encode_models,
    decode_models=decode_models,
)
