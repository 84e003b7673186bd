"""``ablate study report``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ablate.cli.destination import free_place
from ablate.cli.echo import echo, note
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import json_option, print_json
from ablate.cli.study.planning.looks import record_look_of
from ablate.cli.study.planning.shard import note_part
from ablate.cli.study.stored.drawing import audio_option
from ablate.errors import HomeError


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
@audio_option
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    callback=free_place,
    help="New or empty folder to write it to; default: reports/NAME in the home, which has to be writable.",
)
@stored_study("name")
@home_option
@store_option
@json_option
def report(
    *, name: str, form: str, audio: bool, output: Path | None, home: Path, store: str | None, as_json: bool
) -> None:
    """Write the report of a study again from the stored results, and print its path.

    Example: ablate study report tau_sweep --format all
    """
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        note_part(opened, name)
        from ablate.report.write import FORMATS, write_report

        record_look_of(opened, name)
        formats = list(FORMATS) if form == "all" else [form]
        place = home.resolve() if output else _writable(home)
        path = write_report(opened, place, name, formats, sound=audio, say=note, out=output)
    if as_json:
        print_json({"report": str(path)})
    else:
        echo(f"report: {path}")


def _writable(home: Path) -> Path:
    """Return the home; raises :class:`HomeError` if the report cannot be written there."""
    from ablate.study.run.home import open_home

    if os.access(home, os.R_OK | os.X_OK) and not os.access(home, os.W_OK):
        raise HomeError(
            f"the report cannot be written to {home}, which is read-only; name another folder with --output"
        )
    return open_home(home)
