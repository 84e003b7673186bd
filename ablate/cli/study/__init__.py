"""``ablate study``: a module for each command, by what they work on."""

from __future__ import annotations

import click

from ablate.cli.lazy import LazyCommand, lazy

_COMMANDS = {
    "run": LazyCommand(
        "ablate.cli.study.running.run:run", "Run what is missing of a study, then compare its variants."
    ),
    "plan": LazyCommand(
        "ablate.cli.study.planning.plan:plan", "List what 'study run' would do, with the expected time."
    ),
    "list": LazyCommand(
        "ablate.cli.study.stored.list:list_", "List the studies that have been run and those that can be run."
    ),
    "show": LazyCommand("ablate.cli.study.stored.show:show", "Show the variants of a study and the state of each run."),
    "report": LazyCommand("ablate.cli.study.stored.report:report", "Write the report of a study again."),
    "table": LazyCommand("ablate.cli.study.stored.table:table", "Print the LaTeX table of a study for a paper."),
    "compare": LazyCommand("ablate.cli.study.stored.compare:compare", "Compare two variants or two studies."),
    "export": LazyCommand("ablate.cli.study.stored.export:export", "Export every measurement of a study as a table."),
    "bundle": LazyCommand(
        "ablate.cli.study.stored.bundle:bundle", "Write a study with everything that belongs to it into one zip file."
    ),
    "unbundle": LazyCommand("ablate.cli.study.stored.bundle:unbundle", "Bring the study in a bundle into a home."),
    "delete": LazyCommand("ablate.cli.study.stored.delete:delete", "Delete a study and the results that only it uses."),
}


@click.group("study", cls=lazy(_COMMANDS))
def group() -> None:
    """Run studies and show their results.

    Example: ablate study run tau_sweep
    """
