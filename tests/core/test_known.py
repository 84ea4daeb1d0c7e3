"""What g4f says about providers that are not there: only what exists is offered, and from where it really comes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from g4f.known import describe_missing_model, describe_missing_provider, guess_model, read_known_providers

ROOT = Path(__file__).parents[2]
OPENAI = "install g4f-provider-openai (from a checkout: pip install ./plugins/g4f-provider-openai)"


def list_planned() -> list[str]:
    return [row["name"] for row in read_known_providers() if "package" not in row]


def read_entry_points() -> list[tuple[str, str, str]]:
    """Folder, name and class of each that the plugins register."""
    return [
        (path.parent.name, name, entry.rpartition(":")[2])
        for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))
        for name, entry in tomllib.loads(path.read_text("utf-8"))["project"]
        .get("entry-points", {})
        .get("g4f.providers", {})
        .items()
    ]


def test_the_packages_that_g4f_knows_are_the_folders_of_the_project() -> None:
    """A package that is planned is not offered before it is there, and one that is there is not forgotten."""
    there = {(name, folder) for folder, name, provider in read_entry_points() if name == provider}
    assert {(row["name"], row["package"]) for row in read_known_providers() if "package" in row} == there


def test_the_aliases_that_packages_register_are_known() -> None:
    """So that somebody who lacks the package is told of it under the alias too."""
    aliases = {(alias, row["name"]) for row in read_known_providers() for alias in row.get("aliases", ())}
    assert {(name, provider) for _, name, provider in read_entry_points() if name != provider} <= aliases


def test_no_name_means_two_providers() -> None:
    """Aliases included, in any letter case."""
    names = [name.lower() for row in read_known_providers() for name in (row["name"], *row.get("aliases", ()))]
    assert len(names) == len(set(names))


def test_nobody_is_told_to_install_one_of_our_packages_from_an_index() -> None:
    """They are not there, and whoever takes the name would be installed."""
    pages = [path for path in ROOT.glob("*.md") if path.name != "CHANGELOG.md"]
    code = [*ROOT.glob("core/**/*.py"), *ROOT.glob("plugins/*/*/**/*.py")]
    files = [*pages, *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md"), *code]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files
        for match in re.finditer(r"pip install\b(?! --no-index )[^\n`]*?[ '\"{]g4f-[^\n]*", path.read_text("utf-8"))
    ]
    assert found == []


def test_a_provider_that_exists_is_offered_with_where_it_is() -> None:
    """Under its name or an alias of it."""
    for name in ("openaichat", "OpenAI"):
        text = describe_missing_provider(name, ["Local"])
        assert text == f"The provider OpenaiChat is not installed: {OPENAI}. Installed: Local."


@pytest.mark.parametrize("name", list_planned())
def test_a_provider_that_is_only_planned_is_not_offered(name: str) -> None:
    """There is nothing to install."""
    assert describe_missing_provider(name, []) == f"There is no provider package for {name} yet. Installed: none."


def test_an_installed_provider_that_was_called_otherwise_is_named() -> None:
    """It is there: only its name is another."""
    text = describe_missing_provider("openai", ["Local", "OpenaiChat"])
    assert text == "There is no provider 'openai'. It is called OpenaiChat here."


def test_gpt4frees_lists_of_providers_are_told_as_lists() -> None:
    """They are classes there."""
    text = describe_missing_provider("RetryProvider", ["Local"])
    assert text == "There is no RetryProvider: write the providers as a list, as provider=['OpenaiChat', 'Local']."


def test_a_name_that_nobody_has_brings_what_is_meant_and_what_there_is() -> None:
    """Of what could be had: neither what is installed nor what is planned is offered."""
    others = [name for name in list_existing() if name != "Local"]
    text = describe_missing_provider("Openai-Chat", ["Local"])
    assert text == (
        "There is no provider 'Openai-Chat'. Did you mean OpenaiChat? Installed: Local. "
        f"Others that can be installed: {', '.join(others[:8])} and {len(others) - 8} more."
    )
    assert describe_missing_provider("Nope", list_existing()) == (
        f"There is no provider 'Nope'. {len(list_existing())} are installed: `python -m g4f_doctor` lists them."
    )
    assert describe_missing_provider("Nope", []) == (
        f"There is no provider 'Nope'. Installed: none. Others that can be installed: {', '.join(list_existing())}."
    )


def test_several_names_may_be_meant() -> None:
    """Each is told once, by its proper name."""
    text = describe_missing_provider("Mistrl", ["Mistral", "Mistral2", "Local"])
    assert "Did you mean Mistral or Mistral2?" in text


def list_existing() -> list[str]:
    return [row["name"] for row in read_known_providers() if "package" in row]


def test_a_model_says_what_to_install_and_set() -> None:
    """Or only to set, where the provider is installed."""
    assert describe_missing_model("gpt-4", "chat", ()) == (
        f"No provider that can be used here serves the model 'gpt-4'. To use it {OPENAI} and set OPENAI_API_KEY."
    )
    text = describe_missing_model("gpt-4", "chat", ["OpenaiChat"])
    assert text.endswith("serves the model 'gpt-4'. To use it set OPENAI_API_KEY.")
    assert "serves the image model 'dall-e-3'. To use it" in describe_missing_model("dall-e-3", "image", ())


def test_a_model_that_is_near_an_offered_one_is_named() -> None:
    """Before what else could be done."""
    text = describe_missing_model("gpt-4x", "chat", ["OpenaiChat"], ["gpt-4o", "claude-opus-5"])
    assert "the model 'gpt-4x'. Did you mean gpt-4o? To use it set" in text


@pytest.mark.parametrize("name", [name for name in ("Gemini", "Anthropic", "XAI") if name in list_planned()])
def test_a_model_of_a_planned_provider_offers_nothing(name: str) -> None:
    """The sentence says why."""
    model = {"Gemini": "gemini-9", "Anthropic": "claude-9", "XAI": "grok-9"}[name]
    assert describe_missing_model(model, "chat", ()) == (
        f"No provider that can be used here serves the model {model!r}. There is no provider package for {name} yet."
    )


def test_what_stands_before_the_slash_may_be_no_provider() -> None:
    """The sentence says so, and what a known one is called."""
    text = describe_missing_model("Nope/foo", "chat", ["Local"])
    assert text.startswith(
        "No provider that can be used here serves the model 'Nope/foo'. There is no provider 'Nope'. "
    )
    assert "It is called OpenaiChat here." in describe_missing_model("openai/foo", "chat", ["OpenaiChat"])
    assert "no provider '" not in describe_missing_model("local/foo", "chat", ["Local"])


def test_near_names_of_models_are_guessed() -> None:
    """At most three, the nearest first; nothing far."""
    offered = ["gpt-4o-mini", "GPT-4o", "dall-e-3"]
    assert guess_model("gpt4o", offered) == " Did you mean GPT-4o?"
    assert guess_model("gpt-4o-min", offered) == " Did you mean gpt-4o-mini or GPT-4o?"
    assert guess_model("claude", offered) == ""
    assert guess_model("gpt", offered) == " Did you mean gpt-4o-mini or GPT-4o?"
    assert guess_model("e", offered) == ""
