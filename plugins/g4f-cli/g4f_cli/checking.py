"""What is wrong with the commands that other packages bring, for `g4f doctor`; each is imported only on demand."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from importlib.util import find_spec

from g4f_cli.extensions import NAME, Extension
from g4f_doctor.report import Finding
from g4f_doctor.trial import try_import

_IMPORT_ONE = """
from g4f_cli.extensions import Extension, ExtensionError
try:
    Extension(*words).import_command()
except ExtensionError as error:
    text = error.message
"""


def check_extensions(extensions: Sequence[Extension], own: Container[str], *, import_them: bool) -> Iterator[Finding]:
    """Find the commands that cannot be used.

    Args:
        extensions: All that are installed.
        own: The names of our own commands.
        import_them: Whether each is imported too, in a process of its own, for `IMPORT_SECONDS` at most.
    """
    taken: dict[str, Extension] = {}
    for extension in extensions:
        wrong = _find_fault(extension, own, taken)
        taken.setdefault(extension.name, extension)
        if not wrong and import_them:
            wrong = try_import(f"The command {extension.name} of {extension.distribution}", _IMPORT_ONE, *extension)
        if wrong:
            yield Finding("broken", wrong)


def _find_fault(extension: Extension, own: Container[str], taken: dict[str, Extension]) -> str:
    who = f"{extension.distribution} brings a command {extension.name!r}"
    top, dot, rest = extension.name.partition(".")
    if NAME.fullmatch(top) is None or (dot and NAME.fullmatch(rest) is None):
        return f"{who}, which is no name of one: update it."
    if top in own:
        return f"{who}, which g4f has itself: update or uninstall it."
    if extension.name in taken:
        return f"{who}, which {taken[extension.name].distribution} has already: uninstall one of them."
    rival = next((taken[name] for name in taken if _are_rivals(name, extension.name)), None)
    if rival is not None:
        return f"{who}, and {rival.distribution} one called {rival.name!r}: uninstall one of them."
    package = extension.home.partition(":")[0].partition(".")[0]
    return "" if _is_there(package) else f"{who} in the package {package}, which is not there: reinstall it."


def _are_rivals(one: str, other: str) -> bool:
    """Tell whether one is a command and the other in a group of that name."""
    return one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False
