"""The provider, put to the conformance kit."""

from g4f_testkit import ProviderConformance
from plugins.provider_pollinations.dialect import PollinationsDialect


class TestPollinations(ProviderConformance):
    provider = "Pollinations"
    dialect = PollinationsDialect()
