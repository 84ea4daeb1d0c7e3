"""Pure translation: our requests to the runtime's, its answers and errors to ours.

The runtime speaks OpenAI's dialect; here stands what it does otherwise, and what it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from g4f.chat import ChatRequest, Chunk, Completion
from g4f.errors import APIStatusError, InvalidInputError, UnsupportedError
from g4f.wire.errors import make_body_error
from g4f_provider_local import tools
from g4f_provider_local.engine import EngineError, EngineSettings

Warn = Callable[[str], None]

_HONORED = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "response_format",
        "seed",
        "stop",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    }
)
_CORES_OWN = frozenset({"modalities", "stream_options"})  # checked below; followed by the client
_LEAST = {"n_ctx": 16, "parallel": 1, "n_batch": 32, "threads": 1, "gpu_layers": 0}


def check_request(request: ChatRequest) -> None:
    """Refuse what will never be answered, before anything is fetched for it.

    Raises:
        UnsupportedError: It asks for something that is no text.
        InvalidInputError: One of its `provider_options`, or its `tool_choice`, cannot be used.
    """
    _check_text_only(request)
    encode_settings(request.provider_options, warn=lambda _: None)
    tools.make_call_schema(request.options.get("tools") or (), request.options.get("tool_choice"))


def encode_chat(request: ChatRequest, *, stream: bool, warn: Warn) -> dict[str, Any]:
    """Write a chat request.

    Raises:
        UnsupportedError: It asks for something that is no text.
        InvalidInputError: Its `tool_choice` requires a function that is not there.
    """
    _check_text_only(request)
    options = {name: value for name, value in request.options.items() if value is not None}
    for name in sorted(options.keys() - _HONORED - _CORES_OWN):
        warn(f"Local has no setting {name}; it was left out.")
    body: dict[str, Any] = {name: value for name, value in options.items() if name in _HONORED}
    body["messages"] = list(request.messages)
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if body.get("tool_choice") == "none":  # the model would call all the same what it has read about
        body = {name: value for name, value in body.items() if name not in ("tools", "tool_choice")}
    schema = tools.make_call_schema(body.get("tools") or (), body.get("tool_choice"))
    if schema is not None:
        call_format = {"type": "json_schema", "json_schema": {"name": "call", "schema": schema}}
        body |= {"tool_choice": "none", "response_format": call_format}
    return {**body, **request.extra_body}


def _check_text_only(request: ChatRequest) -> None:
    if set(request.options.get("modalities") or ()) - {"text"}:
        raise UnsupportedError("Local writes text only: choose another provider for other modalities.")
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, (list, tuple)) else ():
            kind = part.get("type") if isinstance(part, Mapping) else None
            if kind not in ("text", "refusal"):
                raise UnsupportedError(f"Local reads text only, and a message holds a part of type {kind!r}.")


def encode_settings(options: Mapping[str, Any], warn: Warn) -> EngineSettings:
    """Read `provider_options`.

    Raises:
        InvalidInputError: One is no whole number, or too small.
    """
    for name in sorted(options.keys() - _LEAST.keys()):
        warn(f"Local has no option {name}; it was left out. It has {', '.join(_LEAST)}.")
    chosen = {name: options[name] for name in _LEAST if options.get(name) is not None}
    for name, value in chosen.items():
        if type(value) is not int or value < _LEAST[name]:
            raise InvalidInputError(f"{name} must be a whole number of at least {_LEAST[name]}, not {value!r}.")
    return EngineSettings(**chosen)


def decode_chat(data: dict[str, Any], request: ChatRequest) -> Completion:
    """Read a whole answer with one choice."""
    names = tools.list_names(request.options.get("tools"), request.options.get("tool_choice"))
    for choice in data["choices"] if names else ():
        message = choice["message"]
        calls = tools.read_calls(message.get("content") or "", names, data["id"])
        if calls:
            message |= {"content": None, "tool_calls": calls}
            choice["finish_reason"] = "tool_calls"
    return Completion.from_dict({**data, "model": request.model or ""})


class ChunkDecoder:
    """Reads the events of one stream.

    The runtime tells the usage once a choice, in the middle of the stream: here it is told once, at the end. Text that
    may be a tool call is held back until it is clear what it is.
    """

    def __init__(self, request: ChatRequest) -> None:
        self._model = request.model or ""
        self._names = tools.list_names(request.options.get("tools"), request.options.get("tool_choice"))
        self._held: dict[int, str] = {}
        self._plain: set[int] = set()
        self._usage: dict[str, Any] | None = None
        self._common: dict[str, Any] = {}

    def feed(self, event: dict[str, Any]) -> Chunk | None:
        """Return the chunk that an event means, or None."""
        event["model"] = self._model
        self._add_usage(event.pop("usage", None))
        self._common = {**event, "choices": []}
        if not event["choices"]:
            return None
        if self._names:
            for choice in event["choices"]:
                self._sort_text(choice, event["id"])
            if not any(choice["delta"] or choice.get("finish_reason") for choice in event["choices"]):
                return None
        return Chunk.from_dict(event)

    def close(self) -> Iterator[Chunk]:
        """Give the chunk with the usage."""
        if self._usage is not None:
            yield Chunk.from_dict({**self._common, "usage": self._usage})

    def _add_usage(self, usage: dict[str, Any] | None) -> None:
        if usage is None:
            return
        if self._usage is None:
            self._usage = usage
        else:  # of a further choice of the same prompt
            self._usage["completion_tokens"] += usage["completion_tokens"]
            self._usage["total_tokens"] += usage["completion_tokens"]

    def _sort_text(self, choice: dict[str, Any], answer_id: str) -> None:
        """Pass text on, or hold it back while it may be a call; at the end it is one or the other."""
        index, delta = choice["index"], choice["delta"]
        if index in self._plain:
            return
        text = self._held.pop(index, "") + (delta.pop("content", None) or "")
        if not choice.get("finish_reason"):
            if tools.may_begin_call(text):
                self._held[index] = text
            else:
                self._plain.add(index)
                delta["content"] = text
            return
        calls = tools.read_calls(text, self._names, f"{answer_id}-{index}")
        if calls:
            delta["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls)]
            choice["finish_reason"] = "tool_calls"
        elif text:
            delta["content"] = text


def decode_error(error: EngineError) -> APIStatusError:
    """Make the error that the runtime's refusal means. The same request will always be refused."""
    body = dict(error.body)
    if body.get("type") == "exceed_context_size_error":
        body["code"] = "context_length_exceeded"  # as OpenAI names it
        body["message"] = (
            f"The prompt has {body['n_prompt_tokens']} tokens and the model's context only {body['n_ctx']}: "
            "shorten it, or load the model with provider_options={'n_ctx': ...} if it can read more."
        )
    ours = make_body_error({"error": body}, status=error.status)
    ours.retryable = False
    return ours
