"""The figures as tables, a chart and JSON. What was measured and how is left to `bench.py`."""

# ruff: noqa: RUF001 - tables are set with signs that are no letters

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
CHART = DOCS / "performance.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
RAW, FAST, PLAIN = "raw aiohttp + orjson", "g4f [speed]", "g4f"
AGAIN = "raw again"  # the plain client as it took turns with the others

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
_TOP, _STEP = 44, 32
_SVG_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 {height}" role="img"
 font-family="system-ui, sans-serif" font-size="14">
<style>
text {{ fill: #707070 }} .own {{ fill: #0f7b6c }} .other {{ fill: #9a9a9a }}
.break {{ stroke: #ffffff; stroke-width: 5 }}
@media (prefers-color-scheme: dark) {{
 text {{ fill: #c8c8c8 }} .own {{ fill: #35c4ae }} .other {{ fill: #7d7d7d }} .break {{ stroke: #0d1117 }}
}}
</style>
<title>CPU time of a request with 64 in flight</title>
<text x="10" y="22" font-weight="600">CPU time of a request with 64 in flight, µs (less is better)</text>"""
CURVES = (
    ("chunks in a stream", "stream", "us", "µs a chunk", (10, 100, 1000, 10_000)),
    ("messages in the history", "history", "us", "µs a request", (1, 10, 100, 1000)),
    ("open streams", "memory", "kib", "KiB a stream", (100, 500, 2000)),
)


def write_report(results: Mapping[str, Any], peers: Sequence[str], *, keep: bool) -> None:
    """Print the report, and with `keep` put it into docs/performance.md, its chart and docs/performance.json."""
    text = "\n\n".join(filter(None, make_parts(results, peers)))
    sys.stdout.write(text + "\n")
    if keep:
        page = DOCS / "performance.md"
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        files = {
            page: f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}",
            CHART: draw_chart(list_bars(results["items"], peers)),
            DOCS / "performance.json": json.dumps(results, indent=1, ensure_ascii=False) + "\n",
        }
        for path, content in files.items():
            path.write_text(content, "utf-8")


def make_parts(results: Mapping[str, Any], peers: Sequence[str]) -> Iterator[str]:
    """Yield the parts of the report as Markdown."""
    items = results["items"]
    yield describe(results)
    yield make_gates(items)
    yield make_sync(items)
    yield make_calls(items)
    yield make_table(items, peers)
    yield make_notes(items)
    yield make_chart(items, peers)
    yield make_curves(items)
    yield make_providers(items)
    yield "\n".join(f"- {peer} was skipped: {why}" for peer, why in results["skipped"].items())


def describe(results: Mapping[str, Any]) -> str:
    """Say what was measured where."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    request, chunk = results["upstream"]["request_us"], results["upstream"]["chunk_us"]
    return (
        f"Python {results['python']}, {results['cores']} cores, on average {results['load']:.1f} programs at work "
        f"in the last quarter of an hour. Measured: {versions}. The service itself took "
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
    if len(peers) <= 3 or not items:
        return ""
    peers = [*peers[:3], AGAIN, *peers[3:]]
    lines = [f"| item | {' | '.join(peers)} |", f"|---|{'--:|' * len(peers)}"]
    for title, key, figure, unit, *_ in ROWS[1:]:
        if key in items:
            cells = [_show_peer(items[key].get(peer, {}), figure, unit) for peer in peers]
            lines.append(f"| {title}, {unit} | {' | '.join(cells)} |")
    return "\n".join(lines) + (
        f"\n\nThe clients right of `{AGAIN}` were measured after ours, and took turns with the plain client once more: "
        "their multiples are of these figures of its, not of those in the first column."
    )


def make_notes(items: Mapping[str, Any]) -> str:
    """Say what was not measured, and why."""
    notes = {
        f"- {peer}, {key}: {found['skipped']}"
        for key, row in items.items()
        for peer, found in row.items()
        if "skipped" in found
    }
    return "\n".join(["Not measured:\n", *sorted(notes)]) if notes else ""


def _show_peer(found: Mapping[str, Any], figure: str, unit: str) -> str:
    if figure not in found:
        return "–"
    ratio = found.get("ratio", {}).get(figure)
    return f"{_round(found[figure])}{'' if ratio is None else f' ({ratio:.1f}×)'}"


def make_chart(items: Mapping[str, Any], peers: Sequence[str]) -> str:
    """Name the chart, which `draw_chart` draws."""
    bars = list_bars(items, peers)
    if not bars:
        return ""
    told = ", ".join(f"{peer} {_round(us)}" for peer, us in bars)
    return f"![CPU time of a request with 64 in flight, µs: {told}]({CHART.name})"


def list_bars(items: Mapping[str, Any], peers: Sequence[str]) -> list[tuple[str, float]]:
    """Return who is in the chart, and what a request costs there, in microseconds."""
    row = items.get("requests 64", {})
    return [(peer, row[peer]["us"]) for peer in peers if "us" in row.get(peer, {})]


def draw_chart(bars: Sequence[tuple[str, float]]) -> str:
    """Draw bars as SVG whose words can be read on a light and on a dark page; a bar far beyond all others is broken."""
    ordered = sorted(us for _, us in bars)
    longest = ordered[-1] if len(ordered) < 2 or ordered[-1] < 3 * ordered[-2] else 1.3 * ordered[-2]
    parts = [_SVG_HEAD.format(height=_TOP + _STEP * len(bars))]
    for at, (peer, us) in enumerate(bars):
        top, width = _TOP + _STEP * at, max(2.0, 470 * min(us, longest) / longest)
        kind = "own" if peer in (FAST, PLAIN) else "other"
        parts.append(f'<text x="170" y="{top + 16}" text-anchor="end">{peer}</text>')
        parts.append(f'<rect class="{kind}" x="180" y="{top}" width="{width:.1f}" height="22" rx="2"/>')
        if us > longest:
            parts.append(f'<path class="break" d="M{172 + width * 0.9:.1f},{top + 26} l8,-30"/>')
        parts.append(f'<text x="{190 + width:.1f}" y="{top + 16}">{_round(us)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def make_curves(items: Mapping[str, Any]) -> str:
    """Show how cost grows."""
    parts = []
    for title, name, figure, unit, sizes in CURVES:
        ours = (RAW, FAST, PLAIN)
        rows = [(size, items.get(f"{name} {size}", {})) for size in sizes]
        rows = [(size, row) for size, row in rows if all(figure in row.get(peer, {}) for peer in ours)]
        if not rows:
            continue
        lines = [f"| {title} | plain aiohttp, {unit} | g4f `[speed]` | g4f |", "|--:|--:|--:|--:|"]
        for size, row in rows:
            cells = [_show_peer(row.get(peer, {}), figure, "") for peer in ours]
            lines.append(f"| {size:,} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
        if len(rows) > 1:
            costs = {
                peer: [(n, row[peer][figure] * (1 if name == "history" else n)) for n, row in rows] for peer in ours
            }
            slopes = (f"{peer} {_describe_slope(found, unit.split()[0])}" for peer, found in costs.items())
            parts.append(f"What one more costs: {'; '.join(slopes)}.")
    return "\n\n".join(parts)


def _describe_slope(found: Sequence[tuple[int, float]], unit: str) -> str:
    """Give the slope of the line through the smallest and the largest size, and how far the others are above it."""
    (least, start), (most, end) = found[0], found[-1]
    slope = (end - start) / (most - least)
    above = max(cost / (start + slope * (size - least)) - 1 for size, cost in found)
    return f"{slope:.2f} {unit} (in between at most {above:.0%} above that line)"


def make_calls(items: Mapping[str, Any]) -> str:
    """Show the function calls, which are the same on every machine."""
    lines = ["| function calls, Python's and C's | a request | a chunk |", "|---|--:|--:|"]
    for peer, found in items.get("calls", {}).items():
        if "skipped" not in found:
            lines.append(f"| {peer} | {found['request']:.0f} | {found['chunk']:.1f} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def make_providers(items: Mapping[str, Any]) -> str:
    """Show what installed providers cost that are not used."""
    rows = [(int(key.split()[1]), row[FAST]) for key, row in items.items() if key.startswith("providers ")]
    rows = [(size, found) for size, found in rows if "skipped" not in found]
    if not rows:
        return ""
    lines = ["| installed providers | first request, ms | later requests, µs | provider packages imported |"]
    lines.append("|--:|--:|--:|--:|")
    lines += [
        f"| {size:,} | {found['first_ms']:.1f} | {found['us']:.0f} | {found['imported']:.0f} |" for size, found in rows
    ]
    parts = ["\n".join(lines)]
    if len(rows) > 1:
        first, later = ([(size, found[name]) for size, found in rows] for name in ("first_ms", "us"))
        slopes = f"the first request {_describe_slope(first, 'ms')}; later ones {_describe_slope(later, 'µs')}"
        parts.append(f"What one more costs: {slopes}.")
    return "\n\n".join(parts)
