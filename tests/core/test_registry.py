"""The registry: providers found in metadata, and every way in which one can be broken."""

from __future__ import annotations

import importlib
import sys
import threading
import xml.dom
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from distributions import ECHO, write_distribution
from g4f.environment import Environment
from g4f.errors import (
    InvalidInputError,
    ProviderBlockedError,
    ProviderBrokenError,
    ProviderConflictError,
    ProviderNotFoundError,
)
from g4f.manifest import Manifest
from g4f.registry import ProviderRef, Registry, adopt_provider, name_provider


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


def test_names_are_sorted_as_people_do() -> None:
    """Letter case counts for nothing."""
    refs = [ProviderRef(name, "m", name) for name in ("zeta", "Beta", "alpha")]
    assert Registry(refs=refs).list_names() == ["alpha", "Beta", "zeta"]


def test_a_class_is_recognized_as_the_provider_that_it_is(site: Path) -> None:
    """By its proper name; a class of nobody's is none."""
    package = write_distribution(site, "ThisOne")
    refs = [ProviderRef(name, package, "ThisOne") for name in ("AliasOne", "ThisOne")]
    registry = Registry(refs=[*refs, ProviderRef("OtherOne", package, "OtherOne")])
    registry.load(registry.find("ThisOne"))
    found = registry.recognize(sys.modules[package].ThisOne)
    assert found is not None
    assert found.name == "ThisOne"
    assert registry.recognize(Manifest) is None


def test_an_unknown_name_says_what_is_installed_and_what_to_install(site: Path) -> None:
    """The error is an ImportError too, for `from g4f.Provider import …`."""
    write_distribution(site, "ThisOne")
    for kind in (ProviderNotFoundError, ImportError):
        with pytest.raises(kind, match=r"There is no provider 'ThisOn'\. Did you mean ThisOne\?"):
            Registry().find("ThisOn")


def test_a_key_in_the_place_of_a_name_is_not_shown() -> None:
    """As other unknown names are."""
    with pytest.raises(InvalidInputError, match="looks like a key") as caught:
        Registry(refs=[]).find("sk-a-key-that-nobody-may-see")
    assert "nobody" not in str(caught.value)


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
    assert plugin.manifest is registry.read_manifest(registry.find("ThisOne"))
    assert chosen in sys.modules
    assert other not in sys.modules
    assert registry.load(registry.find("thisone")) is plugin


def test_threads_that_load_a_provider_at_once_get_the_same(site: Path) -> None:
    """It is made once, though all of them ask before it is there."""
    other = "import threading\nmade, go = [], threading.Event()\nclass {name}: ..."
    write_distribution(site, "Other", code=other)
    code = "from g4f_provider_other import go, made\nassert go.wait(60)\n" + ECHO
    write_distribution(site, "ThisOne", code=code + "    def __init__(self): made.append(self)\n")
    shared = importlib.import_module("g4f_provider_other")
    seen, arrived = set(), threading.Semaphore(0)

    class Watched(ProviderRef):
        """Tells of each thread that it has begun to look for it."""

        def __getattribute__(self, field: str) -> Any:
            if field == "name" and threading.get_ident() not in seen:
                seen.add(threading.get_ident())
                arrived.release()
            return super().__getattribute__(field)

    registry, ref = Registry(), Watched("ThisOne", "g4f_provider_thisone", "ThisOne")
    with ThreadPoolExecutor(8) as pool:
        loading = [pool.submit(registry.load, ref) for _ in range(8)]
        for _ in loading:
            arrived.acquire()
        shared.go.set()
        plugins = [future.result() for future in loading]
    assert all(plugin is plugins[0] for plugin in plugins)
    assert len(shared.made) == 1


def test_each_registry_has_a_budget_of_its_own() -> None:
    """What the calls of one met is no other's business."""
    assert Registry(refs=[]).budget is not Registry(refs=[]).budget


