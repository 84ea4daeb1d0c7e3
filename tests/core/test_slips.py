"""What keeps a provider from the contract is told in one sentence, with what to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial, wraps
from types import ModuleType
from typing import Any

import pytest

from g4f.chat import Chunk, Completion
from g4f.context import Context
from g4f.hookspecs import hookimpl
from g4f.http_provider import HttpProvider
from g4f.slips import HOOKS, find_slip


class Sound:
    @property
    def model(self) -> str:
        pytest.fail("nobody asks a property")

    @hookimpl
    async def chat(self, request: object) -> Completion:
        return Completion.from_text("")

    @staticmethod
    @hookimpl
    async def stream(request: object, more: int = 1, *rest: object) -> AsyncIterator[Chunk]:
        yield Chunk.from_text("")

    @hookimpl
    def embed(self, request: object, context: Context) -> object:
        return None

    @hookimpl(specname="models")
    async def list_models(self) -> list[Any]:
        return []

    @hookimpl(optionalhook=True)
    async def speak(self, request: object) -> None: ...


class Misspelled:
    @hookimpl
    async def chatt(self, request: object) -> None: ...


class Misspelled2:
    @hookimpl(specname="steam")
    async def speak(self, request: object) -> None: ...


class WrongParameter:
    @hookimpl
    async def chat(self, req: object) -> None: ...


class NeedlessParameter:
    @hookimpl
    async def close(self, *, force: bool) -> None: ...


class Unmarked:
    @hookimpl
    async def stream(self) -> AsyncIterator[Chunk]:
        yield Chunk.from_text("")

    async def chat(self, request: object) -> None: ...


class UnmarkedOverride(HttpProvider):
    async def chat(self, request: object, context: Context) -> Any: ...  # type: ignore[override]  # the slip


class Nothing:
    async def talk(self, request: object) -> None: ...


class Selfless:
    @hookimpl
    async def chat(request: object) -> None: ...  # noqa: N805 - the slip


class Yields:
    @hookimpl
    async def chat(self, request: object) -> AsyncIterator[Chunk]:
        yield Chunk.from_text("")


class Returns:
    @hookimpl
    async def stream(self, request: object) -> list[Chunk]:
        return []


class YieldsAtOnce:
    @hookimpl
    def stream(self, request: object) -> Iterator[Chunk]:
        yield Chunk.from_text("")


SLIPS = {
    Misspelled: "X.chatt is marked with @hookimpl, but there is no hook chatt. Did you mean chat? The hooks are chat, "
    "stream, image, embed, models, prepare and close.",
    Misspelled2: "X.speak is marked with @hookimpl, but there is no hook steam. Did you mean stream? "
    "The hooks are chat, stream, image, embed, models, prepare and close.",
    WrongParameter: "X.chat has a parameter 'req', which g4f does not give: it may name request and context. "
    "Did you mean request?",
    NeedlessParameter: "X.close has a parameter 'force', which g4f does not give: it gets none.",
    Unmarked: "X.chat has a hook's name and no mark: write @hookimpl above it (from g4f import hookimpl), or call it "
    "something else.",
    UnmarkedOverride: "X.chat has a hook's name and no mark: write @hookimpl above it (from g4f import hookimpl), or "
    "call it something else.",
    Nothing: "X implements no hook: write a method as chat, with @hookimpl above it (from g4f import hookimpl).",
    Selfless: "X.chat lacks self: write chat(self, request).",
    Yields: "X.chat yields, which stream alone does: return the whole answer, or call it stream.",
    Returns: "X.stream must be an async generator: declare it with async def, and yield each Chunk.",
    YieldsAtOnce: "X.stream must be an async generator: declare it with async def, and yield each Chunk.",
}


@pytest.mark.parametrize("provider", SLIPS, ids=lambda provider: provider.__name__)
def test_a_slip_is_told_with_what_to_write(provider: type) -> None:
    """One sentence, which names the method."""
    assert find_slip("X", provider()) == SLIPS[provider]


def test_a_sound_provider_has_none() -> None:
    """In whatever way its hooks are written; properties are not asked."""
    assert find_slip("X", Sound()) is None
    assert find_slip("X", HttpProvider()) is None


def test_a_module_and_an_object_made_by_hand_are_providers_too() -> None:
    """Their functions have no self."""

    @hookimpl
    async def chat(request: object, context: Context) -> None: ...

    @wraps(chat)
    async def wrapped(*given: object) -> None: ...

    made = type("Made", (), {"chat": hookimpl(lambda self, request: None)})
    assert find_slip("X", made()) is None
    for function in (chat, wrapped, hookimpl(partial(chat, context=None))):
        module = ModuleType("provider")
        module.chat = function  # type: ignore[attr-defined]  # as a module's own
        assert find_slip("X", module) is None


def test_the_hooks_are_those_of_the_contract() -> None:
    """With the parameters that each gives."""
    assert HOOKS == {
        "chat": ("request", "context"),
        "stream": ("request", "context"),
        "image": ("request", "context"),
        "embed": ("request", "context"),
        "models": ("context",),
        "prepare": ("request", "context"),
        "close": (),
    }
