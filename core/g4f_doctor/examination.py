"""Examines an installation: each look is a function that yields what it found."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from g4f_doctor.distributions import (
    CORE,
    check_metadata,
    check_names,
    check_requirements,
    find_extra_version,
    list_plugins,
    read_installed,
    read_version,
)
from g4f_doctor.package import check_core, find_package, load_registry
from g4f_doctor.providers import (
    check_limits,
    check_preferences,
    check_providers,
    list_unknown_providers,
    survey_providers,
    try_provider,
)
from g4f_doctor.report import Finding, ProviderReport, Report

EXTRAS = ("orjson", "uvloop")
OLDEST_PYTHON = (3, 11)
VARIABLES = ("G4F_BLOCK", "G4F_CACHE_DIR", "G4F_LOG", "G4F_MEDIA_DIR", "G4F_PLUGINS", "G4F_PROVIDERS")


def examine(*, import_providers: bool = False) -> Report:
    """Look at everything; nothing is changed, and nothing is sent.

    Args:
        import_providers: Whether each provider is imported too, in a process of its own, for `IMPORT_SECONDS` at most.
    """
    installed = read_installed()
    package = find_package()
    findings = [*_check_python(), *check_core()]
    providers: tuple[ProviderReport, ...]
    try:
        registry = load_registry(package)
        providers = tuple(survey_providers(registry))
        if import_providers:
            providers = tuple(map(try_provider, providers))
        findings += [*check_providers(providers), *check_preferences(registry)]
        findings += check_limits(registry, providers)
        findings += check_names()
    except Exception as error:  # noqa: BLE001 - whatever breaks g4f, the doctor tells it
        providers = tuple(list_unknown_providers())
        if not findings:  # else they say why
            findings.append(_describe_failed_import(error))
    findings += [
        *check_metadata(installed),
        *check_requirements(installed),
        *_check_media_folder(),
        *_check_log(),
        *_check_variables(),
    ]
    return Report(
        python=".".join(map(str, sys.version_info[:3])),
        executable=sys.executable,
        core=read_version(CORE, installed),
        package=str(package) if package else None,
        plugins=list_plugins(installed),
        extras={name: find_extra_version(name, installed) for name in EXTRAS},
        media_folder=str(_find_media_folder().absolute()),
        imported=import_providers,
        providers=providers,
        findings=tuple(findings),
    )


def _check_python() -> Iterator[Finding]:
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        have = ".".join(map(str, sys.version_info[:2]))
        yield Finding("broken", f"g4f needs Python {wanted} or newer, and this is {have}.")


def _describe_failed_import(error: Exception) -> Finding:
    text = " ".join(str(error).split())
    return Finding(
        "broken",
        f"g4f-core cannot be imported ({type(error).__name__}: {text}): install it anew "
        "(from a checkout: pip install --force-reinstall .).",
    )


def _find_media_folder() -> Path:
    return Path(os.environ.get("G4F_MEDIA_DIR") or "generated_images").expanduser()


def _check_media_folder() -> Iterator[Finding]:
    folder = _find_media_folder().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return
    what = "cannot be written" if existing.is_dir() else f"cannot be made: {existing} is a file"
    chosen = bool(os.environ.get("G4F_MEDIA_DIR"))
    yield Finding(
        "broken" if chosen else "note",
        f"The folder for generated images, {folder}, {what}: set G4F_MEDIA_DIR to one that can.",
    )


def _check_variables() -> Iterator[Finding]:
    """Look for variables that nobody reads, since they are nearly called as one of ours."""
    from difflib import get_close_matches

    for name in sorted(os.environ):
        if name.upper().startswith("G4F") and name not in VARIABLES:
            for close in get_close_matches(name.upper(), VARIABLES, 1, cutoff=0.85):
                yield Finding("note", f"Nothing reads {name}, which is set: {close} is a variable of g4f's.")


def _check_log() -> Iterator[Finding]:
    level = os.environ.get("G4F_LOG", "").strip().lower()
    if level not in ("", "info", "debug"):
        yield Finding("broken", f"G4F_LOG must be info or debug, not {level!r}: g4f refuses to start.")
