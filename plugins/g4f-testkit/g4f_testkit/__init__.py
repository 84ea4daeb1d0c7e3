"""Tests that any provider can be put to, and the server that they need: see `docs/how-to/test-a-provider.md`.

Names are imported when they are first touched: pytest loads this package wherever it is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from g4f_testkit.claims import claim as claim
    from g4f_testkit.conformance import ProviderConformance as ProviderConformance
    from g4f_testkit.dialect import Asked as Asked
    from g4f_testkit.dialect import Dialect as Dialect
    from g4f_testkit.http import Reply as Reply
    from g4f_testkit.http import Request as Request
    from g4f_testkit.script import Failure as Failure
    from g4f_testkit.script import ToolCall as ToolCall
    from g4f_testkit.script import Turn as Turn
    from g4f_testkit.script import Usage as Usage
    from g4f_testkit.server import Server as Server

_HOMES = {
    "Asked": "dialect",
    "Dialect": "dialect",
    "Failure": "script",
    "ProviderConformance": "conformance",
    "Reply": "http",
    "Request": "http",
    "Server": "server",
    "ToolCall": "script",
    "Turn": "script",
    "Usage": "script",
    "claim": "claims",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
