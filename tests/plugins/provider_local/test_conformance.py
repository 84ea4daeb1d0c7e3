"""The provider, put to what of the conformance kit needs no server that plays its service."""

from pathlib import Path

import pytest

from g4f_testkit import ProviderConformance

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def _have_weights(small_weights: Path) -> None:
    """The smallest model, fetched before anybody waits for an answer."""


class TestLocal(ProviderConformance):
    provider = "Local"
    model = "smollm2-135m-instruct"
