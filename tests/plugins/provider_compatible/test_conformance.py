"""Every provider of the package against the conformance kit, which plays its service."""

from __future__ import annotations

from g4f_testkit import ProviderConformance
from plugins.provider_compatible.dialects import (
    GroqDialect,
    MistralDialect,
    OpenrouterDialect,
    TogetherDialect,
    XaiDialect,
)


class TestOpenRouter(ProviderConformance):
    """OpenRouter."""

    provider = "OpenRouter"
    dialect = OpenrouterDialect()


class TestGroq(ProviderConformance):
    """Groq."""

    provider = "Groq"
    dialect = GroqDialect()


class TestMistral(ProviderConformance):
    """Mistral."""

    provider = "Mistral"
    dialect = MistralDialect()


class TestDeepSeek(ProviderConformance):
    """DeepSeek."""

    provider = "DeepSeek"


class TestXAI(ProviderConformance):
    """xAI."""

    provider = "XAI"
    dialect = XaiDialect()


class TestTogether(ProviderConformance):
    """Together."""

    provider = "Together"
    dialect = TogetherDialect()


class TestOllama(ProviderConformance):
    """Ollama."""

    provider = "Ollama"


class TestLMStudio(ProviderConformance):
    """LM Studio."""

    provider = "LMStudio"


class TestLlamaCpp(ProviderConformance):
    """llama.cpp's server."""

    provider = "LlamaCpp"


class TestVLLM(ProviderConformance):
    """vLLM's server."""

    provider = "VLLM"


class TestOVHcloud(ProviderConformance):
    """OVHcloud's AI Endpoints."""

    provider = "OVHcloud"


class TestAzureOpenAI(ProviderConformance):
    """Azure."""

    provider = "AzureOpenAI"


class TestCustom(ProviderConformance):
    """A server that the user names."""

    provider = "Custom"
