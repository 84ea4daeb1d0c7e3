"""One candidate of an answer, read piece by piece into the deltas of an OpenAI choice.

A whole answer is a stream of one piece, so that there is one reader for both. Source:
https://ai.google.dev/api/generate-content#candidate.
"""

from __future__ import annotations

import hashlib
from typing import Any

from g4f.errors import APIResponseError
from g4f.wire.json import encode_json
from g4f_provider_gemini.wire.calls import OpenCall
from g4f_provider_gemini.wire.lenient import read_table, read_tables, read_text

_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
         "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED"),
        "content_filter",
    ),
}  # fmt: skip
# The model failed by chance; another try may do.
_BAD_LUCK = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "OTHER", "IMAGE_OTHER"})
# Text before it is the beginning of an answer, not one; a call that came with it stands for itself.
_CUT_OFF = _BAD_LUCK | {"UNEXPECTED_TOOL_CALL"}
_TOLD = frozenset({"content", "finishReason", "index", "logprobsResult"})


class Answer:
    """One candidate on its way.

    Attributes:
        finished: Whether its finish reason came.
    """

    def __init__(self, index: int) -> None:
        self.finished = False
        self._index = index
        self._started = False
        self._has_content = False
        self._texts: list[str] = []
        self._calls = 0
        self._open: OpenCall | None = None
        self._signature = ""
        self._rest: dict[str, Any] = {}

    def read(self, candidate: dict[str, Any], response_id: str) -> dict[str, Any]:
        """Return the choice of a chunk.

        Raises:
            APIResponseError: The model stopped for a reason that leaves no answer.
        """
        delta: dict[str, Any] = {} if self._started else {"role": "assistant"}
        self._started = True
        choice: dict[str, Any] = {"index": self._index, "delta": delta, "finish_reason": None}
        for part in read_tables(read_table(candidate.get("content")).get("parts")):
            self._read_part(part, delta, response_id)
        for name in delta.keys() & {"content", "reasoning_content"}:
            delta[name] = "".join(delta[name])
        if isinstance(candidate.get("logprobsResult"), dict):
            choice["logprobs"] = _read_logprobs(candidate["logprobsResult"])
        self._rest.update({name: value for name, value in candidate.items() if name not in _TOLD})
        reason = read_text(candidate.get("finishReason"))
        if reason:
            self._finish(reason, choice, response_id)
        return choice

    def _read_part(self, part: dict[str, Any], delta: dict[str, Any], response_id: str) -> None:
        if isinstance(part.get("functionCall"), dict):
            self._read_call(part, delta, response_id)
        elif isinstance(part.get("text"), str):
            self._read_text(part, delta)
        elif is_picture(part):
            self._has_content = True
            delta.setdefault("images", []).append(_make_picture(part))
        elif part:  # what tools of the service did: kept, to be sent back
            self._has_content = self._has_content or part.keys() != {"thoughtSignature"}
            delta.setdefault("extra_content", {"google": {}})["google"].setdefault("parts", []).append(part)

    def _read_text(self, part: dict[str, Any], delta: dict[str, Any]) -> None:
        name = "reasoning_content" if part.get("thought") is True else "content"
        delta.setdefault(name, []).append(part["text"])  # joined when all are there: one by one takes quadratic time
        if name == "content":
            self._texts.append(part["text"])
            self._has_content = self._has_content or bool(part["text"])
        self._signature = read_text(part.get("thoughtSignature")) or self._signature

    def _read_call(self, part: dict[str, Any], delta: dict[str, Any], response_id: str) -> None:
        call = part["functionCall"]
        if read_text(call.get("name")):
            self._close_call(delta, response_id)
            self._open = OpenCall(part)
        if self._open is not None:
            self._open.add(call)
            if call.get("willContinue") is not True:
                self._close_call(delta, response_id)

    def _close_call(self, delta: dict[str, Any], response_id: str) -> None:
        call, self._open = self._open, None
        if call is None:
            return
        arguments = encode_json(call.arguments).decode()
        # Gemini 2.5 gives no id, and OpenAI's users answer by it.
        turn = response_id or _hash_call(call.name, arguments)
        said: dict[str, Any] = {
            "index": self._calls,
            "id": call.id or f"call_{turn}_{self._index}_{self._calls}",
            "type": "function",
            "function": {"name": call.name, "arguments": arguments},
        }
        if call.signature:
            said["extra_content"] = {"google": {"thought_signature": call.signature}}
        delta.setdefault("tool_calls", []).append(said)
        self._calls += 1
        self._has_content = True

    def _finish(self, reason: str, choice: dict[str, Any], response_id: str) -> None:
        self.finished = True
        delta = choice["delta"]
        self._close_call(delta, response_id)
        finish = _FINISH.get(reason)
        if (finish is None and not self._has_content) or (reason in _CUT_OFF and not self._calls):
            raise make_failure(reason, read_text(self._rest.get("finishMessage")), "".join(self._texts))
        choice["finish_reason"] = "tool_calls" if self._calls and finish in (None, "stop") else finish or "stop"
        if finish == "content_filter" and read_text(self._rest.get("finishMessage")):
            delta["refusal"] = self._rest["finishMessage"]
        if self._signature:
            delta.setdefault("extra_content", {"google": {}})["google"]["thought_signature"] = self._signature
        rest = self._rest if reason in ("STOP", "MAX_TOKENS") else {**self._rest, "finishReason": reason}
        if rest:
            choice["extra_content"] = {"google": rest}
        self._signature, self._rest = "", {}


