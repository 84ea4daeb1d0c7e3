from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from loopback import CUT, Loopback, Reply, make_chunk, make_completion, reply_events, reply_json
from plugins.cli.program import PIXEL, Program

HELLO = reply_events(make_chunk("Hello."), make_chunk(None, "stop"))


@pytest.fixture
def service(program: Program) -> Loopback:
    """One that answers."""
    return program.serve(HELLO)


def find_database(program: Program) -> Path:
    return program.home / ".local/share/g4f/conversations.sqlite"


def list_logs(program: Program, *arguments: str) -> list[dict[str, str]]:
    done = program.run("logs", *arguments, "--json")
    assert (done.code, done.err) == (0, "")
    found: list[dict[str, str]] = json.loads(done.out)
    return found


def ask(program: Program, *arguments: str) -> None:
    done = program.run("-p", "Service", *arguments)
    assert (done.code, done.out, done.err) == (0, "Hello.\n", "")


def test_the_last_conversation_goes_on(program: Program, service: Loopback) -> None:
    """With all that was said, by the provider and the model that answered before."""
    ask(program, "-m", "m-1", "-s", "Be brief", "My cat is called Minou.")
    done = program.run("-c", "What is it called?")
    assert (done.code, done.out) == (0, "Hello.\n")
    assert service.requests[1].json["model"] == "m-1"
    assert service.requests[1].json["messages"] == [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "My cat is called Minou."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "What is it called?"},
    ]
    assert len(list_logs(program)) == 1


def test_a_conversation_goes_on_by_its_id(program: Program, service: Loopback) -> None:
    """The beginning of it will do; it is the last one then."""
    for prompt in ("first", "second"):
        ask(program, prompt)
    second, first = list_logs(program)
    assert (first["title"], second["title"]) == ("first", "second")
    assert program.run("--cid", first["id"][:8], "more").code == 0
    assert [message["content"] for message in service.requests[2].json["messages"]] == ["first", "Hello.", "more"]
    assert list_logs(program)[0]["id"] == first["id"]
    assert program.run("--cid", "nothing", "more").code == 2


def test_new_instructions_take_the_place_of_the_old(program: Program, service: Loopback) -> None:
    """From then on."""
    ask(program, "-s", "Be brief", "one")
    assert program.run("-c", "-s", "Be long", "two").code == 0
    assert program.run("-c", "three").code == 0
    assert [message["content"] for message in service.requests[2].json["messages"]] == [
        "Be long", "one", "Hello.", "two", "Hello.", "three"
    ]  # fmt: skip


def test_a_picture_is_kept_with_what_was_asked_of_it(program: Program, service: Loopback) -> None:
    """The next question is about it too."""
    (program.folder / "pixel.png").write_bytes(PIXEL)
    ask(program, "-a", "pixel.png", "What?")
    (program.folder / "pixel.png").unlink()
    assert program.run("-c", "And what else?").code == 0
    assert service.requests[1].json["messages"][0] == service.requests[0].json["messages"][0]
    assert "[picture]" in program.run("logs", "show").out


def test_a_conversation_with_a_server_of_ones_own_goes_on_there(program: Program) -> None:
    """Its address is kept with it."""
    with Loopback(HELLO) as server:
        assert program.run("--base-url", f"{server.url}/v1", "-m", "m-1", "one").code == 0
        assert program.run("-c", "two").out == "Hello.\n"
        assert len(server.requests) == 2


def test_nothing_to_continue_is_bad_input(program: Program, service: Loopback) -> None:
    """With no file made."""
    done = program.run("-c", "hi")
    assert (done.code, service.requests) == (2, [])
    assert done.err == "Error: There is no conversation to continue: none was kept yet.\n"
    assert not find_database(program).parent.exists()


def test_nothing_is_kept_where_the_user_does_not_want_it(program: Program, service: Loopback) -> None:
    """For one time, or until it is turned on again."""
    ask(program, "--no-log", "hi")
    assert not find_database(program).exists()
    assert program.run("logs", "off").code == 0
    assert program.run("logs", "status").out.startswith("Conversations are not kept.\n0 in ")
    ask(program, "hi")
    assert not find_database(program).exists()
    assert program.run("logs", "on").code == 0
    ask(program, "hi")
    assert program.run("logs", "status").out.startswith("Conversations are kept.\n1 in ")
    status = {"kept": True, "count": 1, "path": str(find_database(program))}
    assert json.loads(program.run("logs", "status", "--json").out) == status


@pytest.mark.parametrize("reply", [reply_events(make_chunk("Half"), 0.1, CUT), reply_json({"error": "no"}, 400)])
def test_a_failure_leaves_nothing(program: Program, service: Loopback, reply: Reply) -> None:
    """There is no answer to go on from."""
    service.answer = lambda request: reply
    assert program.run("-p", "Service", "hi").code == 1
    assert list_logs(program) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_the_database_is_for_its_owner_alone(program: Program, service: Loopback) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        ask(program, "hi")
    finally:
        os.umask(before)
    database = find_database(program)
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert stat.S_IMODE(database.parent.stat().st_mode) == 0o700


def test_a_text_is_found_in_any_letter_case(program: Program, service: Loopback) -> None:
    """In what was asked and what was answered; letters of every alphabet."""
    ask(program, "Où est ÉCOLE?")
    ask(program, "something else")
    assert [found["title"] for found in list_logs(program, "search", "école")] == ["Où est ÉCOLE?"]
    assert len(list_logs(program, "search", "HELLO")) == 2
    assert program.run("logs", "search", "nowhere").err == "Note: There is none.\n"


