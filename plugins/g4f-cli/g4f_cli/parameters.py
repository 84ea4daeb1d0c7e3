"""What is asked of the service beside the prompt: `-o NAME VALUE`, and the schema of `--schema`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from g4f_cli.terminal import InputError

if TYPE_CHECKING:
    from g4f.client._arguments import ChatArguments
    from g4f.client._images import ImageArguments

_KINDS = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_KINDS_OF_SCHEMA = {kind: kind for kind in _KINDS.values()}  # which people write as well


_FIELD = re.compile(r"[^\W\d][\w-]*")
Pairs = Sequence[tuple[str, str]]


def read_parameters(pairs: Pairs, own: Pairs = ()) -> ChatArguments:
    """Make a chat's arguments of names and values; a value is JSON where it can be, else a text.

    Args:
        pairs: OpenAI's parameters; a name that only the service knows goes there as it is.
        own: Options that only the provider knows.

    Raises:
        InputError: A name is nearly one that we know.
    """
    if not pairs and not own:
        return {}
    from g4f.chat import ChatOptions

    return cast("ChatArguments", _sort_parameters(pairs, own, list(ChatOptions.__annotations__)))


def read_image_parameters(pairs: Pairs, own: Pairs = ()) -> ImageArguments:
    """Make the arguments of a request for images; as `read_parameters`."""
    if not pairs and not own:
        return {}
    from g4f.images import ImageOptions

    return cast("ImageArguments", _sort_parameters(pairs, own, list(ImageOptions.__annotations__)))


def _sort_parameters(pairs: Pairs, own: Pairs, known: Sequence[str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in pairs:
        if name in known:
            arguments[name] = _read_value(value)
        else:
            extra[name] = _read_value(value)
            _refuse_misspelled(name, known)
    if extra:
        arguments["extra_body"] = extra
    if own:
        arguments["provider_options"] = {name: _read_value(value) for name, value in own}
    return arguments


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_misspelled(name: str, known: Sequence[str]) -> None:
    from difflib import get_close_matches

    close = get_close_matches(name, known, 1, cutoff=0.85)  # top_k is none of ours, and no slip
    if close:
        raise InputError(f"There is no option {name!r}. Did you mean {close[0]!r}?")


def read_schema(text: str) -> dict[str, Any]:
    """Make a chat's `response_format` of what `--schema` says.

    Args:
        text: Fields, as "name, age int, bio: one sentence"; or JSON Schema, or the path of a file that holds it.

    Raises:
        InputError: It is none of these.
    """
    if text.lstrip().startswith("{"):
        return _wrap_schema(_parse_schema(text, "The schema"), strict=False)
    path = Path(text)
    if path.suffix == ".json" or path.is_file():
        try:
            return _wrap_schema(_parse_schema(path.read_text(encoding="utf-8-sig"), str(path)), strict=False)
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"The schema {text} cannot be read: {getattr(error, 'strerror', None) or error}."
            ) from None
    return _wrap_schema(_read_fields(text), strict=True)


def _wrap_schema(schema: dict[str, Any], *, strict: bool) -> dict[str, Any]:
    described = {"name": "answer", "schema": schema, **({"strict": True} if strict else {})}
    return {"type": "json_schema", "json_schema": described}


def _parse_schema(text: str, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"{what} is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise InputError(f'{what} is no JSON Schema: that is an object, as {{"type": "object", …}}.')
    return found


def _read_fields(text: str) -> dict[str, Any]:
    # As the tool llm writes them: separated by commas, or by lines where a description may hold commas.
    parts = text.splitlines() if "\n" in text.strip() else text.split(",")
    fields = [_read_field(part.strip()) for part in parts if part.strip()]
    properties = dict(fields)
    if len(properties) < len(fields):
        raise InputError("The schema names a field twice: leave one of them out.")
    if not properties:
        raise InputError("The schema is empty: name its fields, as --schema 'name, age int'.")
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _read_field(text: str) -> tuple[str, dict[str, Any]]:
    head, _, description = (part.strip() for part in text.partition(":"))
    name, *kinds = head.split() or [""]
    kind = (_KINDS | _KINDS_OF_SCHEMA).get(kinds[0]) if kinds else "string"
    if _FIELD.fullmatch(name) is None:
        raise InputError(f"{name!r} is no name of a field of a schema: write letters, digits, _ and -, as birth_year.")
    if len(kinds) > 1 or kind is None:
        raise InputError(f"{text!r} is no field of a schema: write a name and a type, one of {', '.join(_KINDS)}.")
    return name, {"type": kind, **({"description": description} if description else {})}
