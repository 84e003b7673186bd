"""``ablate study report``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo, note
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import json_option, print_json
from ablate.cli.study.looks import record_look_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command("report")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "md", "tex", "csv", "all"]),
    default="html",
    show_default=True,
    help="html: a page with figures, data, and the table for a paper; md: Markdown; tex: LaTeX table and BibTeX; "
    "csv: tidy tables; all: all of them.",
)
@click.option(
    "--audio/--no-audio", default=True, help="Render the sound of the samples if ablate-music[audio] is installed."
)
@stored_study("name")
@home_option
@store_option
@json_option
def report(*, name: str, form: str, audio: bool, home: Path, store: str | None, as_json: bool) -> None:
    """Write the report of a study again from the stored results, and print its path.

    Example: ablate study report tau_sweep --format all
    """
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        from ablate.report.write import FORMATS, write_report
        from ablate.study.run.home import open_home

        record_look_of(opened, name)
        formats = list(FORMATS) if form == "all" else [form]
        path = write_report(opened, open_home(home), name, formats, sound=audio, say=note)
    if as_json:
        print_json({"report": str(path)})
    else:
        echo(f"report: {path}")
