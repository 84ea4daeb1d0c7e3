"""Where packages come from, what they require, and what of that is here; to install them is left to `installing`."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zipfile import BadZipFile, ZipFile

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import sys_tags
from packaging.utils import InvalidName, InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from g4f_cli.terminal import InputError

if TYPE_CHECKING:
    from packaging.version import Version

PROGRAM = ("g4f-cli", "g4f-core")  # what no command here removes
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")  # the packaging specification "Names"


class Source(NamedTuple):
    """Where a package comes from.

    Attributes:
        package: Its name.
        place: A folder or a wheel of this machine; None is the package index.
    """

    package: str
    place: Path | None = None


def find_named(name: str, folder: Path | None = None) -> Source:
    """Find what a name means: a package by its own name, a provider's or its last words, as `gemini`; or a path.

    Args:
        name: The name, or the path of a package's folder or wheel.
        folder: As for `find_source`.

    Raises:
        InputError: It means none, there is none yet, or it is a part of g4f that no command here changes.
    """
    source = _read_path(name) if _is_path(name) else find_source(_find_package(name, folder), folder)
    if source.package in PROGRAM:
        raise InputError(f"{source.package} is no package that g4f installs: use your installer, as pip.")
    return source


def _is_path(name: str) -> bool:
    return "/" in name or os.sep in name or name in (os.curdir, os.pardir) or name.endswith(".whl")


def _read_path(path: str) -> Source:
    place = Path(path).resolve()
    try:
        if place.suffix == ".whl" and place.is_file():
            return Source(parse_wheel_filename(place.name)[0], place)
        project = _read_project(place).get("project", {}) if (place / "pyproject.toml").is_file() else {}
        return Source(canonicalize_name(str(project["name"]), validate=True), place)
    except (InvalidName, InvalidWheelFilename, KeyError):
        raise InputError(
            f"{path} is no package: neither a wheel, nor a folder whose pyproject.toml names one."
        ) from None


def _find_package(name: str, folder: Path | None) -> str:
    from g4f.known import describe_missing_provider, find_proper_name, read_known_providers

    if _NAME.fullmatch(name) is None:
        raise InputError(f"{name!r} is no name: write a provider's, as gemini, and say where it is with --from FOLDER.")
    if is_ours(name):
        return canonicalize_name(name)
    proper = (find_proper_name(name) or name).lower()
    rows = [row for row in read_known_providers() if row["name"].lower() == proper]
    package = next((row["package"] for row in rows if "package" in row), None) or _find_by_ending(name, folder)
    if package is None:
        raise InputError(describe_missing_provider(name, ()).replace(" Installed: none. Others that", " Those that"))
    return str(package)


def _find_by_ending(name: str, folder: Path | None) -> str | None:
    from g4f.known import read_known_providers

    known = {row.get("package") for row in read_known_providers()}
    packages = [f"{prefix}{canonicalize_name(name)}" for prefix in ("g4f-provider-", "g4f-")]
    return next((one for one in packages if one in known or is_installed(one) or _find_place(one, folder)), None)


def find_source(package: str, folder: Path | None, *, wanted_by: str | None = None) -> Source:
    """Find where a package comes from: the folder that the user names, else the checkout that this program is from.

    Args:
        package: Its name.
        folder: A folder of wheels, or a checkout.
        wanted_by: The package that requires it.

    Raises:
        InputError: The package is not in the folder.
    """
    found = _find_place(package, folder)
    if found is None and folder is not None:
        what = f"{package}, which {wanted_by} requires," if wanted_by else package
        raise InputError(f"There is no {what} in {folder}: neither a wheel, nor a checkout's plugins/{package}.")
    return Source(package, found)


def _find_place(package: str, folder: Path | None) -> Path | None:
    folders = _list_checkouts() if folder is None else [folder]
    return next((place for place in (_find_in(one, package) for one in folders) if place is not None), None)


def _find_in(folder: Path, package: str) -> Path | None:
    wheels = list(_list_fitting(folder, package))
    if wheels:
        return max(wheels)[-1].absolute()
    places = (folder / "plugins" / package, folder / package)
    return next((place.absolute() for place in places if (place / "pyproject.toml").is_file()), None)


def _list_fitting(folder: Path, package: str) -> Iterator[tuple[bool, Version, Path]]:
    """Yield the wheels of a package that this Python can use, with what they are chosen by: pre-releases come last."""
    fitting = frozenset(sys_tags())
    for file in folder.glob("*.whl"):
        with suppress(InvalidWheelFilename):
            name, version, _, tags = parse_wheel_filename(file.name)
            if name == package and not tags.isdisjoint(fitting):
                yield not version.is_prerelease, version, file


def _list_checkouts() -> Iterator[Path]:
    """Yield the folders that our packages were installed from."""
    for name in PROGRAM:
        origin = _find_origin(name)
        if origin is not None:
            yield origin.place.parent.parent if origin.place.parent.name == "plugins" else origin.place


class _Origin(NamedTuple):
    place: Path
    is_editable: bool


def _find_origin(package: str) -> _Origin | None:
    """Return the folder or file that an installed package came from, as its installer wrote it down (PEP 610)."""
    with suppress(metadata.PackageNotFoundError, ValueError, KeyError):
        origin = json.loads(metadata.distribution(package).read_text("direct_url.json") or "{}")
        parts = urlsplit(origin["url"])
        if parts.scheme == "file":
            return _Origin(Path(url2pathname(parts.path)), bool(origin.get("dir_info", {}).get("editable")))
    return None


def find_editable(package: str) -> Path | None:
    """Return the folder in which an installed package is used as it stands there, or None where it is not."""
    origin = _find_origin(package)
    return origin.place if origin is not None and origin.is_editable else None


def is_installed(package: str) -> bool:
    """Tell whether a package is there, in whatever version."""
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def add_required(sources: Iterable[Source], folder: Path | None) -> list[Source]:
    """Add g4f's own packages that these require, directly or not, and that are not installed.

    Raises:
        InputError: One is not in the folder, or a wheel cannot be read.
    """
    found = {source.package: source for source in sources}
    queue = list(found.values())
    for source in queue:  # which grows
        for text in read_requirements(source):
            name = read_name(text)
            if is_ours(name) and name not in found and not is_installed(name):
                found[name] = find_source(name, folder, wanted_by=source.package)
                queue.append(found[name])
    return list(found.values())


def read_requirements(source: Source) -> list[str]:
    """Return what a package requires to run, but for its extras; of one at the index only when it is installed."""
    if source.place is None:
        written = metadata.requires(source.package) or [] if is_installed(source.package) else []
    elif source.place.is_dir():
        written = _read_project(source.place).get("project", {}).get("dependencies", [])
    else:
        written = _read_wheel(source.place)
    return [text for text in written if _applies(text, source)]


def _applies(requirement: str, source: Source) -> bool:
    """Tell whether something is required on this system, without any extra.

    Raises:
        InputError: It cannot be read.
    """
    try:
        marker = Requirement(requirement).marker
    except InvalidRequirement:
        raise InputError(f"{source.package} requires {requirement!r}, which cannot be read.") from None
    return marker is None or marker.evaluate({"extra": ""})


def read_tools(source: Source) -> list[str]:
    """Return what a package is built with."""
    if source.place is None or not source.place.is_dir():
        return []
    return _read_project(source.place).get("build-system", {}).get("requires", [])


def list_missing(requirements: Iterable[str]) -> list[str]:
    """Return the names of what is not installed, in whatever version."""
    return [name for name in dict.fromkeys(map(read_name, requirements)) if not is_installed(name)]


def read_name(requirement: str) -> str:
    """Return the name of what is required."""
    return canonicalize_name(Requirement(requirement).name)


def is_ours(package: str) -> bool:
    """Tell whether a package is one of g4f's own, or calls itself so."""
    return canonicalize_name(package).startswith("g4f-")


def _read_project(folder: Path) -> Mapping[str, dict[str, list[str]]]:
    try:
        return tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / 'pyproject.toml'} cannot be read: {error}.") from None


def _read_wheel(file: Path) -> list[str]:
    try:
        with ZipFile(file) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return HeaderParser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist", [])
    except (BadZipFile, OSError, StopIteration, ValueError) as error:
        raise InputError(f"{file} is no wheel: {str(error) or 'it has no metadata'}.") from None
