"""``ablate study``: see ``study_run`` for running and ``study_read`` for reading."""

from __future__ import annotations

import click

from ablate.cli.lazy import LazyCommand, lazy

_LATE = {
    "run": LazyCommand("ablate.cli.study.run:run", "Run what is missing of a study, then compare its variants."),
    "plan": LazyCommand(
        "ablate.cli.study.run:plan",
        "Show what a run would do and what it would reuse, and how long it should take; runs nothing.",
    ),
    "list": LazyCommand(
        "ablate.cli.study.read:list_", "List the studies that can be run, and those that have been run in this home."
    ),
    "show": LazyCommand(
        "ablate.cli.study.read:show", "Show a study's variants, the state of every run, and why runs are missing."
    ),
    "report": LazyCommand(
        "ablate.cli.study.read:report", "Write a study's report again from what the store holds, and say where it lies."
    ),
    "compare": LazyCommand(
        "ablate.cli.study.compare:compare", "Compare two variants, or two studies, replicate by replicate."
    ),
    "export": LazyCommand(
        "ablate.cli.study.read:export", "Write every measurement of a study as a tidy table, one row a value."
    ),
    "delete": LazyCommand(
        "ablate.cli.study.read:delete", "Delete a study, its report, and every result that no other study uses."
    ),
}


@click.group("study", cls=lazy(_LATE))
def group() -> None:
    """Run studies and read their results.

    Example: ablate study run tau_sweep
    """
