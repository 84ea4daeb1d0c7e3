"""Folding the chunks of a stream into a completion, and unfolding a completion into chunks. Pure.

How chunks come, and how long one waits for them, is left to `stream.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from g4f.chat import Chunk, Completion
from g4f.errors import APIResponseError

# Fields of a delta that are told whole each time; every other text is told piece by piece.
_WHOLE = frozenset({"id", "type", "role", "model", "object"})
# Fields of a message or a delta that are the answer, or a part of it, where they are not empty. Whatever else comes, as
# a sign of life, is none: who waits for an answer waits on.
_ANSWERING = frozenset(
    {
        "content", "refusal", "reasoning_content", "reasoning", "reasoning_text", "reasoning_details", "thinking",
        "thinking_blocks", "content_blocks", "tool_calls", "function_call", "audio", "images", "annotations",
        "citations", "extra_content",
    }
)  # fmt: skip
_EMPTY_FILE = ";base64,"  # how a data URL ends that has no data
# Fields inside of those that only say what or which something is.
_NAMING = frozenset({"format", "id", "index", "media_type", "mime_type", "mimeType", "role", "type"})


def fold_chunks(chunks: Iterable[Chunk]) -> Completion:
    """Put the chunks of a stream together into the completion that they tell.

    Texts, tool calls and unknown fields of the deltas are joined for each choice; of everything else the last word
    counts. No chunks make a completion without choices. The chunks are neither changed nor shared.
    """
    last, choices = _gather(chunks)
    whole = {key: join_all_surrogates(value) for key, value in last.items()}
    for choice in choices:
        _close_choice(choice)
    return Completion.from_dict({**whole, "object": "chat.completion", "choices": choices})


def join_chunks(chunks: Iterable[Chunk]) -> Chunk:
    """Put chunks without content together into one, which tells whoever folds a stream the same as all of them."""
    last, choices = _gather(chunks)
    closed = [_close(choice) for choice in choices]
    return Chunk.from_dict({**last, "choices": [{"delta": choice.pop("message"), **choice} for choice in closed]})


def _gather(chunks: Iterable[Chunk]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the last word of each field, and the choices on their way, by index."""
    last: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for key, value in chunk._view().items():
            if key == "choices":
                for raw in list_objects(value):
                    _fold_choice(choices, raw)
            elif value is not None or key not in last:
                last[key] = value
    return last, [choices[index] for index in sorted(choices)]


def list_objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in what should be a list of them."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def read_index(item: Mapping[str, Any]) -> int:
    """Return which choice is meant; the first, unless it is said properly."""
    index = item.get("index")
    return index if isinstance(index, int) else 0


class _Pieces(list[str]):
    """A text on its way: joined once at the end, since joining at each piece takes quadratic time."""


