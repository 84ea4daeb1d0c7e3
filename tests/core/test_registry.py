"""The registry: providers found in metadata, and every way in which one can be broken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from distributions import write_distribution
from g4f.environment import Environment
from g4f.errors import InvalidInputError, ProviderBrokenError, ProviderConflictError, ProviderNotFoundError
from g4f.manifest import Manifest
from g4f.registry import ProviderRef, Registry, adopt_provider


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions, first on the path and gone afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("g4f_provider_"):
            del sys.modules[name]


def test_a_provider_is_found_in_any_letter_case(site: Path) -> None:
    """Names are what users type."""
    write_distribution(site, "ThisOne")
    ref = Registry().find("tHiSoNe")
    assert (ref.name, ref.distribution, ref.version) == ("ThisOne", "g4f-provider-thisone", "1.0")


def test_an_unknown_name_says_what_is_installed_and_what_to_install(site: Path) -> None:
    """The error is an ImportError too, for `from g4f.Provider import …`."""
    write_distribution(site, "ThisOne")
    for kind in (ProviderNotFoundError, ImportError):
        with pytest.raises(kind, match=r"There is no provider 'Nonesuch'\. .*Installed: .*ThisOne"):
            Registry().find("Nonesuch")


def test_finding_listing_and_matching_import_no_provider(site: Path) -> None:
    """Discovery reads metadata and manifests only."""
    manifest = 'contract = 1\nmodels = [{id = "m-1", aliases = ["em"]}, {pattern = "n-*"}]\n'
    package = write_distribution(site, "ThisOne", code="raise SystemExit(1)", manifest=manifest)
    registry = Registry()
    names = [[ref.name for ref, _ in registry.find_claimants(model)] for model in ("M-1", "EM", "n-9", "other")]
    assert [("ThisOne" in found) for found in names] == [True, True, True, False]
    assert "ThisOne" in registry.list_names()
    assert package not in sys.modules


def test_loading_imports_exactly_the_chosen_provider(site: Path) -> None:
    """The other providers cost nothing."""
    chosen, other = write_distribution(site, "ThisOne"), write_distribution(site, "OtherOne")
    registry = Registry()
    plugin = registry.load(registry.find("ThisOne"))
    assert plugin.name == "ThisOne"
    assert chosen in sys.modules
    assert other not in sys.modules
    assert registry.load(registry.find("thisone")) is plugin


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('boom')", "cannot be imported: RuntimeError: boom"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit"),
        ("def broken(:", "cannot be imported: SyntaxError"),
        ("other = 1", "cannot be imported: AttributeError"),
        ("class {name}:\n    def chat(self): ...", "implements no hook"),
        (
            "from g4f import hookimpl\nclass {name}:\n    @hookimpl\n    async def chatt(self, request): ...",
            "does not keep the contract: unknown hook 'chatt'",
        ),
        (
            "from g4f import hookimpl\nclass {name}:\n    @hookimpl\n    async def chat(self, prompt): ...",
            "does not keep the contract",
        ),
        ("class {name}:\n    def __init__(self): raise ValueError('no')", "cannot be made: ValueError: no"),
    ],
)
def test_a_broken_module_gives_its_own_error_and_disturbs_nobody(site: Path, code: str, says: str) -> None:
    """The error names the distribution and its version."""
    write_distribution(site, "BadOne", code=code)
    write_distribution(site, "GoodOne")
    registry = Registry()
    with pytest.raises(ProviderBrokenError, match=r"BadOne of g4f-provider-badone 1\.0") as caught:
        registry.load(registry.find("BadOne"))
    assert says in str(caught.value)
    assert registry.load(registry.find("GoodOne")).name == "GoodOne"


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("contract = ", "not valid TOML"),
        ("contract = 99", "needs contract 99, and this g4f-core speaks 1"),
        ("title = 'x'", "contract = 1 is missing"),
        ("contract = 1\nbase_ulr = 'x'", "'base_ulr' is no key of the manifest"),
        ("contract = 1\nmodels = 5", "models in the manifest must be of type list"),
        (None, "has no manifest BadOne.toml"),
    ],
)
def test_a_broken_manifest_gives_its_own_error_and_disturbs_nobody(site: Path, manifest: str | None, says: str) -> None:
    """It is told when the provider is asked for, and never imports it."""
    package = write_distribution(site, "BadOne", manifest=manifest)
    write_distribution(site, "GoodOne")
    registry = Registry()
    for _ in range(2):
        with pytest.raises(ProviderBrokenError, match=r"BadOne of g4f-provider-badone 1\.0") as caught:
            registry.load(registry.find("BadOne"))
        assert says in str(caught.value)
    assert package not in sys.modules
    assert "GoodOne" in [ref.name for ref, _ in registry.list_usable()]


def test_an_entry_point_whose_package_is_gone_says_so(site: Path) -> None:
    """As after half an uninstall."""
    package = write_distribution(site, "GoneOne")
    (site / package / "GoneOne.toml").unlink()
    (site / package / "__init__.py").unlink()
    (site / package).rmdir()
    registry = Registry()
    with pytest.raises(ProviderBrokenError, match="which is not there: reinstall it"):
        registry.load(registry.find("GoneOne"))


def test_two_distributions_with_one_name_are_a_conflict_that_names_both(site: Path) -> None:
    """Neither is chosen silently."""
    write_distribution(site, "Twin", distribution="twin-a")
    write_distribution(site, "twin", distribution="twin-b", version="2.0")
    with pytest.raises(ProviderConflictError, match=r"twin-a 1\.0 and twin-b 2\.0 both register"):
        Registry().find("Twin")


def test_an_alias_is_found_by_name_and_claims_nothing(site: Path) -> None:
    """An entry point that leads to the provider of another name shares its manifest; the model has one claimant."""
    write_distribution(site, "ThisOne", manifest='contract = 1\ntitle = "This"\nmodels = [{id = "m-1"}]\n')
    with (site / "g4f_provider_thisone-1.0.dist-info" / "entry_points.txt").open("a") as points:
        points.write("ThatOne = g4f_provider_thisone:ThisOne\n")
    registry = Registry()
    ref = registry.find("thatone")
    assert (ref.name, ref.alias_of, registry.find("ThisOne").alias_of) == ("ThatOne", "ThisOne", None)
    assert registry.read_manifest(ref) == registry.read_manifest(registry.find("ThisOne"))
    assert registry.load(ref).name == "ThatOne"
    assert [found.name for found, _ in registry.find_claimants("m-1")] == ["ThisOne"]
    assert "ThatOne" not in registry.list_names()
    assert registry.find_names("thatOne") == registry.find_names("ThisOne") == {"thisone", "thatone"}
    assert registry.find_names("Nobody") == frozenset()


def test_a_name_that_is_a_path_is_never_listed() -> None:
    """An entry point's name becomes a file name, so it is an identifier or nothing."""
    refs = [ProviderRef("../../etc/x", "json", "loads"), ProviderRef("a/b", "json", "loads")]
    registry = Registry(refs=refs)
    assert registry.list_names() == []
    with pytest.raises(ProviderNotFoundError):
        registry.find("../../etc/x")


