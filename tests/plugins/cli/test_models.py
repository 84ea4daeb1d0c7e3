from __future__ import annotations

import json

from loopback import Loopback, reply_events, reply_json
from plugins.cli.program import Program

LOUD = "import pathlib\npathlib.Path('imported').touch()\n"
KEYED = """
contract = 1
title = "Keyed"
auth = {variables = ["KEYED_KEY"]}
[capabilities]
chat = "yes"
[[models]]
id = "marvel-1"
aliases = ["marvel"]
context_tokens = 1000
[[models]]
id = "marvel-draw"
capabilities = {chat = "no", image = "yes"}
"""


def test_the_models_of_all_providers_are_listed_without_importing_one(program: Program) -> None:
    """With whether they can be used now."""
    program.install("Keyed", code=LOUD, manifest=KEYED)
    done = program.run("models", "marvel")
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0][:3] == ["MODEL", "PROVIDER", "READY"]
    assert rows[1:] == [["marvel-1", "Keyed", "no", "marvel", "chat"], ["marvel-draw", "Keyed", "no", "image"]]
    assert not (program.folder / "imported").exists()


def test_json_tells_all_that_the_manifests_say(program: Program) -> None:
    """For programs."""
    program.install("Keyed", manifest=KEYED)
    (model, _) = json.loads(program.run("models", "-p", "keyed", "--json", KEYED_KEY="sk-1234").out)
    assert model == {
        "id": "marvel-1",
        "provider": "Keyed",
        "aliases": ["marvel"],
        "capabilities": {"chat": "yes"},
        "context_tokens": 1000,
        "output_tokens": None,
        "ready": True,
    }


def test_the_service_tells_its_models_when_it_is_asked(program: Program) -> None:
    """`--live`; not without saying whose."""
    program.serve(reply_json({"data": [{"id": "brand-new"}]}))
    assert [row["id"] for row in json.loads(program.run("models", "--live", "-p", "Service", "--json").out)] == [
        "brand-new"
    ]
    assert program.run("models", "--live", "-p", "Service").out.split()[6:8] == ["brand-new", "Service"]
    assert program.run("models", "--live").code == 2


def test_a_default_model_is_asked_where_nothing_else_is_named(program: Program) -> None:
    """It stays until it is unset; -m and -p come first."""
    service = program.serve(reply_events({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}))
    assert program.run("models", "default").out == "none\n"
    assert program.run("models", "default", "service/m-1").err == "Note: The default model is service/m-1.\n"
    assert program.run("models", "default").out == "service/m-1\n"
    for options in ([], ["-m", "Service/m-2"], ["-p", "Service"]):
        assert program.run(*options, "hi").out == "Hi\n"
    assert [request.json.get("model") for request in service.requests] == ["m-1", "m-2", None]
    assert program.run("models", "default", "--unset").err == "Note: There is no default model any more.\n"
    assert program.run("models", "default").out == "none\n"


def test_a_default_that_nobody_serves_is_refused(program: Program) -> None:
    """With what would serve it."""
    done = program.run("models", "default", "unheard-of")
    assert done.code == 2
    assert "serves the model 'unheard-of'" in done.err
    assert "Provider/unheard-of" in done.err


def test_a_default_provider_is_preferred(program: Program) -> None:
    """The environment comes before it."""
    for name in ("First", "Second"):
        program.install(name)
    assert program.run("providers", "default", "second").err == "Note: The preferred provider is Second.\n"
    assert program.run("providers", "default").out == "Second\n"
    assert program.run("hi").out == "Second: hi\n"
    assert program.run("hi", G4F_PROVIDERS="First").out == "First: hi\n"


def test_a_default_provider_that_is_gone_is_told(program: Program) -> None:
    """Nobody else answers in its place."""
    settings = program.home / ".config/g4f/settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"provider": "Gone"}')
    done = program.run("hi")
    assert done.code == 2
    assert done.err.startswith("Error: Your default provider cannot be used; g4f providers default sets another.")
    assert program.run("providers", "default", "Unheard").code == 2


def test_broken_settings_are_told_with_their_path(program: Program) -> None:
    """Whatever is wrong with them."""
    settings = program.home / ".config/g4f/settings.json"
    settings.parent.mkdir(parents=True)
    for text in ("{", "[]", '{"model": 5}'):
        settings.write_text(text)
        done = program.run("hi")
        assert done.code == 2
        assert str(settings) in done.err


def test_the_default_is_told_to_programs(program: Program) -> None:
    """`null` where there is none."""
    program.install("Echo")
    assert json.loads(program.run("models", "default", "--json").out) == {"model": None}
    assert program.run("models", "default", "Echo/m-1").code == 0
    assert json.loads(program.run("models", "default", "--json").out) == {"model": "Echo/m-1"}


def test_a_server_tells_what_it_has(program: Program) -> None:
    """By its address alone; more than one text may have to be in a name."""
    listed = {"object": "list", "data": [{"id": name, "object": "model"} for name in ("m-1-big", "m-1", "m-2-big")]}
    with Loopback(reply_json(listed)) as server:
        done = program.run("models", "-q", "m-1", "-q", "BIG", "--base-url", f"{server.url}/v1", "--json")
    assert [(model["id"], model["provider"]) for model in json.loads(done.out)] == [("m-1-big", "Custom")]
