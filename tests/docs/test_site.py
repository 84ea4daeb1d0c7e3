"""The site is built without a warning, leaves no page out, and fetches nothing from elsewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.commands import describe_commands
from docs.pages import Block, Page, make_page
from docs.providers import Provider, describe_all, describe_provider, list_providers
from docs.readers import Programs
from docs.service import KEY, answer
from docs.site import move_page, place_page, write_site
from g4f.manifest import Manifest, Model
from loopback import Loopback

PROVIDERS = list_providers()
# Those that a program alone cannot ask, and where their examples are run.
_NOT_RUN = {"CopilotAccount": "by a program of GitHub's", "Local": "by its model, in the README of its package"}


def run_builder(folder: Path) -> subprocess.CompletedProcess[str]:
    builder = Path(sysconfig.get_path("scripts")) / "zensical"
    command = [builder, "build", "--strict", "--config-file", folder / "zensical.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, as `scripts/docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    write_site(folder)
    done = run_builder(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_in_the_site_and_in_its_map(site: Path) -> None:
    """A reader finds all of them by the navigation, a language model by llms.txt."""
    pages = {path.relative_to(site / "pages").as_posix() for path in (site / "pages").rglob("*.md")} - {"map.md"}
    assert set(re.findall(r'= "([^"]+\.md)"', (site / "zensical.toml").read_text("utf-8"))) == pages
    assert set(re.findall(r"\]\(([^)]+\.md)\)", (site / "pages" / "llms.txt").read_text("utf-8"))) == pages
    for page in pages:
        place = site / "html" / page.removesuffix("index.md").removesuffix(".md")
        assert (place / "index.html").is_file(), page


def test_every_page_is_in_the_text_for_language_models(site: Path) -> None:
    """One file with all of them."""
    everything = (site / "pages" / "llms-full.txt").read_text("utf-8")
    for path in (site / "pages").rglob("*.md"):
        assert path.name == "map.md" or path.read_text("utf-8") in everything


def test_an_address_that_is_no_page_leads_to_the_map(site: Path) -> None:
    """From wherever it was followed."""
    assert re.search('<a href="/[^"]*map/">', (site / "html" / "404.html").read_text("utf-8"))
    assert (site / "html" / "map" / "index.html").is_file()


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    """No fonts, scripts or pictures: who reads it is nobody else's business."""
    for path in site.glob("html/**/*.html"):
        fetched = re.findall(
            r'<(?:script|img|iframe)[^>]+src="?(?:https?:)?//|<link[^>]+href="?(?:https?:)?//', path.read_text("utf-8")
        )
        assert fetched == [], path


@pytest.mark.parametrize("link", ["missing.md", "index.md#missing"])
def test_a_broken_link_is_an_error(tmp_path: Path, link: str) -> None:
    """The builder's own check, with our settings."""
    write_site_of(tmp_path, f"# A page\n\n[A link]({link})\n")
    done = run_builder(tmp_path)
    assert done.returncode != 0
    assert "index.md:3" in done.stdout + done.stderr


def write_site_of(folder: Path, text: str) -> None:
    """Write a site of one page, with our settings."""
    write_site(folder)
    settings = (folder / "zensical.toml").read_text("utf-8")
    (folder / "zensical.toml").write_text(re.sub(r"^nav = .*", "", settings, flags=re.MULTILINE))
    for path in [*(folder / "pages").rglob("*.md")]:
        path.unlink()
    (folder / "pages" / "index.md").write_text(text)


def test_links_lead_to_where_pages_stand_in_the_site() -> None:
    """Those to files that are no pages become text, and marks for tests vanish."""
    text = "<!-- session -->\n[A](../README.md#try-it), [B](b.md), [C](../LICENSE), [D](https://d.example)\n\n```text\n[E](e.md)\n```\n"
    pages = ["README.md", "docs/how-to/a.md", "docs/how-to/b.md", "plugins/g4f-cli/README.md"]
    places = {path: place_page(path) for path in pages}
    moved = move_page(Page("docs/how-to/a.md", text.replace("../", "../../"), ()), places)
    assert moved == "[A](../index.md#try-it), [B](b.md), C, [D](https://d.example)\n\n```text\n[E](e.md)\n```\n"
    assert places["plugins/g4f-cli/README.md"] == "packages/g4f-cli.md"


