"""The clients that users hold: `AsyncClient`, its synchronous twin `Client`, and the facade `ChatCompletion`.

Each is imported when it is first touched.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from g4f.client._async import AsyncClient as AsyncClient
    from g4f.client._facade import ChatCompletion as ChatCompletion
    from g4f.client._sync import Client as Client

__all__ = ["AsyncClient", "ChatCompletion", "Client"]
_HOMES = {
    "AsyncClient": "g4f.client._async",
    "ChatCompletion": "g4f.client._facade",
    "Client": "g4f.client._sync",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'g4f.client' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
