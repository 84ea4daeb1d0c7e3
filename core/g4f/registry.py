"""The installed providers: found in distributions' metadata, read from manifests, and imported only when chosen.

Nothing is imported to find, list or match providers. What is broken, incompatible, blocked or registered twice gives
its own error when it is asked for, and disturbs nobody else.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from g4f.entry_points import EntryPoint, read_entry_points
from g4f.environment import Environment, normalize_name
from g4f.errors import (
    G4FError,
    InvalidInputError,
    ProviderBlockedError,
    ProviderBrokenError,
    ProviderConflictError,
    ProviderNotFoundError,
)
from g4f.manifest import CAPABILITIES, Manifest, ManifestError, parse_manifest
from g4f.middleware.retry import Budget
from g4f.plugin import Plugin

GROUP = "g4f.providers"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PATTERN = rb"""pattern\s*=\s*["']([^"']+)["']"""


@attrs.frozen
class ProviderRef:
    """An installed provider, not imported: what `from g4f.Provider import Gemini` gives.

    Attributes:
        name: The name that users type.
        module: The module that defines it.
        attribute: The class or object in that module.
        alias_of: The name of the provider that this is another name of, or None. An alias is found by name, shares the
            provider's manifest and stands in no list; so no model is claimed twice.
    """

    name: str
    module: str
    attribute: str
    _distribution: Any = attrs.field(default=None, repr=False, eq=False)
    alias_of: str | None = None

    @property
    def proper_name(self) -> str:
        """Its name, or for an alias that of the provider."""
        return self.alias_of or self.name

    @property
    def distribution(self) -> str:
        """Name of the distribution that registers it."""
        return self._read_metadata("name") or "an unnamed distribution"

    @property
    def version(self) -> str:
        """Version of that distribution."""
        return self._read_metadata("version") or ""

    def _read_metadata(self, field: str) -> str | None:
        try:
            return getattr(self._distribution, field) or None
        except Exception:  # noqa: BLE001 - an interrupted uninstall leaves entry points without metadata
            return None

    def __repr__(self) -> str:
        return f"<provider {self.name}>"


def read_refs() -> Iterable[ProviderRef]:
    """Return every provider that an installed distribution registers."""
    return map(_make_ref, read_entry_points(GROUP))


def _make_ref(point: EntryPoint) -> ProviderRef:
    module, _, attribute = point.value.partition("[")[0].partition(":")
    return ProviderRef(point.name, module.strip() or "(none)", attribute.strip(), point.distribution)


class Registry:
    """The providers that can be chosen by name.

    Args:
        environment: Which distributions are allowed; None reads it from the environment.
        refs: The providers; None finds the installed ones when they are first needed.

    Attributes:
        budget: How often calls are repeated that belong to no client, as those of `g4f.ChatCompletion`.
    """

    def __init__(self, environment: Environment | None = None, refs: Iterable[ProviderRef] | None = None) -> None:
        self.environment = environment or Environment.read()
        self.budget = Budget()
        self._given = refs
        self._by_name: dict[str, list[ProviderRef]] | None = None
        self._names: dict[str, frozenset[str]] = {}
        self._raw: dict[str, bytes] = {}
        self._manifests: dict[str, Manifest | ProviderBrokenError] = {}
        self._plugins: dict[str, Plugin] = {}
        self._lock = threading.RLock()

    def list_names(self) -> list[str]:
        """Return the names of all installed providers, broken ones included, aliases not."""
        return sorted((refs[0].name for refs in self._index().values() if not refs[0].alias_of), key=str.lower)

    def find_names(self, name: str) -> frozenset[str]:
        """Return all names, in lower case, of the provider that `name` or an alias means; empty where there is none."""
        refs = self._index().get(name.lower())
        return self._names[refs[0].proper_name.lower()] if refs else frozenset()

    def find(self, name: str) -> ProviderRef:
        """Return the provider of that name, in any letter case.

        Raises:
            ProviderNotFoundError: None is installed; the text says what is, and what to install.
            InvalidInputError: It is no name, but a key.
            ProviderConflictError: Two distributions register it.
        """
        refs = self._index().get(name.lower())
        if not refs:
            from g4f.credentials import refuse_key
            from g4f.known import describe_missing_provider

            refuse_key(name)
            raise ProviderNotFoundError(describe_missing_provider(name, self.list_names()))
        if len(refs) > 1:
            owners = " and ".join(sorted(f"{ref.distribution} {ref.version}" for ref in refs))
            raise ProviderConflictError(f"{owners} both register the provider {refs[0].name}: uninstall one of them.")
        return refs[0]

    def recognize(self, provider: type) -> ProviderRef | None:
        """Return the installed provider that a class is, if it is one."""
        where = (provider.__module__, provider.__qualname__)
        refs = (ref for refs in self._index().values() for ref in refs)
        return next((ref for ref in refs if (ref.module, ref.attribute) == where and not ref.alias_of), None)

    def read_manifest(self, ref: ProviderRef) -> Manifest:
        """Return a provider's manifest without importing the provider.

        Raises:
            ProviderBrokenError: It is missing, cannot be read or is made for another contract, or it is blocked.
        """
        known = self._manifests.get(ref.name)
        if known is None:
            try:
                known = parse_manifest(self._read_raw_manifest(ref).decode())
            except (ManifestError, UnicodeDecodeError) as error:
                known = _make_broken(
                    ref, f"has a manifest {ref.alias_of or ref.name}.toml that cannot be used: {error}"
                )
            except ProviderBrokenError as error:
                known = error
            self._manifests[ref.name] = known
        if isinstance(known, ProviderBrokenError):
            raise known.with_traceback(None)
        return known

    def list_usable(self) -> list[tuple[ProviderRef, Manifest]]:
        """Return the providers whose manifests can be read."""
        return self._read_manifests(name for name in self.list_names())

    def find_claimants(self, model: str) -> list[tuple[ProviderRef, Manifest]]:
        """Return the providers whose manifests list `model`, by its id, an alias or a pattern.

        The bytes of the manifests are searched before any is parsed: a hundred of them cost some milliseconds.
        """
        needle = model.lower()
        hits = [name for name in self.list_names() if self._may_claim(name, needle)]
        return [(ref, manifest) for ref, manifest in self._read_manifests(hits) if manifest.resolve_model(model)]

    def load(self, ref: ProviderRef) -> Plugin:
        """Import and load a provider, once.

        Raises:
            ProviderBrokenError: It cannot be imported or does not keep the contract.
        """
        if ref.name in self._plugins:
            return self._plugins[ref.name]
        with self._lock:
            plugin = self._plugins.get(ref.name)
            if plugin is None:
                manifest = self.read_manifest(ref)
                provider = _import_provider(ref)
                try:
                    plugin = Plugin(ref.name, _instantiate(provider), manifest)
                except ProviderBrokenError as error:
                    raise _make_broken(ref, f"cannot be used. {str(error).rstrip('.')}") from error
                except (Exception, SystemExit) as error:
                    raise _make_broken(ref, f"cannot be made: {type(error).__name__}: {error}") from error
                self._plugins[ref.name] = plugin
            return plugin

    def _index(self) -> dict[str, list[ProviderRef]]:
        with self._lock:
            if self._by_name is None:
                index: dict[str, list[ProviderRef]] = {}
                for ref in self._given if self._given is not None else read_refs():
                    if _NAME.fullmatch(ref.name):
                        index.setdefault(ref.name.lower(), []).append(ref)
                marked = {name: [_mark_alias(ref, index) for ref in refs] for name, refs in index.items()}
                self._names = _group_names({name: refs[0].proper_name.lower() for name, refs in marked.items()})
                self._by_name = marked
            return self._by_name

    def _read_manifests(self, names: Iterable[str]) -> list[tuple[ProviderRef, Manifest]]:
        found = []
        for name in names:
            try:
                ref = self.find(name)
                found.append((ref, self.read_manifest(ref)))
            except G4FError:
                continue  # it tells its own error when somebody asks for it
        return found

    def _may_claim(self, name: str, needle: str) -> bool:
        try:
            raw = self._read_raw_manifest(self.find(name))
        except G4FError:
            return False
        if needle.encode() in raw.lower():
            return True
        patterns = (pattern.decode("utf-8", "replace").lower() for pattern in re.findall(_PATTERN, raw))
        return any(fnmatchcase(needle, pattern) for pattern in patterns)

    def _read_raw_manifest(self, ref: ProviderRef) -> bytes:
        raw = self._raw.get(ref.name)
        if raw is None:
            raw = self._raw[ref.name] = self._load_raw_manifest(ref)
        return raw

    def _load_raw_manifest(self, ref: ProviderRef) -> bytes:
        self._check_allowed(ref)
        package = ref.module.partition(".")[0]
        try:
            spec = importlib.util.find_spec(package)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            raise _make_broken(ref, f"names the package {package}, which is not there: reinstall it")
        if not spec.submodule_search_locations:
            raise _make_broken(
                ref,
                f"names {package}, a single file: it must be a package, with {ref.proper_name}.toml beside __init__.py",
            )
        name = ref.alias_of or ref.name
        path = Path(next(iter(spec.submodule_search_locations))) / f"{name}.toml"
        try:
            return path.read_bytes()
        except OSError:
            others = ", ".join(sorted(found.name for found in path.parent.glob("*.toml")))
            instead = f"; there is {others}, and it must be called as the entry point" if others else ""
            raise _make_broken(ref, f"has no manifest {name}.toml beside its package's __init__.py{instead}") from None

    def _check_allowed(self, ref: ProviderRef) -> None:
        environment = self.environment
        if environment.plugins is None and not environment.blocked:
            return  # the usual case reads no distribution's name
        name = normalize_name(ref.distribution)
        if {name, ref.name.lower()} & environment.blocked:
            raise ProviderBlockedError(f"{ref.name} is not loaded: G4F_BLOCK names it, or {ref.distribution}.")
        if environment.plugins is not None and name not in environment.plugins:
            raise ProviderBlockedError(
                f"{ref.name} is not loaded: G4F_PLUGINS does not name its distribution {ref.distribution}."
            )


def name_provider(provider: object) -> str:
    """Return what a provider is called that was given as a name, a reference, a class, a module or an object."""
    if isinstance(provider, str):
        return provider
    return provider.name if isinstance(provider, ProviderRef) else _name_object(provider)


def _name_object(provider: object) -> str:
    name = getattr(provider, "__name__", None)
    return name.rpartition(".")[2] if isinstance(name, str) else type(provider).__name__


def adopt_provider(provider: object) -> Plugin:
    """Load a provider class or object of the user's own program.

    Its attribute `manifest` says what it is; without one it is a provider that needs no key and can what its hooks do.

    Raises:
        ProviderBrokenError: It does not keep the contract, or cannot be made.
        InvalidInputError: It is no provider, or its `manifest` is no Manifest.
    """
    name = name_provider(provider)
    if isinstance(provider, (int, float, bytes, dict, set, list, tuple)) or provider is None:
        raise InvalidInputError(f"{provider!r} is no provider: pass a name, a class, an object, or a list of these.")
    manifest = getattr(provider, "manifest", None)
    if manifest is not None and not isinstance(manifest, Manifest):
        raise InvalidInputError(f"{name}.manifest must be a g4f.Manifest, not {type(manifest).__name__}.")
    try:
        made = _instantiate(provider)
    except Exception as error:
        text = " ".join(str(error).split())
        raise ProviderBrokenError(
            f"The provider {name} cannot be made: {type(error).__name__}: {text}. You can pass an object of it."
        ) from error
    plugin = Plugin(name, made, manifest or Manifest(title=name, models_open=True))
    if manifest is None:
        plugin.manifest = attrs.evolve(plugin.manifest, capabilities=_read_capabilities(plugin))
    return plugin


def _read_capabilities(plugin: Plugin) -> dict[str, Any]:
    can = {
        "chat": plugin.implements("chat") or plugin.implements("stream"),
        "image": plugin.implements("image"),
        "embed": plugin.implements("embed"),
    }
    return {name: "yes" if can[name] else "no" for name in CAPABILITIES if name in can}


def _mark_alias(ref: ProviderRef, index: Mapping[str, Sequence[ProviderRef]]) -> ProviderRef:
    """Note that an entry point leads to the provider of another name: `Claude = "package:Anthropic"`."""
    for other in index.get(ref.attribute.lower(), ()):
        if (other.module, other.attribute) == (ref.module, ref.attribute) and ref.name != other.name == ref.attribute:
            return attrs.evolve(ref, alias_of=other.name)
    return ref


def _group_names(proper_names: Mapping[str, str]) -> dict[str, frozenset[str]]:
    names: dict[str, frozenset[str]] = {}
    for name, proper in proper_names.items():
        names[proper] = names.get(proper, frozenset()) | {name}
    return names


def _import_provider(ref: ProviderRef) -> object:
    try:
        return getattr(importlib.import_module(ref.module), ref.attribute)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a module may even call sys.exit(), and that must harm nobody else
        text = " ".join(str(error).split())
        raise _make_broken(ref, f"cannot be imported: {type(error).__name__}: {text}") from error


def _instantiate(provider: object) -> object:
    return provider() if isinstance(provider, type) else provider


def _make_broken(ref: ProviderRef, what: str) -> ProviderBrokenError:
    return ProviderBrokenError(f"The provider {ref.name} of {ref.distribution} {ref.version} {what}.")


@cache
def share_registry() -> Registry:
    """Return the registry that the clients of this process share."""
    return Registry()
