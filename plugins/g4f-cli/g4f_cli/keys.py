"""The keys that the user stored: in the system's keyring where there is one, else in a file for its owner alone.

A key in the environment comes first; it is read by the core, and looked at here only to know that it is there.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from g4f_cli.files import find_config_folder, read_table, write_table
from g4f_cli.terminal import InputError

if TYPE_CHECKING:
    from g4f.manifest import Manifest

Place = Literal["keyring", "file"]
_SERVICE = "g4f"  # whose keys these are, in the keyring


class KeyStoreError(click.ClickException):
    """Stored keys cannot be used; the text says why."""

    exit_code = 3


class KeyStore(NamedTuple):
    """What is stored, by the name of the provider or the origin of a server.

    Attributes:
        keys: The keys of the file.
        in_keyring: The names of those in the keyring, which cannot be asked for a list.
    """

    keys: dict[str, str]
    in_keyring: list[str]

    def list_names(self) -> list[str]:
        """Return whose keys there are."""
        return sorted({*self.keys, *self.in_keyring}, key=str.lower)

    def find(self, name: str) -> Place | None:
        """Say where a key is."""
        if name in self.in_keyring:
            return "keyring"
        return "file" if name in self.keys else None

    def reveal(self, name: str) -> str | None:
        """Return a key.

        Raises:
            KeyStoreError: The keyring cannot be read.
        """
        return _read_from_keyring(name) if name in self.in_keyring else self.keys.get(name)


def find_key_file() -> Path:
    """Return the path of the file, which need not be there."""
    return find_config_folder() / "keys.json"


def read_store() -> KeyStore:
    """Read what is stored.

    Raises:
        KeyStoreError: Others can read the file.
        InputError: The file is broken.
    """
    path = find_key_file()
    if os.name == "posix" and path.exists() and path.stat().st_mode & 0o077:
        raise KeyStoreError(
            f"Others can read the keys in {path}, so they are not used: "
            f"run chmod 600 {path}, and renew the keys if somebody may have seen them."
        )
    table = read_table(path)
    keys, names = table.get("keys", {}), table.get("keyring", [])
    if not (isinstance(keys, dict) and isinstance(names, list)):
        raise InputError(f"The file {path} is broken: remove it, and store the keys anew.")
    return KeyStore(keys, names)


def check_key(key: str, owner: str) -> str:
    """Return a key without the line's end.

    Raises:
        InputError: It is empty, or has characters that a key cannot have.
    """
    value = key.strip()
    if not value:
        raise InputError(f"The key of {owner} is empty: type it, or pipe it in, as g4f keys set {owner} < key.txt.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise InputError(f"The key of {owner} has characters that a key cannot have; copy it again.")
    return value


def store_key(name: str, key: str) -> Place:
    """Store a key, and return where: in the keyring if there is one that works.

    Raises:
        KeyStoreError, InputError: See `read_store`; or the file cannot be written.
    """
    store = _forget(read_store(), name)
    place: Place = "keyring" if _write_to_keyring(name, key) else "file"
    if place == "keyring":
        store.in_keyring.append(name)
    else:
        store.keys[name] = key
    _write_store(store)
    return place


def remove_key(name: str) -> None:
    """Remove a stored key.

    Raises:
        KeyStoreError, InputError: See `read_store`; or it cannot be removed.
    """
    store = read_store()
    if name in store.in_keyring:
        _delete_from_keyring(name)
    _write_store(_forget(store, name))


def find_place(name: str, manifest: Manifest, store: KeyStore) -> str | None:
    """Say where a provider's key is: a variable of the environment, "keyring", "file", or None.

    A stored key is for this provider, so it comes before an all-purpose token of the environment.
    """
    from g4f.credentials import GENERIC_VARIABLES, find_variable

    variable = find_variable(manifest)
    if variable is not None and variable not in GENERIC_VARIABLES:
        return variable
    return store.find(name) or variable


def _write_store(store: KeyStore) -> None:
    write_table(find_key_file(), {"keys": store.keys, "keyring": store.in_keyring})


def _forget(store: KeyStore, name: str) -> KeyStore:
    keys = {other: key for other, key in store.keys.items() if other != name}
    return KeyStore(keys, [other for other in store.in_keyring if other != name])


def _import_keyring() -> Any | None:
    """Return the package `keyring`, which is an extra, if it has a keyring that works here."""
    try:
        keyring: Any = import_module("keyring")
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception:  # noqa: BLE001 - whatever a keyring of the system raises, there is none then
        return None


def _write_to_keyring(name: str, key: str) -> bool:
    keyring = _import_keyring()
    if keyring is None:
        return False
    try:
        keyring.set_password(_SERVICE, name, key)
    except Exception:  # noqa: BLE001 - as of one that is locked, and that nobody is there to unlock
        return False
    return True


def _read_from_keyring(name: str) -> str | None:
    keyring = _import_keyring()
    if keyring is None:
        raise KeyStoreError(f"The key of {name} is in a keyring that is not there: run g4f keys set {name}.")
    try:
        key: str | None = keyring.get_password(_SERVICE, name)
    except Exception as error:  # noqa: BLE001 - each system's keyring has errors of its own
        raise KeyStoreError(f"The key of {name} cannot be read from the keyring: {error}") from None
    return key


def _delete_from_keyring(name: str) -> None:
    keyring = _import_keyring()
    try:
        if keyring is not None:
            keyring.delete_password(_SERVICE, name)
    except Exception as error:  # noqa: BLE001 - as above
        raise KeyStoreError(f"The key of {name} cannot be removed from the keyring: {error}") from None