class _Items(list[Any]):
    """A list on its way, which knows its elements, since looking for them at each delta takes quadratic time."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, object], int] = {}
        self._last: int | None = None

    def find(self, item: dict[str, Any], key: str) -> int | None:
        """Find what `item` goes on with: by index, by id, or (a tool call without both) the last one."""
        for name in ("index", "id"):
            wanted = item.get(name)
            if isinstance(wanted, (int, str)):
                place = self._places.get((name, wanted))
                return None if place is None or _is_another_call(self[place], item) else place
        return self._last if key == "tool_calls" else None

    def note(self, item: dict[str, Any], place: int) -> None:
        """Remember where an element is that `item` went into."""
        self._last = len(self) - 1 if place == len(self) - 1 else self._last
        for name in ("index", "id"):
            told = item.get(name)
            if isinstance(told, (int, str)):
                self._places[name, told] = place


def _fold_choice(choices: dict[int, dict[str, Any]], raw: dict[str, Any]) -> None:
    index = read_index(raw)
    choice = choices.setdefault(index, {"index": index, "message": {"role": "assistant"}, "finish_reason": None})
    for key, value in raw.items():
        if key == "delta":
            if isinstance(value, dict):
                _merge(choice["message"], value, key)
        elif key == "finish_reason":
            choice[key] = value or choice[key]
        elif key not in ("index", "message"):
            choice[key] = _merge(choice.get(key), value, key)


def _merge(old: Any, new: Any, key: str) -> Any:
    """Return `old` continued by `new`; `old` is ours and grows in place, `new` is copied."""
    if new is None:
        return old
    if isinstance(new, str):
        if key in _WHOLE:
            return new or old or new  # some repeat an id as ""
        return _merge_text(old, new, key)
    if isinstance(new, dict):
        table = old if isinstance(old, dict) else {}
        for name, value in new.items():
            table[name] = _merge(table.get(name), value, name)
        return table
    if isinstance(new, list):
        items = old if isinstance(old, _Items) else _Items()
        for item in new:
            _merge_item(items, item, key)
        return items
    return new


def _merge_text(old: Any, new: str, key: str) -> _Pieces:
    pieces = old if isinstance(old, _Pieces) else _Pieces()
    if key != "name" or pieces != [new]:  # some tell a function's whole name in each delta
        pieces.append(new)
    return pieces


def _merge_item(items: _Items, item: Any, key: str) -> None:
    place = items.find(item, key) if isinstance(item, dict) else None
    if place is None:
        place = len(items)
        items.append(_merge(None, item, ""))
    else:
        _merge(items[place], item, key)
    if isinstance(item, dict):
        items.note(item, place)


def _is_another_call(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Tell the next call of services that number all calls 0: it has an id of its own and names a function."""
    function = new.get("function")
    named = isinstance(function, dict) and bool(function.get("name"))
    return named and bool(old.get("id")) and bool(new.get("id")) and old["id"] != new["id"]


