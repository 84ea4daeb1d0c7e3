"""Streams: named events become chunks.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming. Texts, thoughts and the arguments of calls are
told as they come; what must be whole to mean something (signatures, results of the service's tools) at a block's end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from g4f.chat import Chunk
from g4f.errors import APIResponseError, StreamTruncatedError
from g4f.fold import list_objects, read_index
from g4f.manifest import StreamEnd
from g4f.wire.dialect import StreamDecoder
from g4f.wire.json import decode_exactly, decode_json, show_start
from g4f.wire.sse import Event
from g4f_provider_anthropic.wire.answer import (
    THOUGHTS,
    build_call,
    build_end,
    build_head,
    build_message,
    build_usage,
    is_plain,
    read_text,
)
from g4f_provider_anthropic.wire.errors import make_event_error
from g4f_provider_anthropic.wire.parts import Block

_TOLD_AS = {"text_delta": ("text", "content"), "thinking_delta": ("thinking", "reasoning_content")}


def decode_stream(stream_end: StreamEnd) -> StreamDecoder:
    """Return the decoder of one stream."""
    return MessageDecoder(stream_end)


class OpenBlock:
    """A content block on its way. Texts are kept in pieces: joining them at each piece takes quadratic time."""

    def __init__(self, start: Block, call: int | None) -> None:
        self.call = call
        self.told_arguments = False
        self._start = start
        self._pieces: dict[str, list[str]] = {}

    def add(self, delta: Mapping[str, Any]) -> None:
        """Add a delta: texts go on with the field of their name, a citation joins the others, all else is replaced."""
        for name, value in delta.items():
            if name == "citation":
                told = self._start.get("citations")
                self._start["citations"] = [*(told if isinstance(told, list) else []), value]
            elif isinstance(value, str) and name != "type":
                self._pieces.setdefault(name, []).append(value)
            elif name != "type" and value is not None:
                self._start[name] = value

    def finish(self) -> Block:
        """Return the whole block."""
        block = dict(self._start)
        for name, pieces in self._pieces.items():
            text = "".join(pieces)
            if name != "partial_json":
                block[name] = read_text(block, name) + text
            elif text:
                block["input"] = _read_input(text)
        return block


def _read_input(text: str) -> Any:
    try:
        return decode_exactly(text.encode("utf-8", "surrogatepass"))
    except APIResponseError:  # cut by the limit of tokens
        return text


class MessageDecoder:
    """Reads the events of one stream, and knows when it is complete."""

    def __init__(self, stream_end: StreamEnd) -> None:
        self._by_finish = stream_end != "marker"
        self._by_close = stream_end == "close"
        self._head: dict[str, Any] = {"id": "", "model": "", "object": "chat.completion.chunk"}
        self._begun = self._finished = self.ended = False
        self._open: dict[int, OpenBlock] = {}
        self._blocks: list[Block] = []
        self._told = 0
        self._calls = 0
        self._usage: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        """Whether the end was told: by `message_stop`, or (if `stream_end` says so) by the reason of the end."""
        return self.ended or self._by_close or (self._by_finish and self._finished)

    def feed(self, event: Event) -> Chunk | None:
        """Read one event; unknown ones and what comes after `message_stop` count for nothing.

        Raises:
            APIStatusError: The event is an error.
            APIResponseError: The event cannot be read, or the answer begins a second time.
        """
        kind, data = event
        if self.ended or not data.strip():
            return None
        value = decode_json(data)
        if not isinstance(value, dict):
            raise APIResponseError(f"An event of the stream is no object: {show_start(data)}")
        said = value.get("type")
        if "error" in (kind, said) or (not said and value.get("error")):
            raise make_event_error(value)
        read = self._readers.get(said if isinstance(said, str) else kind)
        return read(self, value) if read else None

    def _read_start(self, event: dict[str, Any]) -> Chunk | None:
        if self._begun:
            raise StreamTruncatedError("The answer broke off in the middle, and another one began.")
        self._begun = True
        message = event.get("message")
        message = message if isinstance(message, dict) else {}
        head = build_head(message)
        self._head = {"id": head["id"], "model": head["model"], "object": "chat.completion.chunk"}
        self._note_usage(message.get("usage"))
        blocks = list_objects(message.get("content"))  # a continued message may begin with some
        delta = {"role": "assistant", **self._tell_blocks(blocks)}
        ends = message.get("stop_reason")
        self._finished = bool(ends)
        return self._make_chunk(delta, build_end(message) if ends else {}, head)

    def _tell_blocks(self, blocks: list[Block]) -> dict[str, Any]:
        """Tell blocks that come whole."""
        if not blocks:
            return {}
        told = build_message(blocks)
        calls = list_objects(told.get("tool_calls"))
        if calls:
            told["tool_calls"] = [{**call, "index": self._calls + at} for at, call in enumerate(calls)]
            self._calls += len(calls)
        self._blocks += blocks
        told.pop("content_blocks", None)
        return {name: value for name, value in {**told, **self._list_untold()}.items() if value}

    def _read_block_start(self, event: dict[str, Any]) -> Chunk | None:
        start = event.get("content_block")
        start = dict(start) if isinstance(start, dict) else {}
        calls = start.get("type") == "tool_use"
        block = self._open[read_index(event)] = OpenBlock(start, self._calls if calls else None)
        if calls:
            call = build_call({**start, "input": None})
            call["function"]["arguments"] = ""
            self._calls += 1
            return self._make_chunk({"tool_calls": [{"index": block.call, **call}]})
        text = {"text": "content", "thinking": "reasoning_content"}.get(read_text(start, "type"))
        told = read_text(start, read_text(start, "type"))
        return self._make_chunk({text: told}) if text and told else None

    def _read_block_delta(self, event: dict[str, Any]) -> Chunk | None:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return None
        block = self._open.setdefault(read_index(event), OpenBlock({"type": "text"}, None))
        block.add(delta)
        own, told_as = _TOLD_AS.get(read_text(delta, "type"), ("partial_json", ""))
        text = read_text(delta, own)
        if not text:
            return None
        if told_as:
            return self._make_chunk({told_as: text})
        if block.call is None:
            return None
        block.told_arguments = True
        return self._make_chunk({"tool_calls": [{"index": block.call, "function": {"arguments": text}}]})

    def _read_block_stop(self, event: dict[str, Any]) -> Chunk | None:
        opened = self._open.pop(read_index(event), None)
        if opened is None:
            return None
        block = opened.finish()
        self._blocks.append(block)
        delta = self._list_untold()
        if block.get("type") in THOUGHTS:
            delta["thinking_blocks"] = [dict(block)]
        if opened.call is not None and not opened.told_arguments:
            arguments = build_call(block)["function"]["arguments"]
            delta["tool_calls"] = [{"index": opened.call, "function": {"arguments": arguments}}]
        return self._make_chunk(delta) if delta else None

    def _list_untold(self) -> dict[str, Any]:
        """Tell all blocks once they are more than OpenAI's message says; from then on each at its end."""
        if not self._told and is_plain(self._blocks):
            return {}
        untold = self._blocks[self._told :]
        self._told = len(self._blocks)
        return {"content_blocks": [dict(block) for block in untold]}

    def _read_end(self, event: dict[str, Any]) -> Chunk | None:
        end = event.get("delta")
        end = end if isinstance(end, dict) else {}
        self._note_usage(event.get("usage"))
        extra = build_head(
            {name: value for name, value in {**event, **end}.items() if name not in ("delta", "id", "model")}
        )
        if not end.get("stop_reason"):
            return None
        self._finished = True
        return self._make_chunk({}, build_end(end), {**extra, **self._head})

    def _read_stop(self, event: dict[str, Any]) -> Chunk | None:  # noqa: ARG002 - as all readers
        self.ended = True
        usage = build_usage(self._usage) if self._usage else None
        return None if usage is None else Chunk.from_dict({**self._head, "choices": [], "usage": usage})

    _readers: ClassVar[Mapping[str, Callable[[MessageDecoder, dict[str, Any]], Chunk | None]]] = {
        "message_start": _read_start,
        "content_block_start": _read_block_start,
        "content_block_delta": _read_block_delta,
        "content_block_stop": _read_block_stop,
        "message_delta": _read_end,
        "message_stop": _read_stop,
    }

    def _note_usage(self, usage: Any) -> None:
        """Keep what the service counts; later counts include the earlier."""
        if isinstance(usage, dict):
            self._usage.update({name: value for name, value in usage.items() if value is not None})

    def _make_chunk(
        self, delta: dict[str, Any], end: Mapping[str, Any] | None = None, more: Mapping[str, Any] | None = None
    ) -> Chunk:
        choice = {"index": 0, "delta": delta, "finish_reason": None, **(end or {})}
        return Chunk.from_dict({**(more or {}), **self._head, "choices": [choice]})
