"""What the doctor found, as values for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

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

    @property
    def usable(self) -> bool:
        """Whether it works, or will with the key or address that it lacks."""
        return self.state in ("ready", "needs")


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


def format_json(report: Report) -> str:
    """Return the report as JSON for programs."""
    return json.dumps(report.to_dict(), indent=2)
