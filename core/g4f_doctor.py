"""Finds what is wrong with an installation of g4f and says how to mend it: `python -m g4f_doctor`, or `g4f doctor`.

A module of its own on the standard library alone, so that it still works when another project has overwritten the
package `g4f`: the package index's `g4f` is not ours and has the same import name. It imports of `g4f` only what is
ours, and no provider; `--import` has each of them imported by a process of its own.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from g4f.manifest import Manifest
    from g4f.registry import ProviderRef, Registry

CORE = "g4f-core"
FOREIGN = "g4f"
GROUP = "g4f.providers"
EXTRAS = ("orjson", "uvloop")
OLDEST_PYTHON = (3, 11)
CLI = "g4f-cli"  # both projects install a program g4f
# Where our packages are in a checkout: a bare name, handed to pip, could bring a stranger's.
_FOLDERS = {CORE: ".", CLI: "./plugins/g4f-cli"}
_LOCAL = "g4f-provider-local"
_LEAST_ROOM = 20  # columns; a text that gets less is hard to read
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")

IMPORT_SECONDS = 10.0
# Loads a provider as a client does and writes down how that went, whatever the provider does to its process.
_IMPORT_ONE = """
import json, os, sys
name, place, path = sys.argv[1:]
sys.path[:] = json.loads(path)
from g4f.errors import G4FError
from g4f.registry import share_registry
text = ""
try:
    share_registry().load(share_registry().find(name))
except G4FError as error:
    text = str(error)
with open(place, "w", encoding="utf-8", errors="replace") as file:
    file.write(json.dumps(text))
