"""``ablate study list``, ``show``, ``report``, ``export`` and ``delete``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import existing_store, home_option, store_option
from ablate.cli.output import json_option, plural, print_json, print_table
from ablate.errors import HomeError, UnknownName, UsageError
from ablate.kinds import TRAIN

if TYPE_CHECKING:
    import pandas as pd

    from ablate.store.store import Store

FORMATS = ["csv", "json", "parquet"]


@click.command("list")
@home_option
@store_option
@json_option
def list_(home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List the studies that can be run, and those that have been run in this home.

    Example: ablate study list
    """
    rows = [_shipped(name, path) for name, path in _files().items()]
    if store or (home / "ablate.db").is_file():
        with existing_store(home, store) as opened:
            run = {study.name: _stored(opened, study.name) for study in opened.studies()}
        rows = [run.pop(row["name"], row) for row in rows] + list(run.values())
    if as_json:
        print_json(rows)
        return
    print_table(["study", "runs done", "last run", "question"], [list(row.values()) for row in rows])


def _files() -> dict[str, Path]:
    from ablate.study.file.locate import known_studies

    return known_studies()


def _shipped(name: str, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        question = tomllib.loads(path.read_text(encoding="utf-8")).get("question", "")
    except (OSError, ValueError):
        question = f"{path} cannot be read"
    return {"name": name, "done": "not run", "updated": None, "question": question}


def _stored(store: Store, name: str) -> dict[str, Any]:
    study = store.study(name)
    runs = store.runs(name)
    done = sum(run.state == "done" for run in runs)
    updated = f"{study.updated:%Y-%m-%d %H:%M} UTC" if study.updated else None
    return {
        "name": name,
        "done": f"{done} of {len(runs)}",
        "updated": updated,
        "question": study.spec.get("question", ""),
    }


@click.command("show")
@click.argument("name")
@home_option
@store_option
@json_option
def show(name: str, home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show a study's variants, the state of every run, and why runs are missing.

    Example: ablate study show tau_sweep
    """
    with existing_store(home, store) as opened:
        try:
            study = opened.study(name)
        except UnknownName as error:
            if name not in _files():
                raise
            raise HomeError(f"study '{name}' has not been run in {home}; see: ablate study plan {name}") from error
        variants, runs = opened.variants(name), opened.runs(name)
    if as_json:
        print_json(
            {
                "study": dataclasses.asdict(study),
                "variants": [dataclasses.asdict(variant) for variant in variants],
                "runs": [dataclasses.asdict(run) for run in runs],
            }
        )
        return
    click.echo(f"{study.name}: {study.spec.get('question', '')}")
    corpus = json.dumps(study.spec.get("corpus", study.corpus), ensure_ascii=False)
    click.echo(f"profile {study.profile}, corpus {corpus}, seed {study.seed}")
    if study.spec.get("overrides"):
        click.echo(f"run with: {' '.join(study.spec['overrides'])}")
    replicates = sorted({run.replicate for run in runs})
    states = {(run.variant, run.replicate): run.state for run in runs}
    rows = [
        (v.name + (" (baseline)" if v.baseline else ""), *(states.get((v.name, r), "") for r in replicates))
        for v in variants
    ]
    print_table(["variant", *(f"replicate {r}" for r in replicates)], rows)
    for run in runs:
        if run.state == "failed":
            click.echo(f"failed: {run.variant}, replicate {run.replicate}: {run.error_class}: {run.error}")
    missing = sum(run.state in ("pending", "interrupted") for run in runs)
    if missing:
        click.echo(f"{plural(missing, 'run')} not finished; to continue, run the study again with the same options")


@click.command("report")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "md", "tex", "csv", "all"]),
    default="html",
    show_default=True,
    help="A page with data and a paper's table; Markdown; the LaTeX table and BibTeX; tidy CSV; or all of them.",
)
@click.option("--audio/--no-audio", default=True, help="Render samples with piano sound, where ablate[audio] is there.")
@home_option
@store_option
@json_option
def report(name: str, form: str, audio: bool, home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Write a study's report again from what the store holds, and say where it lies.

    Example: ablate study report tau_sweep --format all
    """
    from ablate.report.formats.html import FORMATS, write_report
    from ablate.study.run.home import open_home

    formats = list(FORMATS) if form == "all" else [form]
    with existing_store(home, store) as opened:
        path = write_report(opened, open_home(home), name, formats, sound=audio)
    if as_json:
        print_json({"report": str(path)})
    else:
        click.echo(f"report: {path}")


@click.command("export")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Default: what the file's name ends with, else csv.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File; default: standard output.")
@home_option
@store_option
def export(name: str, form: str | None, output: Path | None, home: Path, store: str | None) -> None:
    """Write every measurement of a study as a tidy table, one row a value.

    Example: ablate study export tau_sweep --format parquet -o tau_sweep.parquet
    """
    suffix = output.suffix.removeprefix(".") if output else ""
    form = form or (suffix if suffix in FORMATS else "csv")
    if form == "parquet" and output is None:
        raise UsageError("parquet is not text: name a file with --output")
    from ablate.report.data.frames import study_frame

    with existing_store(home, store) as opened:
        frame = study_frame(opened, name)
    data = _exported(frame, form)
    if output is None:
        click.echo(data.decode(), nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise HomeError(f"cannot write {output} ({error.strerror})") from error
    click.echo(f"{plural(len(frame), 'row')} in {output}")


def _exported(frame: pd.DataFrame, form: str) -> bytes:
    if form == "csv":
        return frame.to_csv(index=False).encode()
    if form == "json":
        # not to_json, which rounds
        return json.dumps(frame.to_dict("records"), indent=2, ensure_ascii=False).encode() + b"\n"
    import io

    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError as error:
        raise UsageError("parquet needs pyarrow: pip install 'ablate[parquet]'") from error
    return buffer.getvalue()


@click.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@home_option
@store_option
def delete(name: str, yes: bool, home: Path, store: str | None) -> None:  # noqa: FBT001
    """Delete a study, its report, and every result that no other study uses.

    Example: ablate study delete tau_sweep@smoke
    """
    from ablate.files import file_name
    from ablate.study.run.home import only_command, open_home, remove_artifacts, remove_checkpoints
    from ablate.study.run.optuna_storage import delete_trials

    with existing_store(home, store) as opened:
        opened.study(name)
        if not yes:
            click.confirm(f"Delete study {name} and the results that only it uses?", abort=True)
        home = open_home(home)
        with only_command(home, opened.url, name):
            begun = {run.stages[TRAIN] for run in opened.runs(name)}
            folders = opened.delete_study(name)
            delete_trials(opened.url, name)
            remove_artifacts(home, [*folders, f"reports/{file_name(name)}"])
            still = {run.stages[TRAIN] for study in opened.studies() for run in opened.runs(study.name)}
            remove_checkpoints(home, begun - still)
    click.echo(f"deleted {name}, {plural(len(folders), 'result folder')}")
