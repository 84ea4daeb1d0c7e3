"""The pytest plugin: `pytest --g4f-provider=NAME` runs the checks, and says at the end which grade they make.

pytest loads it wherever the package is installed, so it imports nothing of g4f until it is asked for something.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from g4f_testkit.properties import CHECK, CLAIM, GRADE

if TYPE_CHECKING:
    from g4f_testkit.claims import Grade
    from g4f_testkit.grade import Outcome, Result, Verdict

pytest.register_assert_rewrite("g4f_testkit.checks", "g4f_testkit.claims", "g4f_testkit.kit")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("g4f", "conformance of g4f providers")
    group.addoption("--g4f-provider", action="append", default=[], metavar="NAME", help="check an installed provider")
    group.addoption("--g4f-dialect", metavar="NAME", help="what its service speaks: a name, or path.py:Class")
    group.addoption("--g4f-model", metavar="NAME", help="the model that the checks ask for")
    group.addoption("--g4f-json", metavar="FILE", type=Path, help="write the grades to a file")
    parser.addini("g4f_dialects", "what services speak: lines as NAME=path.py:Class", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Run the checks alone where a provider is named and nothing else."""
    if config.getoption("g4f_provider") and config.args_source is not config.ArgsSource.ARGS:
        config.args.clear()
    config.pluginmanager.register(Grader(config), "g4f-grader")


@pytest.hookimpl(tryfirst=True)  # before others choose among the tests
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the checks of the named providers, and note on every check whose it is."""
    config = session.config
    for name in config.getoption("g4f_provider"):
        items.extend(session.genitems(_collect(session, name)))
    by_class: dict[Any, list[pytest.Item]] = {}
    for item in items:
        if hasattr(getattr(item, "function", None), "claim"):
            by_class.setdefault(item.getparent(pytest.Class), []).append(item)
    for owner, checks in by_class.items():
        for item in checks:
            item.user_properties.append((CHECK, (owner.nodeid, len(checks), item.name)))
        if not _can_be_had(owner):
            _leave_out(config, items, checks[1:])


def _can_be_had(owner: Any) -> bool:
    """Tell whether the provider of a class loads; where it does not, each check would say so at length."""
    from g4f import G4FError

    try:
        owner.obj.make_subject()
    except G4FError:
        return False
    return True


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: list[pytest.Item]) -> None:
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]
    config.hook.pytest_deselected(items=left_out)


def _collect(session: pytest.Session, name: str) -> pytest.Module:
    """Return a module that holds the checks of one provider; no file has it."""
    from g4f import G4FError
    from g4f_testkit import conformance

    options = session.config.option
    dialect = options.g4f_dialect or _find_dialect(session.config, name)
    members = {"provider": name, "dialect": dialect, "model": options.g4f_model}
    module = ModuleType("conformance")
    tests: Any = type("TestConformance", (conformance.ProviderConformance,), members)
    try:
        tests.make_subject()
    except G4FError as error:
        raise pytest.UsageError(str(error)) from None
    module.TestConformance = tests  # type: ignore[attr-defined]  # made here
    node = pytest.Module.from_parent(session, path=Path(conformance.__file__), nodeid=name)
    node.obj = module
    return node


def _find_dialect(config: pytest.Config, provider: str) -> str | None:
    """Return what the project's own settings say that a provider's service speaks."""
    lines: list[str] = config.getini("g4f_dialects")
    for line in lines:
        name, _, dialect = line.partition("=")
        if name.strip().lower() == provider.lower():
            return dialect.strip()
    return None


class Grader:
    """Gathers what became of the checks, and tells the grades."""

    def __init__(self, config: pytest.Config) -> None:
        self._file: Path | None = config.getoption("g4f_json")
        self._outcomes: dict[tuple[str, int], dict[str, Outcome]] = {}
        self._claims: dict[str, Grade] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of a check; a later phase of it may still fail."""
        from g4f_testkit.grade import Outcome

        told: dict[str, Any] = dict(report.user_properties)
        if CHECK not in told or (report.when != "call" and report.passed):
            return
        owner, total, name = told[CHECK]
        if CLAIM in told:
            self._claims[owner] = told[CLAIM]
        result: Result = "failed" if report.failed else "skipped" if report.skipped else "passed"
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        self._outcomes.setdefault((owner, total), {})[name] = Outcome(name, told.get(GRADE, "bronze"), result, reason)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell the grade of each provider, and what is missing for the next."""
        verdicts = self._judge()
        if not verdicts:
            return
        terminalreporter.section("g4f conformance")
        for owner, verdict in verdicts.items():
            terminalreporter.line(f"{owner}: {describe(verdict)}")
            for missing in verdict.missing:
                terminalreporter.line(f"    {missing}")
            if verdict.unproved:
                terminalreporter.line(f"    The manifest claims {verdict.unproved}, which is not reached.", red=True)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail where a manifest claims a grade that is not reached; write the grades to a file, if one is named."""
        verdicts = self._judge()
        if session.exitstatus == pytest.ExitCode.OK and any(verdict.unproved for verdict in verdicts.values()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self._file is not None:
            told = {owner: _show(verdict) for owner, verdict in verdicts.items()}
            self._file.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

    def _judge(self) -> dict[str, Verdict]:
        from g4f_testkit.grade import judge

        return {
            owner.removesuffix("::TestConformance"): judge(list(outcomes.values()), total, self._claims.get(owner))
            for (owner, total), outcomes in self._outcomes.items()
        }


def describe(verdict: Verdict) -> str:
    """Return a grade as a sentence."""
    counts = f"{verdict.passed} checks passed, {verdict.skipped} do not apply"
    head = f"{verdict.grade or 'no grade'} ({counts})"
    return f"{head}; missing for {verdict.next}:" if verdict.next else head


def _show(verdict: Verdict) -> dict[str, Any]:
    names = ("grade", "missing", "failed", "passed", "skipped", "unproved")
    return {name: getattr(verdict, name) for name in names}