def test_a_manifest_is_read_and_parsed_once(site: Path) -> None:
    """Whoever asks for it, and whatever becomes of the file."""
    package = write_distribution(site, "ThisOne", manifest='contract = 1\nmodels = [{id = "m-1"}]\n')
    registry = Registry()
    assert [ref.name for ref, _ in registry.find_claimants("m-1")] == ["ThisOne"]
    (site / package / "ThisOne.toml").unlink()
    manifest = registry.read_manifest(registry.find("ThisOne"))
    assert registry.read_manifest(registry.find("ThisOne")) is manifest
    assert [found for _, found in registry.find_claimants("m-1")] == [manifest]
    fresh = Registry()
    assert fresh.find_claimants("m-1") == []
    with pytest.raises(ProviderBrokenError):
        fresh.read_manifest(fresh.find("ThisOne"))


def test_a_provider_may_stand_in_a_module_of_its_package(site: Path) -> None:
    """The manifest is the package's; nothing is imported to find it."""
    package = write_distribution(site, "ThisOne")
    (site / package / "inner").mkdir()
    (site / package / "inner" / "__init__.py").write_text("")
    (site / package / "inner" / "deep.py").write_text((site / package / "__init__.py").read_text())
    registry = Registry(refs=[ProviderRef("ThisOne", f"{package}.inner.deep", "ThisOne")])
    assert registry.read_manifest(registry.find("ThisOne")).title == "ThisOne"
    assert package not in sys.modules
    assert registry.load(registry.find("ThisOne")).name == "ThisOne"
    gone = Registry(refs=[ProviderRef("GoneOne", "no_such_package.inner.deep", "GoneOne")])
    with pytest.raises(ProviderBrokenError, match="names the package no_such_package, which is not there"):
        gone.load(gone.find("GoneOne"))


