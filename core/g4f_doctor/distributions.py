"""What pip has installed: who brings providers, and whether all that they require is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec

from g4f_doctor.report import Finding

CORE = "g4f-core"
FOREIGN = "g4f"
GROUP = "g4f.providers"
CLI = "g4f-cli"  # both projects install a program g4f
# Where our packages are in a checkout: a bare name, handed to pip, could bring a stranger's.
FOLDERS = {CORE: ".", CLI: "./plugins/g4f-cli"}


def read_installed() -> dict[str, metadata.Distribution]:
    """Return the installed distributions by normalized name; the first on the path counts."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = read_name(distribution)
        if name:
            found.setdefault(_normalize(name), distribution)
    return found


def read_name(distribution: metadata.Distribution | None) -> str:
    """Return a distribution's name; nothing where its metadata cannot be read."""
    try:
        return str(distribution.metadata["Name"] or "") if distribution else ""
    except Exception:  # noqa: BLE001 - an interrupted uninstall leaves a distribution without metadata
        return ""


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read_version(name: str, installed: Mapping[str, metadata.Distribution]) -> str | None:
    """Return the version of an installed distribution."""
    return installed[name].version if name in installed else None


def find_extra_version(name: str, installed: Mapping[str, metadata.Distribution]) -> str | None:
    """Return the version of an extra that is installed and can be imported."""
    return installed[name].version if name in installed and find_spec(name) else None


def list_plugins(installed: Mapping[str, metadata.Distribution]) -> dict[str, str]:
    """Return the versions of the plugins, ours and whoever else brings providers, by distribution."""
    return {
        name: distribution.version
        for name, distribution in sorted(installed.items())
        if name != CORE and (name.startswith("g4f-") or _registers_providers(distribution))
    }


def _registers_providers(distribution: metadata.Distribution) -> bool:
    return bool(_read_points(distribution))


def list_points() -> list[metadata.EntryPoint]:
    """Return what leads to providers, of the distributions whose metadata can be read."""
    try:
        return list(metadata.entry_points(group=GROUP))
    except Exception:  # noqa: BLE001 - told by `check_metadata`
        return [point for distribution in metadata.distributions() for point in _read_points(distribution)]


def _read_points(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    try:
        return [point for point in distribution.entry_points if point.group == GROUP]
    except Exception:  # noqa: BLE001 - told by `check_metadata`
        return []


def check_metadata(installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    """Look whether the entry points of each can be read: what cannot hides its providers."""
    for name, distribution in installed.items():
        try:
            list(distribution.entry_points)
        except Exception as error:  # noqa: BLE001 - whatever it is
            yield Finding("broken", f"{name} has an entry_points.txt that cannot be read ({error}): reinstall it.")


def check_names() -> Iterator[Finding]:
    """Look whether the providers are called what can be typed and imported."""
    for point in list_points():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", point.name):
            owner = read_name(point.dist) or "A distribution"
            yield Finding("broken", f"{owner} registers a provider {point.name!r}, which is no name: update it.")


def check_requirements(installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    """Look whether what the core and the plugins require is there, by name; versions are pip's matter."""
    for owner in (CORE, *list_plugins(installed)):
        for name in _list_required(installed.get(owner)):
            if name == FOREIGN:
                yield Finding(
                    "broken",
                    f"{owner} requires g4f, which is another project: it must require g4f-core. "
                    f"Run `pip uninstall {owner}` until that is mended.",
                )
            elif name not in installed:
                yield Finding("broken", f"{owner} lacks {name}: {_say_how_to_install(name)}.")


def _list_required(distribution: metadata.Distribution | None) -> Iterator[str]:
    for requirement in (distribution.requires if distribution else None) or ():
        match = re.match(r"[A-Za-z0-9][\w.-]*", requirement)
        if match and ";" not in requirement:  # an extra, or for another system or Python
            yield _normalize(match[0])


def _say_how_to_install(name: str) -> str:
    if name in FOLDERS:
        return f"install it (from a checkout: pip install {FOLDERS[name]})"
    return "install it from where you have the other" if name.startswith("g4f-") else f"run `pip install {name}`"
