"""The provider, put to the conformance kit."""

from g4f_testkit import ProviderConformance


class TestOpenaiChat(ProviderConformance):
    provider = "OpenaiChat"
