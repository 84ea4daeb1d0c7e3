from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from loopback import Loopback, make_chunk, reply_events, reply_json
from plugins.cli.program import Program

KEY = "sk-of-the-test-0123456789"
AUTH = 'auth = {variables = ["SERVICE_KEY"]}'
HELLO = reply_events(make_chunk("Hello."), make_chunk(None, "stop"))


@pytest.fixture
def service(program: Program) -> Loopback:
    """One that needs a key."""
    return program.serve(HELLO, auth=AUTH)


def find_file(program: Program) -> Path:
    return Path(program.run("keys", "path").out.strip())


def store(program: Program, name: str = "service", key: str = KEY) -> None:
    done = program.run("keys", "set", name, piped=f"{key}\n".encode())
    assert (done.code, done.out) == (0, "")
    assert key not in done.err


def test_a_stored_key_is_used(program: Program, service: Loopback) -> None:
    """Also where only the model is named by its provider's prefix."""
    store(program)
    for option in (["-p", "Service"], ["-m", "Service/m-1"]):
        assert program.run(*option, "hi").out == "Hello.\n"
    assert [request.key for request in service.requests] == [KEY, KEY]


def test_a_stored_key_lets_a_model_be_routed(program: Program) -> None:
    """As one in the environment does; an all-purpose token there chooses nobody."""
    for name in ("Keyed", "Other"):
        manifest = f"""
        contract = 1
        title = "{name}"
        models = [{{id = "marvel-1"}}]
        auth = {{kind = "own", variables = ["{name.upper()}_KEY", "GITHUB_TOKEN"]}}
        [capabilities]
        chat = "yes"
        """
        program.install(name, manifest=manifest)
    assert program.run("-m", "marvel-1", "hi").code == 3
    store(program, "keyed")
    assert program.run("-m", "marvel-1", "hi", GITHUB_TOKEN="ghp-1").out == "Keyed: hi\n"


def test_a_stored_key_takes_no_other_away(program: Program, service: Loopback) -> None:
    """Neither the environment's, nor a sign-in of a provider that finds its key itself."""
    other = program.serve(HELLO, provider="Other", auth=AUTH.replace("SERVICE_KEY", "OTHER_KEY"))
    manifest = 'contract = 1\nmodels = [{id = "own-1"}]\nauth = {kind = "own", variables = ["OWN_KEY"]}\n'
    program.install("Own", manifest=manifest + '[capabilities]\nchat = "yes"\n')
    store(program)
    service.answer = lambda _: reply_json({"error": {"message": "No."}}, 404)
    done = program.run("-p", "Service,Other", "hi", OTHER_KEY="sk-of-the-environment")
    assert (done.code, done.out) == (0, "Hello.\n"), done.err
    assert [request.key for request in other.requests] == ["sk-of-the-environment"]
    assert program.run("-m", "Own/own-1", "hi").out == "Own: hi\n"
    assert program.run("chat", "-p", "Service", piped=b"/model own-1\n/provider own\nhi\n").out == "Own: hi\n"


@pytest.mark.parametrize("options", [["-p", "Service"], ["-m", "Service/m-1"]])
def test_a_key_may_be_given_for_one_run(program: Program, service: Loopback, options: list[str]) -> None:
    """It counts more than all others, and stays nowhere; an error that holds it is told without it."""
    store(program, key="sk-stored")
    assert program.run(*options, "--key", KEY, "hi", SERVICE_KEY="sk-of-the-environment").code == 0
    assert service.requests[0].key == KEY
    service.answer = lambda _: reply_json({"error": {"message": f"Wrong key {KEY}"}}, 401)
    done = program.run(*options, "--debug", "--key", KEY, "hi")
    assert done.code == 3
    assert "Wrong key" in done.err
    assert KEY not in done.err
    assert not [file for file in program.home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]


def test_a_key_for_one_run_is_for_one_provider(program: Program, service: Loopback) -> None:
    """Else it could reach a stranger."""
    for options in ([], ["-p", "Service,Other"]):
        done = program.run(*options, "--key", KEY, "hi")
        assert (done.code, done.err) == (
            2,
            "Error: It is not clear whose key this is: name one provider with -p PROVIDER.\n",
        )
    assert program.run("-p", "Service", "--key", "sk two", "hi").code == 2
    program.install("Echo")
    done = program.run("chat", "-p", "Service", "--key", KEY, piped=b"hi\n/provider echo\nhi\n")
    assert done.out == "Hello.\nEcho: hi\n"
    assert [request.key for request in service.requests] == [KEY]


def test_the_environment_comes_first(program: Program, service: Loopback) -> None:
    """A stored key does not hide it."""
    store(program)
    assert program.run("-p", "Service", "hi", SERVICE_KEY="sk-of-the-environment").code == 0
    assert service.requests[0].key == "sk-of-the-environment"


