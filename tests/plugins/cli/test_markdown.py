from __future__ import annotations

import os
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from g4f_cli.markdown import make_markdown, split_last_block
from loopback import CUT, STALL, make_chunk, make_completion, reply_events, reply_json
from plugins.cli.program import Program

TEXT = (
    """# Title

Some *text* with `code`, a <div> and a [link](https://host.example/x).

1. one
2. two

```python
"""
    + "".join(f"print({number})\n" for number in range(40))
    + """```

The **end**, with 日本語 and 👍.
"""
)
posix = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")


def stream(text: str, *, size: int = 7) -> list[object]:
    """The events of an answer in small pieces."""
    return [make_chunk(text[at : at + size]) for at in range(0, len(text), size)]


@posix
@pytest.mark.parametrize(("rows", "columns"), [(24, 80), (10, 40)])
def test_an_answer_is_markdown_on_a_terminal(program: Program, rows: int, columns: int) -> None:
    """All of it can be scrolled back to, once, whatever the height; a link's address is seen."""
    program.serve(reply_events(*stream(TEXT), make_chunk(None, "stop")))
    terminal = program.open("-p", "Service", "hi", rows=rows, columns=columns)
    assert terminal.wait() == 0
    words = [line.strip() for line in terminal.lines]
    assert words[0].strip("┃ ") == "Title"
    assert "Some text with code, a <div> and a link" in " ".join(words)
    assert "(https://host.example/x)" in " ".join(words)
    assert [word for word in words if word.startswith("print")] == [f"print({number})" for number in range(40)]
    assert words[-1] == "The end, with 日本語 and 👍."
    assert "\x1b[?25h" in terminal.raw.rpartition("\x1b[?25l")[2]  # the cursor is there again


def test_a_narrow_terminal_cuts_no_cells() -> None:
    """They go on in the next line."""
    written = StringIO()
    console = Console(width=20, file=written)
    console.print(make_markdown("| Name | Meaning |\n|---|---|\n| antidisestablishment | incomprehensibilities |"))
    columns = [line.split() for line in written.getvalue().splitlines()]
    assert "…" not in written.getvalue()
    assert "antidisestablishment" in "".join(words[0] for words in columns if words)


@posix
def test_lines_stay_lines(program: Program) -> None:
    """Those of a poem, as of an address; Markdown would join them."""
    program.serve(reply_events(*stream("Roses are red\nViolets are blue"), make_chunk(None, "stop")))
    terminal = program.open("-p", "Service", "hi")
    assert terminal.wait() == 0
    assert [line.strip() for line in terminal.lines][:2] == ["Roses are red", "Violets are blue"]


@posix
def test_a_piece_is_seen_before_the_next_comes(program: Program) -> None:
    """Also in the middle of a block."""
    program.serve(reply_events(make_chunk("The **first** words"), STALL))
    program.open("-p", "Service", "hi").wait_for("The first words")


@posix
def test_no_color_is_heeded(program: Program) -> None:
    """And a terminal that cannot draw gets the text as it is; so does one that is asked to."""
    program.serve(reply_events(*stream("```python\nprint(1)\n```\n**bold**"), make_chunk(None, "stop")))
    for options, variables in (([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"}), (["--plain"], {})):
        terminal = program.open("-p", "Service", "hi", *options, **variables)
        assert terminal.wait() == 0
        assert "\x1b[3" not in terminal.raw
        assert ("**bold**" in terminal.text) == ("NO_COLOR" not in variables)


@posix
def test_a_whole_answer_is_markdown_too(program: Program) -> None:
    """With --no-stream; JSON never is."""
    program.serve(reply_json(make_completion("**bold**")))
    terminal = program.open("-p", "Service", "--no-stream", "hi")
    assert terminal.wait() == 0
    assert terminal.lines == ["bold"]
    assert "**bold**" in program.run("-p", "Service", "--json", "hi").out


@posix
def test_an_answer_that_is_cut_leaves_its_text_and_the_cursor(program: Program) -> None:
    """The error follows on a line of its own."""
    program.serve(reply_events(make_chunk("Half an *answ"), 0.3, CUT))
    terminal = program.open("-p", "Service", "hi")
    assert terminal.wait() == 1
    assert terminal.lines[0] == "Half an *answ"
    assert terminal.lines[1].startswith("Error: Service")
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


@posix
def test_ctrl_c_leaves_the_text_and_the_cursor(program: Program) -> None:
    """The exit code is 130."""
    program.serve(reply_events(make_chunk("The *first* words"), STALL))
    terminal = program.open("-p", "Service", "hi")
    terminal.wait_for("The first words")
    terminal.interrupt()
    assert terminal.wait() == 130
    assert terminal.lines == ["The first words", "Note: Stopped."]
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


@posix
def test_a_stranger_does_not_command_the_terminal(program: Program) -> None:
    """An answer's control characters are shown as what they are: nothing."""
    program.serve(reply_events(make_chunk("a\x1b]0;title\x07b\x1b[2Jc"), make_chunk(None, "stop")))
    terminal = program.open("-p", "Service", "hi")
    assert terminal.wait() == 0
    assert "\x1b]0" not in terminal.raw
    assert "\x1b[2J" not in terminal.raw
    assert terminal.lines == ["a\ufffd]0;title\ufffdb\ufffd[2Jc"]


@given(st.text(alphabet="ab#*`-|1. >\n~=", max_size=80))
def test_splitting_loses_nothing(text: str) -> None:
    """Whatever the blocks are; what is complete does not change with what follows."""
    complete, tail = split_last_block(text)
    assert complete + tail == text
    assert complete == "" or complete.endswith("\n")


@pytest.mark.parametrize(
    ("text", "tail"),
    [
        ("one\n\ntwo", "two"),
        ("one\ntwo", "one\ntwo"),
        ("a\n\n- b\n- c\n\n  d", "- b\n- c\n\n  d"),
        ("a\n\n```\nb\n\nc\n", "```\nb\n\nc\n"),
        ("```\nb\n```\n\nc", "c"),
        ("| a |\n|---|\n| b |", "| a |\n|---|\n| b |"),
        ("", ""),
    ],
)
def test_the_last_block_may_still_grow(text: str, tail: str) -> None:
    """A list, a table and a fence are one block."""
    assert split_last_block(text)[1] == tail