def list_facts(manifest: Manifest) -> Iterator[str]:
    """What somebody looks up."""
    yield from manifest.auth.variables
    yield from filter(None, [manifest.grade, manifest.base_url, manifest.base_url_variable, manifest.documentation])
    yield from manifest.defaults.values()
    for setting in manifest.settings:
        yield from filter(None, [setting.name, setting.variable, setting.description])
    for retired in manifest.retired:
        yield from (retired.name, retired.model)
    for model in manifest.models:
        yield from _list_facts_of_model(model)


def _list_facts_of_model(model: Model) -> Iterator[str]:
    yield model.id or model.pattern
    yield from model.aliases
    yield from (f"{limit:,}" for limit in (model.context_tokens, model.output_tokens) if limit)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_the_page_of_a_provider_tells_all_that_its_manifest_says(provider: Provider) -> None:
    """And the list of all providers leads to it."""
    page = describe_provider(provider)
    assert [fact for fact in (*provider.aliases, *list_facts(provider.manifest)) if fact not in page] == []
    assert f"[{provider.name}]({provider.place.removeprefix('providers/')})" in describe_all(PROVIDERS)


@pytest.fixture(scope="module")
def service() -> Iterator[Loopback]:
    """The service that the examples talk with."""
    with Loopback(answer) as server:
        yield server


@pytest.fixture(scope="module")
def programs(service: Loopback) -> Iterator[Programs]:
    """Who runs them."""
    reader = Programs(service.url)
    yield reader
    reader.end()


def list_variables(provider: Provider, install: Block, url: str) -> Iterator[tuple[str, str]]:
    """What a reader sets: the key and the address that the page names, and the address of what has a default one."""
    for line in install.code.splitlines()[1:]:
        name, _, value = line.removeprefix("export ").partition("=")
        yield name, KEY if value == "..." else url
    if provider.manifest.base_url_variable and provider.package == "g4f-provider-compatible":
        yield provider.manifest.base_url_variable, url if provider.manifest.base_url_path else f"{url}/v1"


def run_command(block: Block) -> str:
    """A program that runs the one command of a block."""
    name, *words = shlex.split(block.code)
    assert name == "g4f"
    return f"from g4f_cli.__main__ import main\nmain({words!r})"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="programs are forked")
@pytest.mark.parametrize(
    "provider", [one for one in PROVIDERS if one.name not in _NOT_RUN], ids=lambda provider: provider.name
)
def test_the_page_of_a_provider_does_what_it_says(
    provider: Provider, service: Loopback, programs: Programs, tmp_path: Path
) -> None:
    """Its program and its command answer; how it is installed is what its package's README says, which is run too."""
    install, program, command = make_page(provider.place, describe_provider(provider)).blocks
    assert [block.language for block in (install, program, command)] == ["sh", "python", "sh"]
    variables = dict(list_variables(provider, install, service.url))
    for name, code in {"program": program.code, "command": run_command(command)}.items():
        place = tmp_path / name
        place.mkdir()
        done = programs.run(code, place, **variables, XDG_CONFIG_HOME=str(place), XDG_DATA_HOME=str(place))
        assert done.returncode == 0, done.stderr
        assert done.stdout == "This is a test.\n" or (place / "work" / done.stdout.strip()).is_file()


def test_every_command_stands_on_the_page_of_the_commands() -> None:
    """With its options, in the words of its help."""
    page = describe_commands()
    for command in ("g4f ask", "g4f keys set", "g4f doctor"):
        assert f"## `{command}`" in page
    assert "--schema" in page