os._exit(0)  # a thread that the provider began would keep the process alive
"""

# Files that our package has and the other project's has not.
_MARKS = ("hookspecs.py", "manifest.py", "registry.py", "plugin.py")

State = Literal["ready", "needs", "broken", "blocked", "conflict", "unknown"]


class Finding(NamedTuple):
    """Something to know; what is `broken` makes the exit code 1.

    Attributes:
        level: `broken`, or `note` for what works but may surprise.
        text: What it is, and what mends it.
    """

    level: Literal["broken", "note"]
    text: str


class ProviderReport(NamedTuple):
    """What is known of an installed provider without importing it.

    Attributes:
        name: What users type.
        state: `ready`, `needs` (a key or an address), `broken`, `blocked`, `conflict`; `unknown` where g4f-core itself
            is broken and cannot tell.
        reason: What it needs, what is wrong with it, or on what else it depends that it is ready.
        distribution: The distribution that registers it; several in a conflict.
        version: That distribution's version.
        title: The service's name.
        capabilities: What it can.
        models: How many models it lists.
        more_models: Whether it serves models that it does not list.
        auth: How its key travels: `header`, `none`, or `own` for a provider that gets the secret itself.
        needs_key: Whether it makes no sense without a key.
        key: The environment variable that holds its key, or None.
        grade: What its manifest claims that it reaches in the conformance kit.
    """

    name: str
    state: State
    reason: str = ""
    distribution: str = ""
    version: str = ""
    title: str = ""
    capabilities: tuple[str, ...] = ()
    models: int = 0
    more_models: bool = False
    auth: str = ""
    needs_key: bool = False
    key: str | None = None
    grade: str = ""


class Report(NamedTuple):
    """What the doctor found.

    Attributes:
        python: Python's version.
        executable: Which Python it is.
        core: The version of g4f-core, or None where no distribution of that name is installed.
        package: Where `import g4f` leads.
        plugins: Versions of the installed plugins by distribution.
        extras: Versions of the optional packages, None for those that are missing.
        media_folder: Where generated images are saved.
        imported: Whether the providers were imported.
        providers: The installed providers.
        findings: What is wrong, or may surprise.
    """

    python: str
    executable: str
    core: str | None
    package: str | None
    plugins: Mapping[str, str]
    extras: Mapping[str, str | None]
    media_folder: str
    imported: bool
    providers: tuple[ProviderReport, ...]
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether something must be mended."""
        return any(finding.level == "broken" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for `json.dumps`."""
        return {
            **self._asdict(),
            "broken": self.broken,
            "providers": [provider._asdict() for provider in self.providers],
            "findings": [finding._asdict() for finding in self.findings],
        }


def examine(*, import_providers: bool = False) -> Report:
    """Look at everything; nothing is changed, and nothing is sent.

    Args:
        import_providers: Whether each provider is imported too, in a process of its own, for `IMPORT_SECONDS` at most.
    """
    installed = _read_installed()
    package = find_package()
    findings = [*_check_python(), *check_core()]
    providers: tuple[ProviderReport, ...]
    try:
        registry = load_registry(package)
        providers = tuple(survey_providers(registry))
        if import_providers:
            providers = tuple(map(_try_import, providers))
        findings += [*_check_providers(providers), *_check_preferences(registry)]
        findings += _check_names()
    except Exception as error:  # noqa: BLE001 - whatever breaks g4f, the doctor tells it
        providers = tuple(_list_unknown())
        if not findings:  # else they say why
            findings.append(_describe_failed_import(error))
    findings += [*_check_metadata(installed), *_check_requirements(installed), *_check_media_folder(), *_check_log()]
    return Report(
        python=".".join(map(str, sys.version_info[:3])),
        executable=sys.executable,
        core=_read_version(CORE, installed),
        package=str(package) if package else None,
        plugins=_list_plugins(installed),
        extras={name: _find_extra(name, installed) for name in EXTRAS},
        media_folder=str(_find_media_folder().absolute()),
        imported=import_providers,
        providers=providers,
        findings=tuple(findings),
    )


def find_package() -> Path | None:
    """Return the folder or file that `import g4f` leads to, without importing it."""
    try:
        spec = find_spec("g4f")
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin else None


def is_ours(package: Path | None) -> bool:
    """Tell whether a folder is the package of g4f-core; a mixture with another project may still be."""
    if package is None or not all((package / name).is_file() for name in _MARKS):
        return False
    try:
        return "g4f.hookspecs" in (package / "__init__.py").read_text("utf-8", "replace")
    except OSError:
        return False


def load_registry(package: Path | None) -> Registry:
    """Import our registry.

    Raises:
        ImportError: The package `g4f` is not ours.
        Exception: Whatever stops it from being imported.
    """
    if not is_ours(package):
        raise ImportError("the package g4f is not that of g4f-core")
    from g4f.registry import share_registry

    return share_registry()


def survey_providers(registry: Registry) -> Iterator[ProviderReport]:
    """Describe every installed provider from its metadata and manifest."""
    for name in registry.list_names():
        yield _survey(registry, name)


def _survey(registry: Registry, name: str) -> ProviderReport:
    from g4f.credentials import find_variable
    from g4f.errors import ProviderBrokenError, ProviderConflictError

    try:
        ref = registry.find(name)
    except ProviderConflictError as error:
        return ProviderReport(name, "conflict", str(error))
    common = ProviderReport(name, "broken", distribution=ref.distribution, version=ref.version)
    try:
        manifest = registry.read_manifest(ref)
    except ProviderBrokenError as error:
        state: State = "blocked" if _is_blocked(registry, ref) else "broken"
        return common._replace(state=state, reason=str(error))
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


def _try_import(provider: ProviderReport) -> ProviderReport:
    """Import a provider that looks sound in a process of its own, which it may end or hang."""
    if provider.state not in ("ready", "needs"):
        return provider
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder) / "outcome"
        command = [sys.executable, "-c", _IMPORT_ONE, provider.name, str(place), json.dumps(sys.path)]
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(  # noqa: S603 - ourselves
                command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=IMPORT_SECONDS, check=False
            )
            what = f"ends Python with exit code {done.returncode} when it is imported."
        except subprocess.TimeoutExpired:
            what = f"is not imported after {IMPORT_SECONDS:g} s."
        reason = f"The provider {provider.name} of {provider.distribution} {provider.version} {what}"
        if place.exists():
            reason = json.loads(place.read_text("utf-8"))
    return provider._replace(state="broken", reason=reason) if reason else provider


def _is_blocked(registry: Registry, ref: ProviderRef) -> bool:
    allowed, blocked = registry.environment.plugins, registry.environment.blocked
    name = ref.distribution.lower()
    return name in blocked or (allowed is not None and name not in allowed)


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


def _list_unknown() -> Iterator[ProviderReport]:
    """List the providers by the standard library alone, which cannot read what they need."""
    for point in _list_points():
        name = _read_name(point.dist)
        version = point.dist.version if point.dist and name else ""
        yield ProviderReport(point.name, "unknown", "g4f-core must be mended first", name, version)


def _read_installed() -> dict[str, metadata.Distribution]:
    """Return the installed distributions by normalized name; the first on the path counts."""
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = _read_name(distribution)
        if name:
            found.setdefault(_normalize(name), distribution)
    return found


def _read_name(distribution: metadata.Distribution | None) -> str:
    try:
        return str(distribution.metadata["Name"] or "") if distribution else ""
    except Exception:  # noqa: BLE001 - an interrupted uninstall leaves a distribution without metadata
        return ""


def _normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _read_version(name: str, installed: Mapping[str, metadata.Distribution]) -> str | None:
    return installed[name].version if name in installed else None


def _list_plugins(installed: Mapping[str, metadata.Distribution]) -> dict[str, str]:
    return {
        name: distribution.version
        for name, distribution in sorted(installed.items())
        if name != CORE and (name.startswith("g4f-") or _registers_providers(distribution))
    }


def _registers_providers(distribution: metadata.Distribution) -> bool:
    return bool(_read_points(distribution))


def _list_points() -> list[metadata.EntryPoint]:
    """Return what leads to providers, of the distributions whose metadata can be read."""
    try:
        return list(metadata.entry_points(group=GROUP))
    except Exception:  # noqa: BLE001 - told by `_check_metadata`
        return [point for distribution in metadata.distributions() for point in _read_points(distribution)]


def _read_points(distribution: metadata.Distribution) -> list[metadata.EntryPoint]:
    try:
        return [point for point in distribution.entry_points if point.group == GROUP]
    except Exception:  # noqa: BLE001 - told by `_check_metadata`
        return []


def _check_metadata(installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    for name, distribution in installed.items():
        try:
            list(distribution.entry_points)
        except Exception as error:  # noqa: BLE001 - whatever it is, it hides the distribution's providers
            yield Finding("broken", f"{name} has an entry_points.txt that cannot be read ({error}): reinstall it.")


def _find_extra(name: str, installed: Mapping[str, metadata.Distribution]) -> str | None:
    return installed[name].version if name in installed and find_spec(name) else None


def _check_python() -> Iterator[Finding]:
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        have = ".".join(map(str, sys.version_info[:2]))
        yield Finding("broken", f"g4f needs Python {wanted} or newer, and this is {have}.")


def check_core() -> Iterator[Finding]:
    """Look for another project in the place of ours, and for both in one place."""
    installed, package = _read_installed(), find_package()
    if FOREIGN in installed:  # what it has overwritten needs no findings of their own
        yield Finding(
            "broken",
            f"The distribution g4f {installed[FOREIGN].version} is another project with the same import name, and "
            f"overwrites files of g4f-core: {_say_how_to_mend(installed)}.",
        )
        return
    if package is None:
        yield Finding("broken", "There is no package g4f: install g4f-core (from a checkout: pip install .).")
    elif not is_ours(package) and package.parent != Path(__file__).parent:
        yield Finding("broken", f"The name g4f leads to {package}, which is not g4f-core: rename or move it.")
    elif not is_ours(package) and CORE not in installed:
        yield Finding("broken", f"The files in {package} are not those of g4f-core: {_say_how_to_mend(installed)}.")
    if CORE in installed:
        yield from _check_files(installed)


def _say_how_to_mend(installed: Mapping[str, metadata.Distribution], between: str = "") -> str:
    names = [name for name in (CORE, CLI) if name == CORE or name in installed]
    folders = " ".join(_FOLDERS[name] for name in names)
    return (
        f"run `pip uninstall g4f g4f-core`, {between}then install {' and '.join(names)} anew "
        f"(from a checkout: pip install --force-reinstall {folders})"
    )


def _check_files(installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    """Compare the installed files with what pip wrote down; an editable installation has nothing to compare."""
    core = installed[CORE]
    recorded = _read_record(core)
    changed = [name for name, digest in recorded.items() if not _is_unchanged(core, name, digest)]
    if changed:
        how = _say_how_to_mend(installed)
        yield Finding("broken", f"Files of g4f-core are missing or changed ({_show_some(changed)}): {how}.")
    home = Path(str(core.locate_file("g4f")))
    extra = [
        name
        for name in sorted(path.relative_to(home.parent).as_posix() for path in home.rglob("*.py"))
        if recorded and name not in recorded
    ]
    if extra:
        how = _say_how_to_mend(installed, "delete that folder, ")
        yield Finding("broken", f"The folder {home} holds files that are not g4f-core's ({_show_some(extra)}): {how}.")


def _read_record(core: metadata.Distribution) -> dict[str, str]:
    """Return what pip wrote down of each file of our package: its hash, or nothing.

    By hand, because since Python 3.12 `Distribution.files` leaves out what is missing.
    """
    rows = csv.reader((core.read_text("RECORD") or "").splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1 and row[0].startswith("g4f/")}


def _is_unchanged(core: metadata.Distribution, name: str, digest: str) -> bool:
    kind, _, value = digest.partition("=")
    if kind != "sha256":
        return True
    try:
        found = hashlib.sha256(Path(str(core.locate_file(name))).read_bytes()).digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode("ascii") == value


def _show_some(names: Sequence[str], limit: int = 3) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _describe_failed_import(error: Exception) -> Finding:
    text = " ".join(str(error).split())
    return Finding(
        "broken",
        f"g4f-core cannot be imported ({type(error).__name__}: {text}): install it anew "
        "(from a checkout: pip install --force-reinstall .).",
    )


def _check_providers(providers: Iterable[ProviderReport]) -> Iterator[Finding]:
    for provider in providers:
        if provider.state in ("broken", "conflict"):
            yield Finding("broken", _name_in(provider.name, provider.reason))
        if provider.auth == "own":
            yield Finding("note", f"{provider.name} gets its secret itself (auth.kind = own).")


def _check_names() -> Iterator[Finding]:
    for point in _list_points():
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", point.name):
            owner = _read_name(point.dist) or "A distribution"
            yield Finding("broken", f"{owner} registers a provider {point.name!r}, which is no name: update it.")


def _name_in(name: str, reason: str) -> str:
    return reason if name in reason else f"{name}: {reason}"


def _check_preferences(registry: Registry) -> Iterator[Finding]:
    from g4f.errors import ProviderNotFoundError

    for name in registry.environment.providers:
        try:
            registry.find(name)
        except ProviderNotFoundError as error:
            yield Finding("broken", f"G4F_PROVIDERS names {name!r}. {error}")
        except Exception:  # noqa: BLE001, S112 - told where the provider itself is described
            continue


def _check_requirements(installed: Mapping[str, metadata.Distribution]) -> Iterator[Finding]:
    """Look whether what the core and the plugins require is there, by name; versions are pip's matter."""
    for owner in (CORE, *_list_plugins(installed)):
        for name in _list_required(installed.get(owner)):
            if name == FOREIGN:
                yield Finding(
                    "broken",
                    f"{owner} requires g4f, which is another project: it must require g4f-core. "
                    f"Run `pip uninstall {owner}` until that is mended.",
                )
            elif name not in installed:
                yield Finding("broken", f"{owner} lacks {name}: {_say_how_to_install(name)}.")


def _say_how_to_install(name: str) -> str:
    if name in _FOLDERS:
        return f"install it (from a checkout: pip install {_FOLDERS[name]})"
    return "install it from where you have the other" if name.startswith("g4f-") else f"run `pip install {name}`"


def _list_required(distribution: metadata.Distribution | None) -> Iterator[str]:
    for requirement in (distribution.requires if distribution else None) or ():
        match = re.match(r"[A-Za-z0-9][\w.-]*", requirement)
        if match and ";" not in requirement:  # an extra, or for another system or Python
            yield _normalize(match[0])


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


def _check_log() -> Iterator[Finding]:
    level = os.environ.get("G4F_LOG", "").strip().lower()
    if level not in ("", "info", "debug"):
        yield Finding("broken", f"G4F_LOG must be info or debug, not {level!r}: g4f refuses to start.")


def format_json(report: Report) -> str:
    """Return the report as JSON for programs."""
    return json.dumps(report.to_dict(), indent=2)


def format_report(report: Report, width: int | None = None) -> str:
    """Return the report as text for people; see `format_table` for `width`."""
    extras = [f"{name} {version or 'missing'}" for name, version in report.extras.items()]
    plugins = [f"{name} {version}" for name, version in report.plugins.items()]
    lines = [
        f"Python    {report.python}  {report.executable}",
        f"g4f-core  {report.core or 'no distribution'}  {report.package or ''}".rstrip(),
        f"Plugins   {', '.join(plugins) or 'none'}",
        f"Extras    {', '.join(extras)}{_hint_extras(report.extras)}",
        f"Images    {report.media_folder}",
        "",
        format_providers(report.providers, width),
        "",
        *(f"{finding.level.upper()}: {finding.text}" for finding in report.findings),
    ]
    count = sum(finding.level == "broken" for finding in report.findings)
    unseen = "" if report.imported else " No provider was imported: --import does that too."
    lines.append(f"{count} to mend." if count else f"Nothing is broken.{unseen}")
    return "\n".join(lines)


def _hint_extras(extras: Mapping[str, str | None]) -> str:
    missing = [name for name, version in extras.items() if version is None and not _is_for_other_systems(name)]
    return f"  (faster with `pip install {' '.join(missing)}`)" if missing else ""


def _is_for_other_systems(extra: str) -> bool:
    return extra == "uvloop" and sys.platform == "win32"


def format_providers(providers: Sequence[ProviderReport], width: int | None = None) -> str:
    """Return a table of providers for people; see `format_table` for `width`."""
    if not providers:
        where = f"from a checkout: pip install ./plugins/{_LOCAL}"
        return f"No provider is installed: install {_LOCAL} ({where}), or another one."
    header = ("PROVIDER", "STATE", "KEY", "GRADE", "MODELS", "DISTRIBUTION", "TITLE", "CAN")
    first, *lines = format_table([header, *(_make_row(provider) for provider in providers)], width)
    shown = [first]
    for line, provider in zip(lines, providers, strict=True):
        why = [] if _is_usable(provider) else _wrap_below(provider.reason, width)
        shown += [line, *why]
    return "\n".join(shown)


def _make_row(provider: ProviderReport) -> tuple[str, ...]:
    return (
        provider.name,
        f"{provider.state} {provider.reason}".strip() if _is_usable(provider) else provider.state,
        _tell_key(provider),
        provider.grade,
        _count_models(provider),
        f"{provider.distribution} {provider.version}".strip(),
        provider.title,
        ", ".join(provider.capabilities),
    )


def _is_usable(provider: ProviderReport) -> bool:
    return provider.state in ("ready", "needs")


def _tell_key(provider: ProviderReport) -> str:
    if provider.key or not _is_usable(provider):
        return provider.key or ""
    return "no" if provider.needs_key else "not needed"


def _count_models(provider: ProviderReport) -> str:
    if not _is_usable(provider):
        return ""
    if not provider.more_models:
        return str(provider.models)
    return f"{provider.models}+" if provider.models else "any"


def find_width() -> int | None:
    """Return how many columns the terminal has; None where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def format_table(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return rows as text with aligned columns; the last one may be of any length.

    Args:
        rows: The cells, those of the header first.
        width: The columns of the terminal: the last column is wrapped there, or where nearly nothing is left for it,
            rows are written as paragraphs.
    """
    *widths, _ = (max(map(len, column)) + 2 for column in zip(*rows, strict=True))
    room = sys.maxsize if width is None else width - sum(widths)
    if width is None or room >= _LEAST_ROOM:
        return [_format_line(row, widths, room) for row in rows]
    header, *others = rows
    return ["  ".join(header[:2]), *(_format_paragraph(header, row, width) for row in others)]


def _format_line(row: Sequence[str], widths: Sequence[int], room: int) -> str:
    *cells, last = row
    start = "".join(cell.ljust(size) for cell, size in zip(cells, widths, strict=True))
    lines = wrap(last, room, break_on_hyphens=False)
    return f"\n{' ' * len(start)}".join([start + "".join(lines[:1]), *lines[1:]]).rstrip()


def _format_paragraph(header: Sequence[str], row: Sequence[str], width: int) -> str:
    rest = "; ".join(f"{name.lower()}: {cell}" for name, cell in zip(header[2:], row[2:], strict=True) if cell)
    return "\n".join([*wrap("  ".join(row[:2]), width, subsequent_indent="    "), *_wrap_below(rest, width)])


def _wrap_below(text: str, width: int | None) -> list[str]:
    return wrap(text, width or sys.maxsize, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the report and return the exit code: 1 when something is broken."""
    parser = argparse.ArgumentParser(
        "python -m g4f_doctor", description="Find what is wrong with an installation of g4f."
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--import",
        dest="import_providers",
        action="store_true",
        help=f"import each provider too, in a process of its own, for {IMPORT_SECONDS:g} seconds at most",
    )
    wanted = parser.parse_args(arguments)
    report = examine(import_providers=wanted.import_providers)
    print(format_json(report) if wanted.json else format_report(report, find_width()))
    return int(report.broken)


if __name__ == "__main__":
    sys.exit(main())
