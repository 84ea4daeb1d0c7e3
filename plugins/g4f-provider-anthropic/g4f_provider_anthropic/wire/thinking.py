"""Reasoning effort: how much a model is told to think.

Source: https://platform.claude.com/docs/en/build-with-claude/thinking and …/effort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from g4f.wire.dialect import Warn
from g4f_provider_anthropic.wire.families import Family

MIN_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
_NEAREST_EFFORT = {"minimal": "low", "xhigh": "max"}


def encode_thinking(effort: Any, fields: Mapping[str, Any], family: Family, warn: Warn) -> dict[str, Any]:
    """Write OpenAI's `reasoning_effort`.

    Args:
        effort: OpenAI's value, or None where the model decides.
        fields: What the body has already: thinking must fit into `max_tokens`.
        family: What the model takes.
        warn: Tells what was changed.

    Returns:
        Fields of the body: `thinking`, and `output_config` where the model has efforts.
    """
    if effort is None:
        return {}
    if effort == "none":
        return _encode_rest(family, warn)
    return _encode_effort(effort, family, warn) if family.efforts else _encode_budget(effort, fields, warn)


def _encode_rest(family: Family, warn: Warn) -> dict[str, Any]:
    if family.thinking_off is None:
        warn("reasoning_effort='none' became 'low': this model always thinks.")
        return {"output_config": {"effort": "low"}}
    return {"thinking": dict(family.thinking_off)} if family.thinking_off else {}


def _encode_effort(effort: Any, family: Family, warn: Warn) -> dict[str, Any]:
    if effort not in family.efforts and effort in _NEAREST_EFFORT:
        nearest = _NEAREST_EFFORT[effort]
        warn(f"reasoning_effort={effort!r} became {nearest!r}: this model does not know it.")
        effort = nearest
    # The newest models do not show their thinking unless they are asked to.
    return {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": effort}}


def _encode_budget(effort: Any, fields: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    if effort not in _BUDGETS:
        warn(f"reasoning_effort={effort!r} was left out: Anthropic does not know it.")
        return {}
    if fields.get("tool_choice", {}).get("type") in ("any", "tool"):
        warn("reasoning_effort was left out: this model does not think before a call that it is forced to.")
        return {}
    budget = min(_BUDGETS[effort], fields["max_tokens"] // 2)
    if budget < MIN_BUDGET:
        warn(f"reasoning_effort was left out: max_tokens leaves no room for {MIN_BUDGET} tokens of thinking.")
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}
