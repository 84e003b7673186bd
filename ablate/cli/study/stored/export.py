"""``ablate study export``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import click

from ablate.cli.destination import output_option, write_output
from ablate.cli.echo import echo
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import json_text, plural
from ablate.cli.study.planning.shard import note_part
from ablate.errors import AblateError, HomeError, UsageError
from ablate.stdout import results

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ablate.store.store import Store

FORMATS = ["csv", "json", "parquet"]
TABLES = ["measurements", "runs", "splits", "validation"]


@click.command("export")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="Format; default: that of the file's suffix, else csv.",
)
@click.option(
    "--table",
    type=click.Choice(TABLES),
    default=TABLES[0],
    show_default=True,
    help="Every measured value, every run, the use of each piece in each run, or every validation loss.",
)
@output_option("File; default, and -: standard output.")
@stored_study("name")
@home_option
@store_option
def export(*, name: str, form: str | None, table: str, output: Path | None, home: Path, store: str | None) -> None:
    """Export a table of a study's results, by default every measurement, one row for each value.

    Example: ablate study export tau_sweep --format parquet -o tau_sweep.parquet
    """
    suffix = output.suffix.removeprefix(".") if output else ""
    form = form or (suffix if suffix in FORMATS else "csv")
    if form == "parquet" and output is None and results().isatty():
        raise UsageError("parquet is not text: name a file with --output")
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        note_part(opened, name)
        frame = _table(table, opened, name, home)
    write_output(_encode(frame, form), output)
    if output is not None:
        echo(f"{plural(len(frame), 'row')} in {output}")


def _table(table: str, store: Store, name: str, home: Path) -> pd.DataFrame:
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.data.curves import validation_frame
    from ablate.report.data.frames import run_frame, study_frame, with_labels
    from ablate.report.data.study import Study

    if table == "measurements":
        return with_labels(study_frame(store, name), store.study(name).spec)
    if table == "runs":
        return with_labels(run_frame(store, name), store.study(name).spec)
    study = Study.read(store, name)
    if table != "validation":
        return study.splits.frame(study.names)
    artifacts = Artifacts(home.resolve())
    frame = validation_frame(study, artifacts)
    if artifacts.damaged:
        raise HomeError(f"nothing was exported, because losses are lost: {artifacts.damage_line()}")
    return frame


def _encode(frame: pd.DataFrame, form: str) -> bytes:
    if form == "csv":
        from ablate.report.formats.csv import csv_text

        return csv_text(frame).encode()
    if form == "json":
        return json_text(frame.to_dict("records")).encode() + b"\n"  # not to_json, which rounds
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError as error:
        raise AblateError("parquet needs pyarrow: pip install 'ablate-music[parquet]'") from error
    return buffer.getvalue()
