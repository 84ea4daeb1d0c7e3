"""All our own providers are put to the kit, each in `test_conformance.py` of its own tests."""

from __future__ import annotations

import re
from pathlib import Path

from g4f.registry import share_registry

TESTS = Path(__file__).parents[1]


def test_every_provider_of_ours_is_put_to_the_kit() -> None:
    """Whoever adds one adds a class of tests, or is told so here."""
    files = TESTS.glob("provider_*/test*_conformance.py")
    found = {name for file in files for name in re.findall(r'^    provider = "(\w+)"', file.read_text(), re.MULTILINE)}
    assert set(share_registry().list_names()) <= found
