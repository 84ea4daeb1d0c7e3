"""The doctor, run as users run it, on installations that are broken in every known way."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from distributions import ECHO, MANIFEST, write_distribution

CORE = Path(__file__).parents[2] / "core"
PROGRAM = ("-m", "g4f_doctor")
Examine = Callable[..., dict[str, Any]]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of an environment's packages, with the doctor in it."""
    folder = tmp_path / "site"
    folder.mkdir()
    shutil.copytree(CORE / "g4f_doctor", folder / "g4f_doctor", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def examine(tmp_path: Path, site: Path) -> Examine:
    """Run the doctor; `bare` leaves nothing but the standard library and the folder `site`."""

    def examine(*, bare: bool = True, program: Sequence[str] = PROGRAM, **variables: str) -> dict[str, Any]:
        (tmp_path / "here").mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT")}
        done = subprocess.run(
            [sys.executable, *(["-S"] if bare else []), *program, "--json"],
            env={**kept, "PYTHONPATH": str(site), **variables},
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == int(report["broken"])
        return report

    return examine


def install_core(site: Path) -> None:
    """Install g4f-core as pip does: its files, and a record of what they were."""
    shutil.copytree(CORE / "g4f", site / "g4f", ignore=shutil.ignore_patterns("__pycache__"))
    rows = []
    for path in sorted((site / "g4f").rglob("*")):
        if path.is_file():
            digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            rows.append(f"{path.relative_to(site).as_posix()},sha256={digest},{path.stat().st_size}")
    write_metadata(site, "g4f-core", "0.1.0", record=rows)


def write_metadata(site: Path, name: str, version: str, *, record: list[str] | None = None, requires: str = "") -> None:
    """Write what pip writes about a distribution."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
    if record is not None:
        (info / "RECORD").write_text("\n".join(record) + "\n")


def allow(*names: str) -> str:
    """Return what leaves all other providers alone, those of this environment too."""
    return ",".join(f"g4f-provider-{name.lower()}" for name in names)


def list_broken(report: dict[str, Any]) -> list[str]:
    """What must be mended."""
    return [finding["text"] for finding in report["findings"] if finding["level"] == "broken"]


def test_a_sound_installation_has_nothing_to_mend(site: Path, examine: Examine) -> None:
    """Its versions, its place and its providers are told."""
    install_core(site)
    write_distribution(site, "Echo")
    report = examine(bare=False)
    assert list_broken(report) == []
    assert report["core"] == "0.1.0"
    assert report["package"] == str(site / "g4f")
    assert report["plugins"]["g4f-provider-echo"] == "1.0"
    assert [row["state"] for row in report["providers"] if row["name"] == "Echo"] == ["ready"]


def test_the_other_project_is_found_with_its_remedy(site: Path, examine: Examine) -> None:
    """Its files lie where ours were; they are not imported."""
    install_core(site)
    (site / "g4f/__init__.py").write_text("raise SystemExit('imported')\n")
    write_metadata(site, "g4f", "7.1")
    write_distribution(site, "Echo")
    report = examine()
    (text,) = list_broken(report)
    assert "The distribution g4f 7.1 is another project with the same import name" in text
    assert "run `pip uninstall g4f g4f-core`, then install g4f-core anew (from a checkout: pip install --f" in text
    assert [row["state"] for row in report["providers"] if row["name"] == "Echo"] == ["unknown"]


def test_the_remedy_mends_the_program_as_well(site: Path, examine: Examine) -> None:
    """The other project's program g4f takes the place of ours, and is uninstalled with it."""
    write_metadata(site, "g4f", "7.1")
    write_metadata(site, "g4f-cli", "0.1.0")
    text = list_broken(examine())[0]
    assert "g4f-core and g4f-cli anew (from a checkout: pip install --force-reinstall . ./plugins/g4f-cli)" in text


def test_what_the_other_project_took_along_is_found(site: Path, examine: Examine) -> None:
    """Uninstalling it removes files that both have."""
    install_core(site)
    for name in ("__init__.py", "errors.py", "models.py", "stream.py"):
        (site / "g4f" / name).unlink()
    texts = " ".join(list_broken(examine()))
    assert "g4f/__init__.py, g4f/errors.py, g4f/models.py and 1 more" in texts


def test_what_the_other_project_left_behind_is_found(site: Path, examine: Examine) -> None:
    """Its folder g4f/Provider hides our Provider.py."""
    install_core(site)
    (site / "g4f/Provider").mkdir()
    (site / "g4f/Provider/__init__.py").touch()
    (text,) = list_broken(examine(bare=False))
    assert "(g4f/Provider/__init__.py)" in text
    assert "delete that folder" in text


def test_a_users_own_file_of_that_name_is_found(site: Path, examine: Examine, tmp_path: Path) -> None:
    """Python imports it first: it must be renamed."""
    install_core(site)
    (tmp_path / "here").mkdir()
    (tmp_path / "here/g4f.py").write_text("raise SystemExit('imported')\n")
    (text,) = list_broken(examine())
    assert text == f"The name g4f leads to {tmp_path / 'here/g4f.py'}, which is not g4f-core: rename or move it."


def test_a_missing_package_is_found(site: Path, examine: Examine) -> None:
    """The doctor may be all that is left."""
    report = examine()
    assert list_broken(report) == ["There is no package g4f: install g4f-core (from a checkout: pip install .)."]
    assert (report["core"], report["package"]) == (None, None)


def test_a_missing_requirement_is_found(site: Path, examine: Examine) -> None:
    """By name; requirements of extras and of other systems do not count."""
    install_core(site)
    write_distribution(site, "Echo")
    with (site / "g4f_provider_echo-1.0.dist-info/METADATA").open("a") as metadata:
        metadata.write("Requires-Dist: absent-thing>=2\nRequires-Dist: other; sys_platform == 'nowhere'\n")
    texts = list_broken(examine(bare=False))
    assert texts == ["g4f-provider-echo lacks absent-thing: run `pip install absent-thing`."]


def test_a_missing_package_of_ours_is_not_sought_in_an_index(site: Path, examine: Examine) -> None:
    """It is not there, and whoever takes the name would be installed."""
    write_metadata(site, "g4f-cli", "0.1.0", requires="g4f-core")
    write_metadata(site, "g4f-more", "0.1.0", requires="g4f-provider-base")
    texts = list_broken(examine())
    assert "g4f-cli lacks g4f-core: install it (from a checkout: pip install .)." in texts
    assert "g4f-more lacks g4f-provider-base: install it from where you have the other." in texts


def test_a_plugin_that_requires_the_other_project_is_found(site: Path, examine: Examine) -> None:
    """It would pull it in."""
    install_core(site)
    write_metadata(site, "g4f-provider-lost", "1.0", requires="g4f>=1")
    (text,) = list_broken(examine(bare=False))
    assert text.startswith("g4f-provider-lost requires g4f, which is another project")


def test_every_broken_provider_is_told_and_no_provider_imported(site: Path, examine: Examine, tmp_path: Path) -> None:
    """With everything broken the report is complete."""
    install_core(site)
    loud = "import pathlib\npathlib.Path('imported').touch()\n"
    write_distribution(site, "First", code=loud, manifest=None)
    write_distribution(site, "Second", code=loud, manifest="contract = 99\n")
    write_distribution(site, "Third", code=loud, distribution="g4f-provider-a")
    write_distribution(site, "Third", code=loud, distribution="g4f-provider-b")
    write_distribution(site, "Sound", code=loud)
    report = examine(bare=False)
    assert len(list_broken(report)) == 3
    assert [row["state"] for row in report["providers"] if row["name"] == "Sound"] == ["ready"]
    assert not (tmp_path / "here/imported").exists()


def test_providers_that_cannot_be_imported_are_found_when_asked(site: Path, examine: Examine) -> None:
    """Each by its own reason; without `--import` nobody looks. One that begins a thread was imported all the same."""
    wrong = {
        "Ends": ("import os; os._exit(0)", "ends Python with exit code 0 when it is imported."),
        "Exits": ("raise SystemExit(3)", "cannot be imported: SystemExit: 3."),
        "Lacks": ("Other = 1", "cannot be imported: AttributeError: "),
        "Raises": ("raise RuntimeError('no such library')", "cannot be imported: RuntimeError: no such library."),
        "Wants": ("class Wants:\n    def __init__(self, key): ...", "cannot be made: TypeError: "),
    }
    busy = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    codes = {name: code for name, (code, _) in wrong.items()} | {"Busy": busy + ECHO, "Sound": "print('loud')\n" + ECHO}
    install_core(site)
    for name, code in codes.items():
        write_distribution(site, name, code=code)
    assert not examine(bare=False)["broken"]
    report = examine(bare=False, program=(*PROGRAM, "--import"), G4F_PLUGINS=allow(*codes))
    for told, (name, (_, reason)) in zip(list_broken(report), wrong.items(), strict=True):
        assert told.startswith(f"The provider {name} of g4f-provider-{name.lower()} 1.0 {reason}")
    states = {row["name"]: row["state"] for row in report["providers"] if row["name"] in codes}
    assert states == {name: "broken" if name in wrong else "ready" for name in codes}


def test_a_provider_that_hangs_while_it_is_imported_is_found(site: Path, examine: Examine) -> None:
    """The others are not kept waiting."""
    install_core(site)
    write_distribution(site, "Hangs", code="import time; time.sleep(60)")
    hasty = (
        "import sys; from g4f_doctor import trial; trial.IMPORT_SECONDS = 1; "
        "from g4f_doctor.__main__ import main; sys.exit(main(['--import', *sys.argv[1:]]))"
    )
    (told,) = list_broken(examine(bare=False, program=("-c", hasty), G4F_PLUGINS=allow("Hangs")))
    assert told.endswith(" is not imported after 1 s.")


def test_an_address_that_is_none_is_found(site: Path, examine: Examine) -> None:
    """In a manifest or in the variable that overrides it, without an import."""
    install_core(site)
    write_distribution(site, "Wrong", manifest=MANIFEST.replace("[cap", 'base_url = "ftp://host.example"\n[cap'))
    far = 'base_url = "https://host.example:99999"\n'
    write_distribution(site, "Far", manifest=MANIFEST.replace("[cap", f"{far}[cap"))
    address = 'base_url = "https://host.example"\nbase_url_variable = "RIGHT_URL"\n'
    write_distribution(site, "Right", manifest=MANIFEST.replace("[cap", f"{address}[cap"))
    far, right, wrong = list_broken(examine(bare=False, RIGHT_URL="host.example"))
    assert far == "Far: base_url in its manifest: 'https://host.example:99999' is no URL."
    assert right.startswith("Right: RIGHT_URL: ")
    assert "base_url in the manifest must be as https://api.example.org, not 'ftp://host.example'" in wrong


def test_a_provider_that_gets_its_secret_itself_is_noted(site: Path, examine: Examine) -> None:
    """Others are never handed it."""
    install_core(site)
    manifest = MANIFEST.replace("[capabilities]", 'auth = {kind = "own", variables = ["OWN_KEY"]}\n[capabilities]')
    write_distribution(site, "Own", manifest=manifest)
    report = examine(bare=False)
    assert {"level": "note", "text": "Own gets its secret itself (auth.kind = own)."} in report["findings"]
    assert [row["reason"] for row in report["providers"] if row["name"] == "Own"] == ["OWN_KEY"]
    assert not report["broken"]


def test_a_preference_for_what_is_not_installed_is_found(site: Path, examine: Examine) -> None:
    """Requests without a provider would fail."""
    install_core(site)
    (text,) = list_broken(examine(bare=False, G4F_PROVIDERS="Nonesuch"))
    assert text.startswith("G4F_PROVIDERS names 'Nonesuch'. There is no provider 'Nonesuch'.")


def test_a_misspelled_variable_is_noted(site: Path, examine: Examine) -> None:
    """It would do nothing; those that others have of that beginning are theirs."""
    install_core(site)
    report = examine(bare=False, G4F_PROVIDRS="Local", G4F_API_KEY="x")
    text = "Nothing reads G4F_PROVIDRS, which is set: G4F_PROVIDERS is a variable of g4f's."
    assert {"level": "note", "text": text} in report["findings"]
    assert "G4F_API_KEY" not in str(report["findings"])


def test_what_blocks_nothing_is_noted(site: Path, examine: Examine) -> None:
    """A provider is blocked by its name too; only distributions are let load by theirs."""
    install_core(site)
    write_distribution(site, "Echo")
    report = examine(bare=False, G4F_BLOCK="echo,ehco")
    assert [row["state"] for row in report["providers"] if row["name"] == "Echo"] == ["blocked"]
    text = "G4F_BLOCK names 'ehco', and no distribution of that name is installed."
    assert [finding["text"] for finding in report["findings"] if "G4F_BLOCK" in finding["text"]] == [text]
    hint = "G4F_PLUGINS names 'echo', and no distribution of that name is installed. Write g4f-provider-echo."
    assert {"level": "note", "text": hint} in examine(bare=False, G4F_PLUGINS="Echo")["findings"]


def test_a_name_that_is_none_is_found(site: Path, examine: Examine) -> None:
    """The registry passes over it."""
    install_core(site)
    write_metadata(site, "g4f-provider-odd", "1.0")
    points = site / "g4f_provider_odd-1.0.dist-info/entry_points.txt"
    points.write_text("[g4f.providers]\nOdd-One = odd:One\n")
    assert list_broken(examine(bare=False)) == [
        "g4f-provider-odd registers a provider 'Odd-One', which is no name: update it."
    ]


def test_a_media_folder_that_cannot_be_made_is_found(site: Path, examine: Examine, tmp_path: Path) -> None:
    """Broken where the user chose it, else worth a note."""
    install_core(site)
    (tmp_path / "file").touch()
    (text,) = list_broken(examine(bare=False, G4F_MEDIA_DIR=str(tmp_path / "file/pictures")))
    assert f"cannot be made: {tmp_path / 'file'} is a file" in text
    (tmp_path / "here/generated_images").touch()
    report = examine(bare=False)
    assert [item["level"] for item in report["findings"] if "generated_images" in item["text"]] == ["note"]


def test_extras_are_told_present_or_not(site: Path, examine: Examine) -> None:
    """They are looked up and not imported."""
    install_core(site)
    (site / "orjson.py").write_text("raise SystemExit('imported')\n")
    write_metadata(site, "orjson", "3.9")
    assert examine()["extras"] == {"orjson": "3.9", "uvloop": None}


def test_the_text_ends_with_the_count(site: Path, tmp_path: Path) -> None:
    """For people."""
    command = [sys.executable, "-S", "-m", "g4f_doctor"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(site)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    what = "There is no package g4f: install g4f-core (from a checkout: pip install .)."
    assert done.stdout.endswith(f"BROKEN: {what}\n1 to mend.\n")
