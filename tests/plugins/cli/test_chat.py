from __future__ import annotations

import json
import os
import signal

import pytest

from loopback import STALL, Loopback, Received, Reply, make_chunk, reply_events, reply_json
from plugins.cli.program import PIXEL, Program
from plugins.cli.terminal import Terminal

posix = pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
LISTS_COMMANDS = "/help lists the commands, Ctrl-D ends."


def echo(request: Received) -> Reply:
    """Answer with what was said last; to "stall" with a beginning."""
    said = request.json["messages"][-1]["content"]
    if said == "stall":
        return reply_events(make_chunk("a beginning"), STALL)
    if said == "fail":
        return reply_json({"error": {"message": "We are closed."}}, 402)
    return reply_events(make_chunk(f"<{said}>"), make_chunk(None, "stop"))


@pytest.fixture
def service(program: Program) -> Loopback:
    """One that echoes."""
    return program.serve(echo)


@pytest.fixture
def chat(program: Program, service: Loopback) -> Terminal:
    """A chat that waits for its first prompt; another provider is there too."""
    program.install("Other")
    terminal = program.open("chat", "-p", "Service", "--plain")
    terminal.wait_for(">>>")
    return terminal


def say(terminal: Terminal, text: str, answer: str) -> None:
    """Type a line and wait for its answer, and for the next prompt."""
    before = terminal.text.count(answer)
    terminal.type(f"{text}\r")
    terminal.wait_for(lambda text: text.count(answer) > before and at_prompt(text))


def at_prompt(text: str) -> bool:
    """Whether the last line is an empty prompt; the terminal's mark of a Ctrl-C may stand before it."""
    return text.endswith(("\n>>>", "^C>>>"))


def list_said(service: Loopback, at: int = -1) -> list[str]:
    return [message["content"] for message in service.requests[at].json["messages"]]


@posix
def test_a_chat_remembers_what_was_said(chat: Terminal, service: Loopback) -> None:
    """Ctrl-D ends it."""
    assert chat.lines[0] == f"Note: {LISTS_COMMANDS}"
    say(chat, "one", "<one>")
    say(chat, "two", "<two>")
    assert list_said(service) == ["one", "<one>", "two"]
    chat.type("\x04")
    assert chat.wait() == 0


@posix
def test_ctrl_c_stops_the_answer_and_not_the_program(chat: Terminal, service: Loopback) -> None:
    """The connection is closed, and what came is remembered."""
    chat.type("stall\r")
    chat.wait_for("a beginning")
    chat.interrupt()
    chat.wait_for("Note: Stopped.")
    chat.wait_for(at_prompt)
    assert service.wait_until(lambda: service.hang_ups)
    say(chat, "two", "<two>")
    assert list_said(service) == ["stall", "a beginning", "two"]
    chat.type("/exit\r")
    assert chat.wait() == 0


@posix
@pytest.mark.parametrize("word", ["exit", "/quit", "/bye"])
def test_words_of_other_chats_end_this_one(chat: Terminal, service: Loopback, word: str) -> None:
    """None is sent; who answers was told at the start, and what a command is nearly is guessed."""
    assert chat.lines[1] == "Note: The provider is Service. The model is the provider's own."
    say(chat, "/modle", "Error: There is no command /modle; did you mean /model?")
    say(chat, "/system Be brief.", "Note: The instructions are: Be brief.")
    say(chat, '/system ""', "Note: There are no instructions.")
    say(chat, "/set system Be brief.", "Error: There is no command /set here: /system TEXT gives instructions")
    say(chat, "!edit", "Error: There is no command !edit here: Enter begins another line")
    chat.type(f"{word}\r")
    assert chat.wait() == 0
    assert service.requests == []


@posix
def test_notes_break_at_blanks(program: Program, service: Loopback) -> None:
    """However narrow the terminal is."""
    terminal = program.open("chat", "-p", "Service", columns=20)
    terminal.wait_for(">>>")
    assert terminal.lines[:2] == ["Note: /help lists", "the commands, Ctrl-D"]


@posix
def test_ctrl_c_throws_the_line_away(chat: Terminal, service: Loopback) -> None:
    """Typed, or sent by another program."""
    chat.type("not this")
    chat.wait_for("not this")
    chat.interrupt()
    chat.wait_for(at_prompt)
    chat.process.kill(signal.SIGINT)
    say(chat, "but this", "<but this>")
    assert list_said(service) == ["but this"]


@posix
def test_a_prompt_may_have_several_lines(chat: Terminal, service: Loopback) -> None:
    """By Alt-Enter, between quotes, or pasted."""
    say(chat, "one\x1b\rtwo", "two>")
    say(chat, '"""\rthree\rfour\r"""', "four>")
    chat.type("\x1b[200~five\nsix\x1b[201~")
    chat.wait_for("... six")
    say(chat, "", "six>")
    assert [list_said(service, at)[-1] for at in range(3)] == ["one\ntwo", "three\nfour", "five\nsix"]


@posix
def test_the_up_arrow_brings_back_what_was_said(program: Program, chat: Terminal, service: Loopback) -> None:
    """In earlier chats too."""
    say(chat, "one", "<one>")
    chat.type("\x04")
    assert chat.wait() == 0
    second = program.open("chat", "-p", "Service", "--plain")
    second.wait_for(at_prompt)
    second.type("\x1b[A")
    second.wait_for(">>> one")
    say(second, " more", "<one more>")


