"""OpenAI's parameters written as generationConfig, tools and toolConfig.

Sources: https://ai.google.dev/api/generate-content#generationconfig, …/gemini-api/docs/thinking,
…/gemini-api/docs/openai (how Google itself maps reasoning_effort), …/gemini-api/docs/function-calling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.chat import ChatRequest
from g4f.wire.dialect import Warn
from g4f_provider_gemini.wire.families import (
    answers_once,
    has_minimal_level,
    ignores_sampling,
    is_always_thinking,
    reasons,
    thinks_in_levels,
)
from g4f_provider_gemini.wire.lenient import read_table, read_tables, read_text

_RENAMED = {
    "temperature": "temperature",
    "top_p": "topP",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
}
_WRITTEN_BELOW = frozenset(
    {"n", "stop", "modalities", "response_format", "reasoning_effort", "tools", "tool_choice", "parallel_tool_calls",
     "web_search_options", "service_tier", "store", "stream_options"}
)  # fmt: skip
_BUDGETS = {"minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
_LEVELS = {"minimal": "LOW", "low": "LOW", "medium": "MEDIUM", "high": "HIGH", "xhigh": "HIGH"}
_TIERS = {"default": "standard", "flex": "flex", "priority": "priority"}
_PROVIDER_OPTIONS = {"top_k": "topK"}
_THINKING_OPTIONS = {"thinking_budget": "thinkingBudget", "include_thoughts": "includeThoughts"}
_BODY_OPTIONS = {"safety_settings": "safetySettings", "cached_content": "cachedContent"}
_KNOWN = _PROVIDER_OPTIONS.keys() | _THINKING_OPTIONS.keys() | _BODY_OPTIONS.keys() | {"api_version"}


def encode_options(request: ChatRequest, warn: Warn) -> dict[str, Any]:
    """Return the fields of the body that say how to answer; `warn` tells what the service lacks."""
    model, options = request.model or "", dict(request.options)
    _warn_of_unknown(request, warn)
    config = {
        **_encode_sampling(options, model, warn),
        **_encode_format(options.get("response_format"), warn),
        **_encode_named(request.provider_options, _PROVIDER_OPTIONS),
    }
    thinking = {
        **_encode_thinking(read_text(options.get("reasoning_effort")), model, warn),
        **_encode_named(request.provider_options, _THINKING_OPTIONS),
    }
    if thinking:
        config["thinkingConfig"] = thinking
    return {
        **({"generationConfig": config} if config else {}),
        **_encode_tools(options, warn),
        **_encode_service(options, warn),
        **_encode_named(request.provider_options, _BODY_OPTIONS),
    }


def _encode_named(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names[name]: value for name, value in given.items() if name in names and value is not None}


def _warn_of_unknown(request: ChatRequest, warn: Warn) -> None:
    for name in request.options:
        if name not in _RENAMED and name not in _WRITTEN_BELOW:
            warn(f"{name} was left out: Gemini has no such setting.")
    if request.options.get("parallel_tool_calls") is False:
        warn("parallel_tool_calls was left out: Gemini decides itself how many functions it calls at once.")
    warn_of_provider_options(request.provider_options, _KNOWN, warn)


def warn_of_provider_options(given: Mapping[str, Any], known: frozenset[str] | set[str], warn: Warn) -> None:
    """Tell which of the options for this provider it does not know."""
    for name in given:
        if name not in known:
            warn(f"The provider option {name} was left out: Gemini knows {', '.join(sorted(known))}.")


def _encode_sampling(options: dict[str, Any], model: str, warn: Warn) -> dict[str, Any]:
    for name in ("temperature", "top_p"):
        if name in options and ignores_sampling(model):
            del options[name]
            warn(f"{name} was left out: {model} has no use for it.")
    if options.get("logprobs") is False:
        options = {name: value for name, value in options.items() if name not in ("logprobs", "top_logprobs")}
    # max_completion_tokens stands behind max_tokens and so wins.
    config = {_RENAMED[name]: options[name] for name in _RENAMED if name in options}
    if options.get("n", 1) != 1 and answers_once(model):
        warn(f"n was left out: {model} gives one answer.")
    elif options.get("n", 1) != 1:
        config["candidateCount"] = options["n"]
    if options.get("stop"):
        config["stopSequences"] = [options["stop"]] if isinstance(options["stop"], str) else list(options["stop"])
    if options.get("modalities"):
        config["responseModalities"] = [str(name).upper() for name in options["modalities"]]
    return config


def _encode_format(form: Any, warn: Warn) -> dict[str, Any]:
    kind = read_table(form).get("type")
    if kind == "json_object":
        return {"responseMimeType": "application/json"}
    if kind == "json_schema":
        schema = read_table(read_table(form).get("json_schema")).get("schema")
        found = {} if schema is None else {"responseJsonSchema": schema}
        return {"responseMimeType": "application/json", **found}
    if kind not in (None, "text"):
        warn(f"response_format {kind!r} was left out: Gemini has no such format.")
    return {}


def _encode_thinking(effort: str, model: str, warn: Warn) -> dict[str, Any]:
    """Write how long to think, and ask to be told the thoughts by whoever asks for thinking."""
    if not effort:
        return {}
    if not reasons(model):
        warn(f"reasoning_effort was left out: {model} does not reason.")
        return {}
    if effort not in ("none", *_LEVELS):
        warn(f"reasoning_effort={effort!r} was left out: Gemini knows none, {', '.join(_LEVELS)}.")
        return {}
    thinking = _choose_level(effort, model, warn) if thinks_in_levels(model) else _choose_budget(effort, model, warn)
    return thinking if effort == "none" else {**thinking, "includeThoughts": True}


def _choose_level(effort: str, model: str, warn: Warn) -> dict[str, Any]:
    is_least = effort in ("none", "minimal") and has_minimal_level(model)
    level = "MINIMAL" if is_least else _LEVELS.get(effort, "LOW")
    if level.lower() != effort:
        warn(f"reasoning_effort={effort!r} became {level.lower()!r}, the nearest that {model} has.")
    return {"thinkingLevel": level}


def _choose_budget(effort: str, model: str, warn: Warn) -> dict[str, Any]:
    if effort == "none":
        if not is_always_thinking(model):
            return {"thinkingBudget": 0}
        warn(f"reasoning_effort='none' became a budget of 128 tokens, the least that {model} takes.")
        return {"thinkingBudget": 128}
    if effort not in _BUDGETS:
        warn(f"reasoning_effort={effort!r} became 'high', the most that {model} has.")
    return {"thinkingBudget": _BUDGETS.get(effort, _BUDGETS["high"])}


def _encode_tools(options: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    given = read_tables(list(options.get("tools") or ()))
    functions = [read_table(tool.get("function")) for tool in given if tool.get("type") == "function"]
    tools = [dict(tool) for tool in given if "type" not in tool]  # in the service's own words, as {"googleSearch": {}}
    if options.get("web_search_options") is not None:
        tools.append({"googleSearch": {}})
    if functions:
        tools.append({"functionDeclarations": [_encode_function(function) for function in functions]})
    for kind in [tool["type"] for tool in given if tool.get("type", "function") != "function"]:
        warn(f"A tool of the type {kind!r} was left out: Gemini has no such tool.")
    strict = any(function.get("strict") for function in functions)
    calling = _encode_choice(options.get("tool_choice"), strict=strict, warn=warn) if functions else {}
    return {
        **({"tools": tools} if tools else {}),
        **({"toolConfig": {"functionCallingConfig": calling}} if calling else {}),
    }


def _encode_function(function: Mapping[str, Any]) -> dict[str, Any]:
    names = {"name": "name", "description": "description", "parameters": "parametersJsonSchema"}
    return _encode_named(function, names)


def _encode_choice(choice: Any, *, strict: bool, warn: Warn) -> dict[str, Any]:
    auto = "VALIDATED" if strict else "AUTO"  # the schemas of strict functions are enforced
    if choice is None or choice == "auto":
        return {"mode": auto} if strict or choice else {}
    if choice in ("none", "required"):
        return {"mode": "NONE" if choice == "none" else "ANY"}
    named = read_text(read_table(read_table(choice).get("function")).get("name"))
    if named:
        return {"mode": "ANY", "allowedFunctionNames": [named]}
    allowed = read_table(read_table(choice).get("allowed_tools"))
    names = [read_text(read_table(tool.get("function")).get("name")) for tool in read_tables(allowed.get("tools"))]
    if names:
        return {"mode": "ANY" if allowed.get("mode") == "required" else "VALIDATED", "allowedFunctionNames": names}
    warn(f"tool_choice was left out: Gemini does not know {choice!r}.")
    return {}


def _encode_service(options: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    tier = options.get("service_tier")
    if tier in _TIERS:
        fields["serviceTier"] = _TIERS[tier]
    elif tier not in (None, "auto"):
        warn(f"service_tier={tier!r} was left out: Gemini has {', '.join(_TIERS)}.")
    if options.get("store") is not None:
        fields["store"] = options["store"]
    return fields
