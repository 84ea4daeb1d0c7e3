"""Messages written as contents: a list of turns of `user` and `model`, each made of parts.

Sources: https://ai.google.dev/api/caching#Content, …/gemini-api/docs/function-calling, …/docs/file-input-methods,
…/docs/thought-signatures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from g4f.errors import APIResponseError, InvalidInputError
from g4f.wire.dialect import Warn
from g4f.wire.json import decode_exactly
from g4f.wire.openai import split_data_url
from g4f_provider_gemini.wire.families import checks_signatures, fetches_urls
from g4f_provider_gemini.wire.lenient import read_google, read_table, read_tables, read_text

# Where files lie that Google alone can read: uploads, Cloud Storage, videos.
_VIDEOS = re.compile(r"https?://((www|m)\.)?youtube\.com/|https?://youtu\.be/")
_ITS_OWN = re.compile(rf"gs://|https://generativelanguage\.googleapis\.com/|{_VIDEOS.pattern}")
_FILES = "https://generativelanguage.googleapis.com/v1beta/"
# For function calls that another model made, or whose signature got lost (…/docs/thought-signatures, FAQ).
_NO_SIGNATURE = "skip_thought_signature_validator"
_MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
}
Part = dict[str, Any]


def encode_messages(messages: Sequence[Mapping[str, Any]], *, model: str, warn: Warn) -> dict[str, Any]:
    """Return the fields `contents` and, if there are system messages, `systemInstruction`.

    Raises:
        InvalidInputError: A message cannot be said in this dialect.
    """
    writer = _Writer(model, warn)
    for message in messages:
        writer.add(message)
    return writer.finish()


class _Writer:
    """Puts the turns together, message by message."""

    def __init__(self, model: str, warn: Warn) -> None:
        self._model = model
        self._warn = warn
        self._system: list[Part] = []
        self._contents: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}  # of the functions called, by the call's id
        self._results: list[Part] | None = None  # the turn that gathers the results of parallel calls

    def add(self, message: Mapping[str, Any]) -> None:
        role = message.get("role")
        if role in ("tool", "function"):
            self._add_result(message)
            return
        self._results = None
        if message.get("name"):
            self._warn("The name of a message's author was left out: Gemini does not know it.")
        if role in ("system", "developer"):
            self._system += _encode_system(message.get("content"), self._warn)
        elif role == "user":
            parts = encode_parts(message.get("content"), self._warn)
            self._contents.append({"role": "user", "parts": parts or [{"text": ""}]})
        elif role == "assistant":
            self._add_answer(message)
        else:
            raise InvalidInputError(f"Gemini knows no message of the role {role!r}.")

    def _add_answer(self, message: Mapping[str, Any]) -> None:
        kept = [dict(part) for part in read_tables(read_google(message).get("parts"))]
        calls = self._encode_calls(message)
        said = _encode_answer(message, self._warn)
        end = [] if said else _encode_end(message)
        parts = [*kept, *said, *_encode_pictures(message), *calls, *end]
        if parts:
            self._contents.append({"role": "model", "parts": parts})

    def _encode_calls(self, message: Mapping[str, Any]) -> list[Part]:
        calls = read_tables(message.get("tool_calls"))
        if isinstance(message.get("function_call"), Mapping):
            calls = [*calls, {"function": message["function_call"]}]
        parts = [self._encode_call(call) for call in calls]
        if parts and checks_signatures(self._model) and not any("thoughtSignature" in part for part in parts):
            parts[0]["thoughtSignature"] = _NO_SIGNATURE
        return parts

    def _encode_call(self, call: Mapping[str, Any]) -> Part:
        function, number = read_table(call.get("function")), read_text(call.get("id"))
        name = read_text(function.get("name"))
        if number:
            self._names[number] = name
        said: dict[str, Any] = {"name": name, "args": _read_arguments(name, function.get("arguments"))}
        part: Part = {"functionCall": {"id": number, **said} if number else said}
        signature = read_text(read_google(call).get("thought_signature"))
        return {**part, "thoughtSignature": signature} if signature else part

    def _add_result(self, message: Mapping[str, Any]) -> None:
        if self._results is None:
            self._results = []
            self._contents.append({"role": "user", "parts": self._results})
        number = read_text(message.get("tool_call_id"))
        name = self._names.get(number) or read_text(message.get("name"))
        if not name:
            raise InvalidInputError(f"A tool message answers the call {number!r}, which no message before it makes.")
        parts = encode_parts(message.get("content"), self._warn)
        said = {"name": name, "response": _make_response("".join(part.get("text", "") for part in parts))}
        self._results.append({"functionResponse": {"id": number, **said} if number else said})
        self._results += [part for part in parts if "text" not in part]  # pictures and files that the tool returned

    def finish(self) -> dict[str, Any]:
        if not self._contents and self._system:  # the service wants a question
            return {"contents": [{"role": "user", "parts": self._system}]}
        fields: dict[str, Any] = {"contents": self._contents}
        if self._system:
            fields["systemInstruction"] = {"role": "user", "parts": self._system}
        return fields


def _encode_system(content: Any, warn: Warn) -> list[Part]:
    parts = encode_parts(content, warn)
    texts = [part for part in parts if "text" in part]
    if len(texts) < len(parts):
        warn("Pictures and files in a system message were left out: Gemini takes text there.")
    return texts


def _encode_answer(message: Mapping[str, Any], warn: Warn) -> list[Part]:
    """Write what an assistant said, with the signature that came with it on its last part."""
    content = message.get("content")
    parts = encode_parts(content if content else message.get("refusal"), warn)
    signature = read_text(read_google(message).get("thought_signature"))
    if signature and parts:
        parts[-1] = {**parts[-1], "thoughtSignature": signature}
    return parts


def _encode_end(message: Mapping[str, Any]) -> list[Part]:
    """Write the empty part that a signature came on where there is no text, as behind function calls."""
    signature = read_text(read_google(message).get("thought_signature"))
    return [{"text": "", "thoughtSignature": signature}] if signature else []


def _encode_pictures(message: Mapping[str, Any]) -> list[Part]:
    """Write the pictures that an assistant drew in a chat."""
    parts = []
    for picture in read_tables(message.get("images")):
        part = encode_url(read_text(find_url(picture)))
        signature = read_text(read_google(picture).get("thought_signature"))
        parts.append({**part, "thoughtSignature": signature} if signature else part)
    return parts


def _read_arguments(name: str, arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, Mapping):
        return dict(arguments)
    try:
        value = decode_exactly(read_text(arguments).encode("utf-8", "surrogatepass")) if arguments else {}
    except APIResponseError:
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError(f"The arguments of the call of {name} are no JSON object: {str(arguments)[:80]!r}.")
    return value


def _make_response(text: str) -> dict[str, Any]:
    """Return a tool's result as the object that the service wants; `output` is its own word for a result."""
    try:
        value = decode_exactly(text.encode("utf-8", "surrogatepass"))
    except APIResponseError:
        value = None
    return value if isinstance(value, dict) else {"output": text}


