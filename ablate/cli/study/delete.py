"""``ablate study delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import plural
from ablate.kinds import PROGRAM, TRAIN
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ablate.store.records import RunRecord


@click.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@stored_study("name")
@home_option
@store_option
def delete(name: str, yes: bool, home: Path, store: str | None) -> None:  # noqa: FBT001
    """Delete a study, its report, and the results that only it uses.

    Example: ablate study delete tau_sweep --profile smoke
    """
    with existing_store(home, store, writing=True) as opened:
        check_stored(opened, name, home)
        if not yes:
            click.confirm(f"Delete study {printable(name)} and the results that only it uses?", abort=True)
        from ablate.files import file_name
        from ablate.study.run.home import only_command, open_home, remove_artifacts, remove_checkpoints
        from ablate.study.trials.storage import delete_trials

        home = open_home(home)
        with only_command(home, opened.url, name):
            trainings = _with_checkpoints(opened.runs(name))
            folders = opened.delete_study(name)
            delete_trials(opened.url, name)
            remove_artifacts(home, [*folders, f"reports/{file_name(name)}"])
            in_use = {f for study in opened.studies() for f in _with_checkpoints(opened.runs(study.name))}
            remove_checkpoints(home, trainings - in_use)
    echo(f"deleted {name}, {plural(len(folders), 'result folder')}")


def _with_checkpoints(runs: Iterable[RunRecord]) -> set[str]:
    """Return the fingerprints of the stages that can leave checkpoints."""
    return {run.stages[kind] for run in runs for kind in (TRAIN, PROGRAM) if kind in run.stages}
