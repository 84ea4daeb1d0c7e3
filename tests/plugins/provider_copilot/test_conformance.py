"""Copilot, put to the conformance kit."""

from g4f_testkit import ProviderConformance
from plugins.provider_copilot.dialect import M365Dialect


class TestCopilot(ProviderConformance):
    provider = "Copilot"
    dialect = M365Dialect()