@pytest.mark.parametrize(
    ("environment", "allowed"),
    [
        (Environment(), True),
        (Environment(blocked=frozenset({"g4f-provider-thisone"})), False),
        (Environment.read({"G4F_BLOCK": "other, G4F_Provider.ThisOne"}), False),
        (Environment.read({"G4F_PLUGINS": "none"}), False),
        (Environment(plugins=frozenset({"g4f-provider-thisone"})), True),
        (Environment(plugins=frozenset({"g4f-provider-other"})), False),
        (Environment(plugins=frozenset()), False),
    ],
)
def test_the_user_can_allow_and_block_distributions(site: Path, environment: Environment, allowed: bool) -> None:
    """G4F_PLUGINS and G4F_BLOCK name distributions."""
    write_distribution(site, "ThisOne")
    registry = Registry(environment)
    ref = registry.find("ThisOne")
    if allowed:
        assert registry.load(ref).name == "ThisOne"
    else:
        with pytest.raises(ProviderBrokenError, match="is not loaded: G4F_"):
            registry.load(ref)


def test_a_class_of_the_users_own_is_a_provider() -> None:
    """Without a manifest it can what its hooks do."""
    from g4f import Completion, hookimpl

    class Mine:
        @hookimpl
        async def chat(self, request: object) -> Completion:
            return Completion.from_text("hi")

    plugin = adopt_provider(Mine)
    assert plugin.name == "Mine"
    assert plugin.manifest.supports("chat") == "yes"
    assert plugin.manifest.supports("image") == "no"
    Mine.manifest = Manifest(title="My own")  # type: ignore[attr-defined]
    assert adopt_provider(Mine()).manifest.title == "My own"
    Mine.manifest = {"title": "no"}  # type: ignore[attr-defined]
    with pytest.raises(InvalidInputError, match=r"Mine\.manifest must be a g4f\.Manifest"):
        adopt_provider(Mine)
