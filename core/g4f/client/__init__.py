"""The clients that users hold: `AsyncClient`, its synchronous twin `Client`, and the facade `ChatCompletion`."""

from g4f.client._async import AsyncClient
from g4f.client._facade import ChatCompletion
from g4f.client._sync import Client

__all__ = ["AsyncClient", "ChatCompletion", "Client"]
