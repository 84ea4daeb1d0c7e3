"""Entry points of installed distributions, read from the folders on Python's path; nothing is imported to find them.

`importlib_metadata` knows every kind of installation, but is a tenth of what a program's first request costs. So it is
asked only where there is more on the path than plain folders, and for the name and version of a distribution. Both
follow the packaging specifications "Entry points" and "Recording installed projects". What the entry points of a group
are is left to `registry.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

_INFO = (".dist-info", ".egg-info")
# Whose finders look for distributions in the places on Python's path, and nowhere else.
_FINDERS = {"_frozen_importlib_external", "importlib_metadata"}


class Distribution:
    """An installed distribution, of which only the place is known before it is asked.

    Args:
        folder: The folder of its metadata.
    """

    __slots__ = ("_folder",)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> Any:
        """Its name, a text, as it writes it; None where it has none."""
        return self._open().name

    @property
    def version(self) -> Any:
        """Its version, a text; None where it has none."""
        return self._open().version

    def _open(self) -> Any:
        import importlib_metadata  # 25 ms that hardly any program need pay

        return importlib_metadata.Distribution.at(self._folder)


class EntryPoint(NamedTuple):
    """One entry point.

    Attributes:
        name: Its name.
        value: Where it leads, as `package.module:attribute`.
        distribution: Who registers it; has a `name` and a `version`, and may raise anything when asked for them.
    """

    name: str
    value: str
    distribution: Any


def read_entry_points(group: str) -> list[EntryPoint]:
    """Return the entry points of a group, of all distributions that can be read.

    Of two distributions with one name that counts which stands first on the path, as for an import, unless only the
    other has metadata: an interrupted uninstall leaves some without.
    """
    folders = _find_folders()
    if folders is None:
        return _ask_library(group)
    return [point for folder in folders for point in _read_folder(folder, group)]


def _find_folders() -> list[Path] | None:
    """Return the folders of all distributions' metadata; None where they may also be elsewhere."""
    if any(_finds_distributions(finder) for finder in sys.meta_path):
        return None
    found: dict[str, Path] = {}
    places: list[Any] = list(sys.path)  # in which programs put what is no text, too
    for place in places:
        if not isinstance(place, str) or place.endswith(".egg"):
            return None
        try:
            folders = _list_folders(place)
        except NotADirectoryError:  # it is a zip file, or in one
            return None
        for folder in folders:
            name = _find_name(folder)
            if name not in found or (_has_metadata(folder) and not _has_metadata(found[name])):
                found[name] = folder
    return list(found.values())


def _list_folders(place: str) -> list[Path]:
    """Return what in a place looks like a distribution's metadata.

    Raises:
        NotADirectoryError: It is a file.
    """
    try:
        names = os.listdir(place or os.curdir)  # noqa: PTH208 - thousands of paths, of which few are needed
    except NotADirectoryError:
        raise
    except OSError:
        return []
    return [Path(place, name) for name in names if name.lower().endswith(_INFO)]


def _finds_distributions(finder: object) -> bool:
    """Tell whether a finder finds distributions in its own way."""
    return hasattr(finder, "find_distributions") and finder.__module__ not in _FINDERS


def _find_name(folder: Path) -> str:
    """Return the name of the distribution whose metadata that is, in one spelling."""
    return folder.stem.partition("-")[0].lower().replace(".", "_")


def _has_metadata(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("METADATA", "PKG-INFO"))


def _read_folder(folder: Path, group: str) -> Iterator[EntryPoint]:
    """Read one distribution's entry points; who cannot be read has none, and disturbs nobody."""
    try:
        raw = (folder / "entry_points.txt").read_bytes()
    except OSError:  # most have no such file
        return
    if group.encode() not in raw:
        return
    with suppress(UnicodeDecodeError):
        for name, value in parse_entry_points(raw.decode(), group):
            yield EntryPoint(name, value, Distribution(folder))


def parse_entry_points(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Return the names and values of a group in the text of an `entry_points.txt`."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line.strip("[]")
        elif section == group and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name.strip(), value.strip()


def _ask_library(group: str) -> list[EntryPoint]:
    from importlib_metadata import distributions, entry_points

    try:
        points = list(entry_points(group=group))
    except Exception:  # noqa: BLE001 - whatever is wrong with one distribution, of whomever, the others are well
        readable = [point for distribution in distributions() for point in _list_readable(distribution, group)]
        points = list({(point.name, point.value): point for point in reversed(readable)}.values())
    return [EntryPoint(point.name, point.value, point.dist) for point in points]


def _list_readable(distribution: Any, group: str) -> list[Any]:
    with suppress(Exception):
        return list(distribution.entry_points.select(group=group))
    return []
