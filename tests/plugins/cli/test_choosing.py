"""Who is asked: what stands before a model's slash, and several providers at once."""

from __future__ import annotations

import pytest

from g4f.registry import Registry
from g4f_cli.choosing import Choice, check_reach
from g4f_cli.terminal import InputError
from plugins.cli.program import Program

MARKET = """
contract = 1
title = "Market"
models = [{id = "maker/listed"}, {pattern = "*/*"}]
[capabilities]
chat = "yes"
"""
LIST = 'contract = 1\nmodels = [{id = "m-1"}]\n[capabilities]\nchat = "yes"\n'


def test_where_nobody_is_installed_a_way_to_somebody_is_told() -> None:
    """Before anybody is to be named."""
    with pytest.raises(InputError, match="No provider is installed: run g4f install local"):
        check_reach(Choice(), Registry(refs=()))


@pytest.fixture
def market(program: Program) -> Program:
    """With a provider that takes any model with a slash, and two that do not."""
    program.variables["G4F_BLOCK"] = "g4f-provider-compatible"
    program.install("Market", manifest=MARKET)
    program.install("Echo", manifest=LIST)
    program.install("Other", manifest=LIST)
    return program


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("Ech/m-1", "There is no provider 'Ech', so 'Ech/m-1' is taken for a model of Market. Did you mean Echo?"),
        ("nobody/m-1", "There is no provider 'nobody', so 'nobody/m-1' is taken for a model of Market."),
        ("maker/listed", ""),
        ("openai/gpt-9", ""),
    ],
)
def test_who_is_asked_is_told_where_a_pattern_alone_decides(market: Program, model: str, told: str) -> None:
    """What stands before the slash may be a misspelled provider; a maker's name that is known is none."""
    done = market.run("-m", model, "hi")
    assert (done.code, done.out) == (0, "Market: hi\n")
    assert done.err == (f"Note: {told}\n" if told else "")
    assert market.run("-m", model, "-p", "Market", "hi").err == ""
    assert market.run("models", "default", model).err == f"{done.err}Note: The default model is {model}.\n"


def test_a_model_of_one_provider_is_not_asked_of_another(market: Program) -> None:
    """Unless that one takes it."""
    done = market.run("-m", "Echo/m-1", "-p", "other", "hi")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "Error: -m Echo/m-1 is a model of Echo, and -p Other is another provider: leave one of them out.\n"
    )
    chatted = market.run("chat", "-p", "other", piped=b"/model Echo/m-1\n/model m-1\nhi\n")
    assert done.err in chatted.err
    assert "Other: hi" in chatted.out
    assert market.run("-m", "Echo/m-1", "-p", "Market", "hi").out == "Market: hi\n"
    assert market.run("-m", "Echo/m-1", "-p", "echo", "hi").out == "Echo: hi\n"


def test_several_providers_may_be_named_at_once(market: Program) -> None:
    """Who fails is followed by the next."""
    market.install(
        "Mute", code="from g4f import hookimpl\nclass Mute:\n    @hookimpl\n    async def chat(self): 1 / 0\n"
    )
    done = market.run("-p", "mute, echo", "hi")
    assert (done.code, done.out) == (0, "Echo: hi\n")
    assert "Mute failed" in done.err
