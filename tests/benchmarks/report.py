"""The figures as tables, a chart and JSON. What was measured and how is left to `bench.py`."""

# ruff: noqa: RUF001 - tables are set with signs that are no letters

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
RAW, FAST, PLAIN = "raw aiohttp + orjson", "g4f [speed]", "g4f"

# The row's title, its item, its figure, the unit, and the gates (with and without the extra `speed`) in multiples of
# the plain client, or where they end in a unit, in that.
ROWS = (
    ("import, CPU", "import", "ms", "ms", 0.6, 0.6),
    ("cold: import to first answer, CPU", "cold", "ms", "ms", 1.25, 1.25),
    ("cold: peak memory", "cold", "mib", "MiB", "44 MiB", "44 MiB"),
    ("64 in flight, CPU a request", "requests 64", "us", "µs", 1.3, 1.4),
    ("512 in flight, CPU a request", "requests 512", "us", "µs", 1.3, 1.4),
    ("one stream of 5,000, CPU a chunk", "stream 5000", "us", "µs", 0.9, 1.3),
    ("200 streams of 200, CPU a chunk", "streams 200", "us", "µs", 1.0, 1.35),
    ("1,000 open streams, memory of each", "memory 1000", "kib", "KiB", 1.2, 1.2),
    ("image of 4 MiB, CPU", "image", "ms", "ms", 1.0, 1.1),
    ("image of 4 MiB, peak memory", "image", "mib", "MiB", "64 MiB", "64 MiB"),
    ("question about 5 MiB, CPU", "vision", "ms", "ms", 1.1, 1.75),
    ("question about 5 MiB, peak memory", "vision", "mib", "MiB", "75 MiB", "75 MiB"),
)
CURVES = (
    ("chunks in a stream", "stream", "us", "µs a chunk", (10, 100, 1000, 10_000)),
    ("messages in the history", "history", "us", "µs a request", (1, 10, 100, 1000)),
    ("open streams", "memory", "kib", "KiB a stream", (10, 100, 500, 2000)),
)


def write_report(results: Mapping[str, Any], peers: Sequence[str], *, keep: bool) -> None:
    """Print the report, and with `keep` put it into docs/performance.md and docs/performance.json."""
    text = "\n\n".join(filter(None, make_parts(results, peers)))
    sys.stdout.write(text + "\n")
    if keep:
        page = DOCS / "performance.md"
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", "utf-8")
        (DOCS / "performance.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")


def make_parts(results: Mapping[str, Any], peers: Sequence[str]) -> Iterator[str]:
    """Yield the parts of the report as Markdown."""
    items = results["items"]
    yield describe(results)
    yield make_gates(items)
    yield make_sync(items)
    yield make_table(items, peers)
    yield make_chart(items, peers)
    yield make_curves(items)
    yield make_providers(items)
    yield "\n".join(f"- {peer} was skipped: {why}" for peer, why in results["skipped"].items())


