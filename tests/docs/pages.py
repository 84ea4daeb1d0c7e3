"""The Markdown pages of the project, and the blocks of code in them as what a reader does with them.

A comment before a fence says what cannot be seen from the block: `<!-- not run: reason -->`, or `<!-- local model -->`
for a program that asks the real local model. As its wording varies, `<!-- must contain: Paris, Rome -->` before the
text that it prints names the words that must come, in that order. A page that begins with `<!-- session -->` is
followed from its top to its end, as a reader does: its files are written, its commands run. So is the page of each
package in plugins/, in a checkout.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Literal

import attrs

Place = Literal["outside", "open", "inside", "close"]
ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^( *)(`{3,})([\w+-]*)\s*$")
_COMMENT = re.compile(r"^<!-- *(not run|local model|must contain|session)(?:: *(.+?))? *-->$")
_FILE = re.compile(r"^# file: (\S+)$")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@attrs.frozen
class Block:
    """One fenced block.

    Attributes:
        page: The page's path in the project.
        line: The line of its opening fence.
        language: What the fence says: `python`, `sh`, `text` …
        code: What is inside.
        not_run: Why it cannot be run, if it cannot.
        local: Whether it asks the real local model.
        output: What it must print: the `text` block that follows it.
        must_contain: Words that must be in what it prints, where the wording of `output` may vary.
    """

    page: str
    line: int
    language: str
    code: str
    not_run: str | None = None
    local: bool = False
    output: str | None = None
    must_contain: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The path that its first line `# file: …` names."""
        match = _FILE.match(self.code.partition("\n")[0])
        return match[1] if match else None


@attrs.frozen
class Page:
    """One page: its text, and its blocks in their order."""

    path: str
    text: str
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return self.path

    @property
    def local(self) -> bool:
        """Whether a block of it asks the real local model."""
        return any(block.local for block in self.blocks)

    @property
    def is_session(self) -> bool:
        """Whether its commands build on each other."""
        return "<!-- session -->" in self.text or self.needs_checkout

    @property
    def needs_checkout(self) -> bool:
        """Whether its commands are for the folder of a checkout."""
        return self.path.startswith("plugins/")

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        return "\n".join(line for line, place in mark_lines(self.text) if place == "outside")

    @property
    def headings(self) -> list[str]:
        """The headings, without their marks."""
        return [line.lstrip("# ") for line in self.prose.splitlines() if re.match(r"#{1,6} ", line)]

    @property
    def links(self) -> list[str]:
        """The targets of its links, and of its pictures."""
        return _LINK.findall(self.prose)


def read_pages() -> list[Page]:
    """Read every page that people read: at the top, in docs/, and of each plugin."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md")]
    return [read_page(path) for path in sorted(found)]


def read_page(path: Path) -> Page:
    """Read one page."""
    return make_page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def make_page(path: str, text: str) -> Page:
    """Make a page of its text."""
    return Page(path, text, tuple(_join_outputs(_read_blocks(path, text))))


def mark_lines(text: str) -> Iterator[tuple[str, Place]]:
    """Yield each line, and where it stands: outside of blocks, or a block's fence or inside."""
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if fence and line.strip() == fence:
            fence = ""
            yield line, "close"
        elif not fence and match:
            fence = match[2]
            yield line, "open"
        else:
            yield line, "inside" if fence else "outside"


def change_prose(text: str, change: Callable[[str], str]) -> str:
    """Return a text with what stands outside of its blocks changed, run by run."""
    runs = groupby(mark_lines(text), key=lambda marked: marked[1] == "outside")
    parts = ((outside, "".join(f"{line}\n" for line, _ in run)) for outside, run in runs)
    return "".join(change(part) if outside else part for outside, part in parts)


def _read_blocks(page: str, text: str) -> Iterator[Block | None]:
    """Yield the blocks; None stands for a heading, which ends what a block may print."""
    lines: list[str] = []
    opening, marks = 0, {}
    for number, (line, place) in enumerate(mark_lines(text), 1):
        if place == "open":
            opening, lines = number, [line]
        elif place == "inside":
            lines.append(line)
        elif place == "close":
            yield _make_block(page, opening, lines, marks)
            marks = {}
        elif comment := _COMMENT.match(line.strip()):
            marks[comment[1]] = comment[2] or ""
        elif line.strip():
            marks = {}
            if line.startswith("#"):
                yield None


def _make_block(page: str, line: int, lines: list[str], marks: dict[str, str]) -> Block:
    match = _FENCE.match(lines[0])
    assert match
    indent = len(match[1])
    code = "".join(f"{inner[indent:]}\n" for inner in lines[1:])
    local = "local model" in marks or page.startswith("plugins/g4f-provider-local/")
    words = tuple(word.strip() for word in marks.get("must contain", "").split(",") if word.strip())
    return Block(page, line, match[3], code, marks.get("not run"), local, must_contain=words)


def _join_outputs(blocks: Iterator[Block | None]) -> Iterator[Block]:
    last: Block | None = None
    for block in blocks:
        if block is not None and block.language == "text" and last is not None:
            last = attrs.evolve(last, output=block.code, must_contain=block.must_contain)
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last


def compare_output(block: Block, printed: str) -> bool:
    """Tell whether a block printed what the page says: the words that must come, or the text with `…` for anything."""
    if block.must_contain:
        return _contains_in_order(block.must_contain, printed)
    pattern = ".*".join(re.escape(part) for part in (block.output or "").strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def _contains_in_order(words: tuple[str, ...], printed: str) -> bool:
    pattern = ".*".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)
    return re.search(pattern, printed, re.DOTALL | re.IGNORECASE) is not None
