"""Manifests: what they say, and that nothing in one is misspelled or lost in silence."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f.manifest import (
    CAPABILITIES,
    Auth,
    Manifest,
    ManifestError,
    Model,
    Retired,
    Setting,
    build_manifest,
    parse_manifest,
)
from g4f.registry import share_registry
from spoiling import spoil_json

EVERYTHING = """
contract = 1
title = "OpenAI"
documentation = "https://platform.openai.com/docs"
grade = "silver"
base_url = "https://api.openai.com/v1/"
base_url_variable = "OPENAI_BASE_URL"
base_url_required = true
hosts = ["https://files.openai.com"]
stream_end = "marker"
dialect = "gemini"

[auth]
kind = "header"
header = "X-Key"
prefix = ""
variables = ["OPENAI_API_KEY", "OTHER_KEY"]
required = false
sign_in = "g4f auth openai"

[settings.organization]
variable = "OPENAI_ORG_ID"
header = "OpenAI-Organization"
description = "Who pays."

[capabilities]
chat = "yes"
image = "no"

[defaults]
chat = "gpt-4o-mini"

[[models]]
id = "gpt-4o-mini"
aliases = ["mini", "Small"]
first_party = true
context_tokens = 128000
output_tokens = 16384
[models.capabilities]
vision = "yes"
chat = "unknown"

[[models]]
pattern = "gpt-*"

[[retired]]
name = "gpt-3.5-turbo"
model = "gpt-4o-mini"
date = "2026-05-12"