@posix
def test_commands_choose_who_answers(chat: Terminal, service: Loopback) -> None:
    """The model, the provider and the instructions."""
    say(chat, "/model m-2", "The model is m-2.")
    say(chat, "/system Be brief", "The instructions are: Be brief")
    say(chat, "one", "<one>")
    assert service.requests[0].json["model"] == "m-2"
    assert list_said(service)[0] == "Be brief"
    say(chat, "/provider other", "The provider is Other.")
    say(chat, "two", "Other: two")
    say(chat, "/model", "The model is the provider's own.")
    say(chat, "/provider other/m-9", "The provider is Other. The model is m-9.")
    say(chat, "/provider nobody", "Error: There is no provider 'nobody'.")
    say(chat, "/nothing", "Error: There is no command /nothing; /help lists them.")
    say(chat, "/help", "/retry")


@posix
def test_a_picture_goes_with_the_next_prompt(program: Program, chat: Terminal, service: Loopback) -> None:
    """And with it alone."""
    (program.folder / "a picture.png").write_bytes(PIXEL)
    say(chat, "/image 'a picture.png'", "It goes with the next prompt.")
    chat.type("What?\r")
    chat.wait_for("image_url")
    say(chat, "/image nowhere.png", "Error: The image 'nowhere.png' cannot be read")
    say(chat, "two", "<two>")
    assert [type(content) for content in list_said(service)] == [list, str, str]


@posix
def test_an_answer_is_asked_for_again(chat: Terminal, service: Loopback) -> None:
    """In place of the first; also where that failed."""
    say(chat, "/retry", "Error: There is nothing to ask again.")
    say(chat, "one", "<one>")
    say(chat, "fail", "Error: Service answered 402: We are closed.")
    service.answer = lambda request: reply_events(make_chunk("better"), make_chunk(None, "stop"))
    say(chat, "/retry", "better")
    assert list_said(service) == ["one", "<one>", "fail"]
    say(chat, "/retry", "better")
    assert list_said(service) == ["one", "<one>", "fail"]
    say(chat, "two", "better")
    assert list_said(service) == ["one", "<one>", "fail", "better", "two"]
    chat.type("\x04")
    assert chat.wait() == 0  # the user has seen what failed


@posix
def test_a_chat_is_saved_where_the_user_says(program: Program, chat: Terminal, service: Loopback) -> None:
    """As Markdown or JSON; nothing is overwritten."""
    say(chat, "one", "<one>")
    say(chat, "/save chat.md", "It is saved as chat.md.")
    say(chat, "/save chat.md", "Error: chat.md exists: choose another name.")
    say(chat, "/save chat.json", "It is saved as chat.json.")
    assert "## Assistant\n\n<one>\n" in (program.folder / "chat.md").read_text()
    assert [said["content"] for said in json.loads((program.folder / "chat.json").read_text())] == ["one", "<one>"]


@posix
def test_a_chat_is_kept_and_goes_on(program: Program, chat: Terminal, service: Loopback) -> None:
    """As one conversation, with each answer; a cleared one is another."""
    say(chat, "one", "<one>")
    say(chat, "two", "<two>")
    say(chat, "/clear", "This is a new conversation.")
    say(chat, "three", "<three>")
    logs = json.loads(program.run("logs", "--json").out)
    assert [found["title"] for found in logs] == ["three", "one"]
    second = program.open("chat", "--cid", logs[1]["id"], "--plain")
    second.wait_for("Note: Going on with: one")
    say(second, "four", "<four>")
    assert list_said(service) == ["one", "<one>", "two", "<two>", "four"]


@posix
def test_the_tab_key_completes_commands_and_what_follows(chat: Terminal) -> None:
    """As the names of providers."""
    chat.type("/prov\t")
    chat.wait_for(">>> /provider")
    chat.type(" Serv\t")
    chat.wait_for(">>> /provider Service")


@posix
def test_markdown_and_narrow_windows_are_right(program: Program, service: Loopback) -> None:
    """Also with letters of two columns."""
    terminal = program.open("chat", "-p", "Service", columns=20)
    terminal.wait_for(">>>")
    say(terminal, "日本語 **bold** and more and more", "bold")
    assert "**" not in terminal.text.partition("<")[2]


def test_debug_shows_where_an_answer_failed(program: Program, service: Loopback) -> None:
    """And the chat goes on."""
    done = program.run("--debug", "chat", "-p", "Service", piped=b"fail\none\n")
    assert "Traceback (most recent call last)" in done.err
    assert done.out == "<one>\n"


def test_without_a_terminal_each_line_is_a_prompt(program: Program, service: Loopback) -> None:
    """The answers alone are on standard output; the exit code is that of the first failure."""
    done = program.run("chat", "-p", "Service", piped=b'one\n\n"""\ntwo\nthree\n"""\nfail\nfour\n')
    assert (done.code, done.out) == (1, "<one>\n<two\nthree>\n<four>\n")
    assert done.err == "Error: Service answered 402: We are closed.\n"
    assert list_said(service) == ["one", "<one>", "two\nthree", "<two\nthree>", "four"]
    assert program.run("chat", "-p", "Service").out == ""


def test_llms_quotes_of_several_lines_are_understood(program: Program, service: Loopback) -> None:
    """They are words, where ours are quotes."""
    done = program.run("chat", "-p", "Service", piped=b"!multi\none\ntwo\n!end\nthree\n")
    assert (done.code, done.out) == (0, "<one\ntwo>\n<three>\n")