def test_keys_are_listed_and_removed_and_never_shown(program: Program, service: Loopback) -> None:
    """With where they are."""
    store(program)
    found = {row["name"]: row for row in json.loads(program.run("keys", "--json").out)}
    assert found["Service"] == {"name": "Service", "place": "file", "variables": ["SERVICE_KEY"]}
    listing = program.run("keys", SERVICE_KEY="sk-of-the-environment")
    assert [line.split() for line in listing.out.splitlines() if "Service" in line] == [
        ["Service", "SERVICE_KEY", "SERVICE_KEY"]
    ]
    assert program.run("keys", "remove", "SERVICE").code == 0
    assert program.run("keys", "remove", "Service").code == 2
    assert program.run("-p", "Service", "hi").code == 3
    assert KEY not in find_file(program).read_text()


def test_a_provider_whose_key_is_stored_is_ready(program: Program, service: Loopback) -> None:
    """And where the key is, is told."""
    store(program)
    found = {row["name"]: row for row in json.loads(program.run("providers", "--json").out)}
    assert (found["Service"]["state"], found["Service"]["key"]) == ("ready", "file")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such permissions")
def test_the_file_is_for_its_owner_alone(program: Program, service: Loopback) -> None:
    """Whatever the umask; one that others can read is refused with the remedy."""
    before = os.umask(0)
    try:
        store(program)
    finally:
        os.umask(before)
    file = find_file(program)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o640)
    done = program.run("-p", "Service", "hi")
    assert (done.code, done.out, service.requests) == (3, "", [])
    assert f"run chmod 600 {file}" in done.err
    assert KEY not in done.err


@pytest.mark.parametrize(
    ("arguments", "key", "sentence"),
    [
        (["Service", KEY], b"", "A key does not belong on the command line"),
        (["Service"], b"\n", "The key of Service is empty: type it, or pipe it in"),
        (["Service"], b"sk-12 34", "has characters that a key cannot have"),
        (["Service"], "sk…".encode(), "has characters that a key cannot have"),
        (["Local"], b"sk-1234", "Local takes no key."),
        (["Servise"], b"sk-1234", "Did you mean Service?"),
    ],
)
def test_what_cannot_be_stored_is_bad_input(
    program: Program, service: Loopback, arguments: list[str], key: bytes, sentence: str
) -> None:
    """Nothing is stored, nor shown."""
    done = program.run("keys", "set", *arguments, piped=key)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert KEY not in done.err
    assert not find_file(program).exists()


def test_a_providers_key_does_not_go_to_another_address(program: Program, service: Loopback) -> None:
    """The key of a server is stored under its address, and goes to no other."""
    store(program)
    with Loopback(HELLO) as server, Loopback(HELLO) as stranger:
        for url in (server.url, stranger.url):
            program.run("-p", "Service", "--base-url", url, "hi")
        store(program, f"{server.url}/v1", "sk-of-the-server")
        for url in (server.url, stranger.url):
            assert program.run("--base-url", f"{url}/v1", "-m", "m-1", "hi").code == 0
        assert [request.key for request in server.requests] == [None, "sk-of-the-server"]
        assert [request.key for request in stranger.requests] == [None, None]


def test_debug_shows_no_stored_key(program: Program) -> None:
    """Wherever it was in an error's text."""
    code = f"""
    from g4f import hookimpl

    class Failing:
        @hookimpl
        async def chat(self, request, context):
            raise ValueError("bad key {KEY}")
    """
    manifest = """
    contract = 1
    models = "open"
    auth = {kind = "own", variables = ["FAILING_KEY"]}
    [capabilities]
    chat = "yes"
    """
    program.install("Failing", code=code, manifest=manifest)
    store(program, "Failing")
    done = program.run("--debug", "-p", "Failing", "hi")
    assert "Traceback" in done.err
    assert KEY not in done.err


KEYRING = """
import json, pathlib
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 5
    path = pathlib.Path("keyring.json")

    def _read(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service, name):
        return self._read().get(f"{service} {name}")

    def set_password(self, service, name, key):
        self.path.write_text(json.dumps({**self._read(), f"{service} {name}": key}))

    def delete_password(self, service, name):
        found = self._read()
        del found[f"{service} {name}"]
        self.path.write_text(json.dumps(found))
"""


def test_a_keyring_is_used_where_there_is_one(program: Program, service: Loopback) -> None:
    """Then no file holds the key."""
    pytest.importorskip("keyring")
    (program.site / "test_keyring.py").write_text(KEYRING)
    backend = {"PYTHON_KEYRING_BACKEND": "test_keyring.Keyring"}
    done = program.run("keys", "set", "Service", piped=KEY.encode(), **backend)
    assert done.err == "Note: The key of Service is stored in the keyring.\n"
    assert KEY not in find_file(program).read_text()
    assert program.run("-p", "Service", "hi", **backend).code == 0
    assert service.requests[0].key == KEY
    assert program.run("-p", "Service", "hi").code == 3  # the keyring is locked, or gone
    assert program.run("keys", "remove", "Service", **backend).code == 0
    assert KEY not in (program.folder / "keyring.json").read_text()
