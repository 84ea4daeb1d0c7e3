"""The dialects that the server speaks, by the names that manifests call them, and the finding of others."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from g4f.errors import InvalidInputError
from g4f_testkit.dialect import Dialect
from g4f_testkit.dialects.anthropic import AnthropicDialect
from g4f_testkit.dialects.gemini import GeminiDialect
from g4f_testkit.dialects.openai import OpenaiDialect

DIALECTS: Mapping[str, Dialect] = {
    "openai": OpenaiDialect(),
    "anthropic": AnthropicDialect(),
    "gemini": GeminiDialect(),
}


def load_dialect(name: str) -> Dialect:
    """Return the dialect that is called `openai`, `anthropic` or `gemini`, or `path.py:Class`, or `module:Class`.

    Raises:
        InvalidInputError: There is none.
    """
    if name in DIALECTS:
        return DIALECTS[name]
    module, _, attribute = name.rpartition(":")
    try:
        return cast(Dialect, getattr(_import_module(module), attribute)())
    except (ImportError, AttributeError, OSError, ValueError) as error:
        known, why = ", ".join(DIALECTS), f" ({error})" if module else ""
        raise InvalidInputError(f"There is no dialect {name!r}{why}: name {known}, or path.py:Class.") from None


def _import_module(name: str) -> Any:
    if not name.endswith(".py"):
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(Path(name).stem, name)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
