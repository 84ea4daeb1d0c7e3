"""Entry points: what is found is what `importlib_metadata` finds, in whatever way a distribution is installed."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import importlib_metadata
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributions import write_distribution
from g4f.entry_points import EntryPoint, parse_entry_points, read_entry_points

GROUP = "g4f.providers"
PATH = tuple(sys.path)  # where the library's own parts are, which it imports late
LINES = st.sampled_from(
    ["[g4f.providers]", "[other]", " [g4f.providers] ", "# a = b", "", "a = b:c", "b=c:d [e]", "= x"]
)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions, alone on the path."""
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), str(tmp_path / "missing")])
    (tmp_path / "site").mkdir()
    return tmp_path / "site"


def write_points(info: Path, text: str = "[g4f.providers]\nThisOne = this_one:ThisOne\n") -> Path:
    """Write the metadata of a distribution that has nothing else."""
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {info.name.partition('-')[0]}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(text)
    return info


def describe(points: Iterable[EntryPoint]) -> list[tuple[str, str, str, str]]:
    return sorted((point.name, point.value, point.distribution.name, point.distribution.version) for point in points)


def ask_library() -> list[tuple[str, str, str, str]]:
    points = importlib_metadata.entry_points(group=GROUP)
    return sorted((point.name, point.value, point.dist.name, point.dist.version) for point in points)


def test_distributions_are_found_however_they_are_installed(site: Path) -> None:
    """Wheels, and what older tools leave: folders and files of egg-info."""
    write_distribution(site, "ThisOne")
    write_distribution(site, "ThatOne", distribution="Some.Name", version="2.0")
    egg = write_points(site / "older-1.0-py3.11.egg-info")
    (egg / "METADATA").rename(egg / "PKG-INFO")
    (site / "oldest-1.0.egg-info").write_text("Name: oldest\nVersion: 1.0\n")
    write_points(site / "others-1.0.dist-info", "[console_scripts]\nx = y:z\n")
    found = describe(read_entry_points(GROUP))
    assert [row[2] for row in found] == ["Some.Name", "g4f-provider-thisone", "older"]
    assert found == ask_library()


def test_of_two_with_one_name_the_first_on_the_path_counts(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for an import, however the name is spelled."""
    write_points(site / "Some_name-1.0.dist-info", "[g4f.providers]\nFirst = a:A\n")
    write_points(site.parent / "later" / "some.name-2.0.dist-info", "[g4f.providers]\nSecond = a:A\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site.parent / "later")])
    assert [point.name for point in read_entry_points(GROUP)] == ["First"]


def test_what_an_uninstall_left_counts_for_nothing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata is what makes a distribution."""
    write_points(site / "this_one-1.0.dist-info", "[g4f.providers]\nFirst = a:A\n")
    (site / "this_one-1.0.dist-info" / "METADATA").unlink()
    write_points(site.parent / "later" / "this_one-2.0.dist-info", "[g4f.providers]\nSecond = a:A\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site.parent / "later")])
    assert [point.name for point in read_entry_points(GROUP)] == ["Second"]


@pytest.mark.parametrize("raw", [b"[g4f.providers]\nBad = \xff:x\n", b"[g4f.providers]\nno value\n", b"\0"])
def test_who_cannot_be_read_disturbs_nobody(site: Path, raw: bytes) -> None:
    """Neither by its bytes nor by its lines."""
    (write_points(site / "bad-1.0.dist-info") / "entry_points.txt").write_bytes(raw)
    write_points(site / "good-1.0.dist-info")
    assert [point.name for point in read_entry_points(GROUP)] == ["ThisOne"]


def test_a_zip_file_on_the_path_is_read_by_the_library(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders beside it are then, too."""
    write_distribution(site, "ThisOne")
    write_points(site / "bad-1.0.dist-info", "[g4f.providers]\nno value\n")
    with zipfile.ZipFile(site.parent / "packed.zip", "w") as packed:
        packed.writestr("packed_one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed-one\nVersion: 1.0\n")
        packed.writestr("packed_one-1.0.dist-info/entry_points.txt", "[g4f.providers]\nPackedOne = packed_one:A\n")
    monkeypatch.setattr(sys, "path", [*PATH, *sys.path, str(site.parent / "packed.zip")])
    assert {"PackedOne", "ThisOne"} <= {point.name for point in read_entry_points(GROUP)}


def test_an_egg_on_the_path_is_read_by_the_library(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its metadata has another name."""
    egg = site.parent / "packed_one-1.0-py3.11.egg"
    (write_points(egg / "EGG-INFO") / "METADATA").rename(egg / "EGG-INFO" / "PKG-INFO")
    monkeypatch.setattr(sys, "path", [*sys.path, str(egg)])
    assert [point.value for point in read_entry_points(GROUP)] == ["this_one:ThisOne"]


def test_a_finder_of_somebodys_own_is_asked(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are frozen into one file have such."""
    info = write_points(site.parent / "frozen" / "frozen_one-1.0.dist-info")

    class Finder(importlib_metadata.DistributionFinder):
        def find_spec(self, *_: object) -> None: ...

        def find_distributions(self, context: object = None) -> Iterable[importlib_metadata.Distribution]:
            return [importlib_metadata.Distribution.at(info)]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert [point.distribution.name for point in read_entry_points(GROUP)] == ["frozen_one"]


@given(st.lists(LINES).map("\n".join))
def test_a_text_is_read_as_the_library_reads_it(text: str) -> None:
    """Comments, other groups, spaces and empty names included."""
    read = importlib_metadata.EntryPoints._from_text(text)
    assert list(parse_entry_points(text, GROUP)) == [(item.name, item.value) for item in read if item.group == GROUP]
