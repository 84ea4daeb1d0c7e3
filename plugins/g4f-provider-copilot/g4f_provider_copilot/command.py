"""`g4f auth copilot`: signs in to Microsoft 365 with a code, says who is signed in, signs out.

The command line brings click and finds this by the entry point `auth.copilot` of the group `g4f.commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from g4f.credentials import find_variable, resolve_access
from g4f.errors import InvalidInputError, MissingCredentialsError
from g4f.manifest import Manifest, parse_manifest
from g4f_provider_copilot.m365 import sign_in

_REGISTER = "https://learn.microsoft.com/en-us/entra/identity-platform/quickstart-register-app"


@click.command("copilot")
@click.option("--client-id", help="Id of the application registered in Microsoft Entra.  [default: AZURE_CLIENT_ID]")
@click.option("--tenant-id", help="Organization to sign in to.  [default: AZURE_TENANT_ID, else the user's own]")
@click.option("--status", is_flag=True, help="Only say who is signed in.")
@click.option("--sign-out", is_flag=True, help="Forget the sign-in.")
def command(client_id: str | None, tenant_id: str | None, *, status: bool, sign_out: bool) -> None:
    """Sign in to Microsoft 365 Copilot.

    Shows a code to type on a page of Microsoft's, with any browser on any machine, and waits until that is done. It
    takes a work account with a license for Microsoft 365 Copilot, and an application that its organization registered.
    """
    manifest = _read_manifest()
    settings = resolve_access("Copilot", manifest).settings
    path = sign_in.find_token_file(settings)
    if sign_out:
        sign_in.forget_sign_in(path)
        click.echo("Signed out.")
    elif status:
        _show_status(path, find_variable(manifest))
    else:
        done = sign_in.sign_in_with_code(_choose_application(settings, client_id, tenant_id), _show_code)
        sign_in.save_sign_in(path, done)
        click.echo(f"Signed in{_name_user(done)}. This is kept in {path}.")


def _read_manifest() -> Manifest:
    return parse_manifest((Path(__file__).parent / "Copilot.toml").read_text("utf-8"))


def _choose_application(
    settings: Mapping[str, str], client_id: str | None, tenant_id: str | None
) -> sign_in.Application:
    client_id = client_id or settings.get("client_id")
    if not client_id:
        raise InvalidInputError(
            "Microsoft signs users in to applications that their organization knows. Register one that allows public "
            f"client flows ({_REGISTER}), and give its id: --client-id, or AZURE_CLIENT_ID."
        )
    tenant = tenant_id or settings.get("tenant_id") or sign_in.ANY_ORGANIZATION
    return sign_in.Application(client_id, tenant, settings.get("authority_host") or sign_in.HOST)


def _show_code(address: str, code: str) -> None:
    click.echo(f"Open {address} and type the code {code}. Waiting …")


def _show_status(path: Path, variable: str | None) -> None:
    kept = sign_in.load_sign_in(path)
    if kept is None and variable is None:
        raise MissingCredentialsError("Nobody is signed in to Microsoft 365: sign in with g4f auth copilot.")
    if kept is not None:
        click.echo(f"Signed in{_name_user(kept)}. This is kept in {path}.")
    if variable is not None:
        click.echo(f"{variable} is set, and is what Copilot uses.")


def _name_user(kept: sign_in.SignIn) -> str:
    return f" as {kept.user}" if kept.user else ""
