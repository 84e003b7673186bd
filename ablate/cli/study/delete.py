"""``ablate study delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.locations import check_stored, existing_store, home_option, profile_option, store_option, stored_name
from ablate.cli.output import plural
from ablate.kinds import TRAIN

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.store import Store


@click.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@profile_option
@home_option
@store_option
def delete(name: str, yes: bool, profile: str, home: Path, store: str | None) -> None:  # noqa: FBT001
    """Delete a study, its report, and the results that only it uses.

    Example: ablate study delete tau_sweep --profile smoke
    """
    name = stored_name(name, profile)
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        if not yes:
            click.confirm(f"Delete study {name} and the results that only it uses?", abort=True)
        from ablate.files import file_name
        from ablate.study.run.home import only_command, open_home, remove_artifacts, remove_checkpoints
        from ablate.study.trials.storage import delete_trials

        home = open_home(home)
        with only_command(home, opened.url, name):
            trainings = _trainings(opened, name)
            folders = opened.delete_study(name)
            delete_trials(opened.url, name)
            remove_artifacts(home, [*folders, f"reports/{file_name(name)}"])
            in_use = {training for study in opened.studies() for training in _trainings(opened, study.name)}
            remove_checkpoints(home, trainings - in_use)
    click.echo(f"deleted {name}, {plural(len(folders), 'result folder')}")


def _trainings(store: Store, name: str) -> set[str]:
    """Return the fingerprints of a study's trainings; results that ablate did not compute have none."""
    return {run.stages[TRAIN] for run in store.runs(name) if TRAIN in run.stages}
