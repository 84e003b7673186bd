"""``ablate study``: see ``study_run`` for running and ``study_read`` for reading."""

from __future__ import annotations

import click

from ablate.cli.lazy import Late, lazy

_LATE = {
    "run": Late("ablate.cli.study.run:run", "Run what is missing of a study, then compare its variants."),
    "plan": Late(
        "ablate.cli.study.run:plan",
        "Show what a run would do and what it would reuse, and how long it should take; runs nothing.",
    ),
    "list": Late(
        "ablate.cli.study.read:list_", "List the studies that can be run, and those that have been run in this home."
    ),
    "show": Late(
        "ablate.cli.study.read:show", "Show a study's variants, the state of every cell, and why cells are missing."
    ),
    "report": Late(
        "ablate.cli.study.read:report", "Write a study's report again from what the store holds, and say where it lies."
    ),
    "compare": Late(
        "ablate.cli.study.compare:compare", "Compare two variants, or two studies, replicate by replicate."
    ),
    "export": Late(
        "ablate.cli.study.read:export", "Write every measurement of a study as a tidy table, one row a value."
    ),
    "delete": Late(
        "ablate.cli.study.read:delete", "Delete a study, its report, and every result that no other study uses."
    ),
}


@click.group("study", cls=lazy(_LATE))
def group() -> None:
    """Run studies and read their results.

    Example: ablate study run tau_sweep
    """