def test_conversations_are_listed_with_their_prompts(program: Program, service: Loopback) -> None:
    """On one line each, the latest first; control characters of a stranger do not matter."""
    ask(program, "one\ntwo " + "long " * 40)
    ask(program, "three")
    header, *rows = program.run("logs").out.splitlines()
    assert header.split() == ["ID", "WHEN", "PROVIDER", "MODEL", "PROMPT"]
    assert [row.split()[4] for row in rows] == ["three", "one"]
    assert rows[1].endswith("…")
    assert len(program.run("logs", "-n", "1").out.splitlines()) == 2


def test_a_conversation_is_shown_as_markdown(program: Program, service: Loopback) -> None:
    """Or as JSON, which is all of it."""
    ask(program, "hi")
    shown = program.run("logs", "show").out
    assert "## User\n\nhi\n\n## Assistant\n\nHello.\n" in shown
    (data,) = json.loads(program.run("logs", "show", list_logs(program)[0]["id"], "--json").out)
    assert data["messages"] == [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]


def test_conversations_that_are_broken_come_with_a_remedy(program: Program, service: Loopback) -> None:
    """The doctor tells of them too."""
    find_database(program).parent.mkdir(parents=True)
    find_database(program).write_bytes(b"no database" * 100)
    remedy = "Move that file away, and a new one is begun."
    assert remedy in program.run("logs").err
    assert remedy in program.run("-p", "Service", "hi").err
    assert remedy in " ".join(program.run("doctor").out.split())


def test_conversations_are_exported(program: Program, service: Loopback) -> None:
    """All or some; to a file at once, or to standard output."""
    for prompt in ("one", "two"):
        ask(program, prompt)
    assert program.run("logs", "export").out.count("## Assistant") == 2
    assert program.run("logs", "export", "-o", "all.json").code == 0
    again = program.run("logs", "export", "-o", "all.json")
    assert (again.code, again.err) == (2, "Error: all.json exists: choose another name, or overwrite it with -f.\n")
    assert program.run("logs", "export", "-f", "-o", "all.json", "--format", "json").code == 0
    data = json.loads((program.folder / "all.json").read_text("utf-8"))
    assert [conversation["title"] for conversation in data] == ["two", "one"]
    assert program.run("logs", "export", data[0]["id"]).out.startswith("# two\n")
    assert [path.name for path in program.folder.iterdir()] == ["all.json"]
    refused = program.run("logs", "export", "-o", os.devnull)
    assert (refused.code, refused.err) == (2, f"Error: {os.devnull} is no file.\n")


def test_conversations_are_removed_for_good(program: Program, service: Loopback) -> None:
    """Not a word of them stays in the file."""
    for prompt in ("a secret word", "two"):
        ask(program, prompt)
    assert program.run("logs", "delete", list_logs(program, "search", "secret")[0]["id"]).code == 0
    assert [found["title"] for found in list_logs(program)] == ["two"]
    assert b"secret" not in find_database(program).read_bytes()
    assert program.run("logs", "delete").code == 2
    done = program.run("logs", "delete", "--all")
    assert (done.code, done.err) == (
        2,
        "Error: All conversations that were kept, 1, go for good. Agree with --yes.\n",
    )
    assert program.run("logs", "delete", "--all", "--yes").err == "Note: 1 removed.\n"
    assert list_logs(program) == []


def test_an_answer_that_cannot_be_kept_is_an_answer(program: Program, service: Loopback) -> None:
    """The warning says why; a database of a newer program is left alone."""
    ask(program, "hi")
    with closing(sqlite3.connect(find_database(program))) as connection:
        connection.execute("PRAGMA user_version = 99")
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out) == (0, "Hello.\n")
    assert "a newer g4f has written them" in done.err
    assert done.err.endswith("The conversation is not kept.\n")
    done = program.run("logs")
    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    find_database(program).write_bytes(b"no database at all" * 100)
    assert program.run("-p", "Service", "hi").code == 0


def test_json_tells_how_to_go_on(program: Program, service: Loopback) -> None:
    """The id, if there is one."""
    service.answer = lambda request: reply_json(make_completion("Hello."))
    data = json.loads(program.run("-p", "Service", "--json", "hi").out)
    assert data["conversation"] == list_logs(program)[0]["id"]
    assert json.loads(program.run("-p", "Service", "--json", "-n", "hi").out)["conversation"] is None


def test_what_llm_logs_knows_is_done(program: Program, service: Loopback) -> None:
    """Its options say what to do: they are commands here."""
    ask(program, "one")
    first = list_logs(program)[0]["id"]
    ask(program, "two")
    assert program.run("logs", "-c") == program.run("logs", "show")
    assert program.run("logs", "--cid", first) == program.run("logs", "show", first)
    assert program.run("logs", "-q", "one") == program.run("logs", "search", "one")
    assert program.run("logs", "-s") == program.run("logs")
    answer = program.run("logs", "-r").out
    assert answer == program.run("logs", "show", "--response").out
    assert answer
    assert program.run("logs", "show").out.endswith(f"## Assistant\n\n{answer}")


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_nothing_but_a_yes_removes_all(program: Program, service: Loopback) -> None:
    """To say no is no failure."""
    ask(program, "one")
    terminal = program.open("logs", "delete", "--all", columns=200)
    terminal.wait_for("Remove them? [y/N]:")
    terminal.type("n\r")
    assert terminal.wait() == 0
    assert terminal.text.endswith("Note: Nothing was removed.")
    assert len(list_logs(program)) == 1
