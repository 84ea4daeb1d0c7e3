"""The programs of the two documents that this project began with run unchanged; only the network is a stand-in.

Every host is the loopback server, and the providers are the real ones; but for CopilotAccount, a small distribution of
the same name is written into a folder on PYTHONPATH.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import attrs
import pytest

from distributions import write_distribution
from emulators.aimock import KEY, Aimock, run_aimock
from end_to_end import seeds
from g4f.registry import share_registry
from g4f_provider_local.download import ensure_model, find_cache
from loopback import Loopback, Received, Reply, make_completion, reply_events, reply_json

if not seeds.ROOT.is_dir():
    pytest.skip("the two documents (../shared/seeds) are not here", allow_module_level=True)

GUIDE, HOWTO = "async_client_guide.md", "async_client_howto.md"
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAACklEQVR4nGMAAQAABQABDQottAAAAABJRU5ErkJggg==")
CAT = b"\xff\xd8\xff\xe0 a cat"
SAVED = r"/images/\d{10}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.png"

EMULATED = ("OpenaiChat", "Gemini")  # those whose language an emulator speaks
SPOKEN = (*EMULATED, "BlackForestLabs", "BingCreateImages")  # the installed providers whose language the server speaks
# CopilotAccount drives a program of 200 MB, which this test does without: tests of provider_copilot run it.
STAND_IN = """
    from g4f import HttpProvider

    class {name}(HttpProvider):
        '''It speaks OpenAI's dialect.'''
    """
STAND_IN_MANIFEST = """
    contract = 1
    title = "{name}"
    base_url = "ADDRESS"
    models = "open"
    [auth]
    variables = ["COPILOT_GITHUB_TOKEN"]
    [capabilities]
    chat = "yes"
    vision = "yes"
    [defaults]
    chat = "copilot-model"
    """
# Any other host than ours is answered by ours; whoever gets past that fails.
SITECUSTOMIZE = """
    import os, sys
    from urllib.parse import urlsplit

    import requests.adapters

    def send(self, request, *, _send=requests.adapters.HTTPAdapter.send, **options):
        parts = urlsplit(request.url)
        request.url = f"{os.environ['WORLD']}/hosts/{parts.hostname}{parts.path}"
        return _send(self, request, **options)

    def refuse(event, arguments):
        if event == "socket.connect" and arguments[1][0] != "127.0.0.1":
            raise OSError(f"{arguments[1]} is outside")

    requests.adapters.HTTPAdapter.send = send
    sys.addaudithook(refuse)
    """


@attrs.frozen
class Program:
    """One block of a document.

    Attributes:
        then: Lines that show what a fragment leaves unsaid.
        prints: What it prints, as a regular expression.
        asks: Which provider gets which path, in any order.
    """

    document: str
    number: int
    prints: str
    asks: tuple[tuple[str, str], ...] = ()
    then: str = ""
    logs: str = ""


SHOW = "print(response.choices[0].message.content)"
CHAT, STREAM, IMAGE = "/chat/completions", "/chat/completions", "/images/generations"
GEMINI_DRAWS = "gemini-nano-banana-2.1"
JOB, RESULT = "/v1/flux-2-pro", "/v1/get_result"
DRAW = f"/v1beta/models/{GEMINI_DRAWS}:generateContent"
PROGRAMS = [
    Program(GUIDE, 0, "<AsyncClient provider=<provider OpenaiChat>>", then="print(client)"),
    Program(GUIDE, 1, "gpt-4o-mini: This is a test", (("OpenaiChat", CHAT),), SHOW),
    Program(GUIDE, 2, "<AsyncClient provider=None>", then="print(client)"),
    Program(GUIDE, 3, "gpt-4o-mini: This is a test", (("OpenaiChat", CHAT),)),
    Program(GUIDE, 4, "gpt-5.6-sol: This is a test", (("OpenaiChat", STREAM),)),
    Program(GUIDE, 5, "copilot-model: This is a cat", (("CopilotAccount", CHAT),)),
    Program(GUIDE, 6, r"Generated image URL: http://127.0.0.1:\d+/files/flux.png", (("BlackForestLabs", JOB),)),
    Program(GUIDE, 7, re.escape(base64.b64encode(PNG).decode()), (("BlackForestLabs", JOB),)),
    Program(
        GUIDE,
        8,
        r"Chat Response:\n(?s:.+)\n\nImage Response:\nhttp://127.0.0.1:\d+/files/flux.png",
        (("BlackForestLabs", JOB),),
    ),
    Program(GUIDE, 9, "gpt-4: Hello, world!", (("CopilotAccount", CHAT),), SHOW),
    Program(GUIDE, 10, "gpt-4o-mini: Hello, world!", (("OpenaiChat", CHAT),), SHOW),
    Program(GUIDE, 11, "gpt-4o-mini: This is a test", (("OpenaiChat", CHAT),)),
    Program(GUIDE, 12, "None", then="print(asyncio.run(make_api_call()))"),
    Program(GUIDE, 13, "None", then="print(asyncio.run(make_api_call()))"),
    Program(
        GUIDE,
        14,
        "None",
        then="import asyncio\nprint(asyncio.run(make_api_call()))",
        logs="ERROR:__main__:API call failed: messages must be a text or a list of messages, not ellipsis",
    ),
    Program(GUIDE, 15, "None", then="print(get_cached_response('a query'))"),
    Program(HOWTO, 0, "gpt-5.6-terra: This is a test", (("OpenaiChat", CHAT),)),
    Program(HOWTO, 1, "gpt-5.6-sol: This is a test", (("OpenaiChat", STREAM),)),
    Program(HOWTO, 2, SAVED, (("OpenaiChat", IMAGE),), "print(image_url)"),
    Program(
        HOWTO,
        3,
        rf"\[Completion\(.*content='gpt-5\.6-terra: This is a test'.*\), Images\(.*url='{SAVED}'.*\)\]",
        (("OpenaiChat", CHAT), ("Gemini", DRAW)),
    ),
]


class World:
    """Who stands where: a provider's address begins with its name, and its key is its own."""

    def __init__(self, server: Loopback, site: Path) -> None:
        self.server = server
        server.answer = self._answer
        self.environment = {"PATH": os.environ["PATH"], "WORLD": server.url, "PYTHONPATH": str(site)}
        self.environment["G4F_CACHE_DIR"] = str(find_cache().parent)
        for name in SPOKEN:
            self._add_installed(name)
        self._write_stand_in("CopilotAccount", site)
        (site / "sitecustomize.py").write_text(dedent(SITECUSTOMIZE), encoding="utf-8")

    def address(self, name: str) -> str:
        """Where the provider's base URL points."""
        return f"{self.server.url}/{name}"

    def key(self, name: str) -> str:
        """The provider's key in the environment."""
        return f"key-of-{name}"

    def _add_installed(self, name: str) -> None:
        registry = share_registry()
        manifest = registry.read_manifest(registry.find(name))
        assert manifest.base_url_variable is not None
        self.environment[manifest.base_url_variable] = self.address(name)
        self.environment.update({variable: self.key(name) for variable in manifest.auth.variables[:1]})

    def _write_stand_in(self, name: str, site: Path) -> None:
        # The same distribution name: it stands before the installed one on the path, and so takes its place.
        write_distribution(
            site,
            name,
            distribution="g4f-provider-copilot",
            package="stand_in",
            code=STAND_IN,
            manifest=dedent(STAND_IN_MANIFEST).replace("ADDRESS", self.address(name)),
        )
        self.environment["COPILOT_GITHUB_TOKEN"] = self.key(name)

    def _answer(self, request: Received) -> Reply:
        if request.path == "/hosts/raw.githubusercontent.com/xtekky/gpt4free/refs/heads/main/docs/images/cat.jpeg":
            return Reply(200, {"content-type": "image/jpeg"}, CAT)
        if request.path == "/files/flux.png":
            return Reply(200, {"content-type": "image/png"}, PNG)
        if request.path.endswith(CHAT):
            return self._chat(request)
        return self._draw(request)

    def _draw(self, request: Received) -> Reply:
        if request.path.endswith(DRAW):
            part = {"inlineData": {"mimeType": "image/jpeg", "data": _show(PNG)}}
            return reply_json({"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]})
        if request.path.endswith(IMAGE):
            return reply_json({"created": 1764000000, "data": [{"b64_json": _show(PNG)}]})
        if request.path.endswith(JOB):
            return reply_json({"id": "1", "polling_url": f"{self.address('BlackForestLabs')}{RESULT}?id=1"})
        if request.path.endswith(RESULT):
            return reply_json({"status": "Ready", "result": {"sample": f"{self.server.url}/files/flux.png"}})
        return reply_json({"error": {"message": f"nobody lives at {request.path}"}}, 404)

    def _chat(self, request: Received) -> Reply:
        body = request.json
        text = f"{body['model']}: {_answer_to(body['messages'][-1]['content'])}"
        if not body.get("stream"):
            return reply_json(make_completion(text, body["model"]))
        usage = make_completion()["usage"]
        chunks = [
            *({"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in re.split("(?= )", text)),
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ]
        return reply_events(*chunks)


def _answer_to(content: object) -> str:
    if isinstance(content, list):
        assert content[0] == {"type": "text", "text": "What's in this image?"}
        assert content[1]["image_url"]["url"] == f"data:image/jpeg;base64,{_show(CAT)}"
        return "This is a cat"
    return str(content).replace("Say this", "This")


def _show(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world in which all programs run; the model of Local is there."""
    asyncio.run(ensure_model("qwen2.5-coder-0.5b-instruct"))
    with Loopback(Reply(500)) as server:
        yield World(server, tmp_path_factory.mktemp("site"))


def _name(program: Program) -> str:
    return f"{program.document[13:-3]}-{program.number}"


@pytest.mark.parametrize("program", PROGRAMS, ids=_name)
def test_a_program_of_the_documents_prints_what_they_promise(program: Program, world: World, tmp_path: Path) -> None:
    """It runs in a new interpreter and an empty folder, without a warning, and each key goes to its owner alone."""
    world.server.requests.clear()
    _run(program, tmp_path, world.environment)
    _check_requests(program, world)


@pytest.fixture(scope="module")
def aimock() -> Iterator[Aimock]:
    """An emulator that others wrote; it says to OpenaiChat and Gemini what the world says."""
    with run_aimock() as emulator:
        emulator.reset()
        for model in ("gpt-4o-mini", "gpt-5.6-sol", "gpt-5.6-terra"):
            for question in ("Say this is a test", "Hello, world!"):
                match = {"model": model, "userMessage": question}
                emulator.say({"content": f"{model}: {_answer_to(question)}"}, match=match)
        emulator.say({"image": {"b64Json": _show(PNG)}}, match={"endpoint": "image"})
        # Bytes inside of a chat's answer are what it calls a sound.
        emulator.say({"audio": {"b64Json": _show(PNG), "contentType": "image/png"}}, match={"model": GEMINI_DRAWS})
        yield emulator


@pytest.mark.parametrize(
    "program", [each for each in PROGRAMS if {name for name, _ in each.asks} & set(EMULATED)], ids=_name
)
def test_a_program_of_the_documents_runs_the_same_at_an_emulator(
    program: Program, world: World, aimock: Aimock, tmp_path: Path
) -> None:
    """The services of OpenaiChat and Gemini are others' work; it understood both."""
    aimock.forget_requests()
    addresses = {"OPENAI_BASE_URL": f"{aimock.url}/v1", "GOOGLE_GEMINI_BASE_URL": aimock.url}
    _run(program, tmp_path, world.environment | addresses | dict.fromkeys(("OPENAI_API_KEY", "GEMINI_API_KEY"), KEY))
    asked = [entry["path"] for entry in aimock.read_journal()]
    assert sorted(asked) == sorted({"OpenaiChat": "/v1", "Gemini": ""}[name] + path for name, path in program.asks)


def _run(program: Program, folder: Path, environment: dict[str, str]) -> str:
    """Run a program in a new interpreter and an empty folder, with warnings as errors, and return what it prints."""
    block = seeds.read_blocks(program.document)[program.number]
    (folder / "program.py").write_text(seeds.make_program(block, program.then), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(program.prints, done.stdout.strip(), re.DOTALL), done.stdout
    assert done.stderr.strip() == program.logs
    for name in re.findall(SAVED.replace("(", "(?:"), done.stdout):
        assert (folder / "generated_images" / Path(name).name).read_bytes() == PNG
    return done.stdout


def _check_requests(program: Program, world: World) -> None:
    asked = sorted(request.path for request in world.server.requests if request.method == "POST")
    assert asked == sorted(f"/{name}{path}" for name, path in program.asks)
    for request in world.server.requests:
        owner = request.path.split("/")[1]
        keyless = owner in ("files", "hosts")
        assert request.key == (None if keyless else world.key(owner))


def test_every_block_of_the_documents_is_a_program_here() -> None:
    """None is left out."""
    there = {(document, number) for document in (GUIDE, HOWTO) for number in range(len(seeds.read_blocks(document)))}
    assert there == {(program.document, program.number) for program in PROGRAMS}


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("GPT-3.5-Turbo", "OpenaiChat"),
        ("GPT-4o-Mini", "OpenaiChat"),
        ("GPT-4", "OpenaiChat"),
        ("DALL-E 3", "OpenaiChat"),
        ("Claude (Anthropic)", "Anthropic"),
        ("Claude", "Anthropic"),
        ("Gemini", "Gemini"),
    ],
)
def test_a_model_name_of_the_guides_list_leads_to_a_provider(name: str, provider: str) -> None:
    """The names as they stand in the list, in its spelling."""
    assert name in (seeds.ROOT / GUIDE).read_text(encoding="utf-8")
    assert provider in [ref.name for ref, _ in share_registry().find_claimants(name)]
