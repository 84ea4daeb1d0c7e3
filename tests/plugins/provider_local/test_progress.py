from __future__ import annotations

import io

import pytest

from g4f_provider_local.progress import ProgressLine


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


def test_a_terminal_sees_one_line_that_changes() -> None:
    """And a line end when it is over."""
    stream = Terminal()
    with ProgressLine("Model", stream) as progress:
        progress(0, 2_000_000, "from here")
        progress(2_000_000, 2_000_000, "complete")
    assert stream.getvalue().split("\r") == ["", "Model: 0 % of 2 MB, from here", "Model: 100 % of 2 MB, complete\n"]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [(36, "Model: 50 % of 2 MB, from here"), (30, "Model: 50 % of 2 MB"), (19, "50 % of 2 MB"), (9, "50 % of ")],
)
def test_a_narrow_terminal_sees_one_line_too(columns: int, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What matters least is left out; what goes back for a moment is not shown."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("g4f_provider_local.progress._REDRAW_SECONDS", 0.0)
    stream = Terminal()
    with ProgressLine("Model", stream) as progress:
        progress(1_000_000, 2_000_000, "from here")
        progress(900_000, 2_000_000, "from here")
    assert stream.getvalue().split("\r") == ["", shown, f"{shown}\n"]


def test_a_log_sees_few_lines() -> None:
    """One where something else begins, however often it is told."""
    stream = io.StringIO()
    with ProgressLine("Model", stream) as progress:
        for done in range(1000):
            progress(done, 1000, "from here")
        progress(1000, 1000, "complete")
    assert stream.getvalue().splitlines() == ["Model: 0 % of 0 MB, from here", "Model: 100 % of 0 MB, complete"]


def test_nothing_to_tell_writes_nothing() -> None:
    """Weights that are there are not announced."""
    stream = Terminal()
    with ProgressLine("Model", stream):
        pass
    assert stream.getvalue() == ""


def test_a_program_without_a_console_is_served_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, standard error is None."""
    monkeypatch.setattr("sys.stderr", None)
    with ProgressLine("Model") as progress:
        progress(0, 10, "from here")
