"""Runs mutmut where it finds what it looks for, and tells the score of each module. See `scripts/mutate`.

What is changed, and which tests are to notice, stands under [tool.mutmut] in pyproject.toml.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
# mutmut knows a module by its path below `src`, where ours stand in `core`.
LINKS = {"src": "core", "tests": "tests", "plugins": "plugins", "pyproject.toml": "pyproject.toml"}
SURVIVED = {0: "not noticed", 33: "not tested"}  # by the exit code of the tests; any other one noticed it


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
        killed = len(self.changes) - len(self.survivors)
        return f"{self.name:28} {killed:4} of {len(self.changes):4}  {killed / len(self.changes):6.1%}"


def main(names: list[str]) -> None:
    """Change the modules of these names, or all; print survivors and scores."""
    with tempfile.TemporaryDirectory(prefix="g4f-mutants-") as folder:
        place = Path(folder)
        for link, target in LINKS.items():
            (place / link).symlink_to(ROOT / target)
        # By name even where it is all of them: then mutmut first tries whether the tests pass, picked one by one.
        patterns = [f"{name}.*" for name in names or list_modules()]
        run(place, "run", "--max-children", "1", *patterns)
        below = place / "mutants" / "src"
        modules = [Module.read(path, below) for path in sorted(below.rglob("*.meta"))]
        tested = [module for module in modules if module.changes]
        for module in tested:
            for change, why in module.survivors.items():
                print(f"\n{why}: ", end="", flush=True)
                run(place, "show", change)
        print()
        for module in tested:
            print(module.describe())


def list_modules() -> list[str]:
    """Return the names of the modules that pyproject.toml names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    return [path.removeprefix("src/").removesuffix(".py").replace("/", ".") for path in settings["only_mutate"]]


def run(place: Path, *arguments: str) -> None:
    """Run mutmut."""
    program = Path(sys.executable).with_name("mutmut")
    subprocess.run([program, *arguments], cwd=place, env={**os.environ, "NO_COLOR": "1"}, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
