"""Runs mutmut where it finds what it looks for, and tells the score of each module. See `scripts/mutate`.

The tests that are to notice the changes of a module are those of the file that mirrors it, and no others: what is
wrong in it should be told by its own tests, and the tests of the rest only cost time.
"""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
MODULES = (
    "g4f.addresses",
    "g4f.credentials",
    "g4f.middleware.cooldown",
    "g4f.middleware.retry",
    "g4f.redaction",
    "g4f.registry",
    "g4f.wire.sse",
)
# mutmut knows a module by its path below `src`, where ours stand in `core`.
LINKS = {"src": "core", "tests": "tests", "plugins": "plugins", "pyproject.toml": "pyproject.toml"}
SURVIVED = {0: "not noticed", 33: "not tested"}  # by the exit code of the tests; any other one noticed it
STUCK = {24, 36, 152, 255, -24, -9}  # of tests that took so long that they were ended


@attrs.frozen
class Module:
    """What became of the changes of one module: the exit code of the tests, by the name of the change."""

    name: str
    changes: dict[str, int]

    @classmethod
    def read(cls, path: Path, below: Path) -> Module:
        """Read what mutmut wrote down of a file."""
        name = path.relative_to(below).as_posix().removesuffix(".py.meta").replace("/", ".")
        codes = json.loads(path.read_text("utf-8"))["exit_code_by_key"]
        return cls(name, {change: code for change, code in codes.items() if code is not None})

    @property
    def survivors(self) -> dict[str, str]:
        """The changes that no test noticed, and why not."""
        return {change: SURVIVED[code] for change, code in self.changes.items() if code in SURVIVED}

    def describe(self) -> str:
        """Return its row of the table."""
        noticed, stuck = len(self.changes) - len(self.survivors), sum(code in STUCK for code in self.changes.values())
        share = f"{noticed:4} of {len(self.changes):4}  {noticed / len(self.changes):6.1%}"
        return f"{self.name:28} {share}, {stuck} of them since the tests took too long"


def main(names: list[str]) -> None:
    """Change the modules of these names, or all; print survivors and scores."""
    modules = [mutate(name) for name in names or MODULES]
    print()
    for module in modules:
        print(module.describe())


def mutate(name: str) -> Module:
    """Change one module, and print what survived."""
    with tempfile.TemporaryDirectory(prefix="g4f-mutants-") as folder:
        place = Path(folder)
        for link, target in LINKS.items():
            (place / link).symlink_to(ROOT / target)
        path = Path("src", *name.split(".")).with_suffix(".py")
        write_settings(place / "setup.cfg", path)
        # By name even where it is all of them: then mutmut first tries whether the tests pass, picked one by one.
        run(place, "run", "--max-children", "1", f"{name}.*")
        below = place / "mutants" / "src"
        module = Module.read(place / "mutants" / f"{path}.meta", below)
        for change, why in module.survivors.items():
            print(f"\n{why}: ", end="", flush=True)
            run(place, "show", change)
    print(module.describe(), flush=True)
    return module


def write_settings(file: Path, path: Path) -> None:
    """Tell mutmut what to change, and which tests to run."""
    settings = configparser.ConfigParser()
    mirror = Path("tests/core", *path.parts[2:-1], f"test_{path.name}")
    settings["mutmut"] = {
        "source_paths": "src",
        "only_mutate": str(path),
        # The first example that fails is enough: to make it small would take most of the time.
        "pytest_add_cli_args": "--hypothesis-seed=0\n--hypothesis-profile=unshrunk",
        "pytest_add_cli_args_test_selection": str(mirror),
        # How long a change may keep the tests busy, in seconds and in times of what they take without it.
        "timeout_constant": "4",
        "timeout_multiplier": "4",
    }
    with file.open("w", encoding="utf-8") as stream:
        settings.write(stream)


def run(place: Path, *arguments: str) -> None:
    """Run mutmut."""
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run([program, *arguments], cwd=place, env={**os.environ, "NO_COLOR": "1"}, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
