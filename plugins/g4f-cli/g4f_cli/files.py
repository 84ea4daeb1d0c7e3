"""The program's own files: where they lie, and how one is written whole and for its owner alone."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from g4f_cli.terminal import InputError


def find_config_folder() -> Path:
    """Return the folder for settings and keys."""
    from platformdirs import user_config_path  # where a run needs none, it is not imported

    return user_config_path("g4f", appauthor=False)


def find_data_folder() -> Path:
    """Return the folder for conversations."""
    from platformdirs import user_data_path

    return user_data_path("g4f", appauthor=False)


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into, if it is not there.

    Raises:
        InputError: It cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be made: {error.strerror or error}.") from None


def read_table(path: Path) -> dict[str, Any]:
    """Read a file with a JSON object; one that is not there is empty.

    Raises:
        InputError: It cannot be read, or holds anything else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"The file {path} cannot be read: {error.strerror or error}.") from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"The file {path} is broken: mend it, it holds a JSON object; or remove it.")
    return found


def write_table(path: Path, table: dict[str, Any]) -> None:
    """Write a file with a JSON object, as `write_private`; its folder is made.

    Raises:
        InputError: It cannot be written.
    """
    make_private_folder(path.parent)
    write_private(path, json.dumps(table, indent=2, ensure_ascii=False) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, and readable by its owner only.

    Raises:
        InputError: It cannot be written, or is a device or a folder, which it would take the place of.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file.")
    partial = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):  # it may never have been made
            partial.unlink()
        if isinstance(error, OSError):
            raise InputError(f"The file {path} cannot be written: {error.strerror or error}.") from None
        raise
