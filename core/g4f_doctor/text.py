"""What the doctor found, as text for people."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from g4f_doctor.report import ProviderReport, Report
from g4f_doctor.tables import format_table, wrap_below


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
        where = "from a checkout: pip install ./plugins/g4f-provider-local"
        return f"No provider is installed: install g4f-provider-local ({where}), or another one."
    header = ("PROVIDER", "STATE", "KEY", "GRADE", "MODELS", "DISTRIBUTION", "TITLE", "CAN")
    first, *lines = format_table([header, *(_make_row(provider) for provider in providers)], width)
    shown = [first]
    for line, provider in zip(lines, providers, strict=True):
        why = [] if provider.usable else wrap_below(provider.reason, width)
        shown += [line, *why]
    return "\n".join(shown)


def _make_row(provider: ProviderReport) -> tuple[str, ...]:
    return (
        provider.name,
        f"{provider.state} {provider.reason}".strip() if provider.usable else provider.state,
        _tell_key(provider),
        provider.grade,
        _count_models(provider),
        f"{provider.distribution} {provider.version}".strip(),
        provider.title,
        ", ".join(provider.capabilities),
    )


def _tell_key(provider: ProviderReport) -> str:
    if provider.key or not provider.usable:
        return provider.key or ""
    return "no" if provider.needs_key else "not needed"


def _count_models(provider: ProviderReport) -> str:
    if not provider.usable:
        return ""
    if not provider.more_models:
        return str(provider.models)
    return f"{provider.models}+" if provider.models else "any"
