"""Answers read as OpenAI's: whole ones, streams, pictures, the list of models.

Source: https://ai.google.dev/api/generate-content#generatecontentresponse, https://ai.google.dev/api/models.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from g4f.chat import Chunk, Completion
from g4f.context import HttpResponse
from g4f.errors import APIResponseError, make_status_error
from g4f.fold import fold_chunks
from g4f.images import Images
from g4f.manifest import StreamEnd
from g4f.wire.dialect import StreamDecoder, expect_answer
from g4f.wire.json import decode_json, decode_object, show_start
from g4f.wire.sse import Event, is_event_stream, split_events
from g4f_provider_gemini.wire.answers import Answer, is_blocked, is_picture, make_failure
from g4f_provider_gemini.wire.errors import make_body_error
from g4f_provider_gemini.wire.lenient import read_count, read_table, read_tables, read_text

_TOLD = frozenset({"candidates", "createTime", "modelVersion", "promptFeedback", "responseId", "usageMetadata"})


class ResponseDecoder:
    """Reads the pieces of one answer, each a GenerateContentResponse, and knows when it is complete.

    Attributes:
        ended: Always False: the dialect has no end marker.
    """

    ended = False

    def __init__(self, stream_end: StreamEnd) -> None:
        self._by_close = stream_end == "close"
        self._answers: dict[int, Answer] = {}
        self._unfinished: set[int] = set()
        self._blocked = False

    @property
    def complete(self) -> bool:
        """Whether every candidate has its finish reason, or the prompt was blocked."""
        finished = bool(self._answers) and not self._unfinished
        return finished or self._blocked or self._by_close

    def feed(self, event: Event) -> Chunk | None:
        """Read one event.

        Raises:
            APIStatusError: The event is an error.
            APIResponseError: The event cannot be read, or the model stopped without an answer.
        """
        return self.read(decode_json(event[1]))

    def read(self, value: Any) -> Chunk:
        """Read one decoded piece; see `feed`."""
        if isinstance(value, (str, list)) or read_table(value).get("error"):
            raise make_body_error(value)
        if not isinstance(value, dict):
            raise APIResponseError(f"A piece of the answer is no object: {value!r:.120}")
        chunk: dict[str, Any] = {
            **{name: item for name, item in value.items() if name not in _TOLD},
            "id": read_text(value.get("responseId")),
            "object": "chat.completion.chunk",
            "created": _read_time(value),
            "model": read_text(value.get("modelVersion")).removeprefix("models/"),
            "choices": self._read_choices(value),
        }
        usage = read_table(value.get("usageMetadata"))
        if usage.get("totalTokenCount") and (self.complete or not chunk["choices"]):
            chunk["usage"] = read_usage(usage)  # earlier ones are told again, larger
        if read_text(usage.get("serviceTier")):
            chunk["service_tier"] = usage["serviceTier"]
        return Chunk.from_dict(chunk)

    def _read_choices(self, value: dict[str, Any]) -> list[dict[str, Any]]:
        feedback = read_table(value.get("promptFeedback"))
        candidates = read_tables(value.get("candidates"))
        if read_text(feedback.get("blockReason")) and not candidates:
            self._blocked = True
            return [_make_blocked(feedback)]
        choices = []
        for candidate in candidates:
            index = read_count(candidate.get("index"))
            answer = self._answers.setdefault(index, Answer(index))
            choices.append(answer.read(candidate, read_text(value.get("responseId"))))
            (self._unfinished.discard if answer.finished else self._unfinished.add)(index)
        return choices


def _make_blocked(feedback: dict[str, Any]) -> dict[str, Any]:
    """Make the choice that says that the prompt was blocked."""
    why = read_text(feedback.get("blockReasonMessage")) or f"The prompt was blocked: {feedback['blockReason']}."
    return {
        "index": 0,
        "delta": {"role": "assistant", "refusal": why},
        "finish_reason": "content_filter",
        "extra_content": {"google": {"promptFeedback": feedback}},
    }


def _read_time(value: dict[str, Any]) -> int:
    try:
        return int(datetime.fromisoformat(read_text(value.get("createTime"))).timestamp())
    except (ValueError, OverflowError):
        return 0


def read_usage(usage: dict[str, Any]) -> dict[str, Any]:
    """Read how many tokens an answer took; as OpenAI does it, thoughts count as part of the answer."""
    thoughts = read_count(usage.get("thoughtsTokenCount"))
    return {
        "prompt_tokens": read_count(usage.get("promptTokenCount")) + read_count(usage.get("toolUsePromptTokenCount")),
        "completion_tokens": read_count(usage.get("candidatesTokenCount")) + thoughts,
        "total_tokens": read_count(usage.get("totalTokenCount")),
        "prompt_tokens_details": {
            "cached_tokens": read_count(usage.get("cachedContentTokenCount")),
            "audio_tokens": _count_audio(usage.get("promptTokensDetails")),
        },
        "completion_tokens_details": {
            "reasoning_tokens": thoughts,
            "audio_tokens": _count_audio(usage.get("candidatesTokensDetails")),
        },
    }


def _count_audio(details: Any) -> int:
    return sum(read_count(item.get("tokenCount")) for item in read_tables(details) if item.get("modality") == "AUDIO")


def decode_stream(stream_end: StreamEnd) -> StreamDecoder:
    """Return the decoder of one stream."""
    return ResponseDecoder(stream_end)


def decode_chat(response: HttpResponse) -> Completion:
    """Read a whole answer: one object, or the array or event stream of pieces that a stream may come as.

    Raises:
        APIResponseError: It is no answer, or the model stopped without one.
        APIStatusError: It is an error in spite of its status.
    """
    decoder = ResponseDecoder("finish")
    pieces = _split_pieces(response.body)
    completion = fold_chunks(map(decoder.read, pieces))
    if not (decoder.complete or (isinstance(pieces, list) and len(pieces) == 1)):
        raise APIResponseError(
            f"The answer is a stream that ends too early: {show_start(response.body)}", retryable=True
        )
    completion.created = completion.created or _read_date(response)
    return expect_answer(completion, response.body)


def _split_pieces(body: bytes) -> Iterable[Any]:
    if is_event_stream(body):
        return (decode_json(data) for _, data in split_events(body))
    value = decode_json(body)
    return value if isinstance(value, list) else [value]


def _read_date(response: HttpResponse) -> int:
    """Return when the service answered, by its own clock: most answers tell no time."""
    try:
        return int(parsedate_to_datetime(response.headers.get("date") or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return 0


def decode_image(response: HttpResponse) -> Images:
    """Read an answer's pictures.

    Raises:
        BadRequestError: A filter refused to draw; its code is "content_filter".
        APIResponseError: There is no picture in it.
        APIStatusError: It is an error in spite of its status.
    """
    value = decode_object(response.body)
    if value.get("error"):
        raise make_body_error(value)
    candidates = read_tables(value.get("candidates"))
    parts = [part for item in candidates for part in read_tables(read_table(item.get("content")).get("parts"))]
    data = [{"b64_json": read_text(part["inlineData"].get("data"))} for part in parts if is_picture(part)]
    if not any(image["b64_json"] for image in data):
        raise _explain_missing_picture(value, candidates, parts)
    usage = read_usage(read_table(value.get("usageMetadata")))
    return Images.from_dict(
        {
            "created": _read_time(value) or _read_date(response),
            "model": read_text(value.get("modelVersion")).removeprefix("models/"),
            "data": data,
            "usage": {
                "input_tokens": usage["prompt_tokens"],
                "output_tokens": usage["completion_tokens"],
                "total_tokens": usage["total_tokens"],
            },
        }
    )


def _explain_missing_picture(
    value: dict[str, Any], candidates: list[dict[str, Any]], parts: list[dict[str, Any]]
) -> APIResponseError | Exception:
    feedback = read_table(value.get("promptFeedback"))
    last = candidates[-1] if candidates else {}
    reason = read_text(feedback.get("blockReason")) or read_text(last.get("finishReason"))
    said = read_text(feedback.get("blockReasonMessage")) or read_text(last.get("finishMessage"))
    if feedback.get("blockReason") or is_blocked(reason):
        message = f"The picture was refused ({reason}). {said}".strip()
        return make_status_error(message, status_code=400, code="content_filter", type=reason, body=value)
    text = "".join(read_text(part.get("text")) for part in parts if part.get("thought") is not True)
    if reason and reason != "STOP":
        return make_failure(reason, said or text)
    return APIResponseError(f"The answer has no picture: {show_start(text.encode('utf-8', 'replace'))}")


def decode_models(response: HttpResponse) -> list[dict[str, Any]]:
    """Read a page of the list of models; all that the service says of one is kept.

    Raises:
        APIResponseError: It is no list of models.
    """
    value = decode_object(response.body)
    if not isinstance(value.get("models"), list):
        raise APIResponseError(f"The answer is no list of models: {show_start(response.body)}")
    names = [(read_text(row.get("name")).removeprefix("models/"), row) for row in read_tables(value["models"])]
    return [{**row, "id": name, "object": "model", "owned_by": "google"} for name, row in names if name]


def read_next_page(response: HttpResponse) -> str:
    """Return the token of the page after this one, empty after the last."""
    return read_text(decode_object(response.body).get("nextPageToken"))
