"""Text on its way to a terminal: whole characters, and no control sequences of a stranger. Pure."""

from __future__ import annotations

import re

# All control characters but tab, line feed and carriage return: a terminal obeys some of them.
_CONTROLS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A, 0x0D)
}


def hide_controls(text: str) -> str:
    """Return `text` without what could move a terminal's cursor, set its title or fill its clipboard."""
    return text.translate(_CONTROLS)


def take_whole(text: str) -> tuple[str, str]:
    """Split off the half of a character that stands at the end, its other half being still on the way."""
    if text and "\ud800" <= text[-1] <= "\udbff":
        return _join_surrogates(text[:-1]), text[-1]
    return _join_surrogates(text), ""


def _join_surrogates(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def read_text(data: bytes) -> str:
    """Read the text of a file or pipe; what is no UTF-8 becomes replacement characters."""
    return data.decode("utf-8-sig", "replace")


def clean_argument(text: str) -> str:
    """Return a word of the command line with bytes that were no text replaced: no service takes half characters."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def shorten(text: str, limit: int = 1000) -> str:
    """Return `text` on one line and not longer than `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def end_sentence(text: str) -> str:
    """Return `text` with a full stop, unless it ends as a sentence does."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[^\n`]*\n(.*?)(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)


def list_code(text: str) -> list[str]:
    """Return the fenced blocks of code of a Markdown text (CommonMark, 4.5)."""
    return [found[2] for found in _FENCE.finditer(text)]
