"""Where packages come from, and the program that installs them into the environment that this one runs in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click

from g4f_cli.choosing import find_provider
from g4f_cli.terminal import InputError

_OURS = ("g4f-cli", "g4f-core")
_GROUPS = ("g4f.providers", "g4f.commands")
_PATIENCE = 10.0  # seconds that an installer has to clean up after Ctrl-C


class InstallError(click.ClickException):
    """A package could not be installed or removed; the text says why."""

    exit_code = 1


class Source(NamedTuple):
    """Where a package comes from.

    Attributes:
        requirement: What the installer is told: a folder, a file, or a name for the package index.
        is_local: Whether it is a folder or file of this machine.
    """

    requirement: str
    is_local: bool


def find_package(name: str) -> str:
    """Return the package that a name means: its own, a provider's, or the end of it, as `gemini`.

    Raises:
        InputError: No package is known by that name, or there is none yet.
    """
    from g4f.known import describe_missing_provider, find_proper_name, read_known_providers

    if name.lower().startswith("g4f-"):
        return name.lower()
    proper = (find_proper_name(name) or name).lower()
    rows = [row for row in read_known_providers() if row["name"].lower() == proper]
    packages = {row["package"] for row in read_known_providers() if "package" in row}
    ending = next((package for package in packages if package == f"g4f-provider-{name.lower()}"), None)
    package = next((row["package"] for row in rows if "package" in row), ending)
    if package is None:
        raise InputError(describe_missing_provider(name, ()).replace(" Installed: none. Others that", " Those that"))
    return str(package)


def find_source(package: str, folder: Path | None) -> Source:
    """Find where a package comes from: the folder that the user names, else the checkout that this program is from.

    Args:
        package: Its name.
        folder: A folder of wheels, or a checkout.

    Raises:
        InputError: The package is not in the folder.
    """
    if folder is not None:
        found = _find_in(folder, package)
        if found is None:
            raise InputError(f"There is no {package} in {folder}: neither a wheel, nor a checkout's plugins/{package}.")
        return Source(str(found), is_local=True)
    for checkout in _list_checkouts():
        found = _find_in(checkout, package)
        if found is not None:
            return Source(str(found), is_local=True)
    return Source(package, is_local=False)


def _find_in(folder: Path, package: str) -> Path | None:
    wheels = sorted(folder.glob(f"{package.replace('-', '_')}-*.whl"))
    if wheels:
        return wheels[-1].absolute()
    places = (folder / "plugins" / package, folder / package)
    return next((place.absolute() for place in places if (place / "pyproject.toml").is_file()), None)


def _list_checkouts() -> Iterator[Path]:
    """Yield the folders that pip or uv wrote down as the origin of our packages (PEP 610)."""
    for name in _OURS:
        with suppress(metadata.PackageNotFoundError, ValueError, KeyError):
            origin = json.loads(metadata.distribution(name).read_text("direct_url.json") or "{}")
            parts = urlsplit(origin["url"])
            if parts.scheme == "file":
                place = Path(url2pathname(parts.path))
                yield place.parent.parent if place.parent.name == "plugins" else place


def find_installed(name: str) -> str:
    """Return the installed package that a name means: its own, or that of a provider.

    Raises:
        InputError: It is not installed, or is none that g4f can do without.
        G4FError: No provider of that name is installed.
    """
    from g4f.registry import share_registry

    package = name.lower()
    if not package.startswith("g4f-"):
        package = find_provider(share_registry(), name).distribution
    try:
        distribution = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        raise InputError(f"{package} is not installed.") from None
    if package in _OURS or not any(point.group in _GROUPS for point in distribution.entry_points):
        raise InputError(f"{package} is no package that g4f installs: remove it with your installer.")
    return str(distribution.metadata["Name"])


def list_providers_of(package: str) -> list[str]:
    """Return the providers that an installed package brings."""
    points = metadata.distribution(package).entry_points.select(group="g4f.providers")
    return sorted({point.name for point in points}, key=str.lower)


def install(source: Source) -> None:
    """Install a package.

    Raises:
        InstallError: The installer failed, and has said why.
    """
    _run([*_find_installer("install"), source.requirement], f"{source.requirement} could not be installed")


def uninstall(package: str) -> None:
    """Remove a package.

    Raises:
        InstallError: The installer failed, and has said why.
    """
    _run([*_find_installer("uninstall"), package], f"{package} could not be removed")


def _find_installer(task: str) -> list[str]:
    if util.find_spec("pip") is not None:
        agreed = ["--yes"] if task == "uninstall" else ["--no-input"]
        return [sys.executable, "-m", "pip", task, "--quiet", "--disable-pip-version-check", *agreed]
    uv = shutil.which("uv")
    if uv is None:
        raise InstallError(
            f"There is neither pip in this environment nor uv: run {sys.executable} -m ensurepip, or install uv."
        )
    return [uv, "pip", task, "--quiet", "--python", sys.executable]


def _run(command: list[str], failure: str) -> None:
    """Run a program with a process group of its own, so that Ctrl-C ends all that it has started."""
    with subprocess.Popen(  # noqa: S603 - the installer
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=os.name == "posix"
    ) as process:
        try:
            code = process.wait()
        except BaseException:
            _end(process)
            raise
    if code != 0:
        raise InstallError(f"{failure}: see above.")


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name != "posix":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)  # what it has left behind
