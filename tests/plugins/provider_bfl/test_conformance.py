"""The provider, put to the conformance kit."""

from g4f_testkit import ProviderConformance
from plugins.provider_bfl.dialect import FluxDialect


class TestBlackForestLabs(ProviderConformance):
    provider = "BlackForestLabs"
    dialect = FluxDialect()
