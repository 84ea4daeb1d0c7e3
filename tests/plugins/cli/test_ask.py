from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import CUT, STALL, Loopback, Reply, make_chunk, make_completion, reply_events, reply_json
from plugins.cli.program import PIXEL, Program

HELLO = reply_events(make_chunk("Hello, "), make_chunk("world."), make_chunk(None, "stop"))


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Children get Ctrl-C even where the tests themselves run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def read_messages(service: Loopback) -> list[dict[str, object]]:
    """What the service was asked."""
    messages: list[dict[str, object]] = service.requests[0].json["messages"]
    return messages


def test_a_prompt_is_answered_on_standard_output_alone(program: Program) -> None:
    """The answer, a newline at its end, and nothing else."""
    service = program.serve(HELLO)
    done = program.run("-p", "Service", "Say", "hello")
    assert (done.code, done.out, done.err) == (0, "Hello, world.\n", "")
    assert read_messages(service) == [{"role": "user", "content": "Say hello"}]


def test_the_command_may_be_named(program: Program) -> None:
    """A prompt that begins with a command's name needs it."""
    service = program.serve(HELLO)
    assert program.run("ask", "doctor", "-p", "Service").out == "Hello, world.\n"
    assert read_messages(service)[-1]["content"] == "doctor"


def test_each_piece_is_printed_when_it_is_there(program: Program) -> None:
    """The first piece stands on standard output while the service still waits."""
    program.serve(reply_events(make_chunk("first"), STALL))
    process = program.start("-p", "Service", "hi")
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 100) == b"first"
    assert process.poll() is None


def test_a_newline_at_the_end_is_not_doubled(program: Program) -> None:
    """Only an answer without one gets one."""
    program.serve(reply_events(make_chunk("line\n"), make_chunk(None, "stop")))
    assert program.run("-p", "Service", "hi").out == "line\n"


def test_no_stream_asks_for_the_answer_as_a_whole(program: Program) -> None:
    """The request says so too."""
    service = program.serve(reply_json(make_completion("All at once")))
    assert program.run("-p", "Service", "--no-stream", "hi").out == "All at once\n"
    assert not service.requests[0].json.get("stream")


def test_model_and_system_reach_the_service(program: Program) -> None:
    """The system's message stands first; "Provider/model" names both."""
    service = program.serve(HELLO)
    assert program.run("-m", "service/m-1", "-s", "Be brief", "hi").code == 0
    assert read_messages(service)[0] == {"role": "system", "content": "Be brief"}
    assert service.requests[0].json["model"] == "m-1"


def test_without_provider_and_model_the_users_order_decides(program: Program) -> None:
    """G4F_PROVIDERS comes before the local model."""
    program.serve(HELLO)
    assert program.run("hi", G4F_PROVIDERS="Service").out == "Hello, world.\n"


def test_the_next_provider_answers_when_one_fails(program: Program) -> None:
    """`-p` may be repeated: that is the order."""
    program.serve(reply_json({"error": {"message": "No."}}, 400), provider="First")
    program.serve(HELLO, provider="Second")
    done = program.run("-p", "First", "-p", "Second", "hi")
    assert (done.code, done.out) == (0, "Hello, world.\n")
    assert done.err == "Note: First failed (answered 400: No); Second answered.\n"


def test_who_was_passed_over_is_told_too(program: Program) -> None:
    """With what would help; the same holds for an answer that comes whole."""
    program.serve(HELLO, provider="First", auth='auth = {variables = ["FIRST_KEY"]}')
    program.serve(reply_json(make_completion("Hello.")), provider="Second")
    done = program.run("-p", "First", "-p", "Absent", "-p", "Second", "--no-stream", "hi")
    assert (done.code, done.out) == (0, "Hello.\n")
    assert "First failed (needs a key: set FIRST_KEY, or run g4f keys set First)" in done.err
    assert "Absent failed (There is no provider 'Absent'" in done.err
    assert done.err.startswith("Note: ")
    assert done.err.endswith("; Second answered.\n")


def test_a_try_that_was_repeated_is_no_fallback(program: Program) -> None:
    """The same provider answered."""
    replies = iter([Reply(503, {"retry-after": "0"}, b""), HELLO])
    program.serve(lambda _: next(replies))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out, done.err) == (0, "Hello, world.\n", "")


