from __future__ import annotations

from pathlib import Path

import pytest

from distributions import MANIFEST
from loopback import Loopback, reply_events, reply_json
from plugins.cli.program import Program

KEY = "sk-123456789"
AUTH = 'auth = {variables = ["SERVICE_KEY"]}'


def test_a_missing_key_says_which_variable_to_set(program: Program) -> None:
    """Nothing is sent, and the remedy is one of the command line."""
    service = program.serve(reply_events(), auth=AUTH)
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out, service.requests) == (3, "", [])
    assert done.err == "Error: Service needs a key: set SERVICE_KEY, or run g4f keys set Service.\n"


def test_a_refused_key_has_its_own_exit_code_and_is_not_shown(program: Program) -> None:
    """Not even where the service echoes it."""
    program.serve(reply_json({"error": {"message": f"Incorrect key {KEY}."}}, 401), auth=AUTH)
    done = program.run("-p", "Service", "hi", SERVICE_KEY=KEY)
    assert (done.code, done.out) == (3, "")
    remedy = "Give another key by g4f keys set, of Service, or by --key KEY."
    assert done.err == f"Error: Service answered 401: Incorrect key [redacted]. {remedy}\n"


def test_a_failing_service_has_exit_code_1(program: Program) -> None:
    """One sentence, no traceback."""
    program.serve(reply_json({"error": {"message": "We are closed."}}, 402))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out, done.err) == (1, "", "Error: Service answered 402: We are closed.\n")


def test_what_a_server_answers_comes_with_what_can_be_done(program: Program) -> None:
    """A model that it has not, or a key that it wants."""
    model = reply_json({"error": {"message": "The model `x` does not exist"}}, 404)
    with Loopback(model) as server:
        missing = program.run("--base-url", server.url, "-m", "x", "hi")
    assert missing.err.endswith("does not exist. g4f models --base-url URL lists those that are there.\n")
    with Loopback(reply_json({"error": {"message": "Who are you"}}, 401)) as server:
        refused = program.run("--base-url", server.url, "-m", "x", "hi")
    assert "Who are you. No key was sent: none is given for this address." in refused.err
    assert "--key KEY" in refused.err


def test_a_provider_without_an_address_is_asked_at_none(program: Program) -> None:
    """It would answer in place of the server."""
    program.install("Echo")
    done = program.run("--base-url", "http://127.0.0.1:1", "-p", "Echo", "hi")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Error: Echo has no address: leave --base-url out")


def test_a_provider_that_the_user_blocks_is_a_setting(program: Program) -> None:
    """It is blocked by its own name too."""
    program.install("Echo")
    done = program.run("-p", "Echo", "hi", G4F_BLOCK="Echo")
    assert (done.code, done.out) == (2, "")
    assert "Echo is not loaded: G4F_BLOCK names it" in done.err


@pytest.mark.parametrize(
    "words", ["-m", "-p", "--cid", "--base-url", "-f", "-a", "logs show", "models default", "chat -m", "models -p"]
)
def test_what_is_empty_is_refused(program: Program, words: str) -> None:
    """As a variable of the shell is that is not set; nothing is asked."""
    program.install("Echo")
    asked = [] if words.startswith(("logs", "models", "chat")) else ["hi"]
    done = program.run(*words.split(), "", *asked, G4F_PROVIDERS="Echo")
    assert (done.code, done.out) == (2, "")
    assert "it is empty: write one, or leave it out." in done.err


def test_a_wrong_provider_name_is_guessed(program: Program) -> None:
    """Whatever is installed, or could be."""
    program.install("Marvellous")
    done = program.run("-p", "marvelous", "hi")
    assert done.code == 2
    assert "There is no provider 'marvelous'. Did you mean Marvellous?" in done.err


def test_a_provider_is_found_by_what_its_service_is_called(program: Program) -> None:
    """As people know it; the key's name is told."""
    done = program.run("-p", "openai", "hi")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("Error: OpenaiChat needs a key: set OPENAI_API_KEY")
    assert program.run("providers", "default", "google").code == 0
    assert program.run("providers", "default").out == "Gemini\n"


def test_a_chat_with_nobody_does_not_begin(program: Program) -> None:
    """Who is named wrongly is told before anything is typed."""
    done = program.run("chat", "-p", "nobody")
    assert done.code == 2
    assert "There is no provider 'nobody'." in done.err


