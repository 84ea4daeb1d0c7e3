"""Whether `import g4f` leads to our package, whole and unmixed."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from g4f_doctor.distributions import CLI, CORE, FOLDERS, FOREIGN, read_installed
from g4f_doctor.report import Finding

if TYPE_CHECKING:
    from g4f.registry import Registry

# Files that our package has and the other project's has not.
_MARKS = ("hookspecs.py", "manifest.py", "registry.py", "plugin.py")


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


def check_core() -> Iterator[Finding]:
    """Look for another project in the place of ours, and for both in one place."""
    installed, package = read_installed(), find_package()
    if FOREIGN in installed:  # what it has overwritten needs no findings of their own
        yield Finding(
            "broken",
            f"The distribution g4f {installed[FOREIGN].version} is another project with the same import name, and "
            f"overwrites files of g4f-core: {_say_how_to_mend(installed)}.",
        )
        return
    if package is None:
        yield Finding("broken", "There is no package g4f: install g4f-core (from a checkout: pip install .).")
    elif not is_ours(package) and package.parent != Path(__file__).parents[1]:
        yield Finding("broken", f"The name g4f leads to {package}, which is not g4f-core: rename or move it.")
    elif not is_ours(package) and CORE not in installed:
        yield Finding("broken", f"The files in {package} are not those of g4f-core: {_say_how_to_mend(installed)}.")
    if CORE in installed:
        yield from _check_files(installed)


def _say_how_to_mend(installed: Mapping[str, metadata.Distribution], between: str = "") -> str:
    names = [name for name in (CORE, CLI) if name == CORE or name in installed]
    folders = " ".join(FOLDERS[name] for name in names)
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