[[retired]]
name = "claude"
model = "gpt-9"
date = "2026-05-12"
service = false
"""


def test_every_key_is_read() -> None:
    """Into the value that everything else asks."""
    assert parse_manifest(EVERYTHING) == Manifest(
        title="OpenAI",
        documentation="https://platform.openai.com/docs",
        base_url="https://api.openai.com/v1",
        base_url_variable="OPENAI_BASE_URL",
        base_url_required=True,
        hosts=("https://files.openai.com",),
        grade="silver",
        auth=Auth("header", "X-Key", "", ("OPENAI_API_KEY", "OTHER_KEY"), required=False, sign_in="g4f auth openai"),
        settings=(Setting("organization", "OPENAI_ORG_ID", "OpenAI-Organization", "Who pays."),),
        stream_end="marker",
        dialect="gemini",
        capabilities={"chat": "yes", "image": "no"},
        models=(
            Model(
                "gpt-4o-mini",
                aliases=("mini", "Small"),
                first_party=True,
                capabilities={"vision": "yes", "chat": "unknown"},
                context_tokens=128000,
                output_tokens=16384,
            ),
            Model(pattern="gpt-*"),
        ),
        defaults={"chat": "gpt-4o-mini"},
        retired=(
            Retired("gpt-3.5-turbo", "gpt-4o-mini", "2026-05-12"),
            Retired("claude", "gpt-9", "2026-05-12", service=False),
        ),
    )


def test_the_contract_alone_is_a_manifest() -> None:
    """All the rest has defaults, for a provider that speaks no HTTP."""
    assert parse_manifest("contract = 1") == Manifest()
    assert parse_manifest('contract = 1\nmodels = "open"') == Manifest(models_open=True)
    assert parse_manifest("contract = 1\nmodels = []") == Manifest()


def test_variables_of_a_key_mean_that_there_is_one() -> None:
    """In a file the kind follows from them; in a program it must be said, or the key would go nowhere."""
    assert parse_manifest('contract = 1\n[auth]\nvariables = ["A_KEY"]').auth.kind == "header"
    assert parse_manifest("contract = 1").auth == Auth(kind="none")
    with pytest.raises(ManifestError, match="its kind must be 'header' or 'own'"):
        Manifest(auth=Auth(variables=("A_KEY",)))
    with pytest.raises(ManifestError, match="its kind must be 'header' or 'own'"):
        parse_manifest('contract = 1\n[auth]\nkind = "none"\nvariables = ["A_KEY"]')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("contract = 1\ntitel = 'x'", "'titel' is no key of the manifest. Did you mean 'title'? Known are"),
        ("contract = 1\n[auth]\nheaders = 'x'", "'headers' is no key of auth"),
        (
            "contract = 1\n[settings.a]\nheaders = 'x'",
            "'headers' is no key of settings.a. Did you mean 'header'? Known are description, header",
        ),
        ("contract = 1\n[[models]]\nid = 'x'\nname = 'y'", "'name' is no key of models[0]. Known are aliases"),
        (
            "contract = 1\n[[models]]\nid = 'x'\n[models.capabilities]\nfly = 'yes'",
            "'fly' is no key of models[0].capabilities. Known are",
        ),
        (
            "contract = 1\n[capabilities]\nchats = 'yes'",
            "'chats' is no key of capabilities. Did you mean 'chat'? Known are audio, chat, doc",
        ),
        (
            "contract = 1\n[defaults]\nchats = 'x'",
            "'chats' is no key of defaults. Did you mean 'chat'? Known are audio, chat",
        ),
        (
            "contract = 1\n[[retired]]\nname='a'\nmodel='b'\ndate='2026-01-01'\nby='c'",
            "'by' is no key of retired[0]",
        ),
        ("contract = 1\n[[models]]\n[[models]]\nid = 'x'", "models[0] needs an id or a pattern"),
        ("contract = 1\n[[models]]\nid = 'x'\npattern = 'y'", "models[0] needs an id or a pattern, and not both"),
        (
            "contract = 1\n[capabilities]\nchat = true",
            'chat in capabilities must be "yes", "no" or "unknown", not true',
        ),
        (
            "contract = 1\n[capabilities]\nchat = 'perhaps'",
            'chat in capabilities must be "yes", "no" or "unknown", not',
        ),
        (
            "contract = 1\ndialect = 'klingon'",
            'dialect in the manifest must be "openai", "anthropic", "gemini" or "", not \'klingon\'',
        ),
        (
            "contract = 1\nstream_end = 'never'",
            'stream_end in the manifest must be "marker", "finish" or "close", not \'never\'',
        ),
        ("contract = 1\n[auth]\nkind = 'magic'", 'kind in auth must be "header", "none" or "own", not \'magic\''),
        ("contract = 1\nmodels = 'all'", "models must be \"open\" or a list of tables, not 'all'"),
        ("contract = 1\nmodels = ['x']", "each of models must be a table: write [[models]] above its keys"),
        ("contract = 1\n[models]\nid = 'x'", "[models] must be a list of tables: write [[models]] above each"),
        ("contract = 1\n[auth]\nvariables = 'X'", 'variables in auth must be a list: write variables = ["X"]'),
        ("contract = 1\n[auth]\nheader = 'X Key'", "header in auth is 'X Key', which can be no header's name"),
        ("contract = 1\n[settings.a]\nheader = ''", "header in settings.a is '', which can be no header's name"),
        (
            "contract = 1\n[[models]]\nid = 'x'\n[[models]]\nid = 'y'\naliases = ['X']",
            "models[1] is called 'X', as one before",
        ),
        ("contract = 1\nhosts = ['cdn.example.org']", "hosts in the manifest must be as https://api.example.org, not"),
        (
            "contract = 1\nhosts = ['https://*.org']",
            "a * in hosts must be one label of a domain, as https://api.*.exam",
        ),
        ("contract = 1\nhosts = ['http://*.example.org']", "a * in hosts must be one label"),
        ("contract = 1\nhosts = ['https://api*.example.org']", "a * in hosts must be one label"),
        ("contract = 1\nhosts = ['https://*.*.example.org']", "a * in hosts must be one label"),
        ("contract = 1\nhosts = ['https://*.example.org:8443']", "a * in hosts must be one label"),
        ("contract = 1\nbase_url = 'ftp://x'", "base_url in the manifest must be as https://api.example.org, not"),
        ("contract = 1\nbase_url = 'https://'", "base_url in the manifest must be as"),
        ("contract = 1\nbase_url = 'https://x/?a=b'", "base_url in the manifest must be as"),
        ("contract = 1\n[[retired]]\nname = 'a'\nmodel = 'b'", "retired[0] needs a name, a model and a date"),
        ("contract = 1\n[[retired]]\nname = 'a'\nmodel = 'b'\ndate = '1.2.3'", "retired[0] needs a name"),
        (
            "contract = 1\n[[retired]]\nname = 'a'\nmodel = 'b'\ndate = 2026-01-01",
            "date in retired[0] must be a text",
        ),
        ("title = 'x'", "contract = 1 is missing"),
        ("contract = 2", "it needs contract 2, and this g4f-core speaks 1"),
        ("contract = true", "contract in the manifest must be a whole number, not true"),
        ("contract = '1'", "contract in the manifest must be a whole number, not '1'"),
    ],
)
def test_what_cannot_be_used_is_named(text: str, says: str) -> None:
    """With the place where it stands."""
    with pytest.raises(ManifestError, match=re.escape(says)):
        parse_manifest(text)


def test_a_capability_that_is_none_brings_the_list_of_all() -> None:
    """Its writer need not look them up."""
    with pytest.raises(ManifestError) as caught:
        parse_manifest('contract = 1\n[capabilities]\nimag = "no"')
    told = str(caught.value).partition("Known are ")[2].split(", ")
    assert str(caught.value).startswith("'imag' is no key of capabilities. Did you mean 'image'? Known are ")
    assert sorted(told) == sorted(CAPABILITIES)


KINDS: dict[str, tuple[str, ...]] = {
    "str": (
        *(
            "title",
            "documentation",
            "base_url",
            "base_url_variable",
            "stream_end",
            "dialect",
            "grade",
            "auth.kind",
            "auth.header",
            "auth.sign_in",
        ),
        *("auth.prefix", "settings.x.variable", "settings.x.header", "settings.x.description", "capabilities.chat"),
        *("defaults.chat", "models.id", "models.pattern", "retired.name", "retired.model", "retired.date"),
    ),
    "int": ("contract", "models.context_tokens", "models.output_tokens"),
    "bool": ("base_url_required", "auth.required", "models.first_party", "retired.service"),
    "list": ("hosts", "auth.variables", "models.aliases", "retired"),
    "table": ("auth", "settings", "settings.x", "capabilities", "defaults", "models.capabilities"),
}
VALUES: dict[str, Any] = {"str": "x", "int": 1, "bool": True, "list": ["x"], "table": {"x": 1}, "float": 1.5}


def put(place: str, value: Any) -> dict[str, Any]:
    """A manifest with one value at one place."""
    first, *rest = place.split(".")
    for name in reversed(rest):
        value = {name: value}
    return {"contract": 1, first: [value] if first in ("models", "retired") and rest else value}


@pytest.mark.parametrize(("kind", "place"), [(kind, place) for kind, places in KINDS.items() for place in places])
def test_every_wrong_type_is_an_error_that_names_its_key(kind: str, place: str) -> None:
    """At every place, for every other type."""
    for other, value in VALUES.items():
        if other != kind:
            with pytest.raises(ManifestError) as caught:
                build_manifest(put(place, value))
            assert place.rpartition(".")[2] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "contract = ",
        "= 1",
        "contract = 1\ncontract = 1",
        "\x00",
        "a = [" * 10_000,
        "a = " + "9" * 5000,
        "[a\n",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_toml_is_an_error(text: str) -> None:
    """Also where the reader itself gives up."""
    with pytest.raises(ManifestError, match="it is not valid TOML"):
        parse_manifest(text)


@given(spoil_json([tomllib.loads(EVERYTHING)]), st.sampled_from(["Small", "gpt-5", "gpt-3.5-turbo", "claude", "x"]))
def test_a_table_of_any_shape_is_a_manifest_or_an_error_of_ours(table: Any, model: str) -> None:
    """Nothing else comes out, and what is a manifest can be asked."""
    if isinstance(table, dict):
        with suppress(ManifestError):
            manifest = build_manifest(table)
            manifest.denies("chat", model)
            repr(manifest)


def test_circles_of_retired_names_are_refused() -> None:
    """A retired name leads to a model that is there."""
    rows = [{"name": a, "model": b, "date": "2026-01-01"} for a, b in (("a", "b"), ("b", "a"))]
    with pytest.raises(ManifestError, match="'a' of retired leads to 'b', which is retired as well"):
        build_manifest({"contract": 1, "retired": rows})
    with pytest.raises(ManifestError, match="'A' of retired leads to 'a', which is retired as well"):
        build_manifest({"contract": 1, "retired": [{"name": "A", "model": "a", "date": "2026-01-01"}]})


MANIFEST = parse_manifest(EVERYTHING)


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        ("", ""),
        ("base_url = 'https://x.example'", "openai"),
        ("base_url = 'https://x.example'\ndialect = 'anthropic'", "anthropic"),
        ("base_url = 'https://x.example'\ndialect = ''", ""),
    ],
)
def test_a_service_speaks_openais_dialect_unless_its_manifest_says_otherwise(text: str, dialect: str) -> None:
    """And a provider without a service speaks none."""
    assert parse_manifest(f"contract = 1\n{text}").dialect == dialect
    assert Manifest(base_url="https://x.example").dialect == "openai"
    assert Manifest().dialect == ""


@pytest.mark.parametrize("name", ["gpt-4o-mini", "GPT-4o-Mini", "mini", "MINI", "small"])
def test_ids_and_aliases_are_found_in_any_letter_case(name: str) -> None:
    """And sent as the service writes them."""
    found = MANIFEST.resolve_model(name)

    assert found is not None
    assert (found.id, found.listed, found.warning) == ("gpt-4o-mini", MANIFEST.models[0], None)


@pytest.mark.parametrize("name", ["gpt-5", "GPT-5-Preview", "gpt-"])
def test_what_a_pattern_matches_is_sent_unchanged(name: str) -> None:
    """New models appear daily."""
    found = MANIFEST.resolve_model(name)

    assert found is not None
    assert (found.id, found.listed, found.warning) == (name, MANIFEST.models[1], None)


def test_a_retired_name_is_answered_by_another_model_with_a_warning() -> None:
    """Before any pattern; the date is told, or that the model was never here."""
    retired = MANIFEST.resolve_model("GPT-3.5-Turbo")
    assert retired is not None
    assert (retired.id, retired.listed) == ("gpt-4o-mini", MANIFEST.models[0])
    assert retired.warning == "GPT-3.5-Turbo was retired on 2026-05-12; gpt-4o-mini answered instead."

    stranger = MANIFEST.resolve_model("claude")
    assert stranger is not None
    assert (stranger.id, stranger.listed) == ("gpt-9", MANIFEST.models[1])
    assert stranger.warning == "claude is no model of OpenAI; gpt-9 answered instead."


@pytest.mark.parametrize("name", ["gemini", "", "xgpt-5", "[gpt]", "*"])
def test_a_name_that_nothing_claims_is_unknown(name: str) -> None:
    """Also to a provider whose models nobody can list."""
    assert MANIFEST.resolve_model(name) is None
    assert Manifest(models_open=True).resolve_model(name) is None


def test_a_model_can_what_it_says_and_else_what_its_provider_says() -> None:
    """What nobody says is unknown."""
    model = MANIFEST.models[0]

    assert [MANIFEST.supports(name) for name in ("chat", "image", "vision")] == ["yes", "no", "unknown"]
    assert [MANIFEST.supports(name, model) for name in ("chat", "image", "vision")] == ["unknown", "no", "yes"]
    assert {"chat", "image"} <= set(CAPABILITIES)


@pytest.mark.parametrize(
    ("own", "able"),
    [
        ({}, {"chat", "vision"}),
        ({"image": "yes"}, {"chat", "vision", "image"}),
        ({"chat": "no"}, {"image", "image_edit"}),
        ({"chat": "no", "image": "no"}, {"embed"}),
        ({"chat": "no", "image": "no", "image_edit": "no", "embed": "no"}, set()),
    ],
)
def test_a_model_can_what_the_provider_can_with_models_of_its_kind(own: dict[str, Any], able: set[str]) -> None:
    """A service that chats, draws and embeds does not do it all with one model."""
    everything: Any = dict.fromkeys(("chat", "vision", "image", "image_edit", "embed"), "yes")
    manifest = Manifest(capabilities={**everything, "tools": "no"})
    model = Model(id="x", capabilities=own)

    assert {name for name in CAPABILITIES if manifest.supports(name, model) == "yes"} == able
    assert manifest.supports("tools", model) == "no"


def test_no_installed_model_claims_what_only_models_of_another_kind_can() -> None:
    """Those that chat do not embed or draw, unless their rows say so, nor the other way round."""
    in_chat = set(CAPABILITIES) - {"chat", "image", "image_edit", "embed"}
    for ref, manifest in share_registry().list_usable():
        for model in manifest.models:
            able = {name for name in CAPABILITIES if manifest.supports(name, model) == "yes"}
            own = {name for name, support in model.capabilities.items() if support == "yes"}
            foreign = in_chat if manifest.supports("chat", model) == "no" else {"image", "image_edit", "embed"}
            if manifest.supports("chat") == "yes":
                assert able & foreign <= own, (ref.name, model)


@pytest.mark.parametrize(
    ("default", "says"),
    [
        ("m-2", "chat in defaults names 'm-2', which models does not list: add it there"),
        ("m-9", "chat in defaults names 'm-9', of which models says that it cannot chat"),
        ("m-1", ""),
        ("ONE", ""),
        ("old", ""),
        ("x-7", ""),
    ],
)
def test_a_default_is_one_of_the_models(default: str, says: str) -> None:
    """By its id, an alias, a retired name or a pattern; and it can what it is the default for."""
    table = {
        "contract": 1,
        "capabilities": {"chat": "yes"},
        "defaults": {"chat": default},
        "models": [
            {"id": "m-1", "aliases": ["one"]},
            {"pattern": "x-*"},
            {"id": "m-9", "capabilities": {"chat": "no"}},
        ],
        "retired": [{"name": "old", "model": "m-1", "date": "2026-01-02"}],
    }
    if says:
        with pytest.raises(ManifestError, match=f"^{says}$"):
            build_manifest(table)
    else:
        assert build_manifest(table).defaults == {"chat": default}


@pytest.mark.parametrize("models", ["open", []])
def test_a_default_of_a_provider_that_lists_no_models_is_any(models: Any) -> None:
    """There is nothing to compare it with."""
    assert build_manifest({"contract": 1, "defaults": {"chat": "m"}, "models": models}).defaults == {"chat": "m"}