def _close(value: Any) -> Any:
    """Turn what `_merge` made into plain JSON."""
    if isinstance(value, _Pieces):
        return join_surrogates("".join(value))
    if isinstance(value, dict):
        return {key: _close(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_close(item) for item in value]
    return value


def _close_choice(choice: dict[str, Any]) -> None:
    choice.update(_close(choice))
    message = choice["message"]
    message.setdefault("content", None)
    if isinstance(message.get("tool_calls"), list):
        message["tool_calls"] = [_close_call(call) for call in list_objects(message["tool_calls"])]


def _close_call(call: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", **{key: value for key, value in call.items() if key != "index"}}


def join_surrogates(text: str) -> str:
    """Join halves of surrogate pairs that came in different pieces; a half alone becomes the replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def join_all_surrogates(value: Any) -> Any:
    """Return a copy of some JSON with `join_surrogates` done to each text in it."""
    if isinstance(value, str):
        return join_surrogates(value)
    if isinstance(value, dict):
        return {join_surrogates(key): join_all_surrogates(item) for key, item in value.items()}
    return [join_all_surrogates(item) for item in value] if isinstance(value, list) else value


def unfold_completion(completion: Completion) -> list[Chunk]:
    """Tell a whole completion as a stream: each choice's message, its finish reason, then the usage."""
    data = completion._view()
    choices = list_objects(data.pop("choices", None))
    usage = None if data.get("usage") is None else data.pop("usage")
    common = {**data, "object": "chat.completion.chunk"}
    chunks = []
    for choice in choices:
        index, message = read_index(choice), choice.get("message")
        delta = dict(message) if isinstance(message, dict) else {}
        if delta.get("tool_calls"):
            delta["tool_calls"] = [{**call, "index": at} for at, call in enumerate(list_objects(delta["tool_calls"]))]
        rest = {key: value for key, value in choice.items() if key not in ("index", "message", "finish_reason")}
        start = {"index": index, "delta": delta, "finish_reason": None, **rest}
        end: dict[str, Any] = {"index": index, "delta": {}, "finish_reason": choice.get("finish_reason") or "stop"}
        chunks += [{**common, "choices": [start]}, {**common, "choices": [end]}]
    if usage is not None:
        chunks.append({**common, "choices": [], "usage": usage})
    return [Chunk.from_dict(chunk) for chunk in chunks]


def read_content(chunk: Chunk) -> str | None:
    """Return the text that a chunk adds, "" for other content (a tool call, reasoning, an end), None for none."""
    return examine_chunk(chunk)[0]


def examine_chunk(chunk: Chunk) -> tuple[str | None, bool]:
    """Return a chunk's content as `read_content` does, and whether it is plain: short of a whole text nothing in it.

    Done for each chunk of each stream, and therefore in one walk.
    """
    content: str | None = None
    plain = True
    choices = chunk._data.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if not isinstance(choice, dict):
            continue
        delta = choice.get("delta")
        if delta and isinstance(delta, dict):
            text = delta.get("content")
            if text and isinstance(text, str):
                content = text if not content else content + text
                # A text that can be printed has no half of a character in it, and most can be.
                plain = plain and len(delta) == 1 and (text.isascii() or text.isprintable())
            else:
                plain = False
                if text and not isinstance(text, list):  # some tell a list of parts
                    raise APIResponseError(f"A piece of the answer's text is no text: {text!r:.80}")
                if content is None and has_content(delta):
                    content = ""
        if content is None and choice.get("finish_reason"):
            content = ""
    return content, plain


def has_content(message: Mapping[str, Any]) -> bool:
    """Tell whether a message, or what a delta adds to one, has some of the answer in it."""
    for name, value in message.items():  # noqa: SIM110 - as in halves.py
        if value and name in _ANSWERING and _tells(name, value):
            return True
    return False


def _tells(name: str, value: Any) -> bool:
    if name == "tool_calls":
        return any(map(_calls, list_objects(value)))
    if name == "function_call":
        return _calls({"function": value})
    if name == "audio":
        return isinstance(value, dict) and bool(value.get("data") or value.get("transcript"))
    return isinstance(value, str) or (isinstance(value, (list, dict)) and _has_text(value))


def _has_text(value: list[Any] | dict[str, Any]) -> bool:
    """Tell whether there is any text in it but in fields that name: a part with an empty text is empty."""
    waiting: list[Any] = [value]  # no recursion, for it may be nested deep
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += [inner for name, inner in item.items() if name not in _NAMING]
        elif isinstance(item, list):
            waiting += item
        elif item and isinstance(item, str) and not item.endswith(_EMPTY_FILE):
            return True
    return False


def _calls(call: dict[str, Any]) -> bool:
    """Tell whether a tool call, or a piece of one, names what is called or with what."""
    called = _read_called(call)
    return bool(called.get("name") or called.get("arguments") or called.get("input"))


def _read_called(call: dict[str, Any]) -> dict[str, Any]:
    called = call.get("function") or call.get("custom")
    return called if isinstance(called, dict) else {}


def list_signs(chunk: Chunk) -> set[tuple[object, ...]] | None:
    """Return what a chunk tells that is no news when it is told again: that a choice ended, and what a call is named.

    Returns:
        The signs, or None where there is more in it: the arguments of a call, reasoning, a picture.
    """
    signs: set[tuple[object, ...]] = set()
    for choice in list_objects(chunk._data.get("choices")):
        index, delta = read_index(choice), choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        if choice.get("finish_reason"):
            signs.add((index,))
        for call in [*list_objects(delta.get("tool_calls")), {"function": delta.get("function_call")}]:
            called = _read_called(call)
            if called.get("arguments") or called.get("input"):
                return None
            if called.get("name"):
                signs.add((index, str(call.get("id") or call.get("index")), str(called["name"])))
        if has_content({name: value for name, value in delta.items() if name not in ("tool_calls", "function_call")}):
            return None
    return signs


def is_answer(completion: Completion) -> bool:
    """Tell whether a whole answer has some content, or at least word of its end, and texts where texts should be."""
    told = False
    for choice in list_objects(completion._data.get("choices")):
        message = choice.get("message")
        if isinstance(message, dict):
            text = message.get("content")
            if text is not None and not isinstance(text, (str, list)):
                return False
            told = told or bool(choice.get("finish_reason") or has_content(message))
    return told
