"""`g4f doctor`: finds what is wrong with the installation; the checks live in the core's `g4f_doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from g4f_cli.keys import read_store
from g4f_cli.options import debug_option, json_option
from g4f_cli.surveying import add_stored_keys

if TYPE_CHECKING:
    from g4f_doctor.report import Report


@click.command("doctor", short_help="Find what is wrong with the installation.")
@click.option(
    "--import",
    "import_providers",
    is_flag=True,
    help="Import each provider and command too, in a process of its own, for 10 seconds at most.",
)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, import_providers: bool, as_json: bool) -> None:  # noqa: FBT001 - click's way
    """Find what is wrong with the installation, and say what mends it."""
    from g4f_cli.checking import check_extensions
    from g4f_cli.cli import COMMANDS
    from g4f_cli.extensions import list_extensions
    from g4f_doctor.examination import examine
    from g4f_doctor.report import format_json
    from g4f_doctor.tables import find_width
    from g4f_doctor.text import format_report

    report = examine(import_providers=import_providers)
    findings = check_extensions(list_extensions(), COMMANDS, import_them=import_providers)
    report = _look_at_history(_look_at_keys(report._replace(findings=(*report.findings, *findings))))
    click.echo(format_json(report) if as_json else format_report(report, find_width()))
    context.exit(int(report.broken))


def _look_at_history(report: Report) -> Report:
    from g4f_cli.history import find_database, open_history
    from g4f_doctor.report import Finding

    if not find_database().exists():
        return report
    try:
        with open_history() as history:
            list(history.list(1))
    except click.ClickException as error:
        return report._replace(findings=(*report.findings, Finding("broken", error.message)))
    return report


def _look_at_keys(report: Report) -> Report:
    from g4f_doctor.report import Finding

    try:
        store = read_store()
    except click.ClickException as error:
        return report._replace(findings=(*report.findings, Finding("broken", error.message)))
    return report._replace(providers=tuple(add_stored_keys(report.providers, store)))