def _hash_call(name: str, arguments: str) -> str:
    """Return what tells a call from those of the conversation's other turns."""
    return hashlib.sha256(f"{name}({arguments})".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def make_failure(reason: str, message: str, partial: str = "") -> APIResponseError:
    """Make the error of a model that stopped without an answer, or in the middle of one."""
    why = f"{reason}: {message}" if message else reason
    where = "in the middle of its answer" if partial else "without an answer"
    return APIResponseError(
        f"The model stopped {where} ({why}).", retryable=reason in _BAD_LUCK, partial=partial or None
    )


def is_blocked(reason: str) -> bool:
    """Tell the finish reasons of a filter from the others."""
    return _FINISH.get(reason) == "content_filter"


def is_picture(part: dict[str, Any]) -> bool:
    """Tell a picture of the answer from other files, from empty ones and from sketches made while thinking."""
    blob = read_table(part.get("inlineData"))
    kind, data = read_text(blob.get("mimeType")), read_text(blob.get("data"))
    return kind.startswith("image/") and bool(data) and part.get("thought") is not True


def _make_picture(part: dict[str, Any]) -> dict[str, Any]:
    blob = part["inlineData"]
    picture: dict[str, Any] = {
        "type": "image_url",
        "image_url": {"url": f"data:{blob['mimeType']};base64,{blob['data']}"},
    }
    signature = read_text(part.get("thoughtSignature"))
    return {**picture, "extra_content": {"google": {"thought_signature": signature}}} if signature else picture


def _read_logprobs(result: dict[str, Any]) -> dict[str, Any]:
    tops = [read_tables(step.get("candidates")) for step in read_tables(result.get("topCandidates"))]
    chosen = read_tables(result.get("chosenCandidates"))
    tops += [[]] * (len(chosen) - len(tops))
    content = [
        {**_read_token(token), "top_logprobs": [_read_token(other) for other in top]}
        for token, top in zip(chosen, tops, strict=False)
    ]
    return {"content": content, "refusal": None}


def _read_token(token: dict[str, Any]) -> dict[str, Any]:
    text, logprob = read_text(token.get("token")), token.get("logProbability")
    data = list(text.encode("utf-8", "surrogatepass"))
    return {"token": text, "logprob": logprob if isinstance(logprob, (int, float)) else 0.0, "bytes": data}
