"""The provider, put to the conformance kit."""

from g4f_testkit import ProviderConformance
from plugins.provider_bing.dialect import MaiDialect


class TestBingCreateImages(ProviderConformance):
    provider = "BingCreateImages"
    dialect = MaiDialect()
