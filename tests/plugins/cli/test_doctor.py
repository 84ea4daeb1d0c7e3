from __future__ import annotations

import json
import re
from pathlib import Path

from plugins.cli.program import Program


def test_the_report_stands_on_standard_output(program: Program) -> None:
    """Versions, extras, folders, providers, findings."""
    program.install("Echo")
    done = program.run("doctor")
    assert done.err == ""
    for text in ("Python ", "g4f-core ", "orjson ", "generated_images"):
        assert text in done.out
    assert re.search(r"\nEcho +ready +not needed +any +g4f-provider-echo 1.0", done.out)


def test_something_broken_has_exit_code_1(program: Program) -> None:
    """Here a manifest; the other providers are described all the same."""
    program.install("Echo")
    program.install("Broken", manifest="contract = 99\n")
    done = program.run("doctor")
    assert done.code == 1
    assert "BROKEN: The provider Broken of g4f-provider-broken 1.0" in done.out
    assert re.search(r"\nEcho +ready ", done.out)


def test_settings_that_cannot_be_right_are_told(program: Program) -> None:
    """With what they may be; a mere wish of upper case is none of them."""
    (program.folder / "taken").touch()
    done = program.run("doctor", G4F_LOG="loud", G4F_MEDIA_DIR="taken/here")
    assert done.code == 1
    assert "BROKEN: G4F_LOG must be info or debug, not 'loud': g4f refuses to start." in done.out
    assert f"cannot be made: {program.folder / 'taken'} is a file: set G4F_MEDIA_DIR" in done.out.replace("\n", " ")
    assert program.run("doctor", G4F_LOG="INFO").code == 0


def test_json_is_for_programs(program: Program) -> None:
    """The same report."""
    program.install("Broken", manifest=None)
    done = program.run("doctor", "--json")
    report = json.loads(done.out)
    assert (done.code, report["broken"]) == (1, True)
    assert "Broken" in {provider["name"] for provider in report["providers"]}


def test_a_stored_key_counts(program: Program) -> None:
    """As in `g4f providers`; and one that others can read is something to mend, while all else is told."""
    program.install("Keyed", manifest='contract = 1\nauth = {variables = ["KEYED_KEY"]}\n')
    assert program.run("keys", "set", "keyed", piped=b"sk-1234").code == 0
    report = json.loads(program.run("doctor", "--json").out)
    states = {row["name"]: (row["state"], row["key"]) for row in report["providers"]}
    assert states["Keyed"] == ("ready", "file")
    Path(program.run("keys", "path").out.strip()).chmod(0o644)
    done = program.run("doctor", "--json")
    assert done.code == 1
    assert any("Others can read the keys in" in finding["text"] for finding in json.loads(done.out)["findings"])
