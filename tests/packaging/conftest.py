"""The packages, built once for all tests that install them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from environments import ROOT, UV
from sharing import share_folder


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, so that nothing is built in the tree itself."""
    target = tmp_path_factory.mktemp("sources") / "a checkout"
    at_top = shutil.ignore_patterns(".*", "build", "dist", "tests", "docs")
    anywhere = shutil.ignore_patterns("__pycache__", ".venv", ".pytest_cache")

    def ignore(folder: str, names: list[str]) -> set[str]:
        return {*anywhere(folder, names), *(at_top(folder, names) if Path(folder) == ROOT else ())}

    return Path(shutil.copytree(ROOT, target, ignore=ignore))


@pytest.fixture(scope="session")
def artefacts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with every package's sdist and the wheel that was built from that sdist; `--packages` names one."""
    if given := request.config.getoption("--packages"):
        return Path(given).resolve()
    checkout = request.getfixturevalue("checkout")
    return share_folder(tmp_path_factory, "artefacts", lambda folder: build_artefacts(checkout, folder))


def build_artefacts(checkout: Path, folder: Path) -> None:
    """Build every package of a checkout."""

    def build(source: Path) -> None:
        how = ("--quiet", "--no-build-isolation", "--offline", "--python", sys.executable)
        subprocess.run((UV, "build", *how, "--out-dir", folder, source), check=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, [checkout, *(path.parent for path in checkout.glob("plugins/*/pyproject.toml"))]))


@pytest.fixture(scope="session")
def requirements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of requirements.lock: fetched once, by pip, which knows the ways of this machine."""
    lock = ("--no-deps", "--require-hashes", "--requirement", ROOT / "requirements.lock")

    def fetch(folder: Path) -> None:
        subprocess.run((sys.executable, "-m", "pip", "download", "--quiet", "--dest", folder, *lock), check=True)

    return share_folder(tmp_path_factory, "requirements", fetch)
