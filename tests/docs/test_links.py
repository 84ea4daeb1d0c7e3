"""The pages hang together: links lead somewhere, and the map shows every page."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from docs.pages import ROOT, Page, read_page, read_pages

PAGES = read_pages()


def make_anchor(heading: str) -> str:
    """The anchor that Markdown sites give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [pytest.param(page, id=page.path) for page in PAGES])
def test_every_relative_link_leads_somewhere(page: Page) -> None:
    """To a file or folder of the project, and to a heading in it."""
    for link in page.links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (ROOT / page.path).parent / path if path else ROOT / page.path
        assert target.exists(), f"{page.path} links to {link}"
        assert target.resolve().is_relative_to(ROOT), f"{page.path} links to {link}, which is not in the project"
        if anchor:
            anchors = {make_anchor(heading) for heading in read_page(target.resolve()).headings}
            assert anchor in anchors, f"{page.path} links to {link}"


def test_the_map_shows_every_page() -> None:
    """A page that docs/index.md does not name is found by nobody."""
    index = read_page(ROOT / "docs" / "index.md")
    shown = {((ROOT / "docs") / link.partition("#")[0]).resolve() for link in index.links}
    pages = {ROOT / page.path for page in PAGES} - {ROOT / "docs" / "index.md"}
    assert pages <= shown, sorted(str(path.relative_to(ROOT)) for path in pages - shown)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.path) for page in PAGES])
def test_a_page_begins_with_its_one_title(page: Page) -> None:
    """A page has one heading of the first level, at its top."""
    titles = [line for line in page.prose.splitlines() if line.startswith("# ")]
    first = next(line for line in page.prose.splitlines() if line and not line.startswith("<!--"))
    assert titles == [first]