def test_a_server_that_does_not_run_is_told_with_the_remedy(program: Program) -> None:
    """On the user's own machine."""
    done = program.run("--base-url", "http://127.0.0.1:1/v1", "-m", "m-1", "hi")
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith("Start the server there, or name another one with --base-url URL.\n")


def test_a_misspelled_model_is_guessed(program: Program) -> None:
    """Among those that the installed providers list."""
    program.install("First", manifest='contract = 1\nmodels = [{id = "marvel-4o"}]\n[capabilities]\nchat = "yes"\n')
    done = program.run("-m", "marvel4o", "hi")
    assert (done.code, done.out) == (2, "")
    assert done.err.count("Did you mean marvel-4o?") == 1


def test_a_model_that_several_serve_names_the_option(program: Program) -> None:
    """The core's remedy in the words of the command line."""
    manifest = 'contract = 1\ntitle = "{name}"\nmodels = [{id = "m-1"}]\n[capabilities]\nchat = "yes"\n'
    program.install("First", manifest=manifest)
    program.install("Second", manifest=manifest)
    done = program.run("-m", "m-1", "hi")
    assert done.code == 2
    assert "use -p First" in done.err
    assert "provider=" not in done.err


def test_a_broken_provider_has_exit_code_1(program: Program) -> None:
    """It is named with its distribution."""
    program.install("Broken", code="raise RuntimeError('no such library')")
    done = program.run("-p", "Broken", "hi")
    assert done.code == 1
    assert "g4f-provider-broken 1.0 cannot be imported: RuntimeError: no such library" in done.err


def test_an_exception_out_of_a_provider_is_one_sentence(program: Program) -> None:
    """However many lines its text has."""
    code = """
    from g4f import hookimpl

    class Failing:
        @hookimpl
        async def chat(self, request, context):
            raise KeyError("one\\ntwo")
    """
    program.install("Failing", code=code)
    done = program.run("-p", "Failing", "hi")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Failing failed: KeyError")
    assert done.err.count("\n") == 1


def test_debug_shows_the_traceback_without_keys(program: Program) -> None:
    """The option may stand before or after the prompt."""
    code = """
    import os
    from g4f import hookimpl

    class Failing:
        @hookimpl
        async def chat(self, request, context):
            key = os.environ["FAILING_KEY"]
            escaped = "".join("%%%02x" % ord(character) for character in key)
            raise ValueError(f"bad key {key}, begins with {key[:12]}, in a URL {escaped}")
    """
    manifest = MANIFEST.replace("[capabilities]", 'auth = {kind = "own", variables = ["FAILING_KEY"]}\n[capabilities]')
    program.install("Failing", code=code, manifest=manifest)
    for arguments in (["--debug", "-p", "Failing", "hi"], ["-p", "Failing", "hi", "--debug"]):
        done = program.run(*arguments, FAILING_KEY=KEY)
        assert (done.code, done.out) == (1, "")
        assert "Traceback (most recent call last)" in done.err
        assert "bad key [redacted], begins with [redacted], in a URL [redacted]\n" in done.err
        assert KEY[:12] not in done.err


def test_another_project_in_the_place_of_the_core_is_named(program: Program) -> None:
    """It is not asked, even where its client has the same name and shape."""
    write_foreign(program.site)
    done = program.run("hi")
    assert (done.code, done.out) == (1, "")
    assert "Error: The distribution g4f 7.1 is another project" in done.err
    assert "pip install --force-reinstall ." in done.err


def write_foreign(site: Path) -> None:
    """Install the package index's g4f, or what matters of it."""
    (site / "g4f/client").mkdir(parents=True)
    (site / "g4f/__init__.py").write_text("from g4f.client import AsyncClient\n")
    (site / "g4f/errors.py").write_text("class ProviderNotFoundError(Exception): ...\n")
    (site / "g4f/client/__init__.py").write_text(
        "class AsyncClient:\n    def __init__(self, *a, **k): print('asked')\n"
    )
    (site / "g4f-7.1.dist-info").mkdir()
    (site / "g4f-7.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: g4f\nVersion: 7.1\n")


def test_a_missing_address_names_the_option(program: Program) -> None:
    """Beside the variable."""
    done = program.run("-p", "Custom", "-m", "m-1", "hi")
    assert done.code == 3
    assert done.err == ("Error: Custom needs to know where its server is: use --base-url URL or set CUSTOM_BASE_URL.\n")
