"""The settings that come from the environment, read once; what belongs to a provider is left to `credentials.py`."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from g4f.errors import InvalidInputError


class Environment(NamedTuple):
    """What the user set for g4f as a whole.

    Attributes:
        providers: `G4F_PROVIDERS`: names in the order in which providers are preferred, separated by commas.
        plugins: `G4F_PLUGINS`: the only distributions whose providers may be loaded ("none" loads none).
        blocked: `G4F_BLOCK`: distributions whose providers may not be loaded, or providers.
        media_folder: `G4F_MEDIA_DIR`: where generated images are saved.
        log_level: `G4F_LOG`: `info` or `debug`.
    """

    providers: tuple[str, ...] = ()
    plugins: frozenset[str] | None = None
    blocked: frozenset[str] = frozenset()
    media_folder: str = "generated_images"
    log_level: str | None = None

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> Environment:
        """Read the variables."""
        allowed = variables.get("G4F_PLUGINS", "").strip()
        names = frozenset(map(normalize_name, _split(allowed)))
        return cls(
            providers=tuple(_split(variables.get("G4F_PROVIDERS", ""))),
            plugins=None if not allowed else names - {"none"},
            blocked=frozenset(map(normalize_name, _split(variables.get("G4F_BLOCK", "")))),
            media_folder=variables.get("G4F_MEDIA_DIR") or "generated_images",
            log_level=variables.get("G4F_LOG", "").strip().lower() or None,
        )


def normalize_name(distribution: str) -> str:
    """Return a distribution's name in the one spelling of the packaging specification (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def show_log(level: str | None) -> None:
    """Write the log of g4f to stderr as `G4F_LOG` asks, unless the program has set up that logger itself.

    Raises:
        InvalidInputError: The level is unknown.
    """
    if level is None:
        return
    if level not in ("info", "debug"):
        raise InvalidInputError(f"G4F_LOG must be info or debug, not {level!r}.")
    logger = logging.getLogger("g4f")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(level.upper())


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
