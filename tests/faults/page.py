"""Writes the page of faults that users read, from the table that the tests go through.

`.venv/bin/python tests/faults/page.py` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

if __name__ == "__main__":  # as pytest has it
    sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.table import SECTIONS, End, Row

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
NAMES = {"openai": "OpenaiChat", "anthropic": "Anthropic", "gemini": "Gemini"}
HEAD = """\
# Faults

What comes of a call when the service, the network or a proxy fails: for a whole answer (of a chat, pictures or
embeddings), and for a stream. Each row is tested with OpenaiChat, Anthropic and Gemini, and one of each kind with the
synchronous client; [Reliability](../reliability.md) says how. This page is written by `tests/faults/page.py`.

*The answer* is the whole and correct answer. An error comes within the call's deadline and one second more; "after what
came" means that the text so far was delivered, and is in the error's `partial`. *n* requests are what a client with
`max_retries=2` sends.
"""


def write_page() -> str:
    """Return the page."""
    return "\n".join(
        [HEAD, *(line for title, rows in SECTIONS.items() for line in _write_section(title, rows.values()))]
    )


def _write_section(title: str, rows: Iterable[Row]) -> Iterator[str]:
    rows = list(rows)
    told = {"whole": "a whole answer", "streamed": "a stream"}
    modes = [mode for mode in told if any(_tell(row, mode) for row in rows)]
    yield from (f"## {title}", "", f"| what happens | {' | '.join(told[mode] for mode in modes)} |")
    yield f"|---|{'---|' * len(modes)}"
    for row in rows:
        yield f"| {row.title.replace('|', '/')} | {' | '.join(_tell(row, mode) for mode in modes)} |"
    yield ""


def _tell(row: Row, mode: str) -> str:
    """Say how it ends, and where that is otherwise."""
    usual = row.whole if mode == "whole" else row.streamed
    if usual is None:
        return ""
    tries = f", {row.requests} request{'s' * (row.requests > 1)}" if row.retries and row.requests else ""
    others = [f"; {NAMES[key.split()[0]]}: {_name(end)}" for key, end in row.but.items() if key.endswith(mode)]
    only = "" if len(row.only) == len(NAMES) else f" ({', '.join(NAMES[dialect] for dialect in row.only)})"
    return f"{_name(usual)}{tries}{''.join(others)}{only}"


def _name(end: End) -> str:
    if end.error is None:
        return "the answer"
    return f"`{end.error.__name__}`" + {"none": "", "some": " after what came", "all": " after what came"}[end.heard]


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
