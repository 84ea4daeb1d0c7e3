"""What the user set once for every run: the default model and provider, and whether conversations are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from g4f_cli.files import find_config_folder, read_table, write_table
from g4f_cli.terminal import InputError


class Settings(NamedTuple):
    """The settings.

    Attributes:
        model: The model of prompts that name neither a model nor a provider.
        provider: The provider that is preferred, where `G4F_PROVIDERS` names none.
        log: Whether conversations are kept.
    """

    model: str | None = None
    provider: str | None = None
    log: bool = True


def find_settings() -> Path:
    """Return the path of their file, which need not be there."""
    return find_config_folder() / "settings.json"


def read_settings() -> Settings:
    """Read them.

    Raises:
        InputError: The file is broken.
    """
    path = find_settings()
    table = read_table(path)
    kinds = {"model": str, "provider": str, "log": bool}
    known: dict[str, Any] = {name: table[name] for name in kinds if table.get(name) is not None}
    wrong = [name for name, value in known.items() if not isinstance(value, kinds[name])]
    if wrong:
        raise InputError(f"{wrong[0]!r} in the file {path} has the wrong type: mend it, or remove it.")
    return Settings(**known)


def change_setting(name: str, value: Any) -> None:
    """Set one of them for all runs to come; None removes it. What a newer version has written stays.

    Raises:
        InputError: The file is broken, or cannot be written.
    """
    path = find_settings()
    table = read_table(path)
    table[name] = value
    write_table(path, {name: value for name, value in table.items() if value is not None})
