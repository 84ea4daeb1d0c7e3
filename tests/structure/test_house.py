"""The house: one door for each outside thing, and the names that must agree with each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import g4f

CORE = Path(__file__).parents[2] / "core" / "g4f"
PLUGINS = Path(__file__).parents[2] / "plugins"

# What may be imported at all only in these files, because it opens a door.
DOORS = {
    "aiohttp": {"direct.py", "network_errors.py", "resolver.py", "transport.py"},
    "socket": {"addresses.py", "resolver.py", "transport.py"},  # addresses only read how one can be written
    "ssl": {"network_errors.py", "transport.py"},
    "urllib.request": {"transport.py"},
    "threading": {"client/_portal.py", "registry.py", "resolver.py"},  # the registry only locks
    "subprocess": set(),
    "multiprocessing": set(),
    "importlib_metadata": {"entry_points.py"},
    "importlib.util": {"registry.py"},
    "os": {
        "client/_portal.py",
        "credentials.py",
        "dispatch.py",
        "entry_points.py",
        "environment.py",
        "media.py",
        "network_errors.py",
        "transport.py",
    },
}
# Which of the files that import os may look at its environment.
READ_ENVIRONMENT = {"credentials.py", "environment.py"}
WIRE_NEVER_IMPORTS = {"time", "os", "random", "asyncio", "aiohttp", "pathlib", "datetime", "socket"}


def list_files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def read_imports(path: Path) -> set[str]:
    """Return the names of all modules that a file imports when it runs, also inside functions."""
    found: set[str] = set()
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    checks = [node for node in nodes if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    unread = {inner for check in checks for statement in check.body for inner in ast.walk(statement)}
    for node in (node for node in nodes if node not in unread):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("module", sorted(DOORS))
def test_each_outside_thing_has_one_door(module: str) -> None:
    """A line that needs a second door stands in the wrong room; the name of a type alone opens none."""
    users = {path.relative_to(CORE).as_posix() for path in list_files() if module in read_imports(path)}
    assert users <= DOORS[module]


def test_the_environment_is_read_in_two_places() -> None:
    """Keys and providers' settings in one, everything else in the other."""
    readers = {
        path.relative_to(CORE).as_posix()
        for path in list_files()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }
    assert readers == READ_ENVIRONMENT


def test_the_wire_is_pure() -> None:
    """No clock, no network, no files, no environment."""
    for path in (CORE / "wire").rglob("*.py"):
        roots = {name.partition(".")[0] for name in read_imports(path)}
        assert not roots & WIRE_NEVER_IMPORTS, path


def test_no_file_of_the_core_holds_changing_module_state() -> None:
    """Nothing is global but constants, types and caches of what never changes."""
    for path in list_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not isinstance(node, ast.Global), f"{path}:{node.lineno}"


def test_provider_packages_import_the_contract_only() -> None:
    """Never the client, the registry, routing or another provider; never a vendor's SDK."""
    forbidden = {"g4f.client", "g4f.registry", "g4f.dispatch", "g4f.routing", "g4f.plugin", "g4f.transport"}
    for path in PLUGINS.glob("g4f-provider-*/g4f_provider_*/**/*.py"):
        own = path.relative_to(PLUGINS).parts[1]
        imports = read_imports(path)
        assert not {name for name in imports for door in forbidden if name == door or name.startswith(door + ".")}, path
        others = {name for name in imports if name.startswith("g4f_provider_") and name.partition(".")[0] != own}
        assert not others, path


def test_the_lazy_names_of_g4f_are_those_that_type_checkers_see() -> None:
    """The two lists in `__init__.py` say the same."""
    tree = ast.parse((CORE / "__init__.py").read_text("utf-8"))
    typed = {
        alias.asname: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("g4f")
        for alias in node.names
    }
    lazy = {**g4f._HOMES, **dict.fromkeys(g4f._MODULES, "g4f")}
    assert typed == lazy


def test_every_test_says_in_a_sentence_what_it_shows() -> None:
    """Its docstring states the behavior."""
    for path in sorted((CORE.parents[1] / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}: {node.name}"


def test_no_two_files_differ_only_in_letter_case() -> None:
    """They would be one file on macOS and Windows."""
    names = [path.relative_to(CORE).as_posix().lower() for path in list_files()]
    assert len(names) == len(set(names))
