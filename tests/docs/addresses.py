"""The public addresses of the project, which pyproject.toml names, put into what a release is built from.

`scripts/release` calls it. Where they are empty, nothing is changed.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path

from docs.pages import change_prose

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


def read_addresses(folder: Path) -> dict[str, str]:
    """Read `repository`, `documentation` and `files` of a checkout."""
    addresses: dict[str, str] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["tool"]["g4f"][
        "addresses"
    ]
    return addresses


def write_addresses(folder: Path, addresses: dict[str, str]) -> None:
    """Put the addresses into the metadata of every package in a checkout, and into the links of its README.

    A release has one tag for all packages, with the version of the core.
    """
    version = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    files = addresses["files"].replace("{version}", version)
    for path in [folder / "pyproject.toml", *folder.glob("plugins/*/pyproject.toml")]:
        path.write_text(path.read_text("utf-8") + write_urls(addresses, files), "utf-8")
        readme = path.parent / "README.md"
        place = readme.parent.relative_to(folder)
        readme.write_text(lead_to_files(readme.read_text("utf-8"), place, files), "utf-8")


def write_urls(addresses: dict[str, str], files: str) -> str:
    """The table of a project's addresses, those that are known."""
    urls = {
        "Repository": addresses["repository"],
        "Documentation": addresses["documentation"],
        "Changelog": files.replace("{path}", "CHANGELOG.md"),
    }
    lines = [f"{name} = {json.dumps(url)}\n" for name, url in urls.items() if url]
    return "\n[project.urls]\n" + "".join(lines) if lines else ""


def lead_to_files(text: str, place: Path, files: str) -> str:
    """Return a page's text with its links to other files of the project made absolute."""
    if not files:
        return text

    def lead(link: re.Match[str]) -> str:
        return files.replace("{path}", Path(os.path.normpath(place / link[1])).as_posix())

    return change_prose(text, lambda prose: _LINK.sub(lead, prose))


if __name__ == "__main__":
    write_addresses(Path(sys.argv[1]), read_addresses(Path(sys.argv[1])))
