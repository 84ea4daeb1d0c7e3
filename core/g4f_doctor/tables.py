"""Tables of text, as wide as the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from textwrap import wrap

_LEAST_ROOM = 20  # columns; a text that gets less is hard to read


def find_width() -> int | None:
    """Return how many columns the terminal has; None where standard output is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def format_table(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return rows as text with aligned columns; the last one may be of any length.

    Args:
        rows: The cells, those of the header first.
        width: The columns of the terminal: the last column is wrapped there, or where nearly nothing is left for it,
            rows are written as paragraphs.
    """
    *widths, _ = (max(map(len, column)) + 2 for column in zip(*rows, strict=True))
    room = sys.maxsize if width is None else width - sum(widths)
    if width is None or room >= _LEAST_ROOM:
        return [_format_line(row, widths, room) for row in rows]
    header, *others = rows
    return ["  ".join(header[:2]), *(_format_paragraph(header, row, width) for row in others)]


def _format_line(row: Sequence[str], widths: Sequence[int], room: int) -> str:
    *cells, last = row
    start = "".join(cell.ljust(size) for cell, size in zip(cells, widths, strict=True))
    lines = wrap(last, room, break_on_hyphens=False)
    return f"\n{' ' * len(start)}".join([start + "".join(lines[:1]), *lines[1:]]).rstrip()


def _format_paragraph(header: Sequence[str], row: Sequence[str], width: int) -> str:
    rest = "; ".join(f"{name.lower()}: {cell}" for name, cell in zip(header[2:], row[2:], strict=True) if cell)
    return "\n".join([*wrap("  ".join(row[:2]), width, subsequent_indent="    "), *wrap_below(rest, width)])


def wrap_below(text: str, width: int | None) -> list[str]:
    """Return a text as indented lines, to stand below a row."""
    return wrap(text, width or sys.maxsize, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
