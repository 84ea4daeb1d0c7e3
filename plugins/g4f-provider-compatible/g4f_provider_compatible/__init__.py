"""Services that speak the OpenAI dialect: a manifest and a line each, their quirks in `wire`."""

from __future__ import annotations

import attrs

from g4f.context import Context, HttpRequest
from g4f.http_provider import HttpProvider
from g4f_provider_compatible import wire
from g4f_provider_compatible.wire.azure import find_root, place_request


class Custom(HttpProvider):
    """Whatever server the user names with `base_url`."""

    wire = wire.SELF_HOSTED


class OpenRouter(HttpProvider):
    """Models of many makers, by OpenRouter."""

    wire = wire.OPENROUTER


class Groq(HttpProvider):
    """Open models on Groq's own processors."""

    wire = wire.GROQ


class Mistral(HttpProvider):
    """Mistral's models."""

    wire = wire.MISTRAL


class DeepSeek(HttpProvider):
    """DeepSeek's models."""

    wire = wire.DEEPSEEK


class XAI(HttpProvider):
    """xAI's models, which are called Grok."""

    wire = wire.XAI


class Together(HttpProvider):
    """Open models, and models for pictures, by Together."""

    wire = wire.TOGETHER


class Ollama(HttpProvider):
    """Models on the user's machine, served by Ollama."""

    wire = wire.OLLAMA

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        """Send a request below /v1, which OLLAMA_HOST leaves out behind the path of a proxy too."""
        above = "" if context.base_url.rstrip("/").endswith("/v1") else "/v1"
        return attrs.evolve(request, path=above + request.path)


class LMStudio(HttpProvider):
    """Models on the user's machine, served by LM Studio."""

    wire = wire.LMSTUDIO


class LlamaCpp(HttpProvider):
    """A model on the user's machine, served by llama.cpp."""

    wire = wire.SELF_HOSTED


class VLLM(HttpProvider):
    """A model on a server of the user's, served by vLLM."""

    wire = wire.SELF_HOSTED


class OVHcloud(HttpProvider):
    """Open models, by OVHcloud's AI Endpoints."""

    wire = wire.OPEN


class AzureOpenAI(HttpProvider):
    """OpenAI's models, deployed in Azure."""

    wire = wire.AZURE

    def complete(self, request: HttpRequest, context: Context) -> HttpRequest:
        """Send a request to where the API version that the settings name has its paths."""
        placed = place_request(request, context.settings.get("api_version"), context.model)
        return attrs.evolve(placed, path=find_root(context.base_url) + placed.path)
