"""`g4f install`: adds providers from a checkout or a folder, and from the package index only when the user agrees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from g4f_cli.options import complete_known_providers, debug_option
from g4f_cli.terminal import confirm, note, show

if TYPE_CHECKING:
    from g4f_cli.sources import Source

_DECLINED = "Nothing was installed."


@click.command("install", short_help="Install providers.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_known_providers)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="A folder of wheels, or a checkout. Default: the checkout that g4f was installed from.",
)
@click.option("--index", is_flag=True, help="Take what is not there from the package index, without asking.")
@debug_option
def command(names: tuple[str, ...], folder: Path | None, index: bool) -> None:  # noqa: FBT001 - click's way
    """Install providers, as g4f install gemini.

    NAME is a provider, a package, or the path of a package's folder or wheel. Where it comes from is said before it is
    installed.
    """
    from g4f_cli.sources import add_required, find_named

    named = {name: find_named(name, folder) for name in names}
    wanted = {source.package: source for source in named.values()}.values()
    sources = add_required([source for source in wanted if not _stays(source)], folder)
    if not index:
        for source in sources:
            _ask_for_index(source)
    for source in sources:
        note(f"Installing {source.package} from {source.place or 'the package index'}.")
    _install_ours([source for source in sources if source.place is not None], folder, index=index)
    _install_strangers([source for source in sources if source.place is None], index=index)
    for source in sources:
        note(f"{source.package} is installed.")
    for name, source in named.items():
        _tell_needs(name, source.package)


def _stays(source: Source) -> bool:
    """Tell whether a package is used where it stands already; ask before it is replaced by that of another place.

    Raises:
        InputError: There is nobody to ask.
        click.exceptions.Exit: The user does not want it replaced.
    """
    from g4f_cli.sources import find_editable

    place = find_editable(source.package)
    if place is None:
        return False
    if source.place is not None and place.resolve() == source.place.resolve():
        note(f"{source.package} is installed already, as it stands in {place}.")
        return True
    confirm(
        f"{source.package} is installed as it stands in {place}, where it may be worked on.",
        f"Replace it by {source.place or 'that of the package index'}?",
        remedy=f"Remove it first: g4f uninstall {source.package}.",
        otherwise=_DECLINED,
    )
    return False


def _ask_for_index(source: Source, *, otherwise: str = _DECLINED) -> None:
    """Go on only if the user wants a stranger's package, where it is one."""
    if source.place is None:
        confirm(
            f"{source.package} is in no checkout here, and at the package index anybody may have taken its name.",
            "Install it from there?",
            remedy="Name a folder with --from, or agree with --index.",
            otherwise=otherwise,
        )


def _install_ours(sources: list[Source], folder: Path | None, *, index: bool) -> None:
    """Install packages of this machine; what they need of others comes from the index only if the user agrees."""
    from g4f_cli.installing import fetch_requirements, find_requirements, install
    from g4f_cli.sources import list_missing, read_tools

    needs = _list_foreign(sources)
    said = find_requirements(needs, folder)
    tools = list_missing(text for source in sources for text in read_tools(source))
    if said or tools:
        if not index:
            _ask_for_requirements(sources, [*list_missing(needs), *tools], said)
        fetch_requirements(needs)
    for source in sources:
        install(source, tools_are_here=not tools)
    _check_fit(sources)


def _ask_for_requirements(sources: list[Source], missing: list[str], said: str) -> None:
    if said:
        show(said)
    who = f"{' and '.join(source.package for source in sources)} need{'' if len(sources) > 1 else 's'}"
    confirm(
        f"What {who} is not all here{': ' if missing else ''}{', '.join(dict.fromkeys(missing))}.",
        "Take it from the package index?",
        remedy="Put it into the folder of --from, or agree with --index.",
        otherwise=_DECLINED,
    )


def _install_strangers(queue: list[Source], *, index: bool) -> None:
    """Install packages from the index one by one; what they require of ours is asked for too."""
    from g4f_cli.installing import fetch_requirements, install
    from g4f_cli.sources import add_required

    for source in queue:  # which grows
        install(source, tools_are_here=False)
        for required in add_required([source], None)[1:]:
            if not index:
                lack = f"{source.package} is installed, without {required.package}, which it requires."
                _ask_for_index(required, otherwise=lack)
            queue.append(required)
    fetch_requirements(_list_foreign(queue))
    _check_fit(queue)


def _list_foreign(sources: list[Source]) -> list[str]:
    from g4f_cli.sources import is_ours, read_name, read_requirements

    written = (text for source in sources for text in read_requirements(source))
    return [text for text in dict.fromkeys(written) if not is_ours(read_name(text))]


def _check_fit(sources: list[Source]) -> None:
    """Say so where what is installed of g4f's own is in another version than is required: it was kept.

    Raises:
        InstallError: It is.
    """
    from g4f_cli.installing import InstallError, find_misfits
    from g4f_cli.sources import is_ours, read_requirements

    for source in sources:
        versions = (text for text in read_requirements(source) if is_ours(text) and set(text) & set("<>=~"))
        misfits = find_misfits(source.package) if any(versions) else ""
        if misfits:
            raise InstallError(f"{source.package} is installed, and does not fit: {misfits}")


def _tell_needs(name: str, package: str) -> None:
    """Say which keys are needed: by the provider that was named, or by all of the package that was."""
    from g4f.known import find_proper_name, read_known_providers

    rows = [row for row in read_known_providers() if row.get("package") == package]
    proper = (find_proper_name(name) or name).lower()
    named = [row for row in rows if row["name"].lower() == proper]
    for row in named or rows:
        if row.get("variables"):
            variables = " or ".join(row["variables"])
            note(f"{row['name']} needs a key: set {variables}, or run g4f keys set {row['name']}.")
