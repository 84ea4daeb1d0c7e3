"""What the installed providers are and lack, stored keys included; the survey itself is the core's `g4f_doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from g4f_cli.keys import KeyStore, read_store

if TYPE_CHECKING:
    from g4f.registry import Registry
    from g4f_doctor import ProviderReport


def survey(registry: Registry) -> Iterator[ProviderReport]:
    """Describe every installed provider; none is imported."""
    from g4f_doctor import survey_providers

    store = read_store()
    for report in survey_providers(registry):
        yield report._replace(state="ready", reason="") if _has_stored(registry, report, store) else report


def _has_stored(registry: Registry, report: ProviderReport, store: KeyStore) -> bool:
    """Tell whether a provider lacks only a key, and that is stored."""
    from g4f.credentials import has_access

    if report.state != "needs" or store.find(report.name) is None:
        return False
    manifest = registry.read_manifest(registry.find(report.name))
    return has_access(manifest, variables={**os.environ, **dict.fromkeys(manifest.auth.variables, "stored")})
