from __future__ import annotations

import subprocess

import pytest

from plugins.cli.program import PIXEL, Program


def test_what_is_piped_in_follows_the_prompt(program: Program) -> None:
    """An empty line stands between them."""
    program.install("Echo")
    assert program.run("-p", "Echo", "Explain", piped=b"some code\n").out == "Echo: Explain\n\nsome code\n"


def test_empty_input_changes_nothing(program: Program) -> None:
    """`</dev/null`, and the empty pipe of a job."""
    program.install("Echo")
    assert program.run("-p", "Echo", "Explain", piped=b" \n").out == "Echo: Explain\n"


def test_a_dash_takes_the_prompt_from_standard_input(program: Program) -> None:
    """A byte order mark is no part of it."""
    program.install("Echo")
    assert program.run("-p", "Echo", "-", piped=b"\xef\xbb\xbfHello").out == "Echo: Hello\n"


def test_what_is_piped_in_may_be_all_there_is(program: Program) -> None:
    """Options and a pipe are a prompt as well."""
    program.install("Echo")
    assert program.run("-p", "Echo", piped=b"Hello").out == "Echo: Hello\n"
    assert program.run(piped=b"Hello", G4F_PROVIDERS="Echo").out == "Echo: Hello\n"


def test_words_after_two_dashes_are_a_prompt(program: Program) -> None:
    """Whatever they look like."""
    program.install("Echo")
    assert program.run("--", "-5", "-", "3", G4F_PROVIDERS="Echo").out == "Echo: -5 - 3\n"


def test_no_prompt_at_all_is_bad_input(program: Program) -> None:
    """The sentence shows how to write one."""
    program.install("Echo")
    done = program.run("-p", "Echo")
    assert (done.code, done.out) == (2, "")
    assert done.err == 'Error: There is no prompt: write one, as g4f "Why is the sky blue?".\n'


def test_a_picture_that_is_piped_in_as_text_is_refused(program: Program) -> None:
    """The sentence says how to attach it."""
    done = program.run("Describe", piped=b"\x89PNG\r\n\x1a\n and more")
    assert (done.code, done.err) == (2, "Error: Standard input is no text: attach it with -a -.\n")


def test_standard_input_is_used_once(program: Program) -> None:
    """Two pictures, or a prompt and a picture, cannot come by it."""
    assert "Only one attachment" in program.run("-a", "-", "-a", "-", "hi").err
    assert program.run("-a", "-", "-").code == 2


def test_a_wait_for_standard_input_is_explained(program: Program) -> None:
    """A pipe that nobody closes looks like a program that hangs."""
    process = program.start("hi", stdin=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"Note: Waiting for the end of standard input")


def test_the_texts_of_files_follow_the_prompt(program: Program) -> None:
    """As what is piped in does, which follows them; several may be named."""
    program.install("Echo")
    for name in ("one", "two"):
        (program.folder / name).write_text(f"text {name}\n")
    done = program.run("-p", "Echo", "-f", "one", "--fragment", "two", "-f", "-", "Explain", piped=b"piped")
    assert done.out == "Echo: Explain\n\ntext one\n\n\ntext two\n\n\npiped\n"
    assert program.run("-p", "Echo", "-f", "one").out == "Echo: text one\n"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere", "nowhere cannot be read: No such file or directory."),
        (".", ". cannot be read: Is a directory."),
        ("cat.png", "cat.png is no text: attach it with -a cat.png."),
        ("https://host.example/a", "https://host.example/a is no file: pipe it in, as curl -s https://host.example/a"),
    ],
)
def test_what_is_no_text_file_is_told(program: Program, name: str, sentence: str) -> None:
    """With what to do."""
    (program.folder / "cat.png").write_bytes(PIXEL)
    done = program.run("-f", name, "hi")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"Error: {sentence}")
