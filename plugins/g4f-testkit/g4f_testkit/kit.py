"""What a check works with: clients of the provider, the server that plays its service, and what both said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from g4f import AsyncClient, ChatStream, Chunk, Completion, G4FError
from g4f.embeddings import Embeddings
from g4f.images import Images
from g4f_testkit.claims import Claim, Grade
from g4f_testkit.dialect import Asked
from g4f_testkit.script import Turn
from g4f_testkit.server import PICTURE_PATH, Server
from g4f_testkit.subject import Subject

KEY = "g4f-canary-Q7vX2mP9"  # what nobody but the service may ever see
NOWHERE = "http://127.0.0.1:9"  # nobody listens there
PROMPT = "What is the capital of France?"
SYSTEM = "Answer in one word."
SOON = 0.3  # seconds: a deadline that a check waits for
LONG = 60.0  # seconds: a deadline that nothing comes near, on a machine with much else to do


@attrs.frozen
class Heard:
    """A stream that was heard to its end, or to the error that ended it."""

    chunks: tuple[Chunk, ...] = ()
    stream: ChatStream | None = None
    error: Exception | None = None

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(delta.content or "" for delta in self._deltas)

    @property
    def reasoning(self) -> str:
        """What was thought."""
        return "".join(delta.reasoning_content or "" for delta in self._deltas)

    @property
    def finish_reason(self) -> str | None:
        """Why it ended."""
        reasons = [choice.finish_reason for chunk in self.chunks for choice in chunk.choices if choice.finish_reason]
        return reasons[-1] if reasons else None

    @property
    def calls(self) -> list[tuple[str, str]]:
        """The functions called, each with its arguments put together."""
        names: dict[int, str] = {}
        arguments: dict[int, str] = {}
        for delta in self._deltas:
            for call in delta.tool_calls:
                at = call.index or 0
                names[at] = names.get(at, "") + call.function.name
                arguments[at] = arguments.get(at, "") + call.function.arguments
        return [(names[at], arguments[at]) for at in sorted(names)]

    @property
    def _deltas(self) -> list[Any]:
        return [choice.delta for chunk in self.chunks for choice in chunk.choices]


class Kit:
    """One check's surroundings.

    Attributes:
        subject: The provider.
        name: Its name.
        manifest: What it says of itself.
        folder: Where pictures are saved.
    """

    def __init__(self, subject: Subject, server: Server | None, folder: Path, options: Mapping[str, Any]) -> None:
        self.subject = subject
        self.name = subject.name
        self.manifest = subject.manifest
        self.folder = folder
        self._server = server
        self._options = options

    @property
    def server(self) -> Server:
        """The server that plays the service; a check with another `reach` has none."""
        assert self._server is not None
        return self._server

    @property
    def has_server(self) -> bool:
        """Whether a server plays the service."""
        return self._server is not None

    @property
    def asked(self) -> list[Asked]:
        """What the server was asked."""
        return self.server.asked

    @property
    def picture_url(self) -> str:
        """Where the server shows a picture."""
        return f"{self.server.url}{PICTURE_PATH}"

    def grade(self, claim: Claim) -> Grade:
        """Return the grade that needs a claim."""
        is_main = claim.needs[:1] == (self.subject.main,)
        return claim.alone if claim.alone and is_main else claim.grade

    def skip_unless_it_applies(self, claim: Claim) -> None:
        """Leave a check that the provider cannot be put to."""
        obstacle = self._find_obstacle(claim)
        if obstacle:
            pytest.skip(obstacle)

    def _find_obstacle(self, claim: Claim) -> str | None:
        """Say why a claim does not apply, or nothing where it does."""
        if claim.reach == "server" and self._server is None:
            return self._explain_missing_server()
        if claim.reach == "any" and self._server is None and self.manifest.base_url:
            return self._explain_missing_server()
        if claim.keyed and self.manifest.auth.kind == "none":
            return "The provider takes no key."
        for capability in claim.needs:
            support = self.manifest.supports(capability)
            if support != "yes":
                return f"The manifest does not declare {capability}: it says {support!r}."
        missing = [feature for feature in claim.features if self.lacks(feature)]
        return f"The service has no {missing[0]}." if missing else None

    def lacks(self, feature: str) -> bool:
        """Tell whether the service does not have something, as its dialect says."""
        return self.subject.dialect is not None and feature in self.subject.dialect.lacks

    def skip_if_lacking(self, feature: str) -> None:
        """Leave a check that looks for what the service does not have."""
        if self.lacks(feature):
            pytest.skip(f"The service has no {feature}.")

    def skip_unless_signing(self) -> None:
        """Leave a check that looks for what the service signed."""
        if not getattr(self.subject.dialect, "signs", False):
            pytest.skip("The service signs nothing.")

    def _explain_missing_server(self) -> str:
        if self.manifest.base_url:
            return "The provider speaks a dialect of its own: name it with --g4f-dialect=path.py:Class."
        return "The provider speaks no HTTP, so that no server can play its service."

    def play(self, *turns: Turn) -> None:
        """Have the server say these turns, one a request; the last again and again."""
        if self._server is not None:
            self._server.play(*turns)

    def make_client(self, **options: Any) -> AsyncClient:
        """Return a client of the provider, with the canary for a key."""
        given: dict[str, Any] = {"max_retries": 0, "timeout": LONG, "proxies": {}, "media_folder": self.folder}
        if self.manifest.auth.kind != "none":
            given["api_key"] = KEY
        if self.manifest.base_url:
            path = urlsplit(self.manifest.base_url).path
            given["base_url"] = NOWHERE if self._server is None else self._server.url + path
        return AsyncClient(provider=self.subject.provider, **{**given, **self._options, **options})

    async def ask(
        self, content: Any = PROMPT, *, needs: str = "chat", client: Any = None, **options: Any
    ) -> Completion:
        """Chat, and return the whole answer."""
        messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
        model = options.pop("model", None) or self.subject.choose_model(needs)
        if client is not None:
            found: Completion = await client.chat.completions.create(messages, model, **options)
            return found
        async with self.make_client() as own:
            return await self.ask(messages, client=own, model=model, **options)

    async def listen(self, content: Any = PROMPT, *, needs: str = "chat", **options: Any) -> Heard:
        """Chat, and return what was streamed, to the end or to an error."""
        messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
        chunks: list[Chunk] = []
        async with self.make_client(timeout=options.pop("timeout", LONG)) as client:
            stream = client.chat.completions.stream(messages, self.subject.choose_model(needs), **options)
            try:
                async for chunk in stream:
                    chunks.append(chunk)
            except G4FError as error:
                return Heard(tuple(chunks), stream, error)
        return Heard(tuple(chunks), stream)

    async def draw(self, *, client: Any = None, image: Any = None, **options: Any) -> Images:
        """Draw, or change `image`."""
        options.setdefault("response_format", "b64_json")
        if client is None:
            async with self.make_client() as own:
                return await self.draw(client=own, image=image, **options)
        if image is not None:
            model = self.subject.choose_model("image_edit")
            edited: Images = await client.images.edit(image, PROMPT, model, **options)
            return edited
        drawn: Images = await client.images.generate(PROMPT, self.subject.choose_model("image"), **options)
        return drawn

    async def embed(self, *texts: str, client: Any = None) -> Embeddings:
        """Make embeddings."""
        if client is None:
            async with self.make_client() as own:
                return await self.embed(*texts, client=own)
        found: Embeddings = await client.embeddings.create(list(texts), self.subject.choose_model("embed"))
        return found

    async def use(self, client: Any = None, **options: Any) -> Any:
        """Do what the provider is for."""
        if self.subject.main == "image":
            return await self.draw(client=client, **options)
        return await (
            self.embed("a", client=client) if self.subject.main == "embed" else self.ask(client=client, **options)
        )

    async def fail(self, **options: Any) -> G4FError:
        """Do what the provider is for, and return the error that must come of it."""
        client_options = {"timeout": options.pop("timeout", LONG), "max_retries": options.pop("max_retries", 0)}
        async with self.make_client(**client_options) as client:
            try:
                answer = await self.use(client, **options)
            except G4FError as error:
                return error
        raise AssertionError(f"No error was raised; the answer was {answer!r}")

    async def wait_until(self, condition: Callable[[], object], seconds: float = 5.0) -> bool:
        """Wait until something holds that happens in the server."""
        end = asyncio.get_running_loop().time() + seconds
        while not condition():
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(0.01)
        return True
