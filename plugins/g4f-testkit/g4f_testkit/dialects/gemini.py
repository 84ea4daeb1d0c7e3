"""Google's Gemini dialect as the service speaks it.

Sources: https://ai.google.dev/api/generate-content, …/api/embeddings, …/api/models, …/gemini-api/docs/troubleshooting.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from g4f_testkit.dialect import Asked, Feature
from g4f_testkit.dialects.reading import decode_base64, read_table, read_tables, read_text
from g4f_testkit.http import Reply, Request, reply_json, reply_stream, write_event
from g4f_testkit.script import Failure, Turn, Usage, make_vector

_PATH = re.compile(r"/v1\w*/(?:models|tunedModels)/([^:/]+):(\w+)")
_FINISH = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_WORDS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
_RPC = "type.googleapis.com/google.rpc."


class GeminiDialect:
    """What Google speaks: chats, pictures (one a request), embeddings in batches, the list of models."""

    lacks: frozenset[Feature] = frozenset({"request_id"})
    signs = True

    def read_request(self, request: Request) -> Asked | None:
        """Return what a request asks; the path names model and method."""
        if request.method == "GET" and re.search(r"/v1\w*/models$", request.path):
            return Asked("models")
        found = _PATH.search(request.path)
        if found is None:
            return None
        model, method = found.groups()
        if method == "batchEmbedContents":
            rows = read_tables(request.table.get("requests"))
            return Asked("embed", model, texts=tuple(_join_text(_list_parts(row.get("content"))) for row in rows))
        return _read_content(request.table, model, stream=method == "streamGenerateContent")

    def write_answer(self, asked: Asked, turn: Turn, request: Request) -> Reply:  # noqa: ARG002 - others name URLs
        """Return the whole answer."""
        if asked.operation == "models":
            return reply_json({"models": [{"name": f"models/{name}"} for name in turn.models], **turn.extra})
        if asked.operation == "embed":
            return reply_json({"embeddings": [{"values": make_vector(text)} for text in asked.texts], **turn.extra})
        parts = list(_list_parts_told(turn)) if asked.operation == "chat" else [_write_picture(turn)]
        whole = _merge_texts(parts)
        return reply_json({**_write_piece(asked, turn, whole, _FINISH[turn.finish_reason]), **_write_usage(turn.usage)})

    def write_stream(self, asked: Asked, turn: Turn) -> Reply:
        """Return the events of a stream; nothing marks its end but the finish reason."""
        content = [
            write_event(_write_piece(asked, turn, [part]), newline="\r\n") for part in _list_parts_told(turn)
        ] or [write_event(_write_piece(asked, turn, []), newline="\r\n")]
        if turn.failure is not None:
            return reply_stream([*content, write_event(_describe(turn.failure), newline="\r\n")], [b"\r\n"])
        end = {**_write_piece(asked, turn, [], _FINISH[turn.finish_reason]), **_write_usage(turn.usage)}
        return reply_stream(content, [write_event(end, newline="\r\n")])

    def write_error(self, failure: Failure) -> Reply:
        """Return a google.rpc.Status with its details."""
        return reply_json(_describe(failure), failure.status)


def _list_parts(content: Any) -> list[dict[str, Any]]:
    return read_tables(read_table(content).get("parts"))


def _join_text(parts: list[dict[str, Any]]) -> str:
    return "".join(read_text(part.get("text")) for part in parts)


def _read_content(body: dict[str, Any], model: str, *, stream: bool) -> Asked:
    contents = read_tables(body.get("contents"))
    parts = [part for content in contents for part in _list_parts(content)]
    config = read_table(body.get("generationConfig"))
    thinking = read_table(config.get("thinkingConfig"))
    files = [(_read_kind(part), _read_file(part)) for part in parts if part.keys() & {"inlineData", "fileData"}]
    pictures = tuple(file for kind, file in files if kind == "image")
    draws = config.get("responseModalities") == ["IMAGE"]
    declared = [read_tables(tool.get("functionDeclarations")) for tool in read_tables(body.get("tools"))]
    results = [read_table(part["functionResponse"]) for part in parts if "functionResponse" in part]
    return Asked(
        "chat" if not draws else "image_edit" if pictures else "image",
        model=model,
        stream=stream,
        texts=tuple(_join_text(_list_parts(content)) for content in contents if content.get("role") == "user"),
        system=_join_text(_list_parts(body.get("systemInstruction"))),
        pictures=pictures,
        documents=tuple(file for kind, file in files if kind == "application" and isinstance(file, bytes)),
        sounds=tuple(file for kind, file in files if kind == "audio" and isinstance(file, bytes)),
        tools=tuple(read_text(function.get("name")) for functions in declared for function in functions),
        calls=tuple(read_text(part["functionCall"].get("name")) for part in parts if "functionCall" in part),
        results=tuple((read_text(result.get("name")), json.dumps(result.get("response"))) for result in results),
        schema=config.get("responseJsonSchema") or config.get("responseSchema"),
        signatures=tuple(read_text(part["thoughtSignature"]) for part in parts if "thoughtSignature" in part),
        effort=read_text(thinking.get("thinkingLevel")) or str(thinking.get("thinkingBudget") or ""),
    )


def _read_kind(part: dict[str, Any]) -> str:
    file = read_table(part.get("inlineData") or part.get("fileData"))
    return read_text(file.get("mimeType")).partition("/")[0] or "image"


def _read_file(part: dict[str, Any]) -> bytes | str:
    if "inlineData" in part:
        return decode_base64(read_table(part["inlineData"]).get("data"))
    return read_text(read_table(part["fileData"]).get("fileUri"))


def _list_parts_told(turn: Turn) -> Iterator[dict[str, Any]]:
    """Yield an answer's parts; calls come whole."""
    for piece in turn.reasoning:
        yield {"text": piece, "thought": True}
    for piece in () if turn.calls else turn.text:
        yield {"text": piece}
    for call in turn.calls:
        told = {"id": call.id, "name": call.name, "args": dict(call.arguments)}
        yield {"functionCall": told, "thoughtSignature": turn.signature}


