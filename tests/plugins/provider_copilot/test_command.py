"""`g4f auth copilot`, as the command line runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from g4f.errors import InvalidInputError, MissingCredentialsError
from g4f_provider_copilot.command import command
from g4f_provider_copilot.m365.sign_in import load_sign_in
from plugins.provider_copilot.entra import CLIENT, TENANT, USER, Entra
from plugins.provider_copilot.graph import Graph

if TYPE_CHECKING:
    import pytest


def _run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_the_command_line_finds_it_by_its_entry_point() -> None:
    """Under auth, as copilot."""
    [point] = entry_points(group="g4f.commands", name="auth.copilot")
    assert point.load() is command
    assert command.name == "copilot"


def test_a_user_is_shown_where_to_type_which_code_and_is_signed_in(entra: Entra, token_file: Path) -> None:
    """And told whose account it is and where that is kept."""
    done = _run()
    assert done.exit_code == 0, done.exception
    assert done.output == (
        "Open https://microsoft.example/devicelogin and type the code AB12CD34E. Waiting …\n"
        f"Signed in as {USER}. This is kept in {token_file}.\n"
    )
    kept = load_sign_in(token_file)
    assert kept is not None
    assert kept.token == "access-token-1"
    assert "access-token" not in done.output


def test_the_application_and_the_organization_can_be_options(entra: Entra, monkeypatch: pytest.MonkeyPatch) -> None:
    """They count more than the environment's."""
    monkeypatch.setenv("AZURE_CLIENT_ID", "another")
    monkeypatch.setenv("AZURE_TENANT_ID", "another")
    assert _run("--client-id", CLIENT, "--tenant-id", TENANT).exit_code == 0
    assert {form["client_id"] for form in entra.list_forms("devicecode")} == {CLIENT}
    assert {request.path.split("/")[1] for request in entra.server.requests} == {TENANT}


def test_without_an_application_it_says_how_to_get_one() -> None:
    """Microsoft knows no user without one."""
    done = _run()
    assert isinstance(done.exception, InvalidInputError)
    assert "Register one" in str(done.exception)
    assert "AZURE_CLIENT_ID" in str(done.exception)


def test_a_sign_in_that_fails_keeps_nothing(entra: Entra, token_file: Path) -> None:
    """The error is the program's to show."""
    entra.refusal = {"error": "expired_token", "error_description": "AADSTS70020: The code has expired."}
    done = _run()
    assert isinstance(done.exception, MissingCredentialsError)
    assert not token_file.exists()


def test_the_status_says_who_is_signed_in(entra: Entra, token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that a token in the environment comes first."""
    assert isinstance(_run("--status").exception, MissingCredentialsError)
    _run()
    assert _run("--status").output == f"Signed in as {USER}. This is kept in {token_file}.\n"
    monkeypatch.setenv("M365_COPILOT_TOKEN", "a-token")
    assert _run("--status").output.endswith("M365_COPILOT_TOKEN is set, and is what Copilot uses.\n")


def test_who_signs_out_leaves_nothing(entra: Entra, token_file: Path) -> None:
    """Also when nobody was signed in."""
    _run()
    for _ in range(2):
        assert _run("--sign-out").output == "Signed out.\n"
        assert not list(token_file.parent.iterdir())


def test_the_help_says_what_it_takes() -> None:
    """An account, a license, an application."""
    told = " ".join(_run("--help").output.split())
    assert "work account with a license for Microsoft 365 Copilot" in told


def _run_program(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line itself."""
    program = Path(sys.executable).with_name("g4f")
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def test_the_command_line_signs_in_and_chats(entra: Entra, graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once signed in, it needs neither the application's id nor a token."""
    monkeypatch.setenv("M365_COPILOT_BASE_URL", graph.server.url)
    assert _run_program("ask", "-n", "-p", "Copilot", "Hi").returncode == 3
    done = _run_program("auth", "copilot")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(f"Signed in as {USER}. This is kept in {os.environ['M365_COPILOT_TOKEN_FILE']}.\n")
    monkeypatch.delenv("AZURE_CLIENT_ID")
    done = _run_program("ask", "-n", "-p", "Copilot", "Hi")
    assert (done.returncode, done.stdout) == (0, "This is a test\n")
    assert graph.turns[0].key == "access-token-1"
