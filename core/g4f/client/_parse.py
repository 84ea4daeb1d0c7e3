"""Answers of a type: how they are asked for, the completions that hold them, and what is wrong with those that do not.

Types as schemas are left to `_shapes.py` and `_pydantic.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import attrs

from g4f.chat import Choice, Completion, FunctionCall, Message, ToolCall
from g4f.client._pydantic import is_pydantic, make_adapter, make_strict
from g4f.client._shapes import describe_record
from g4f.errors import APIResponseError, ContentFilterFinishReasonError, LengthFinishReasonError, ParseError
from g4f.values import Value, many, one
from g4f.wire.json import decode_exactly

T = TypeVar("T")
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")


@attrs.frozen
class Format:
    """A type as answers have it: its name and schema, and how a text becomes a value of it."""

    name: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]

    @property
    def strict(self) -> bool:
        """Whether the service can be held to it: not to objects with any members."""
        return _is_closed(self.schema)

    def ask(self) -> dict[str, Any]:
        """Return the `response_format` that asks for it."""
        asked = {"name": self.name, "schema": self.schema, "strict": self.strict}
        return {"type": "json_schema", "json_schema": asked}

    def offer(self) -> dict[str, Any]:
        """Return the tool whose arguments it is."""
        schema = dict(self.schema)
        told = {"description": schema.pop("description")} if "description" in schema else {}
        return {
            "type": "function",
            "function": {"name": self.name, **told, "parameters": schema, "strict": self.strict},
        }


def _is_closed(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        opened = schema.get("type") == "object" and schema.get("additionalProperties") is not False
        return not opened and all(map(_is_closed, schema.values()))
    return not isinstance(schema, list) or all(map(_is_closed, schema))


def make_format(kind: Any) -> Format:
    """Make the format of a type.

    Args:
        kind: A pydantic model or dataclass, a dataclass, an attrs class or a TypedDict.

    Raises:
        TypeError: It is none of them, or JSON cannot say a type in it.
    """
    if is_pydantic(kind):
        adapter = make_adapter(kind)
        return Format(_make_name(kind), make_strict(adapter.json_schema()), adapter.validate_json)
    shape = describe_record(kind)
    return Format(
        _make_name(kind),
        shape.schema,
        lambda text: shape.read(decode_exactly(text.encode("utf-8", "replace")), kind.__name__),
    )


def _make_name(kind: type) -> str:
    return _NO_NAME.sub("_", kind.__name__)[:64]


class _Parsed(Value):
    """A value that holds, or whose parts hold, what is no JSON: copies keep it, and what is sent leaves it out."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        make, data, *rest = super().__reduce__()
        record = rest[0][1] if rest else {}
        held = {"_held": self._held} if hasattr(self, "_held") else {}
        return make, data, (None, {**record, "_parts": self._parts, **held})


class ParsedFunctionCall(_Parsed, FunctionCall):
    """A function call, with its arguments read as the type that was given as the tool."""

    __slots__ = ("_held",)

    @property
    def parsed_arguments(self) -> Any:
        """The value; a dict where the tool was a strict one in OpenAI's words; None where it was neither."""
        return getattr(self, "_held", None)

    @parsed_arguments.setter
    def parsed_arguments(self, value: Any) -> None:
        self._held = value


class ParsedToolCall(_Parsed, ToolCall):
    """A tool call of a parsed answer."""

    function: ParsedFunctionCall = one(lambda: ParsedFunctionCall, default_factory=ParsedFunctionCall)


class ParsedMessage(_Parsed, Message, Generic[T]):
    """An assistant's message, with its content read as the type that was asked for."""

    __slots__ = ("_held",)
    tool_calls: list[ParsedToolCall] = many(lambda: ParsedToolCall, default_factory=list)  # type: ignore[assignment]  # nobody adds plain ones to it

    @property
    def parsed(self) -> T | None:
        """The value; None where the model refused, called tools, or no type was asked for."""
        return getattr(self, "_held", None)

    @parsed.setter
    def parsed(self, value: T | None) -> None:
        self._held = value


