"""What a new provider's package consists of: the files in `templates/`, with its names filled in.

Their names end in `.tmpl`, because as Python they would be broken until then.

Texts only; where they are written is left to `commands/new_provider.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from string import Template

DIALECTS = ("openai", "custom")
SUFFIX = ".tmpl"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,49}")
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def is_provider_name(name: str) -> bool:
    """Tell whether a text can be a provider's name, its class's and a part of its package's."""
    return _NAME.fullmatch(name) is not None


def derive_names(name: str, base_url: str, year: int) -> Mapping[str, str]:
    """Return what the templates speak of: `BigCloud` becomes `g4f-provider-big-cloud` and `BIG_CLOUD_API_KEY`."""
    stem = _WORD_START.sub("_", name).lower()
    return {
        "name": name,
        "stem": stem,
        "module": f"g4f_provider_{stem}",
        "distribution": f"g4f-provider-{stem.replace('_', '-')}",
        "variable": stem.upper(),
        "base_url": base_url.rstrip("/"),
        "year": str(year),
    }


def render_package(dialect: str, names: Mapping[str, str]) -> Mapping[PurePosixPath, str]:
    """Return the files of a package, by their paths in its folder."""
    templates = files("g4f_cli") / "templates"
    return {
        PurePosixPath(_fill(str(path), names)): _fill(text, names)
        for part in ("shared", dialect)
        for path, text in _walk(templates / part, PurePosixPath())
    }


def _walk(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _walk(entry, path / entry.name)
        else:
            yield path / entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")


def _fill(text: str, names: Mapping[str, str]) -> str:
    return Template(text).substitute(names)