def test_when_all_fail_each_says_why(program: Program) -> None:
    """The last error comes first; the exit code is its own."""
    program.serve(reply_json({"error": {"message": "No."}}, 400), provider="First")
    program.serve(reply_json({"error": {"message": "Never."}}, 403), provider="Second")
    done = program.run("-p", "First", "-p", "Second", "hi")
    assert (done.code, done.out) == (3, "")
    assert done.err == "Error: Second answered 403: Never. Before that: First answered 400: No.\n"


def test_pictures_are_attached_from_paths_and_addresses(program: Program) -> None:
    """Several of them, in their order."""
    service = program.serve(HELLO)
    (program.folder / "pixel.png").write_bytes(PIXEL)
    assert program.run("-p", "Service", "-a", "pixel.png", "-a", "https://host.example/b.png", "What?").code == 0
    text, first, second = read_messages(service)[0]["content"]  # type: ignore[misc]
    assert text == {"type": "text", "text": "What?"}
    assert first["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
    assert second["image_url"]["url"] == "https://host.example/b.png"


def test_a_picture_may_come_by_standard_input(program: Program) -> None:
    """Then it is no part of the prompt."""
    service = program.serve(HELLO)
    assert program.run("-p", "Service", "-a", "-", "What?", piped=PIXEL).code == 0
    assert [part["type"] for part in read_messages(service)[0]["content"]] == ["text", "image_url"]  # type: ignore[attr-defined]


def test_documents_and_sound_are_attached_too(program: Program) -> None:
    """By what they are, not by their names."""
    service = program.serve(HELLO)
    contents = {
        "report.pdf": b"%PDF-1.4 ...",
        "say.wav": b"RIFF....WAVEfmt ",
        "song": b"ID3...",
        "raw": b"\xff\xfb\x90",
    }
    for name, content in contents.items():
        (program.folder / name).write_bytes(content)
    attached = [word for name in contents for word in ("-a", name)]
    assert program.run("-p", "Service", *attached, "What?").code == 0
    document, *sounds = read_messages(service)[0]["content"][1:]  # type: ignore[index]
    data = base64.b64encode(contents["report.pdf"]).decode()
    assert document["file"] == {"filename": "report.pdf", "file_data": f"data:application/pdf;base64,{data}"}
    assert [sound["input_audio"]["format"] for sound in sounds] == ["wav", "mp3", "mp3"]
    assert "[document]" in program.run("logs", "show").out


def test_a_file_that_is_no_picture_is_refused_before_anything_is_sent(program: Program) -> None:
    """Bad input has exit code 2."""
    service = program.serve(HELLO)
    (program.folder / "notes.txt").write_text("notes")
    done = program.run("-p", "Service", "-a", "notes.txt", "What?")
    assert (done.code, service.requests) == (2, [])
    assert done.err.startswith("Error: notes.txt is no picture (png, jpeg, gif, webp), PDF, wav or mp3; a text is")


def test_warnings_stand_on_standard_error(program: Program) -> None:
    """The answer stays clean."""
    code = """
    from g4f import Chunk, hookimpl

    class Cautious:
        @hookimpl
        async def stream(self, request, context):
            context.warn("This model cannot do colours.")
            yield Chunk.from_text("grey", finish_reason="stop")
    """
    program.install("Cautious", code=code)
    done = program.run("-p", "Cautious", "Which colour?")
    assert (done.code, done.out, done.err) == (0, "grey\n", "Warning: This model cannot do colours.\n")


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("length", "longest length"), ("content_filter", "content filter")],
)
def test_an_answer_that_was_cut_short_by_the_service_is_told(program: Program, reason: str, sentence: str) -> None:
    """It is complete as far as the protocol goes, but not what was asked for."""
    program.serve(reply_events(make_chunk("Once upon a"), make_chunk(None, reason)))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out) == (0, "Once upon a\n")
    assert sentence in done.err


def test_an_empty_answer_is_told(program: Program) -> None:
    """Nothing on standard output is not mistaken for a hang."""
    program.serve(reply_events(make_chunk(None, "stop")))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out, done.err) == (0, "", "Warning: The answer is empty.\n")


def test_a_stream_that_is_cut_leaves_its_text_and_an_error(program: Program) -> None:
    """The text so far is on standard output, the sentence on standard error."""
    program.serve(reply_events(make_chunk("Half an"), 0.1, CUT))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out) == (1, "Half an\n")
    assert done.err.startswith("Error: Service: ")
    assert done.err.count("\n") == 1


