"""`g4f keys`: stores keys of providers and servers, and says where they are; it never shows one."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from g4f_cli.choosing import find_provider, make_registry
from g4f_cli.group import DefaultGroup
from g4f_cli.keys import KeyStore, check_key, find_key_file, find_place, read_store, remove_key, store_key
from g4f_cli.options import complete_providers, debug_option, json_option
from g4f_cli.prompt import read_input
from g4f_cli.terminal import InputError, note
from g4f_cli.text import read_text

_REMOVING = dict.fromkeys(("rm", "delete", "unset"), ("remove",))


@click.group(
    "keys", cls=DefaultGroup, default="list", foreign=_REMOVING, short_help="Store keys, and list whose there are."
)
def command() -> None:
    """Store keys, and list whose there are; none is ever shown.

    A key in the environment counts more than a stored one. Keys are stored in the system's keyring, if the package
    keyring is installed, or in a file that only you can read.
    """


@command.command("set", short_help="Store a key, typed unseen or piped in.")
@click.argument("name", shell_complete=complete_providers)
@click.argument("rest", nargs=-1, metavar="")
@debug_option
def set_key(name: str, rest: tuple[str, ...]) -> None:
    """Store the key of the provider NAME, or of the server at the address NAME.

    It is typed unseen, or piped in: g4f keys set OpenaiChat < key.txt
    """
    if rest:
        raise InputError(f"A key does not belong on the command line, where others see it: run g4f keys set {name}.")
    owner = _find_owner(name)
    key = check_key(_ask_for_key(owner), owner)
    place = store_key(owner, key)
    note(f"The key of {owner} is stored in {'the keyring' if place == 'keyring' else find_key_file()}.")


@command.command("list", short_help="List whose keys there are, and where.")
@json_option
@debug_option
def list_keys(as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List the providers that take a key, and where theirs is."""
    from g4f_doctor.tables import find_width, format_table

    rows = _describe_keys(read_store())
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    else:
        cells = [(row["name"], row["place"] or "none", ", ".join(row["variables"])) for row in rows]
        click.echo("\n".join(format_table([("NAME", "KEY", "VARIABLES"), *cells], find_width())))


@command.command("remove", short_help="Remove a stored key.")
@click.argument("name", shell_complete=complete_providers)
@debug_option
def remove(name: str) -> None:
    """Remove the stored key of NAME; one in the environment stays."""
    store = read_store()
    owner = next((stored for stored in store.list_names() if stored.lower() == name.lower()), None) or _find_owner(name)
    if store.find(owner) is None:
        raise InputError(f"No key of {owner} is stored.")
    remove_key(owner)
    note(f"The key of {owner} is removed.")


@command.command("path", short_help="Print the path of the file with the keys.")
@debug_option
def path() -> None:
    """Print the path of the file that keys are stored in where there is no keyring."""
    click.echo(find_key_file())


def _find_owner(name: str) -> str:
    """Return whose key it is: a provider's proper name, or a server's origin.

    Raises:
        InputError: The provider takes no key.
        G4FError: There is no such provider.
    """
    from g4f.credentials import find_origin

    if "://" in name:
        return find_origin(name)
    registry = make_registry()
    ref = find_provider(registry, name)
    if registry.read_manifest(ref).auth.kind == "none":
        raise InputError(f"{ref.proper_name} takes no key.")
    return ref.proper_name


def _ask_for_key(owner: str) -> str:
    if sys.stdin is not None and sys.stdin.isatty():
        return str(click.prompt(f"Key of {owner} (not shown)", hide_input=True, err=True))
    return read_text(read_input())


def _describe_keys(store: KeyStore) -> list[dict[str, Any]]:
    providers = [(ref.name, manifest) for ref, manifest in make_registry().list_usable()]
    rows = [
        {"name": name, "place": find_place(name, manifest, store), "variables": list(manifest.auth.variables)}
        for name, manifest in providers
        if manifest.auth.kind != "none"
    ]
    named = {name for name, _ in providers}
    others = [name for name in store.list_names() if name not in named]
    return [*rows, *({"name": name, "place": store.find(name), "variables": []} for name in others)]
