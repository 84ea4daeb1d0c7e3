"""Plugins that are broken in every known way: each tells its own error, and none harms the others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import g4f
from distributions import ECHO, write_distribution

CORE = Path(g4f.__file__).parents[1]
CLI = CORE.parent / "plugins" / "g4f-cli"
LOUD = "import pathlib, sys\npathlib.Path('imported').touch()\nprint('loud')\nsys.stderr.write('louder')\n" + ECHO


def write_hook(body: str, head: str = "async def chat(self, request, context)") -> str:
    """Return a module whose provider has one hook."""
    start = "from g4f import Chunk, Completion, Images, hookimpl\nclass {name}:\n    @hookimpl\n"
    return f"{start}    {head}:\n        {body}\n"


STREAM = "async def stream(self, request, context)"
# What stands in its module; what is told when it is asked.
MODULES = {
    "Raises": ("raise RuntimeError('boom')", "cannot be imported: RuntimeError: boom"),
    "Exits": ("import sys; sys.exit(3)", "cannot be imported: SystemExit: 3"),
    "RaisesTheBase": ("class B(BaseException): ...\nraise B('x')", "cannot be imported: B: x"),
    "NoPython": ("def (:", "cannot be imported: SyntaxError"),
    "Recurses": ("def f(): f()\nf()", "cannot be imported: RecursionError"),
    "Asks": ("input()", "cannot be imported: EOFError"),
    "HasNone": ("x = 1", "has no attribute 'HasNone'"),
    "IsNone": ("{name} = None", "implements no hook"),
    "IsNumber": ("{name} = 5", "implements no hook"),
    "NoHook": ("class {name}: ...", "implements no hook"),
    "Misspelled": (write_hook("...", "async def chatt(self, request)"), "there is no hook chatt. Did you mean chat?"),
    "WrongArguments": (write_hook("...", "async def chat(self, prompt)"), "has a parameter 'prompt'"),
    "WantsMore": ("class {name}:\n    def __init__(self, key): ...", "cannot be made: TypeError"),
    "CannotBeMade": ("class {name}:\n    def __init__(self): raise ValueError('no')", "cannot be made: ValueError: no"),
    "ExitsWhenMade": ("class {name}:\n    def __init__(self): raise SystemExit(4)", "cannot be made: SystemExit: 4"),
    "ReturnsNothing": (write_hook("return None"), "must return Completion; it returned nothing"),
    "ReturnsText": (write_hook("return 'x'"), "must return Completion; it returned a str"),
    "ReturnsPictures": (write_hook("return Images()"), "must return Completion; it returned an Images"),
    "ReturnsNoChoice": (write_hook("return Completion()"), "returned a Completion without choices"),
    "NotAsync": (write_hook("return 1", "def chat(self, request, context)"), "must be declared with async def"),
    "HookRaises": (write_hook("raise KeyError('x')"), "HookRaises failed: KeyError: 'x'"),
    "HookStops": (write_hook("raise StopAsyncIteration"), "HookStops failed: StopAsyncIteration"),
    "YieldsNothing": (write_hook("return\n        yield", STREAM), "without any content"),
    "YieldsNone": (write_hook("yield None", STREAM), "must yield Chunk; it yielded a NoneType"),
    "YieldsText": (write_hook("yield 'x'", STREAM), "must yield Chunk; it yielded a str"),
    "YieldsPart": (
        write_hook("yield Chunk.from_text('a')\n        raise KeyError('y')", STREAM),
        "failed: KeyError: 'y'",
    ),
    "NoGenerator": (write_hook("return None", STREAM), "must be an async generator: declare it with async def"),
    "ReturnsList": (write_hook("return []", STREAM.removeprefix("async ")), "must be an async generator"),
}
MANIFESTS = {
    "NoToml": ("contract = = 1", "it is not valid TOML"),
    "Deep": (f"contract = 1\nx = {'[' * 5000}", "it is not valid TOML"),
    "Empty": ("", "contract = 1 is missing"),
    "Future": ("contract = 2", "needs contract 2, and this g4f-core speaks 1"),
    "TextContract": ("contract = '1'", "contract in the manifest must be a whole number"),
    "TextModels": ("contract = 1\nmodels = 'closed'", "models must be"),
    "NumberModel": ("contract = 1\nmodels = [5]", "each of models must be a table"),
    "NumberId": ("contract = 1\n[[models]]\nid = 5", "id in models[0] must be a text"),
    "Maybe": ("contract = 1\n[capabilities]\nchat = true", "chat in capabilities must be"),
    "TextVariables": ("contract = 1\n[auth]\nvariables = 'X'", "variables in auth must be a list"),
    "NeverEnds": ("contract = 1\nstream_end = 'never'", "stream_end in the manifest must be"),
    "Unknown": ("contract = 1\nbase_ulr = 'x'", "'base_ulr' is no key of the manifest"),
    "NoManifest": (None, "has no manifest NoManifest.toml"),
}
POINTS = {
    "Gone": ("Gone = g4f_provider_nowhere:Gone", "g4f_provider_nowhere, which is not there: reinstall it"),
    "OneFile": ("OneFile = bisect:OneFile", "names bisect, a single file: it must be a package"),
    "NoColon": ("NoColon = g4f_provider_nocolon", "cannot be imported: AttributeError"),
    "NoValue": ("NoValue =", "which is not there: reinstall it"),
    "Below": ("Below = g4f_provider_below.deep:Below", "cannot be imported: ModuleNotFoundError"),
}
CONFLICT = "twin-a 1.0 and twin-b 1.0 both register the provider"
TOLD = {**{name: says for name, (_, says) in (MODULES | MANIFESTS | POINTS).items()}, "Twin": CONFLICT}
WELL = ("Loud", "CloseRaises")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where all of them are installed, and one that is well."""
    folder = tmp_path_factory.mktemp("site")
    for name, (code, _) in MODULES.items():
        write_distribution(folder, name, code=code)
    for name, (manifest, _) in MANIFESTS.items():
        write_distribution(folder, name, manifest=manifest)
    for name, (point, _) in POINTS.items():
        write_distribution(folder, name)
        _register(folder, name, f"[g4f.providers]\n{point}\n".encode())
    for distribution in ("twin-a", "twin-b"):
        write_distribution(folder, "Twin", distribution=distribution)
    write_distribution(folder, "Unreadable")
    _register(folder, "Unreadable", b"\xff\xfe[g4f.providers]\n")
    write_distribution(folder, "Nameless")
    _register(folder, "Nameless", b"[g4f.providers]\n../../Nameless = g4f_provider_nameless:Nameless\n")
    write_distribution(folder, "Loud", code=LOUD)
    write_distribution(
        folder, "CloseRaises", code=f"{ECHO}    @hookimpl\n    async def close(self): raise KeyError(1)\n"
    )
    return folder


