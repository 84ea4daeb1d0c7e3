"""Parameters of a chat: OpenAI's names become the dialect's, and what it does not know is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from g4f.chat import ChatOptions
from g4f.wire.dialect import Warn
from g4f_provider_anthropic.wire.families import Family
from g4f_provider_anthropic.wire.schema import encode_schema, has_open_objects
from g4f_provider_anthropic.wire.thinking import encode_thinking
from g4f_provider_anthropic.wire.tools import encode_tool_choice, encode_tools, encode_web_search

# For a model that no manifest lists.
DEFAULT_MAX_TOKENS = 8192
_JSON_INSTRUCTION = "Answer with one JSON object and nothing else."
# Parameters that the service does not have, with the value that asks for nothing.
_UNKNOWN: Mapping[str, tuple[Any, ...]] = {
    "audio": (),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"],),
    "moderation": (),
    "prediction": (),
    "presence_penalty": (0,),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "seed": (),
    "store": (False,),
    "top_logprobs": (0,),
    "verbosity": ("medium",),
}
_SERVICE_TIERS = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def encode_options(
    options: ChatOptions, family: Family, warn: Warn, *, samples: bool
) -> tuple[dict[str, Any], str | None]:
    """Write the parameters.

    Args:
        options: OpenAI's parameters.
        family: What the model takes.
        warn: Tells what was changed or left out.
        samples: Whether model and API version take temperature and top_p.

    Returns:
        Fields of the body, and a sentence for the system's words where there is no field.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    _warn_of_unknown(given, warn)
    fields: dict[str, Any] = {"max_tokens": _read_limit(given)}
    fields.update(_encode_tool_fields(given, family, warn))
    fields.update(encode_thinking(given.get("reasoning_effort"), fields, family, warn))
    fields.update(_encode_sampling(given, warn, samples=samples, thinks="thinking" in fields))
    fields.update(_encode_identity(given, warn))
    fields.update(_encode_tier(given, warn))
    stops = _list_stops(given.get("stop"), warn)
    if stops:
        fields["stop_sequences"] = stops
    form, instruction = _encode_format(given.get("response_format"), warn)
    if form:
        fields["output_config"] = {**fields.get("output_config", {}), "format": form}
    return fields, instruction


def _warn_of_unknown(given: Mapping[str, Any], warn: Warn) -> None:
    for name, silent in _UNKNOWN.items():
        if name in given and given[name] not in silent:
            warn(f"{name} was left out: Anthropic does not know it.")
    if given.get("n", 1) != 1:
        warn("n was left out: Anthropic gives one answer.")


def _read_limit(given: Mapping[str, Any]) -> int:
    limit: int = given.get("max_completion_tokens") or given.get("max_tokens") or DEFAULT_MAX_TOKENS
    return limit


def _encode_tool_fields(given: Mapping[str, Any], family: Family, warn: Warn) -> dict[str, Any]:
    tools = encode_tools(given.get("tools") or (), warn)
    search = given.get("web_search_options")
    if isinstance(search, Mapping):
        tools.append(encode_web_search(search, warn))
    if not tools:
        return {}
    fields: dict[str, Any] = {"tools": tools}
    choice = encode_tool_choice(given.get("tool_choice"), family, warn)
    if given.get("parallel_tool_calls") is False:
        choice = choice or {"type": "auto"}
        choice = choice if choice["type"] == "none" else {**choice, "disable_parallel_tool_use": True}
    return {**fields, "tool_choice": choice} if choice else fields


def _encode_sampling(given: Mapping[str, Any], warn: Warn, *, samples: bool, thinks: bool) -> dict[str, Any]:
    fields = {name: given[name] for name in ("temperature", "top_p") if name in given}
    if not samples or thinks:
        for name in [name for name, value in fields.items() if value != 1]:
            warn(f"{name} was left out: {'it does not go with thinking' if samples else 'this model refuses it'}.")
        return {}
    temperature = fields.get("temperature")
    if isinstance(temperature, (int, float)) and not 0 <= temperature <= 1:
        fields["temperature"] = min(1, max(0, temperature))
        warn(f"temperature {temperature} became {fields['temperature']}: Anthropic's ends at 1.")
    if len(fields) == 2:
        if fields["top_p"] != 1:
            warn("top_p was left out: Anthropic takes only one of temperature and top_p.")
        del fields["top_p"]
    return fields


def _encode_identity(given: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    metadata = given.get("metadata") or {}
    if metadata.keys() - {"user_id"}:
        warn("metadata was left out: Anthropic knows user_id only.")
    user = given.get("safety_identifier") or given.get("user") or metadata.get("user_id")
    return {"metadata": {"user_id": user}} if user else {}


def _encode_tier(given: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    tier = given.get("service_tier")
    if tier is None:
        return {}
    if tier in _SERVICE_TIERS:
        return {"service_tier": _SERVICE_TIERS[tier]}
    warn(f"service_tier={tier!r} was left out: Anthropic does not know it.")
    return {}


def _list_stops(stop: str | Sequence[str] | None, warn: Warn) -> list[str]:
    stops = [stop] if isinstance(stop, str) else list(stop or ())
    seen = [text for text in stops if str(text).strip()]
    if len(seen) < len(stops):
        warn("A stop sequence was left out: Anthropic takes none that is only white space.")
    return seen


def _encode_format(form: Mapping[str, Any] | None, warn: Warn) -> tuple[dict[str, Any] | None, str | None]:
    """Return what is asked for as a schema, or else as a sentence."""
    kind = (form or {}).get("type", "text")
    if form is None or kind == "text":
        return None, None
    if kind == "json_schema":
        named = form.get("json_schema")
        schema = named.get("schema") if isinstance(named, Mapping) else form.get("schema")
        if isinstance(schema, Mapping) and has_open_objects(schema):
            warn("The schema was told in the system message: Anthropic cannot be held to objects with any members.")
            return None, f"{_JSON_INSTRUCTION} It must fit this JSON schema: {json.dumps(schema, ensure_ascii=False)}"
        if isinstance(schema, Mapping):
            return {"type": "json_schema", "schema": encode_schema(schema)}, None
    elif kind != "json_object":
        warn(f"response_format {kind!r} was left out: Anthropic does not know it.")
        return None, None
    warn("JSON was asked for in the system message: without a schema Anthropic cannot be held to it.")
    return None, _JSON_INSTRUCTION