def test_a_manifest_that_is_no_text_claims_nothing(site: Path) -> None:
    """Its patterns are looked at all the same, before anybody parses it."""
    package = write_distribution(site, "BadOne")
    (site / package / "BadOne.toml").write_bytes(b'contract = 1\nmodels = [{pattern = "m-\xff*"}]\n')
    registry = Registry()
    assert "BadOne" not in [ref.name for ref, _ in registry.find_claimants("m-1")]
    with pytest.raises(ProviderBrokenError, match=r"has a manifest BadOne\.toml that cannot be used"):
        registry.read_manifest(registry.find("BadOne"))


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise RuntimeError('boom')", "cannot be imported: RuntimeError: boom"),
        ("raise RuntimeError('two  words,\\n two lines')", "cannot be imported: RuntimeError: two words, two lines"),
        ("import sys; sys.exit(3)", "cannot be imported: SystemExit"),
        ("def broken(:", "cannot be imported: SyntaxError"),
        ("other = 1", "cannot be imported: AttributeError"),
        ("class {name}: ...", "implements no hook"),
        (
            "from g4f import hookimpl\nclass {name}:\n    @hookimpl\n    async def chatt(self, request): ...",
            "there is no hook chatt. Did you mean chat?",
        ),
        (
            "from g4f import hookimpl\nclass {name}:\n    @hookimpl\n    async def chat(self, prompt): ...",
            "has a parameter 'prompt', which g4f does not give",
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
    assert not str(caught.value).endswith("..")
    assert registry.load(registry.find("GoodOne")).name == "GoodOne"


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("contract = ", "has a manifest BadOne.toml that cannot be used: it is not valid TOML"),
        ("contract = 99", "needs contract 99, and this g4f-core speaks 1"),
        ("title = 'x'", "contract = 1 is missing"),
        ("contract = 1\nbase_ulr = 'x'", "'base_ulr' is no key of the manifest"),
        ("contract = 1\nmodels = 5", "models in the manifest must be a list, not 5"),
        (None, "has no manifest BadOne.toml beside its package's __init__.py."),
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


def test_a_manifest_of_another_name_is_pointed_out(site: Path) -> None:
    """As after the entry point was renamed."""
    package = write_distribution(site, "BadOne", manifest=None)
    for name in ("Two.toml", "One.toml", "One.txt"):
        (site / package / name).write_text("contract = 1\n")
    registry = Registry()
    with pytest.raises(ProviderBrokenError) as caught:
        registry.read_manifest(registry.find("BadOne"))
    instead = "there is One.toml, Two.toml, and it must be called as the entry point."
    assert str(caught.value).endswith(f" has no manifest BadOne.toml beside its package's __init__.py; {instead}")


@pytest.mark.parametrize(
    ("value", "module", "attribute"),
    [
        ("package.module:Class", "package.module", "Class"),
        ("package : Class [extra]", "package", "Class"),
        ("package", "package", ""),
        (":Class", "(none)", "Class"),
    ],
)
def test_an_entry_point_names_a_module_and_what_is_in_it(site: Path, value: str, module: str, attribute: str) -> None:
    """Extras say what else to install, which is done; what is wrong is told when the provider is asked for."""
    write_distribution(site, "ThisOne")
    points = site / "g4f_provider_thisone-1.0.dist-info" / "entry_points.txt"
    points.write_text(f"[g4f.providers]\nThisOne = {value}\n")
    ref = Registry().find("ThisOne")
    assert (ref.module, ref.attribute) == (module, attribute)


def test_a_provider_in_a_single_file_says_that_it_must_be_a_package(site: Path) -> None:
    """There is no place for its manifest."""
    (site / "g4f_provider_single.py").write_text("")
    registry = Registry(refs=[ProviderRef("One", "g4f_provider_single", "One")])
    with pytest.raises(ProviderBrokenError) as caught:
        registry.read_manifest(registry.find("One"))
    says = "names g4f_provider_single, a single file: it must be a package, with One.toml beside __init__.py."
    assert str(caught.value).startswith("The provider One of an unnamed distribution")
    assert str(caught.value).endswith(f" {says}")


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
        with pytest.raises(ProviderBlockedError, match="is not loaded: G4F_"):
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
    assert (plugin.manifest.title, plugin.manifest.models_open) == ("Mine", True)
    Mine.manifest = Manifest(title="My own")  # type: ignore[attr-defined]
    assert adopt_provider(Mine()).manifest.title == "My own"
    Mine.manifest = {"title": "no"}  # type: ignore[attr-defined]
    with pytest.raises(InvalidInputError, match=r"Mine\.manifest must be a g4f\.Manifest, not dict\."):
        adopt_provider(Mine)


def test_what_a_provider_of_the_users_own_can_is_what_it_has_hooks_for() -> None:
    """One that streams can chat."""
    from g4f import hookimpl

    class Streams:
        @hookimpl
        def stream(self, request: object) -> None: ...

    class Draws:
        @hookimpl
        async def image(self, request: object) -> None: ...

    class Embeds:
        @hookimpl
        async def embed(self, request: object) -> None: ...

    for number, provider in enumerate((Streams, Draws, Embeds)):
        manifest = adopt_provider(provider).manifest
        can = [manifest.supports(name) for name in ("chat", "image", "embed")]
        assert can == ["yes" if at == number else "no" for at in range(3)]


@pytest.mark.parametrize("provider", [5, 0.5, True, b"Gemini", {"a": 1}, {1}, [], (), None], ids=repr)
def test_a_value_of_another_kind_is_no_provider(provider: object) -> None:
    """The error says what can be one."""
    with pytest.raises(InvalidInputError) as caught:
        adopt_provider(provider)
    says = f"{provider!r} is no provider: pass a name, a class, an object, or a list of these."
    assert str(caught.value) == says


def test_a_class_that_cannot_be_made_says_why_and_what_can_be_done() -> None:
    """In one line."""

    class Mine:
        def __init__(self) -> None:
            raise ValueError("two  words,\n two lines")

    with pytest.raises(ProviderBrokenError) as caught:
        adopt_provider(Mine)
    says = "The provider Mine cannot be made: ValueError: two words, two lines. You can pass an object of it."
    assert str(caught.value) == says
    assert isinstance(caught.value.__cause__, ValueError)


def test_whatever_a_provider_is_given_as_it_has_a_name() -> None:
    """A name, a reference, a class, a module or an object."""
    given = ["Gemini", ProviderRef("Gemini", "m", "Other"), Manifest, Manifest(), xml.dom]
    assert [name_provider(provider) for provider in given] == ["Gemini", "Gemini", "Manifest", "Manifest", "dom"]


def test_an_entry_point_may_lead_to_a_class_of_another_name() -> None:
    """That makes it no alias."""
    registry = Registry(refs=[ProviderRef("ThisOne", "m", "Elsewhere")])
    assert registry.find("ThisOne").alias_of is None
