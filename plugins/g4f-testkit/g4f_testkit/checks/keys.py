"""The key: it goes to the service, in one header, and nobody else ever sees it."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import Any

import pytest

from g4f import G4FError
from g4f_testkit.claims import claim
from g4f_testkit.kit import KEY, LONG, SOON, Kit
from g4f_testkit.script import Failure, Turn
from g4f_testkit.server import PICTURE_PATH

REDIRECTS = ["redirect-to-another-origin", "redirect-loop", "redirect-to-a-file"]
ECHO = f"The key {KEY} is wrong."
SILENCE = "first-byte-never-comes"
TURNS = {
    "answered": Turn(),
    "refused, with the key": Turn(failure=Failure(401, ECHO, type=KEY, code=KEY)),
    "refused in mid-stream, with the key": Turn(failure=Failure(401, ECHO, in_stream=True)),
    "failed, with the key": Turn(failure=Failure(500, ECHO)),
    "answered with a page": Turn(fault="html-page"),
    "answered with nonsense": Turn(fault="garbage-status-line"),
    "hung up on": Turn(fault="reset-before-the-answer"),
    "cut": Turn(fault="connection-reset"),
    "silent": Turn(fault=SILENCE),
    "sent elsewhere": Turn(fault="redirect-to-another-origin"),
}


class KeyChecks:
    """The grade gold."""

    @claim("gold", keyed=True)
    async def test_the_key_goes_in_its_header_alone(self, kit: Kit) -> None:
        """The one that the manifest names; not in the URL, the body or a second header; and not to fetch a picture."""
        await _use_everything(kit)
        auth = kit.manifest.auth
        for request in kit.server.requests:
            is_public = request.path == PICTURE_PATH
            assert request.raw.decode("latin-1").count(KEY) == (0 if is_public else 1)
            assert KEY not in request.url
            if auth.kind == "header" and not is_public:
                assert request.headers.get(auth.header.lower()) == auth.prefix + KEY

    @claim("gold", "chat", "vision", keyed=True)
    async def test_a_picture_is_fetched_without_the_key(self, kit: Kit) -> None:
        """By whoever fetches it."""
        await kit.ask(needs="vision", image=kit.picture_url)
        fetched = [request for request in kit.server.requests if request.path == PICTURE_PATH]
        assert all(KEY.encode() not in request.raw for request in fetched)

    @claim("gold")
    @pytest.mark.parametrize("fault", REDIRECTS)
    async def test_nobody_is_led_astray(self, kit: Kit, fault: str) -> None:
        """Not to another origin, which would get the key; not in a circle; not to a file."""
        kit.play(Turn(fault=fault))
        assert isinstance(await kit.fail(), G4FError)
        assert {request.origin for request in kit.server.requests} == {kit.server.url}
        assert len(kit.server.requests) < 20

    @claim("gold", keyed=True)
    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
    @pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
    async def test_the_key_is_shown_nowhere(
        self,
        kit: Kit,
        turn: Turn,
        streamed: bool,
        caplog: pytest.LogCaptureFixture,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Not in what a client, an answer or an error says, nor in logs, tracebacks with locals, prints, files."""
        if streamed and kit.manifest.supports("chat") != "yes":
            pytest.skip("The provider does not chat.")
        caplog.set_level(logging.DEBUG)
        kit.play(turn)
        shown: list[str] = []
        for seconds in (SOON, LONG) if turn.fault == SILENCE else (LONG,):
            client = kit.make_client(timeout=seconds)
            error = await _try(kit, client, streamed=streamed)
            shown += [repr(client), *map(_show, (error, *([] if error is None else error.attempts)))]
            if kit.server.requests:  # else the machine had so much to do that the deadline was over before
                break
        printed = capsys.readouterr()
        shown += [caplog.text, printed.out, printed.err, *_read_files(kit)]
        assert kit.server.requests, "Nothing was sent, so that nothing could leak."
        assert not [text for text in shown if KEY in text]


async def _use_everything(kit: Kit) -> None:
    """Do all that the manifest affirms, once."""
    able = [name for name in ("chat", "image", "embed") if kit.manifest.supports(name) == "yes"]
    async with kit.make_client() as client:
        if "chat" in able:
            await kit.ask(client=client)
            await kit.listen()
        if "image" in able:
            await kit.draw(client=client)
        if "embed" in able:
            await kit.embed("a", client=client)
        if kit.subject.plugin.implements("models"):
            await client.models.list()


async def _try(kit: Kit, client: Any, *, streamed: bool) -> G4FError | None:
    async with client:
        try:
            if not streamed:
                assert KEY not in _show(await kit.use(client))
                return None
            stream = client.chat.completions.stream("Hi", kit.subject.choose_model("chat"))
            async for chunk in stream:
                assert KEY not in _show(chunk)
            assert KEY not in repr(stream)
        except G4FError as error:
            return error
    return None


def _show(value: Any) -> str:
    """Return all that can be seen of a value; of an error also its traceback with the values of local names."""
    seen = [repr(value), str(value), repr(getattr(value, "__dict__", ""))]
    if isinstance(value, BaseException):
        seen += traceback.TracebackException.from_exception(value, capture_locals=True).format()
    try:
        seen.append(pickle.dumps(value).decode("latin-1"))
    except Exception:  # noqa: BLE001 - what cannot be pickled does not leak that way
        seen.append("")
    return "\n".join(seen)


def _read_files(kit: Kit) -> list[str]:
    return [path.read_bytes().decode("latin-1") for path in kit.folder.rglob("*") if path.is_file()]
