"""The pages as the builder of the site wants them: in one folder, their links moved along, in the order of the map.

`scripts/docs` calls it. `docs.providers` and `docs.commands` write the pages that are made of manifests and of the
command line; docs/site says how the site looks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

import attrs

from docs.addresses import read_addresses
from docs.commands import describe_commands
from docs.pages import ROOT, Page, change_prose, read_pages
from docs.providers import describe_all, describe_provider, list_providers, write_variables

LOOKS = ROOT / "docs" / "site"
_MOVED = {"README.md": "index.md", "docs/index.md": "map.md"}
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
_ENTRY = re.compile(r"^(?:-|\d+\.) +\[([^\]]+)\]\(([^)\s]+)\)(?:: )?(.*)")
_MARK = re.compile(r"^ *<!--.*-->\n", re.MULTILINE)


@attrs.frozen
class Entry:
    """A page in the map: its title, where it stands in the site, and what it is about."""

    title: str
    place: str
    about: str = ""


@attrs.define
class Section:
    """A section of the map; one of level 3 belongs to the one of level 2 before it."""

    title: str
    level: int
    entries: list[Entry]


def place_page(path: str) -> str:
    """Say where a page of the project stands in the site: README.md is its home."""
    if path.startswith("plugins/"):
        return f"packages/{path.split('/')[1]}.md"
    return _MOVED.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else path.lower())


def move_page(page: Page, places: dict[str, str]) -> str:
    """Return a page's text for the site: links lead to where pages stand there, and marks for tests are gone."""
    return change_prose(
        page.text, lambda text: _LINK.sub(lambda link: _move_link(link, page, places), _MARK.sub("", text))
    )


def _move_link(link: re.Match[str], page: Page, places: dict[str, str]) -> str:
    """Move one link. One to a file that is no page becomes its text: readers of the site have no checkout at hand."""
    words, target = link.groups()
    path, hash_, anchor = target.partition("#")
    if re.match(r"[a-z]+:", target) or not path:
        return link[0]
    place = places.get(os.path.normpath(PurePosixPath(page.path).parent / path))
    here = PurePosixPath(places[page.path]).parent
    return f"[{words}]({os.path.relpath(place, here)}{hash_}{anchor})" if place else words


def read_map(text: str) -> Iterator[Section]:
    """Read the map's sections and the pages that they list."""
    for part in re.split(r"^##", text, flags=re.MULTILINE)[1:]:
        title, *lines = part.splitlines()
        entries = [Entry(*match.groups()) for line in lines if (match := _ENTRY.match(line))]
        yield Section(title.lstrip("# "), 3 if title.startswith("#") else 2, entries)


def add_made(sections: list[Section]) -> list[Section]:
    """Add the pages that only the site has to those that the map lists."""
    found = {section.title: section.entries for section in sections}
    found["Look up"].append(Entry("Every command and option", "reference/commands.md", "what `--help` says."))
    found["Providers"].append(Entry("All providers", "providers/index.md", "what each can."))
    found["Providers"] += [Entry(one.name, one.place, one.summary) for one in list_providers()]
    return sections


def write_nav(sections: Iterable[Section]) -> str:
    """The map as the builder's navigation, in TOML; its texts are quoted as JSON's are."""
    nav = '[{ "Home" = "index.md" }'
    depth = 0
    for section in sections:
        nav += " ] }" * (depth - section.level + 2) + f", {{ {json.dumps(section.title)} = [ "
        depth = section.level - 1
        nav += ", ".join(f"{{ {json.dumps(entry.title)} = {json.dumps(entry.place)} }}" for entry in section.entries)
    return nav + " ] }" * depth + "]"


def write_llms(sections: Iterable[Section], home: str) -> str:
    """The map for language models, after https://llmstxt.org: it names the Markdown of each page."""
    summary = " ".join(home.split("\n\n")[1].split())
    lines = ["# g4f", "", f"> {summary}", "", "- [Home](index.md): what it is, and how to install it."]
    lines += ["- [Everything](llms-full.txt): all pages in one file."]
    for section in sections:
        lines += ["", f"## {section.title}", ""]
        lines += [
            f"- [{entry.title}]({entry.place}){f': {entry.about}' * bool(entry.about)}" for entry in section.entries
        ]
    return "\n".join(lines) + "\n"


def gather_pages() -> dict[str, str]:
    """Return the text of every page by its place in the site."""
    pages = read_pages()
    places = {page.path: place_page(page.path) for page in pages}
    return {
        **{places[page.path]: move_page(page, places) for page in pages},
        **{provider.place: describe_provider(provider) for provider in list_providers()},
        "providers/index.md": describe_all(list_providers()),
        "reference/commands.md": describe_commands(),
    }


def write_site(folder: Path) -> None:
    """Write the pages, what language models read, and the builder's settings into a folder."""
    pages = gather_pages()
    sections = add_made(list(read_map(pages["map.md"])))
    order = ["index.md", *(entry.place for section in sections for entry in section.entries)]
    pages["llms.txt"] = write_llms(sections, pages["index.md"])
    pages["llms-full.txt"] = "\n".join(pages[place] for place in order)
    shutil.rmtree(folder / "pages", ignore_errors=True)
    shutil.copytree(ROOT / "docs", folder / "pages", ignore=shutil.ignore_patterns("*.md", "site"))  # pictures
    for place, text in pages.items():
        path = folder / "pages" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in ("site.css", "site.js"):
        shutil.copy(LOOKS / name, folder / "pages")
    (folder / "theme").mkdir(exist_ok=True)
    shutil.copy(LOOKS / "404.html", folder / "theme")
    settings = (LOOKS / "zensical.toml").read_text("utf-8").replace("nav = []", f"nav = {write_nav(sections)}")
    if url := read_addresses(ROOT)["documentation"]:
        settings = settings.replace("[project]", f"[project]\nsite_url = {json.dumps(url)}", 1)
    (folder / "zensical.toml").write_text(settings, encoding="utf-8")


def renew_variables() -> None:
    """Write the variables of the providers into the page of the reference that lists them."""
    path = ROOT / "docs" / "reference" / "environment.md"
    path.write_text(write_variables(path.read_text("utf-8"), list_providers()), "utf-8")


if __name__ == "__main__":
    renew_variables()
    write_site(Path(sys.argv[1]))
