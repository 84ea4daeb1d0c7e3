"""A second reader of the services' answers: plain dicts out of raw text, so that nothing of g4f vouches for itself."""

from __future__ import annotations

import json
import re
from typing import Any

STATUS_ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    402: "PaymentRequiredError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
ENDS = {"eos": "stop", "model_length": "length"}


def is_whole(text: str) -> bool:
    """Tell whether an answer came as one JSON object; some send white space before it, to keep the line open."""
    return text.lstrip().startswith("{")


def read_chat(text: str) -> dict[str, Any]:
    """Read a whole answer."""
    body = json.loads(text)
    choices = [_read_choice(choice["message"], choice, whole=True) for choice in body["choices"]]
    return _read_body(body) | {"choices": choices, "usage": read_usage(body.get("usage"))}


def _read_body(body: dict[str, Any]) -> dict[str, Any]:
    return {"id": body.get("id", ""), "model": body["model"], "created": body["created"]}


def _read_choice(message: dict[str, Any], choice: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    texts, thoughts = _read_content(message.get("content"))
    thoughts = message.get("reasoning_content") or message.get("reasoning") or thoughts or _read_details(message)
    found = re.fullmatch(r"\s*<think>\s*(.*?)(?:\s*</think>\s*(.*))?", texts or "", re.DOTALL)
    if found:
        thoughts, texts = found.groups()
    calls = [_read_tool(call) for call in message.get("tool_calls") or []]
    end = choice.get("finish_reason")
    return {
        "index": choice["index"],
        "text": texts or None,
        "refusal": message.get("refusal") or None,
        "reasoning": thoughts or None,
        "tools": calls,
        "finish": ENDS.get(end or "", end) or ("tool_calls" if calls else "stop")
        if whole
        else ENDS.get(end or "", end),
    }


def read_message(message: dict[str, Any]) -> dict[str, Any]:
    """Read a message that is sent back, as if it were an answer's."""
    return _read_choice(message, {"index": 0}, whole=False)


def _read_content(content: Any) -> tuple[str | None, str]:
    """Return text and thoughts of a content: a text, an object, or a list of parts."""
    if isinstance(content, dict):
        return json.dumps(content, separators=(",", ":")), ""
    if not isinstance(content, list):
        return content, ""
    thoughts = [piece["text"] for part in content if part["type"] == "thinking" for piece in part["thinking"]]
    return "".join(part["text"] for part in content if part["type"] == "text"), "".join(thoughts)


def _read_details(message: dict[str, Any]) -> str:
    details = message.get("reasoning_details") or []
    return "".join(detail.get("text") or detail.get("summary") or "" for detail in details)


def _read_tool(call: dict[str, Any]) -> dict[str, Any]:
    return {"id": call["id"], "name": call["function"]["name"], "arguments": call["function"].get("arguments", "")}


def read_usage(usage: dict[str, Any] | None) -> dict[str, int] | None:
    """Read how many tokens an answer took; xAI counts reasoning beside those of the answer, to which it belongs."""
    if not usage:
        return None
    details = usage.get("prompt_tokens_details") or {}
    elsewhere = usage.get("cached_tokens") or usage.get("num_cached_tokens") or usage.get("cache_read_input_tokens")
    reasoning = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    prompt, answer, total = (usage[f"{name}_tokens"] for name in ("prompt", "completion", "total"))
    if reasoning and total == prompt + answer + reasoning:
        answer += reasoning
    cached = details.get("cached_tokens") or elsewhere or 0
    return {"prompt": prompt, "completion": answer, "total": total, "cached": cached, "reasoning": reasoning}


def read_events(text: str) -> list[dict[str, Any]]:
    """Read the events of a stream that are no errors, without comments and end marker."""
    lines = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    events = [json.loads(line) for line in lines if line != "[DONE]"]
    return [event for event in events if "error" not in event]


def read_failure(text: str) -> dict[str, Any] | None:
    """Return what a stream says when it breaks off, if it does."""
    lines = [line[5:].strip() for line in text.split("\n") if line.startswith("data:")]
    failures = [json.loads(line).get("error") for line in lines if line != "[DONE]"]
    return next((failure for failure in failures if failure), None)


def read_stream(text: str) -> dict[str, Any]:
    """Read a stream as the whole answer that it tells."""
    events = read_events(text)
    choices: dict[int, dict[str, Any]] = {}
    for event in events:
        for choice in event["choices"]:
            whole = choices.setdefault(choice["index"], {"index": choice["index"], "message": {}})
            whole["finish_reason"] = choice.get("finish_reason") or whole.get("finish_reason")
            _add_delta(whole["message"], choice.get("delta") or {})
    usages = [found for event in events if (found := event.get("usage") or (event.get("x_groq") or {}).get("usage"))]
    return _read_body(events[-1]) | {
        "choices": [_read_choice(choices[at]["message"], choices[at], whole=False) for at in sorted(choices)],
        "usage": read_usage(usages[-1] if usages else None),
    }


def _add_delta(message: dict[str, Any], delta: dict[str, Any]) -> None:
    text, thoughts = _read_content(delta.get("content"))
    thoughts = delta.get("reasoning_content") or delta.get("reasoning") or thoughts or _read_details(delta)
    for name, piece in (("content", text), ("refusal", delta.get("refusal")), ("reasoning", thoughts)):
        if piece:
            message[name] = message.get(name, "") + piece
    for part in delta.get("tool_calls") or []:
        calls = message.setdefault("tool_calls", [])
        function = part.get("function") or {}
        if part.get("id") and all(call["id"] != part["id"] for call in calls):
            calls.append({"id": part["id"], "function": {"name": function.get("name"), "arguments": ""}})
        calls[-1]["function"]["arguments"] += function.get("arguments") or ""


def read_error(status: int, text: str) -> dict[str, Any]:
    """Read an answer that is an error."""
    error = json.loads(text)["error"]
    code, reason = error.get("code"), error.get("metadata")
    more = f" ({reason['provider_name']}: {reason['raw']})" if reason else ""
    return {
        "kind": STATUS_ERRORS[status],
        "status": status,
        "message": re.sub(r"\s+", " ", error["message"]).strip() + more,
        "type": error.get("type"),
        "code": None if code is None else str(code),
    }
