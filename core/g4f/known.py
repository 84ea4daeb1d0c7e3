"""What g4f knows about providers that may not be installed, or not exist yet: for messages that say what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

_LISTS = ("iterlistprovider", "retryprovider")  # classes of gpt4free's
_FEW = 8  # names in a message; more are told by where they are listed


@cache
def read_known_providers() -> tuple[dict[str, Any], ...]:
    """Read the data file `known.toml`: name, package (if there is one), variables and models of each provider."""
    import tomllib

    return tuple(tomllib.loads((Path(__file__).parent / "known.toml").read_text("utf-8"))["provider"])


def find_proper_name(nickname: str) -> str | None:
    """Return the name of the provider that a nickname means, as OpenaiChat for OpenAI."""
    rows = (row for row in read_known_providers() if nickname.lower() in _list_names(row)[1:])
    return next((row["name"] for row in rows), None)


def is_known(name: str) -> bool:
    """Tell whether a provider of that name is or will be, installed or not."""
    return any(name.lower() == row["name"].lower() for row in read_known_providers())


def describe_missing_provider(name: str, installed: Iterable[str]) -> str:
    """Say that no provider of that name is installed, what is, and what to install."""
    if name.lower() in _LISTS:
        return f"There is no {name}: write the providers as a list, as provider=['OpenaiChat', 'Local']."
    installed = list(installed)
    known = next((row for row in read_known_providers() if name.lower() in _list_names(row)), None)
    have = _list_installed(installed)
    if known is None:
        return f"There is no provider {name!r}.{_guess_meant(name, installed)} {have}{_list_others(installed)}"
    if known["name"].lower() in map(str.lower, installed):
        return f"There is no provider {name!r}. It is called {known['name']} here."
    if "package" not in known:
        return f"{_describe_planned(known)} {have}"
    return f"The provider {known['name']} is not installed: {describe_installing(known['package'])}. {have}"


def describe_installing(package: str) -> str:
    """Say what to install and where it is: a bare name, handed to pip, could bring a stranger's package."""
    return f"install {package} (from a checkout: pip install ./plugins/{package})"


def _describe_planned(row: dict[str, Any]) -> str:
    return f"There is no provider package for {row['name']} yet."


def _guess_meant(name: str, installed: Iterable[str]) -> str:
    from difflib import get_close_matches

    by_lower = {known: row["name"] for row in _list_existing() for known in _list_names(row)}
    by_lower |= {known.lower(): known for known in installed}
    close = dict.fromkeys(by_lower[found] for found in get_close_matches(name.lower(), by_lower, 3, cutoff=0.7))
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _list_installed(installed: Sequence[str]) -> str:
    if len(installed) > _FEW:
        return f"{len(installed)} are installed: `python -m g4f_doctor` lists them."
    return f"Installed: {', '.join(installed) or 'none'}."


def _list_others(installed: Iterable[str]) -> str:
    """Name what else there is; all of it only to who has nothing yet."""
    have = frozenset(map(str.lower, installed))
    others = [row["name"] for row in _list_existing() if row["name"].lower() not in have]
    return f" Others that can be installed: {join_some(others, _FEW if have else len(others))}." if others else ""


def join_some(names: Sequence[str], limit: int = _FEW) -> str:
    """Return names as a text, of which many are too long for a message."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _list_existing() -> list[dict[str, Any]]:
    return [row for row in read_known_providers() if "package" in row]


def describe_missing_model(model: str, capability: str, usable: Iterable[str], offered: Iterable[str] = ()) -> str:
    """Say that no usable provider serves the model, what may be meant, and what to install or set so that one does."""
    usable = list(usable)
    rows = [row for row in read_known_providers() if _serves(row, model)]
    hints = [_describe_way(row, frozenset(usable)) for row in rows if "package" in row]
    planned = [f" {_describe_planned(row)}" for row in rows if "package" not in row]
    kind = "image model" if capability == "image" else "model"
    ways = "; or ".join(hints[:3]) or ("" if planned else "name one with provider=…")
    meant = guess_model(model, offered)
    how = f" To use it {ways}." if ways else "".join(planned)
    return (
        f"No provider that can be used here serves the {kind} {model!r}.{meant}{_describe_prefix(model, usable)}{how}"
    )


def guess_model(model: str, offered: Iterable[str]) -> str:
    """Return " Did you mean …?" with the names among those offered that are near, else hold the word, or nothing."""
    from difflib import get_close_matches

    wanted = model.lower()
    by_lower = {name.lower(): name for name in offered}
    close = get_close_matches(wanted, by_lower, 3, cutoff=0.7)
    if not close and len(wanted) > 2:
        close = [name for name in by_lower if wanted in name][:3]
    return f" Did you mean {' or '.join(by_lower[name] for name in close)}?" if close else ""


def _describe_prefix(model: str, installed: Iterable[str]) -> str:
    """Say that what stands before the slash is no provider; it may be a part of the model's name all the same."""
    prefix, slash, _ = model.partition("/")
    if not slash or prefix.lower() in map(str.lower, installed):
        return ""
    known = any(prefix.lower() in _list_names(row) for row in read_known_providers())
    return f" {describe_missing_provider(prefix, installed)}" if known else f" There is no provider {prefix!r}."


def _describe_way(row: dict[str, Any], installed: frozenset[str]) -> str:
    variables = " or ".join(row.get("variables", ()))
    setting = f"set {variables}" if variables else f"pass provider={row['name']!r}"
    return setting if row["name"] in installed else f"{describe_installing(row['package'])} and {setting}"


def _list_names(row: dict[str, Any]) -> tuple[str, ...]:
    return (row["name"].lower(), *(alias.lower() for alias in row.get("aliases", ())))


def _serves(row: dict[str, Any], model: str) -> bool:
    return any(fnmatchcase(model.lower(), pattern) for pattern in row.get("models", ()))