def test_a_service_that_is_silent_runs_into_the_timeout(program: Program) -> None:
    """`--timeout` bounds the wait for each piece."""
    program.serve(reply_events(make_chunk("And then"), STALL))
    done = program.run("-p", "Service", "--timeout", "0.5", "hi")
    assert (done.code, done.out) == (1, "And then\n")
    assert "0.5 s" in done.err


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_in_the_middle_of_a_stream_stops_at_once(program: Program) -> None:
    """The text so far stays and is kept, the connection is closed, the exit code is 130, without a traceback."""
    service = program.serve(reply_events(make_chunk("first"), STALL))
    process = program.start("-p", "Service", "hi")
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 100) == b"first"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, b"\n", b"Note: Stopped.\n")
    assert service.wait_until(lambda: service.hang_ups)
    kept = program.run("logs", "export").out
    assert "## User\n\nhi" in kept
    assert "## Assistant\n\nfirst" in kept


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_does_not_wait_for_a_thread(program: Program) -> None:
    """A name that is looked up, or a model that is downloaded, must not hold the exit up; the generation is closed."""
    code = """
    import asyncio, pathlib, sys, time
    from g4f import Chunk, hookimpl

    class Sleeper:
        @hookimpl
        async def stream(self, request, context):
            try:
                yield Chunk.from_text("first")
                await asyncio.to_thread(time.sleep, 30)
            finally:
                pathlib.Path("closed").touch()
    """
    program.install("Sleeper", code=code)
    process = program.start("-p", "Sleeper", "hi")
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 100) == b"first"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=5)[1] == b"Note: Stopped.\n"
    assert process.returncode == 130
    assert (program.folder / "closed").exists()


def test_a_reader_that_leaves_is_no_error(program: Program) -> None:
    """As in `g4f … | head -1`: silence, and the generation ends."""
    many = [make_chunk("line\n"), 0.05] * 100
    service = program.serve(reply_events(*many))
    process = program.start("-p", "Service", "hi")
    assert process.stdout is not None
    assert process.stdout.readline() == b"line\n"
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=10)[1] == b""
    assert process.returncode == 1
    assert service.wait_until(lambda: service.hang_ups)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_an_answer_that_cannot_be_written_is_an_error(program: Program) -> None:
    """A full disk does not end in a traceback."""
    program.serve(HELLO)
    with Path("/dev/full").open("wb") as full:
        process = program.start("-p", "Service", "hi", stdout=full)
        err = process.communicate(timeout=10)[1]
    assert (process.returncode, err) == (1, b"Error: The output cannot be written: No space left on device.\n")


def test_any_text_is_printed_in_an_ascii_locale(program: Program) -> None:
    """Nobody wishes for ASCII: it is what a container without a locale has."""
    program.serve(reply_events(make_chunk("Grüße 😀"), make_chunk(None, "stop")))
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert program.run("-p", "Service", "hi", **ascii_only).out == "Grüße 😀\n"


def test_an_encoding_that_the_user_chose_stays(program: Program) -> None:
    """What it cannot write becomes a question mark."""
    program.serve(reply_events(make_chunk("Grüße"), make_chunk(None, "stop")))
    assert program.run("-p", "Service", "hi", PYTHONIOENCODING="ascii").out == "Gr??e\n"


def test_halves_of_a_character_are_joined(program: Program) -> None:
    """JSON may tell one character as two escapes, in two chunks."""
    program.serve(reply_events(make_chunk("\ud83d"), make_chunk("\ude00"), make_chunk(None, "stop")))
    assert program.run("-p", "Service", "hi").out == "😀\n"


