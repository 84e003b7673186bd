"""``ablate study``: see ``study_run`` for running and ``study_read`` for reading."""

from __future__ import annotations

import click

from ablate.cli import study_compare, study_read, study_run


@click.group("study")
def group() -> None:
    """Run studies and read their results.

    Example: ablate study run tau_sweep
    """


for command in (
    study_run.run,
    study_run.plan,
    study_read.list_,
    study_read.show,
    study_read.report,
    study_compare.compare,
    study_read.export,
    study_read.delete,
):
    group.add_command(command)