def _register(site: Path, name: str, points: bytes) -> None:
    (site / f"g4f_provider_{name.lower()}-1.0.dist-info" / "entry_points.txt").write_bytes(points)


def run(site: Path, folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python where these are installed, and nothing else of the tester's."""
    path = os.pathsep.join(map(str, (site, CORE, CLI)))
    return subprocess.run(
        [sys.executable, *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": str(folder), **variables},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


ASK = """
import asyncio, json, sys
import g4f

async def ask(client, name, stream):
    try:
        if not stream:
            return "", (await client.chat.completions.create("hi", provider=name)).choices[0].message.content
        chunks = [chunk async for chunk in client.chat.completions.stream("hi", provider=name)]
        return "", "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    except g4f.G4FError as error:
        return type(error).__name__, str(error)

async def main():
    async with g4f.AsyncClient(max_retries=0) as client:
        return {name: [await ask(client, name, stream) for stream in (False, True)] for name in sys.argv[1:]}

print(json.dumps(asyncio.run(main())))
"""


def test_each_tells_its_own_error_and_the_others_answer(site: Path, tmp_path: Path) -> None:
    """In one program, whole and streamed; what a plugin prints stays what it is, and its failing close is no error."""
    done = run(site, tmp_path, "-X", "dev", "-c", ASK, *TOLD, *WELL)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for name, says in TOLD.items():
        for kind, text in found[name]:
            assert kind in ("ProviderBrokenError", "ProviderConflictError", "APIError", "APIResponseError"), name
            assert says in text or name in POINTS, (name, text)
            assert name.lower() in text.lower()
    for name in WELL:
        assert found[name] == [["", f"{name}: hi"]] * 2
    assert "CloseRaises could not be closed: KeyError" in done.stderr


def test_each_is_listed_and_none_is_imported(site: Path, tmp_path: Path) -> None:
    """But for what has no name, and what nobody can read."""
    done = run(site, tmp_path, "-m", "g4f_cli", "providers", "--json")
    assert done.returncode == 0, done.stderr
    states = {row["name"]: row["state"] for row in json.loads(done.stdout)}
    assert states.keys() >= {*TOLD, *WELL}
    assert {name for name in MANIFESTS if states[name] != "broken"} == set()
    assert (states["Twin"], states["Loud"]) == ("conflict", "ready")
    assert not (tmp_path / "imported").exists()


def test_the_doctor_tells_of_each_without_an_import(site: Path, tmp_path: Path) -> None:
    """What only an import can show is left to `--import`."""
    done = run(site, tmp_path, "-m", "g4f_doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = "\n".join(finding["text"] for finding in json.loads(done.stdout)["findings"])
    for name, (_, says) in MANIFESTS.items():
        assert f"The provider {name} of g4f-provider-{name.lower()} 1.0" in told
        assert says in told
    assert CONFLICT in told
    assert "registers a provider '../../Nameless', which is no name" in told
    assert "g4f-provider-unreadable has an entry_points.txt that cannot be read" in told
    assert not (tmp_path / "imported").exists()


def wait_until_nobody_holds(pipe: Path) -> None:
    """Wait for the end of what a provider began, too."""
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            try:
                assert os.read(reader, 1) == b""
                return
            except BlockingIOError:
                time.sleep(0.01)
    finally:
        os.close(reader)


def test_the_doctor_imports_each_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Those that end Python, break it, ask for input or hang are told of within the limit."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copytree(CORE / "g4f_doctor", site / "g4f_doctor", ignore=shutil.ignore_patterns("__pycache__"))
    held = tmp_path / "held"
    os.mkfifo(held)
    codes = {
        "Ends": "import os; os._exit(0)",
        "Breaks": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "Asks": "input()",
        "ExitsWhenMade": MODULES["ExitsWhenMade"][0],
        "Hangs": f"import os, time\nos.open({str(held)!r}, os.O_RDWR)\nos.fork()\ntime.sleep(600)",
        "Loud": LOUD,
    }
    for name, code in codes.items():
        write_distribution(site, name, code=code)
    hasty = (
        "import sys; from g4f_doctor import trial; trial.IMPORT_SECONDS = 3; "
        "from g4f_doctor.__main__ import main; sys.exit(main(['--import', '--json']))"
    )
    ours = ",".join(f"g4f-provider-{name.lower()}" for name in codes)  # the tester's own are well, and take long
    done = run(site, tmp_path, "-c", hasty, G4F_PLUGINS=ours)
    assert (done.returncode, done.stderr) == (1, "")
    states = {row["name"]: (row["state"], row["reason"]) for row in json.loads(done.stdout)["providers"]}
    assert {name for name, (state, _) in states.items() if state == "broken"} == codes.keys() - {"Loud"}
    assert "ends Python with exit code 0" in states["Ends"][1]
    assert "is not imported after 3 s" in states["Hangs"][1]
    wait_until_nobody_holds(held)
    assert states["Loud"][0] == "ready"
