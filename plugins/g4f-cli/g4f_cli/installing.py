"""The program that installs packages into the environment that this one runs in; what it installs `sources` finds."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import invalidate_caches, metadata, util
from pathlib import Path

import click
from packaging.utils import canonicalize_name

from g4f_cli.choosing import find_provider
from g4f_cli.sources import PROGRAM, Source, find_named, is_installed
from g4f_cli.terminal import InputError

_GROUPS = ("g4f.providers", "g4f.commands")
_PATIENCE = 10.0  # seconds that an installer has to clean up after Ctrl-C


class InstallError(click.ClickException):
    """A package could not be installed or removed; the text says why."""

    exit_code = 1


def find_installed(name: str) -> str:
    """Return the installed package that a name means: as `find_named`, or that of any provider that is installed.

    Raises:
        InputError: It is not installed, or a part of g4f that no command here changes.
        G4FError: Several packages bring a provider of that name.
    """
    package = _find_bringing(name) or find_named(name).package
    if not is_installed(package):
        raise InputError(f"{package} is not installed.")
    return str(metadata.distribution(package).metadata["Name"])


def _find_bringing(name: str) -> str | None:
    """Return the installed package that brings a provider of that name, or that has the name and brings anything."""
    from g4f.errors import ProviderNotFoundError
    from g4f.registry import share_registry

    with suppress(ProviderNotFoundError):
        return find_provider(share_registry(), name).distribution
    with suppress(metadata.PackageNotFoundError, ValueError):
        found = metadata.distribution(name)
        if any(point.group in _GROUPS for point in found.entry_points) and canonicalize_name(name) not in PROGRAM:
            return name
    return None


def list_providers_of(package: str) -> list[str]:
    """Return the providers that an installed package brings."""
    points = metadata.distribution(package).entry_points.select(group="g4f.providers")
    return sorted({point.name for point in points}, key=str.lower)


def find_requirements(requirements: Sequence[str], folder: Path | None) -> str:
    """Install what is required of others without an index.

    Args:
        requirements: What is required, as packages write it.
        folder: Where it may be.

    Returns:
        What the installer said where it failed, else nothing.
    """
    if not requirements:
        return ""
    links = [f"--find-links={folder}"] if folder is not None else []
    code, said = _run([*_find_installer("install"), "--no-index", *links, *requirements], subprocess.PIPE)
    return (said.decode(errors="replace").strip() or f"exit code {code}") if code != 0 else ""


def fetch_requirements(requirements: Sequence[str]) -> None:
    """Install what is required of others from the package index.

    Raises:
        InstallError: The installer failed, and has said why.
    """
    if requirements:
        _install([], requirements)


def install(source: Source, *, tools_are_here: bool) -> None:
    """Install a package alone, without what it requires.

    Args:
        source: Where it is.
        tools_are_here: Whether it is built with what is installed, or with what the package index has.

    Raises:
        InstallError: The installer failed, and has said why.
    """
    options = ["--no-index", "--no-build-isolation"] if tools_are_here else []
    _install(["--no-deps", *options], [str(source.place or source.package)])
    invalidate_caches()


def _install(options: Sequence[str], requirements: Sequence[str]) -> None:
    code, _ = _run([*_find_installer("install"), *options, *requirements], sys.stderr.fileno())
    if code != 0:
        raise InstallError(f"{', '.join(requirements)} could not be installed: see above.")


def find_misfits(package: str) -> str:
    """Return what the installer says of an installed package whose requirements others do not meet, or nothing."""
    code, said = _run(_find_installer("check"), subprocess.PIPE)
    lines = said.decode(errors="replace").splitlines() if code != 0 else []
    return " ".join(line for line in lines if package in line)


def uninstall(package: str) -> None:
    """Remove a package.

    Raises:
        InstallError: The installer failed, and has said why.
    """
    code, _ = _run([*_find_installer("uninstall"), package], sys.stderr.fileno())
    if code != 0:
        raise InstallError(f"{package} could not be removed: see above.")


def _find_installer(task: str) -> list[str]:
    if util.find_spec("pip") is not None:
        agreed = {"install": ["--quiet", "--no-input"], "uninstall": ["--quiet", "--yes"]}
        return [sys.executable, "-m", "pip", task, "--disable-pip-version-check", *agreed.get(task, ())]
    uv = shutil.which("uv")
    if uv is None:
        raise InstallError(
            f"There is neither pip in this environment nor uv: run {sys.executable} -m ensurepip, or install uv."
        )
    return [uv, "pip", task, *([] if task == "check" else ["--quiet"]), "--python", sys.executable]


def _run(command: list[str], output: int) -> tuple[int, bytes]:
    """Run a program with a process group of its own, so that Ctrl-C ends all that it has started.

    Returns:
        Its exit code, and what it printed where `output` is a pipe.
    """
    with subprocess.Popen(  # noqa: S603 - the installer
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=os.name == "posix"
    ) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            _end(process)
            raise
    return process.returncode, said or b""


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name != "posix":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        os.killpg(process.pid, signal.SIGKILL)  # what it has left behind
