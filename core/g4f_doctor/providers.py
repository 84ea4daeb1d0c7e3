"""What the installed providers are and need; none is imported here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from g4f_doctor.distributions import list_points, read_name
from g4f_doctor.report import Finding, ProviderReport, State
from g4f_doctor.trial import try_import

if TYPE_CHECKING:
    from g4f.manifest import Manifest
    from g4f.registry import Registry

_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_IMPORT_ONE = """
from g4f.errors import G4FError
from g4f.registry import share_registry
try:
    share_registry().load(share_registry().find(*words))
except G4FError as error:
    text = str(error)
"""


def survey_providers(registry: Registry) -> Iterator[ProviderReport]:
    """Describe every installed provider from its metadata and manifest."""
    for name in registry.list_names():
        yield _survey(registry, name)


def try_provider(provider: ProviderReport) -> ProviderReport:
    """Import a provider that looks sound, in a process of its own, which it may end or hang."""
    if not provider.usable:
        return provider
    who = f"The provider {provider.name} of {provider.distribution} {provider.version}"
    reason = try_import(who, _IMPORT_ONE, provider.name)
    return provider._replace(state="broken", reason=reason) if reason else provider


def _survey(registry: Registry, name: str) -> ProviderReport:
    from g4f.credentials import find_variable
    from g4f.errors import ProviderBlockedError, ProviderBrokenError, ProviderConflictError

    try:
        ref = registry.find(name)
    except ProviderConflictError as error:
        return ProviderReport(name, "conflict", str(error))
    common = ProviderReport(name, "broken", distribution=ref.distribution, version=ref.version)
    try:
        manifest = registry.read_manifest(ref)
    except ProviderBrokenError as error:
        wrong: State = "blocked" if isinstance(error, ProviderBlockedError) else "broken"
        return common._replace(state=wrong, reason=str(error))
    state, reason = _judge_access(ref.name, manifest)
    return common._replace(
        state=state,
        reason=reason,
        title=manifest.title,
        capabilities=_list_capabilities(manifest),
        models=sum(bool(model.id) for model in manifest.models),
        more_models=manifest.models_open or any(model.pattern for model in manifest.models),
        auth=manifest.auth.kind,
        needs_key=_needs_key(manifest),
        key=find_variable(manifest),
        grade=manifest.grade,
    )


def _judge_access(name: str, manifest: Manifest) -> tuple[State, str]:
    """Find out whether a provider has the address and key that it needs."""
    from g4f.credentials import complete_address, find_variable, make_secret
    from g4f.errors import InvalidInputError

    variable = find_variable(manifest)
    own_address = complete_address(os.environ.get(manifest.base_url_variable or "", "").strip(), manifest)
    lacks = []
    if manifest.base_url_required and not own_address:
        lacks.append(manifest.base_url_variable or "an address: pass base_url")
    if variable is None and _needs_key(manifest):
        lacks.append(" or ".join(manifest.auth.variables) or "a key")
    address = own_address or manifest.base_url
    wrong = _find_fault_of_address(address)
    if wrong:
        return "broken", f"{manifest.base_url_variable if own_address else 'base_url in its manifest'}: {wrong}"
    try:
        make_secret(os.environ[variable] if variable else None, name)
    except InvalidInputError:
        return "broken", f"{variable} has characters that a key cannot have: copy the key again."
    if lacks:
        return "needs", " and ".join(lacks)
    if manifest.auth.sign_in and variable is None:
        return "ready", f"if signed in by {manifest.auth.sign_in}"
    return "ready", f"if a server runs at {address}" if urlsplit(address).hostname in _THIS_MACHINE else ""


def _needs_key(manifest: Manifest) -> bool:
    # Without variables a provider that gets its secret itself has another way to it.
    auth = manifest.auth
    return auth.required and (auth.kind == "header" or (auth.kind == "own" and bool(auth.variables)))


def _find_fault_of_address(address: str) -> str:
    from g4f.credentials import check_base_url
    from g4f.errors import InvalidInputError

    try:
        if address:
            check_base_url(address)
    except InvalidInputError as error:
        return str(error)
    return ""


def _list_capabilities(manifest: Manifest) -> tuple[str, ...]:
    from g4f.manifest import CAPABILITIES

    return tuple(
        name
        for name in CAPABILITIES
        if manifest.supports(name) == "yes" or any(model.capabilities.get(name) == "yes" for model in manifest.models)
    )


def list_unknown_providers() -> Iterator[ProviderReport]:
    """List the providers by the standard library alone, which cannot read what they need."""
    for point in list_points():
        name = read_name(point.dist)
        version = point.dist.version if point.dist and name else ""
        yield ProviderReport(point.name, "unknown", "g4f-core must be mended first", name, version)


def check_providers(providers: Iterable[ProviderReport]) -> Iterator[Finding]:
    """Tell the providers that cannot be used, and those to whom secrets are handed."""
    for provider in providers:
        if provider.state in ("broken", "conflict"):
            yield Finding("broken", _name_in(provider.name, provider.reason))
        if provider.auth == "own":
            yield Finding("note", f"{provider.name} gets its secret itself (auth.kind = own).")


def _name_in(name: str, reason: str) -> str:
    return reason if name in reason else f"{name}: {reason}"


def check_limits(registry: Registry, providers: Iterable[ProviderReport]) -> Iterator[Finding]:
    """Look whether the distributions that the environment allows or blocks are there."""
    from g4f.environment import normalize_name

    providers = list(providers)
    there = {normalize_name(provider.distribution) for provider in providers}
    limits = {"G4F_PLUGINS": registry.environment.plugins or (), "G4F_BLOCK": registry.environment.blocked}
    blockable = {provider.name.lower() for provider in providers}
    for variable, names in limits.items():
        for name in sorted({*names} - there - (blockable if variable == "G4F_BLOCK" else set())):
            meant = next((one.distribution for one in providers if one.name.lower() == name), None)
            hint = f" Write {meant}." if meant else ""
            yield Finding("note", f"{variable} names {name!r}, and no distribution of that name is installed.{hint}")


def check_preferences(registry: Registry) -> Iterator[Finding]:
    """Look whether the providers that the environment prefers are there."""
    from g4f.errors import ProviderNotFoundError

    for name in registry.environment.providers:
        try:
            registry.find(name)
        except ProviderNotFoundError as error:
            yield Finding("broken", f"G4F_PROVIDERS names {name!r}. {error}")
        except Exception:  # noqa: BLE001, S112 - told where the provider itself is described
            continue