def _merge_texts(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join the pieces of a stream as a whole answer has them."""
    merged: list[dict[str, Any]] = []
    for part in parts:
        if merged and "text" in part and merged[-1].keys() == part.keys():
            merged[-1] = {**part, "text": merged[-1]["text"] + part["text"]}
        else:
            merged.append(part)
    return merged


def _write_piece(asked: Asked, turn: Turn, parts: list[dict[str, Any]], finish: str = "") -> dict[str, Any]:
    nulls = {"safetyRatings": None, "citationMetadata": None} if turn.nulls else {}
    end = {"finishReason": finish} if finish else nulls
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **nulls, **end}
    top = {"promptFeedback": None} if turn.nulls else {}
    return {"candidates": [candidate], "modelVersion": asked.model, "responseId": "g4f", **top, **turn.extra}


def _write_usage(usage: Usage | None) -> dict[str, Any]:
    """Return the tokens of an answer; thoughts are not counted with the rest."""
    if usage is None:
        return {}
    counts = {
        "promptTokenCount": usage.prompt,
        "cachedContentTokenCount": usage.cached,
        "candidatesTokenCount": usage.answer - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": usage.prompt + usage.answer,
    }
    return {"usageMetadata": counts}


def _write_picture(turn: Turn) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(turn.pictures[0]).decode()}}


def _describe(failure: Failure) -> dict[str, Any]:
    word = _WORDS.get(failure.status, "UNKNOWN") if failure.in_stream else failure.type
    details: list[dict[str, Any]] = [{"@type": f"{_RPC}ErrorInfo", "reason": failure.code, "domain": "g4f"}]
    if failure.retry_after is not None:
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{failure.retry_after:g}s"})
    return {"error": {"code": failure.status, "message": failure.message, "status": word, "details": details}}