def encode_parts(content: Any, warn: Warn) -> list[Part]:
    """Write a message's content, a text or OpenAI's list of parts; empty texts count for nothing.

    Raises:
        InvalidInputError: A part cannot be said in this dialect.
    """
    items = [content] if isinstance(content, str) else content or ()
    if not isinstance(items, (list, tuple)):
        raise InvalidInputError(f"A message's content must be a text or a list of parts, not {type(content).__name__}.")
    parts = [_encode_part(item, warn) for item in items]
    return [part for part in parts if part.get("text") != "" or len(part) > 1]


def _encode_part(item: Any, warn: Warn) -> Part:
    if isinstance(item, str):
        return {"text": item}
    if not isinstance(item, Mapping):
        raise InvalidInputError(f"A part of a message must be a dict, not {type(item).__name__}.")
    kind = item.get("type")
    if kind is None and item:
        return dict(item)  # a part in the service's own words
    encode = _KINDS.get(kind) if isinstance(kind, str) else None
    if encode is None:
        raise InvalidInputError(f"Gemini takes no part of the type {kind!r}; it takes {', '.join(_KINDS)}.")
    if read_table(item.get("image_url")).get("detail") not in (None, "auto"):
        warn("detail of a picture was left out: Gemini has no such setting.")
    return encode(item)


def _encode_text(item: Mapping[str, Any]) -> Part:
    return {"text": read_text(item.get(item["type"]) if item["type"] == "refusal" else item.get("text"))}


def _encode_link(item: Mapping[str, Any]) -> Part:
    return encode_url(read_text(find_url(item)))


def _encode_audio(item: Mapping[str, Any]) -> Part:
    audio = read_table(item.get("input_audio"))
    form = read_text(audio.get("format")) or "wav"
    return {"inlineData": {"mimeType": _MEDIA_TYPES.get(form, f"audio/{form}"), "data": read_text(audio.get("data"))}}


def _encode_file(item: Mapping[str, Any]) -> Part:
    file = read_table(item.get("file"))
    url, number = read_text(file.get("file_data")), read_text(file.get("file_id"))
    if url:
        return encode_url(url)
    if number.startswith("files/"):
        return encode_url(_FILES + number, read_text(file.get("format")))
    if _ITS_OWN.match(number):
        return encode_url(number, read_text(file.get("format")))
    raise InvalidInputError("A file must have file_data, a data URL, or as file_id the name of a file at Gemini.")


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Part]] = {
    "text": _encode_text,
    "refusal": _encode_text,
    "image_url": _encode_link,
    "video_url": _encode_link,
    "input_audio": _encode_audio,
    "file": _encode_file,
}


def encode_url(url: str, media_type: str = "") -> Part:
    """Write a file: a data URL as the bytes themselves, another as what the service fetches.

    Raises:
        InvalidInputError: It is none of them.
    """
    if url.startswith("data:"):
        kind, _ = split_data_url(url)
        return {"inlineData": {"mimeType": kind or "application/octet-stream", "data": url.partition(",")[2]}}
    if not url.startswith(("https://", "http://", "gs://")):
        raise InvalidInputError(f"{url[:40]!r} is no data URL and no address that a file can be fetched from.")
    kind = media_type or guess_media_type(url)
    return {"fileData": {"mimeType": kind, "fileUri": url} if kind else {"fileUri": url}}


def guess_media_type(url: str) -> str:
    """Return the media type that a URL's ending tells, empty where it tells none."""
    if _VIDEOS.match(url):
        return "video/mp4"
    try:
        name = urlsplit(url).path.rpartition("/")[2]
    except ValueError:
        return ""
    return _MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "") if "." in name else ""


def find_url(part: Mapping[str, Any]) -> str | None:
    """Return the URL in a part, None where it has none."""
    link = part.get(part.get("type") or "image_url")
    return link if isinstance(link, str) else read_text(read_table(link).get("url")) or None


def must_be_fetched(url: str, model: str) -> bool:
    """Tell a URL that the service does not read itself.

    It reads public https URLs of known types since Gemini 2.5 (…/docs/file-input-methods; recorded for jpeg).
    """
    if not url.startswith(("http://", "https://")) or _ITS_OWN.match(url):
        return False
    return not (url.startswith("https://") and fetches_urls(model) and guess_media_type(url))
