"""What the installed providers are and lack, stored keys included; the survey itself is the core's `g4f_doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from g4f_cli.keys import KeyStore, find_place, read_store

if TYPE_CHECKING:
    from g4f.manifest import Manifest
    from g4f.registry import Registry
    from g4f_doctor.report import ProviderReport


def survey(registry: Registry) -> Iterator[ProviderReport]:
    """Describe every installed provider; none is imported."""
    from g4f_doctor.providers import survey_providers

    return add_stored_keys(survey_providers(registry), read_store())


def add_stored_keys(reports: Iterable[ProviderReport], store: KeyStore) -> Iterator[ProviderReport]:
    """Say of each provider whose key is stored where it is, and that it is ready if it lacked nothing else."""
    stored = store.list_names()
    for report in reports:
        yield _add_key(report, store) if report.usable and report.name in stored else report


def _add_key(report: ProviderReport, store: KeyStore) -> ProviderReport:
    from g4f.registry import share_registry

    registry = share_registry()
    manifest = registry.read_manifest(registry.find(report.name))
    known = report._replace(key=find_place(report.name, manifest, store))
    return known._replace(state="ready", reason="") if _lacks_key_alone(report, manifest) else known


def _lacks_key_alone(report: ProviderReport, manifest: Manifest) -> bool:
    from g4f.credentials import has_access

    with_key = {**os.environ, **dict.fromkeys(manifest.auth.variables, "stored")}
    return report.state == "needs" and has_access(manifest, variables=with_key)