def test_a_prompt_with_bytes_that_are_no_text_is_sent(program: Program) -> None:
    """They become replacement characters, which every service takes."""
    service = program.serve(HELLO)
    assert program.run("-p", "Service", b"caf\xe9").code == 0
    assert read_messages(service)[0]["content"] == "caf\N{REPLACEMENT CHARACTER}"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_no_control_sequences_of_a_stranger(program: Program) -> None:
    """An answer can neither set the title nor fill the clipboard; a file gets it as it is."""
    import pty

    program.serve(reply_events(make_chunk("\x1b]52;c;aGk=\x07done"), make_chunk(None, "stop")))
    assert program.run("-p", "Service", "hi").out == "\x1b]52;c;aGk=\x07done\n"
    terminal, child = pty.openpty()
    process = program.start("-p", "Service", "hi", stdout=child)
    os.close(child)
    process.wait(timeout=20)
    shown = os.read(terminal, 1000).decode()
    os.close(terminal)
    assert shown == "\N{REPLACEMENT CHARACTER}]52;c;aGk=\N{REPLACEMENT CHARACTER}done\r\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_the_log_begins_on_a_line_of_its_own(program: Program) -> None:
    """On a terminal, where it stands below the answer."""
    import pty

    program.serve(HELLO)
    terminal, child = pty.openpty()
    command = [sys.executable, "-m", "g4f_cli", "-p", "Service", "hi"]
    environment = program.make_environment(G4F_LOG="info")
    done = subprocess.run(
        command, cwd=program.folder, env=environment, stdin=subprocess.DEVNULL, stdout=child, stderr=child, check=False
    )
    os.close(child)
    shown = os.read(terminal, 4000).decode().split("\r\n")
    os.close(terminal)
    assert done.returncode == 0
    assert shown[0] == "Hello, world."
    assert "g4f INFO" in shown[1]
    assert shown[2:] == [""]


def test_closed_streams_end_in_no_traceback(program: Program) -> None:
    """A daemon's child may have neither input nor output; that nobody got the answer is a failure."""
    service = program.serve(HELLO)
    command = " ".join([sys.executable, "-m", "g4f_cli", "-p", "Service", "hi", "<&-", ">&-", "2>&-"])
    done = subprocess.run(["/bin/sh", "-c", command], env=program.make_environment(), cwd=program.folder, check=False)
    assert done.returncode == 1
    assert read_messages(service)[0]["content"] == "hi"
    open_errors = ["/bin/sh", "-c", command.removesuffix(" 2>&-")]
    done = subprocess.run(
        open_errors, env=program.make_environment(), cwd=program.folder, check=False, stderr=subprocess.PIPE
    )
    assert (done.returncode, done.stderr) == (1, b"Error: The output cannot be written: Bad file descriptor.\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["models"], ["keys", "path"], ["completion", "zsh"], ["providers", "default"]]
)
def test_whatever_cannot_be_written_is_told(program: Program, words: list[str]) -> None:
    """Of every command, in one sentence."""
    with Path("/dev/full").open("wb") as full:
        process = program.start(*words, stdout=full)
        err = process.communicate(timeout=20)[1]
    assert (process.returncode, err) == (1, b"Error: The output cannot be written: No space left on device.\n")


def test_a_reply_that_is_no_answer_is_the_services_fault(program: Program) -> None:
    """A proxy's page in the place of an answer has exit code 1."""
    program.serve(Reply(200, {"content-type": "text/html"}, b"<html>Log in</html>"))
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: Service: ")


def test_parameters_reach_the_service_in_their_types(program: Program) -> None:
    """Numbers as numbers, text as text; what only the service knows too."""
    service = program.serve(HELLO)
    options = ["-o", "temperature", "0.2", "-o", "stop", "END", "-o", "top_k", "5"]
    assert program.run("-p", "Service", *options, "hi").code == 0
    sent = service.requests[0].json
    assert (sent["temperature"], sent["stop"], sent["top_k"]) == (0.2, "END", 5)


def test_options_of_a_provider_reach_it_alone(program: Program) -> None:
    """They are no parameters of the service."""
    code = """
    from g4f import Completion, hookimpl

    class Own:
        @hookimpl
        async def chat(self, request):
            return Completion.from_text(repr((request.provider_options, request.extra_body)))
    """
    program.install("Own", code=code)
    assert program.run("-p", "Own", "--provider-option", "n_ctx", "4096", "hi").out == "({'n_ctx': 4096}, {})\n"


def test_a_misspelled_parameter_is_bad_input(program: Program) -> None:
    """Nothing is sent."""
    service = program.serve(HELLO)
    done = program.run("-p", "Service", "-o", "temprature", "0.2", "hi")
    assert (done.code, service.requests) == (2, [])
    assert done.err == "Error: There is no option 'temprature'. Did you mean 'temperature'?\n"