def describe(results: Mapping[str, Any]) -> str:
    """Say what was measured where."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    request, chunk = results["upstream"]["request_us"], results["upstream"]["chunk_us"]
    return (
        f"Python {results['python']}, {results['cores']} cores. Measured: {versions}. The service itself took "
        f"{request:.1f} µs a request and {chunk:.2f} µs a chunk, in a process of its own: its ceiling is "
        f"{1e6 / request:,.0f} requests or {1e6 / chunk:,.0f} chunks a second."
    )


def make_gates(items: Mapping[str, Any]) -> str:
    """Compare ours with the gates."""
    lines = ["| item | plain aiohttp | g4f `[speed]` | gate | g4f | gate |", "|---|--:|--:|--:|--:|--:|"]
    for title, key, figure, unit, *gates in ROWS:
        found = items.get(key, {})
        if RAW not in found or "skipped" in found[RAW]:
            continue
        cells = [f"{_round(found[RAW][figure])} {unit}"]
        for name, gate in zip((FAST, PLAIN), gates, strict=True):
            cells += [_show(found.get(name, {}), figure, unit), _judge(found.get(name, {}), figure, gate)]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def _show(found: Mapping[str, Any], figure: str, unit: str) -> str:
    if figure not in found:
        return "–"
    return f"{_round(found[figure])} {unit}, {found['ratio'][figure]:.2f}×"


def _judge(found: Mapping[str, Any], figure: str, gate: float | str) -> str:
    if figure not in found:
        return "–"
    if isinstance(gate, str):
        return f"{gate} {_mark(found[figure] <= float(gate.split()[0]))}"
    return f"{gate:g}× {_mark(found['ratio'][figure] <= gate)}"


def _mark(met: bool) -> str:
    return "met" if met else "**missed**"


def _round(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def make_sync(items: Mapping[str, Any]) -> str:
    """Say what the synchronous client adds."""
    lines = ["| synchronous client | added to a call | gate | a chunk against the asynchronous one | gate |"]
    lines.append("|---|--:|--:|--:|--:|")
    for name, found in items.get("sync", {}).items():
        if "skipped" not in found:
            added, ratio = found["added_us"], found["chunk_ratio"]
            lines.append(
                f"| {name} | {added:.0f} µs | 80 µs {_mark(added <= 80)} | {ratio:.2f}× | 2× {_mark(ratio <= 2)} |"
            )
    return "\n".join(lines) if len(lines) > 2 else ""


def make_table(items: Mapping[str, Any], peers: Sequence[str]) -> str:
    """Compare all clients."""
    if len(peers) <= 3:
        return ""
    lines = [f"| item | {' | '.join(peers)} |", f"|---|{'--:|' * len(peers)}"]
    for title, key, figure, unit, *_ in ROWS[1:]:
        if key in items:
            cells = [_show_peer(items[key].get(peer, {}), figure, unit) for peer in peers]
            lines.append(f"| {title}, {unit} | {' | '.join(cells)} |")
    notes = {
        f"{peer}, {key}: {found['skipped']}"
        for key, row in items.items()
        for peer, found in row.items()
        if "skipped" in found
    }
    return "\n".join(lines) + (
        "\n\nNot measured:\n\n" + "\n".join(f"- {note}" for note in sorted(notes)) if notes else ""
    )


def _show_peer(found: Mapping[str, Any], figure: str, unit: str) -> str:
    if figure not in found:
        return "–"
    ratio = found.get("ratio", {}).get(figure)
    return f"{_round(found[figure])}{'' if ratio is None else f' ({ratio:.1f}×)'}"


def make_chart(items: Mapping[str, Any], peers: Sequence[str]) -> str:
    """Draw the cost of a request as bars of text."""
    row = items.get("requests 64", {})
    found = [(peer, row[peer]["us"]) for peer in peers if "us" in row.get(peer, {})]
    if not found:
        return ""
    most, width = max(us for _, us in found), max(len(peer) for peer, _ in found)
    bars = [f"{peer:<{width}}  {'█' * max(1, round(56 * us / most))} {us:,.0f}" for peer, us in found]
    return "CPU time of a request with 64 in flight, µs:\n\n```text\n" + "\n".join(bars) + "\n```"


def make_curves(items: Mapping[str, Any]) -> str:
    """Show how cost grows."""
    parts = []
    for title, name, figure, unit, sizes in CURVES:
        rows = [(size, items[f"{name} {size}"]) for size in sizes if f"{name} {size}" in items]
        if len(rows) < len(sizes):
            continue
        lines = [f"| {title} | plain aiohttp, {unit} | g4f `[speed]` | g4f |", "|--:|--:|--:|--:|"]
        for size, row in rows:
            cells = [_show_peer(row.get(peer, {}), figure, "") for peer in (RAW, FAST, PLAIN)]
            lines.append(f"| {size:,} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def make_providers(items: Mapping[str, Any]) -> str:
    """Show what installed providers cost that are not used."""
    lines = ["| installed providers | first request, ms | later requests, µs | provider packages imported |"]
    lines.append("|--:|--:|--:|--:|")
    for key, row in items.items():
        if key.startswith("providers ") and "first_ms" in row.get(FAST, {}):
            found = row[FAST]
            lines.append(
                f"| {int(key.split()[1]):,} | {found['first_ms']:.1f} | {found['us']:.0f} | {found['imported']:.0f} |"
            )
    return "\n".join(lines) if len(lines) > 2 else ""
