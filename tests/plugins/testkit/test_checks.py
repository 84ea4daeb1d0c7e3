"""The checks find what they look for: each provider of `broken.py` loses what it deserves to lose, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from g4f_testkit import ProviderConformance
from plugins.testkit.broken import DESERVED
from sharing import share_folder

ROOT = Path(__file__).parents[3]
CLASSES = "tests/plugins/testkit/broken_conformance.py"
AT_ONCE = 4  # mostly they wait
NAMES = [provider.__name__ for provider in DESERVED]
# What the core refuses by the manifest alone, no provider can get wrong.
OF_THE_CORE = {"test_what_the_manifest_denies_is_refused"}


def run_kit(names: list[str], file: Path) -> None:
    """Put some of the providers to the kit, in a process of their own, and write what came out into a file."""
    command = [sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider", f"--g4f-json={file}"]
    tests = [f"{CLASSES}::Test{name}" for name in names]
    subprocess.run([*command, *tests], cwd=ROOT, capture_output=True, check=False, timeout=500)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the kit says of each of them."""
    folder = share_folder(tmp_path_factory, "verdicts", run_kits)
    told = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    return {node.rpartition("::Test")[2]: verdict for each in told for node, verdict in each.items()}


def run_kits(folder: Path) -> None:
    """Put all providers to the kit."""
    groups = [NAMES[at::AT_ONCE] for at in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(run_kit, groups, (folder / f"{at}.json" for at in range(AT_ONCE))))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("provider", DESERVED, ids=NAMES)
def test_a_provider_loses_what_it_deserves_to_lose(provider: type, verdicts: Mapping[str, Any]) -> None:
    """The grade, and the checks of the grade above it that fail."""
    grade, checks = DESERVED[provider]
    told = verdicts[provider.__name__]
    assert told["grade"] == grade
    assert {check.partition("[")[0] for check in told["missing"]} == checks


@pytest.mark.timeout(600)
def test_every_check_can_fail(verdicts: Mapping[str, Any]) -> None:
    """One that nobody fails would say nothing."""
    failed = {check.partition("[")[0] for told in verdicts.values() for check in told["failed"]}
    checks = {name for name in dir(ProviderConformance) if name.startswith("test_")}
    assert checks - failed == OF_THE_CORE