class ParsedChoice(_Parsed, Choice, Generic[T]):
    """One of the answers."""

    message: ParsedMessage[T] = one(lambda: ParsedMessage, default_factory=ParsedMessage)


class ParsedCompletion(_Parsed, Completion, Generic[T]):
    """A whole answer of a chat whose choices hold `message.parsed`."""

    choices: list[ParsedChoice[T]] = many(lambda: ParsedChoice, default_factory=list)  # type: ignore[assignment]  # as above


@attrs.frozen
class Wanted:
    """What a call asks for: answers of a type, and calls of tools whose arguments are of types.

    Attributes:
        answer: The type of the answer, if one was named.
        tools: The tools as the service takes them.
        arguments: How the arguments of tools are read, by the tool's name.
    """

    answer: Format | None
    tools: Sequence[Mapping[str, Any]]
    arguments: Mapping[str, Callable[[str], Any]]

    @classmethod
    def make(cls, kind: Any, tools: Sequence[Any]) -> Wanted:
        """Take what the user gave.

        Raises:
            TypeError: Something is no type that answers can be read as.
        """
        made = [(tool, None) if isinstance(tool, Mapping) else _make_tool(tool) for tool in tools]
        functions = [(tool["function"], read) for tool, read in made if isinstance(tool.get("function"), Mapping)]
        found = {function.get("name"): read or _find_reader(function) for function, read in functions}
        readers = {name: read for name, read in found.items() if read}
        return cls(None if kind is None else make_format(kind), [tool for tool, _ in made], readers)

    def complete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call with what it asks for."""
        asked = {"response_format": self.answer.ask()} if self.answer else {}
        return {**arguments, **asked, **({"tools": self.tools} if self.tools else {})}

    def read(self, completion: Completion) -> ParsedCompletion[Any]:
        """Return a completion with its values.

        Raises:
            LengthFinishReasonError, ContentFilterFinishReasonError: An answer is not whole.
            ParseError: An answer is no JSON, or does not fit.
        """
        made: ParsedCompletion[Any] = ParsedCompletion.from_dict(completion.to_dict())
        parsed = made._take_record(completion)
        for choice in parsed.choices:
            _check_whole(choice, parsed)
            message = choice.message
            for call in message.tool_calls:
                read = self.arguments.get(call.function.name)
                if read is not None:
                    call.function.parsed_arguments = _read(read, call.function.arguments, call.function.name, parsed)
            if self.answer and not message.refusal and not message.tool_calls:
                message.parsed = _read(self.answer.read, message.content or "", self.answer.name, parsed)
        return parsed


def _make_tool(kind: Any) -> tuple[Mapping[str, Any], Callable[[str], Any]]:
    made = make_format(kind)
    return made.offer(), made.read


def _find_reader(function: Mapping[str, Any]) -> Callable[[str], Any] | None:
    model = getattr(function, "model", None)  # of those that `openai.pydantic_function_tool` makes
    if model is not None:
        return make_format(model).read
    return (lambda text: decode_exactly(text.encode())) if function.get("strict") else None


def _check_whole(choice: Choice, completion: Completion) -> None:
    text = choice.message.content
    if choice.finish_reason == "length":
        why = "The answer was cut at the limit of tokens, so it cannot be read; raise max_completion_tokens."
        raise _fail(LengthFinishReasonError, why, text, completion)
    if choice.finish_reason == "content_filter":
        raise _fail(ContentFilterFinishReasonError, "The service withheld the answer by its filter.", text, completion)


def _read(read: Callable[[str], Any], text: str, name: str, completion: Completion) -> Any:
    try:
        return read(text)
    except (ValueError, APIResponseError) as error:
        reason = error.message if isinstance(error, APIResponseError) else str(error)
        why = f"The answer cannot be read as {name}: {' '.join(reason.split())}"
        raise _fail(ParseError, why, text, completion) from error


def _fail(kind: type[ParseError], why: str, text: str | None, completion: Completion) -> ParseError:
    error = kind(why, provider=completion.provider, model=completion.model, partial=text, attempts=completion.attempts)
    error.completion, error.request_id = completion, completion.request_id
    return error
