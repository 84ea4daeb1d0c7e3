"""Writes an answer to a terminal as Markdown while it comes; a pipe gets it plain, by `terminal.AnswerWriter`.

A block that is complete is printed for good, and only the last one is drawn anew as it grows: so what was said can be
scrolled back to, whatever the height of the terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import ClassVar, Self

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.segment import Segment, Segments
from rich.table import Table
from rich.text import Text

from g4f_cli.terminal import hide_interrupt_mark
from g4f_cli.text import hide_controls, take_whole

_SECONDS_BETWEEN_SPLITS = 0.1
_DRAWINGS_A_SECOND = 10
# Not HTML, which nobody could see: what a model writes of a <div> is to be read.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


class MarkdownWriter:
    """Takes an answer piece by piece; see `AnswerWriter`, whose place it takes on a terminal.

    Raises:
        OutputError: The terminal cannot be written.
    """

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self.text = ""
        self._drawing = ExitStack()
        self._draws = False
        self._tail = ""
        self._held = ""
        self._printed = False
        self._split_at = 0.0

    def __enter__(self) -> Self:
        return self

    def write(self, text: str) -> None:
        """Take a piece; half a character is held back until its other half comes."""
        self.text += text
        whole, self._held = take_whole(self._held + text)
        self._tail += hide_controls(whole.replace("\r\n", "\n").replace("\r", "\n"))
        if not self._draws and self._tail.strip():
            self._begin()
        now = time.monotonic()
        if "\n" in whole and now - self._split_at > _SECONDS_BETWEEN_SPLITS:
            self._split_at = now
            self._print_complete_blocks()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Print the last block for good, also where the answer was cut."""
        self._drawing.close()
        self._print(self._tail)

    def _begin(self) -> None:
        self._draws = True
        self._drawing.enter_context(hide_interrupt_mark())
        live = Live(
            console=self._console,
            get_renderable=self._draw_tail,
            refresh_per_second=_DRAWINGS_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._drawing.enter_context(live)

    def _print_complete_blocks(self) -> None:
        complete, self._tail = split_last_block(self._tail)
        self._print(complete)

    def _print(self, text: str) -> None:
        if text.strip():
            self._console.print(self._render(text), end="")
            self._printed = True

    def _draw_tail(self) -> RenderableType:
        """Return what is drawn of the last block: its end as it came, where it is higher than the terminal."""
        height = self._console.height - 2
        if len(self._console.render_lines(Text(self._tail))) > height:
            lines = self._tail.splitlines()[-height:]
            return Text("\n".join(lines), overflow="ellipsis", no_wrap=True)
        return self._render(self._tail)

    def _render(self, text: str) -> Segments:
        """Return Markdown as lines, with one empty line between it and what was printed before."""
        lines = self._console.render_lines(make_markdown(text), pad=False)
        whole = [at for at, line in enumerate(lines) if any(segment.text.strip() for segment in line)]
        shown = lines[whole[0] : whole[-1] + 1] if whole else []
        return Segments([*([Segment.line()] if self._printed else []), *_join_lines(shown)])


def _join_lines(lines: Iterable[list[Segment]]) -> Iterator[Segment]:
    """Yield the segments of lines, each line ended."""
    for line in lines:
        yield from line
        yield Segment.line()


class _WholeTable(TableElement):
    """A table whose cells go on in the next line where their columns are too narrow; rich's own cuts them."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                for column in table.columns:
                    column.overflow = "fold"
            yield table


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": _WholeTable}


def make_markdown(text: str) -> Markdown:
    """Return text to be printed as Markdown; where a link leads stands beside it."""
    markdown = _Markdown("", code_theme="ansi_dark", hyperlinks=False)
    markdown.parsed = _PARSER.parse(text)
    for token in markdown.parsed:
        for part in token.children or ():
            if part.type == "softbreak":  # Markdown joins such lines, and so would poems and addresses be joined
                part.type = "hardbreak"
    return markdown


def split_last_block(text: str) -> tuple[str, str]:
    """Split Markdown before its last block, which may still grow."""
    starts = [token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map]
    at = 0
    for _ in range(starts[-1] if starts else 0):
        at = text.index("\n", at) + 1
    return text[:at], text[at:]
