"""The server by itself: any HTTP client may ask it, and what it counts is so."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse

import pytest

from g4f_testkit.dialects.openai import OpenaiDialect
from g4f_testkit.faults import FAULTS
from g4f_testkit.script import Failure, Turn
from g4f_testkit.server import PICTURE_PATH, Server, main

PATH = "/v1/chat/completions"


def ask(url: str, *, model: str = "m", stream: bool = False, **headers: str) -> tuple[HTTPConnection, HTTPResponse]:
    """Ask for a chat; the connection is the caller's to close."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=5)
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hi"}]})
    connection.request("POST", PATH, body, headers)
    return connection, connection.getresponse()


def read_status(url: str, **options: str) -> int:
    """Ask, and return the status alone."""
    connection, response = ask(url, **options)
    response.read()
    connection.close()
    return response.status


def wait_until(condition: Callable[[], object]) -> bool:
    """Wait for what happens in the server's thread."""
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return bool(condition())


def test_turns_are_played_one_a_request_and_the_last_again_and_again() -> None:
    """Until others are given; then what was asked before is forgotten."""
    with Server(OpenaiDialect(), Turn(failure=Failure(503)), Turn()) as server:
        assert [read_status(server.url) for _ in range(3)] == [503, 200, 200]
        assert len(server.asked) == len(server.requests) == 3
        server.play(Turn(failure=Failure(429)))
        assert not server.asked
        assert read_status(server.url) == 429


@pytest.mark.parametrize("options", [{"model": "html-page"}, {"x-g4f-fault": "html-page"}])
def test_a_fault_is_chosen_by_the_models_name_or_a_header(options: dict[str, str]) -> None:
    """For people who point any client at the server."""
    with Server(OpenaiDialect()) as server:
        connection, response = ask(server.url, **options)
        assert response.getheader("content-type") == "text/html"
        assert response.read().startswith(b"<!doctype html>")
        connection.close()


@pytest.mark.parametrize("options", [{"model": "status-529"}, {"x-g4f-fault": "status-529"}])
def test_a_refusal_is_chosen_in_the_same_way(options: dict[str, str]) -> None:
    """With whatever status."""
    with Server(OpenaiDialect()) as server:
        assert read_status(server.url, **options) == 529


def test_a_connection_is_used_again_after_a_whole_answer() -> None:
    """As clients expect of HTTP/1.1; not even the first byte of the next request is lost."""
    with Server(OpenaiDialect()) as server:
        connection = HTTPConnection(server.url.removeprefix("http://"))
        for _ in range(50):
            connection.request("GET", "/v1/models")
            assert json.loads(connection.getresponse().read())["object"] == "list"
        assert server.connections == 1
        connection.close()
        assert wait_until(lambda: server.connections == 0)
        assert server.hang_ups == 0


def test_who_hangs_up_early_is_counted() -> None:
    """Not who leaves after the answer."""
    with Server(OpenaiDialect(), Turn(fault="endless-output")) as server:
        connection, response = ask(server.url, stream=True)
        assert response.read(10)
        response.close()
        connection.close()
        assert wait_until(lambda: server.hang_ups == 1)
        assert wait_until(lambda: server.connections == 0)


def test_what_a_dialect_raises_is_kept_for_its_author() -> None:
    """The client gets an error meanwhile."""

    class Broken(OpenaiDialect):
        def write_answer(self, *arguments: object) -> object:  # type: ignore[override]
            raise LookupError("in the dialect")

    with Server(Broken()) as server:
        assert read_status(server.url) == 500
        assert [str(error) for error in server.failures] == ["in the dialect"]


def test_a_fault_that_does_not_exist_is_the_authors_mistake() -> None:
    """It is never a healthy answer."""
    with Server(OpenaiDialect(), Turn(fault="stal")) as server:
        assert read_status(server.url) == 500
        assert [type(error) for error in server.failures] == [KeyError]


def test_every_fault_says_what_the_client_sees(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list-faults` names them all."""
    main(["--list-faults"])
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(FAULTS) > 30
    assert all(line.split()[0] in FAULTS and line.endswith(".") for line in printed)


def test_the_server_runs_by_hand() -> None:
    """It says where it is, and ends with the program that started it."""
    command = [sys.executable, "-m", "g4f_testkit.server", "--dialect", "anthropic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        connection = HTTPConnection(url.removeprefix("http://"), timeout=5)
        connection.request("GET", "/v1/models")
        assert connection.getresponse().status == 200
        connection.close()
        process.terminate()


@pytest.mark.parametrize("port", ["taken", "99999"])
def test_a_port_that_cannot_be_had_is_said_at_once(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By its number."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = str(other.getsockname()[1]) if port == "taken" else port
        with pytest.raises(SystemExit):
            main(["--port", number])
    assert f"port {number} cannot be used" in capsys.readouterr().err


def test_a_dialect_that_is_not_there_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    with pytest.raises(SystemExit):
        main(["--dialect", "nope"])
    said = "There is no dialect 'nope': name openai, anthropic, gemini, or path.py:Class."
    assert capsys.readouterr().err.endswith(f"error: {said}\n")


def test_a_pictures_download_fails_as_its_url_says() -> None:
    """So that faults of the second server of a picture can be had, too."""
    with Server(OpenaiDialect()) as server:
        connection = HTTPConnection(server.url.removeprefix("http://"), timeout=5)
        for query, start in (("", b"\x89PNG"), ("?fault=html-page", b"<!doctype html>")):
            connection.request("GET", f"{PICTURE_PATH}{query}")
            assert connection.getresponse().read().startswith(start)
        connection.close()