def test_several_answers_are_not_mixed_up(program: Program) -> None:
    """They are printed one after the other, when all are there."""
    data = make_completion("one")
    data["choices"].append({**data["choices"][0], "index": 1, "message": {"role": "assistant", "content": "two"}})
    program.serve(reply_json(data))
    assert program.run("-p", "Service", "-o", "n", "2", "hi").out == "one\n\ntwo\n"


def test_json_is_the_whole_answer(program: Program) -> None:
    """With who answered, and what the user should know."""
    program.serve(reply_json(make_completion("Bonjour, où es-tu ?")))
    done = program.run("-p", "Service", "--json", "hi")
    data = json.loads(done.out)
    assert data["choices"][0]["message"]["content"] == "Bonjour, où es-tu ?"
    assert (data["provider"], data["warnings"]) == ("Service", [])
    assert "où" in done.out


def test_the_tokens_are_told_on_demand(program: Program) -> None:
    """On standard error; the whole answer's and the stream's."""
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    program.serve(
        reply_events(make_chunk("Hi"), make_chunk(None, "stop"), {**make_chunk(), "choices": [], "usage": usage})
    )
    done = program.run("-p", "Service", "-u", "hi")
    assert (done.out, done.err) == ("Hi\n", "Note: 7 tokens in, 3 out.\n")


def test_the_first_block_of_code_is_extracted(program: Program) -> None:
    """Alone, without its fences."""
    program.serve(reply_json(make_completion("Here:\n```python\nprint(1)\n```\nand\n```\nmore\n```\n")))
    assert program.run("-p", "Service", "-x", "hi").out == "print(1)\n"


def test_the_last_block_of_code_is_extracted(program: Program) -> None:
    """As llm does by the same name."""
    program.install("Echo")
    assert program.run("-p", "Echo", "--xl", "Two:\n```sh\nls\n```\nor\n```\npwd\n```\n").out == "pwd\n"


def test_an_answer_without_code_is_printed_whole(program: Program) -> None:
    """With a warning."""
    program.serve(reply_json(make_completion("No code here")))
    done = program.run("-p", "Service", "-x", "hi")
    assert (done.code, done.out) == (0, "No code here\n")
    assert done.err == "Warning: There is no block of code in the answer: here is all of it.\n"


def test_a_schema_of_fields_is_asked_for(program: Program) -> None:
    """As strict JSON Schema."""
    service = program.serve(reply_events(make_chunk('{"name": "Ada", "age": 36}'), make_chunk(None, "stop")))
    done = program.run("-p", "Service", "--schema", "name, age int", "Invent a person")
    assert json.loads(done.out) == {"name": "Ada", "age": 36}
    asked = service.requests[0].json["response_format"]["json_schema"]
    assert asked["strict"] is True
    assert asked["schema"]["properties"] == {"name": {"type": "string"}, "age": {"type": "integer"}}


def test_an_empty_schema_is_bad_input(program: Program) -> None:
    """As of a variable that is not set; nobody is asked."""
    service = program.serve(reply_json(make_completion("Hi")))
    done = program.run("-p", "Service", "--schema", "", "hi")
    assert (done.code, service.requests) == (2, [])
    assert done.err == "Error: The schema is empty: name its fields, as --schema 'name, age int'.\n"


def test_a_server_of_the_users_own_needs_no_set_up(program: Program) -> None:
    """An address and a model are enough."""
    with Loopback(HELLO) as server:
        done = program.run("--base-url", f"{server.url}/v1", "-m", "m-1", "hi")
        assert (done.code, done.out) == (0, "Hello, world.\n")
        assert (server.requests[0].path, server.requests[0].json["model"]) == ("/v1/chat/completions", "m-1")


def test_an_answer_that_ignores_the_schema_is_printed_and_fails(program: Program) -> None:
    """One that keeps to it does not."""
    program.serve(HELLO)
    done = program.run("-p", "Service", "--schema", "name", "Invent a person")
    assert (done.code, done.out) == (1, "Hello, world.\n")
    assert done.err.startswith("Error: The answer is no JSON with the fields of the schema")
    program.serve(reply_events(make_chunk('{"name": "Ada"}'), make_chunk(None, "stop")), provider="Other")
    assert program.run("-p", "Other", "--schema", "name", "Invent a person").err == ""
    assert program.run("-p", "Other", "--schema", "name, age int", "Invent a person").code == 1
