"""OpenAI's service: the OpenAI dialect as it is, but for what its reasoning models refuse (`wire.py`)."""

from __future__ import annotations

from g4f.http_provider import HttpProvider
from g4f_provider_openai.wire import OPENAI_CHAT


class OpenaiChat(HttpProvider):
    """Chat and images by OpenAI; what it is and needs stands in `OpenaiChat.toml`."""

    wire = OPENAI_CHAT
