"""A table of runs that was exported from Weights & Biases (the download of the runs table, or ``api.runs``)."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING

from ablate.errors import TableError
from ablate.study.judge.columns import Wanted, is_numeric, listed, plain_name
from ablate.study.judge.judge import Source
from ablate.study.judge.reading import is_empty, read_table
from ablate.study.judge.sources.parameters import roles_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ablate.study.judge.reading import Table

#: The columns that W&B itself adds, in lower case.
OWN = {
    *("name", "id", "state", "notes", "user", "tags", "created", "createdat", "updated", "runtime", "end time"),
    *(
        "sweep",
        "group",
        "job type",
        "jobtype",
        "hostname",
        "host",
        "agent",
        "description",
        "commit",
        "github",
        "gpu type",
    ),
    *("gpu count", "os", "python version", "command", "entity", "project", "username", "storageid", "url", "logs"),
}
_FINISHED = "finished"


def wandb_source(path: Path, encoding: str = "", metrics: Sequence[str] = ()) -> Source:
    """Return the finished runs of an exported table; settings are axes, results are metrics.

    The export does not tell settings from results. Columns with text, and numbers that most runs share with others,
    are taken for settings, other numbers for results; what was taken for a setting is printed.

    Args:
        path: of the file.
        encoding: see :func:`ablate.study.judge.reading.read_table`.
        metrics: the columns with results, where the command names them.

    Raises:
        TableError: the file is no table, or has no finished run or no setting.
    """
    table = read_table(path, encoding)
    states = next((name for name in table.names if name.lower() == "state"), "")
    left: list[str] = []
    if states:
        counts = collections.Counter(str(state) or "unknown" for state in table.column(states))
        left = [f"left out, {state} runs: {count}" for state, count in counts.items() if state.lower() != _FINISHED]
        rows = tuple(row for row in table.rows if str(row.cells[states]).lower() == _FINISHED)
        if not rows:
            raise TableError(table.source, f"has no finished run ({len(table.rows)} in all)")
        table = dataclasses.replace(table, rows=rows)
    own = [name for name in table.names if name.lower() in OWN or name.startswith("_")]
    others = [name for name in table.names if name not in own and not all(map(is_empty, table.column(name)))]
    settings = [name for name in others if name not in metrics and _is_setting(table, name)]
    roles = roles_of(table, settings)
    if not roles.axes:
        raise TableError(table.source, f"no column looks like a setting; name it with --variant ({listed(others)})")
    chosen = tuple(metrics) or tuple(name for name in others if name not in settings and is_numeric(table.column(name)))
    notes = [*left, f"taken for settings: {listed(settings)}; to choose: --variant, --metric", *roles.notes]
    wanted = Wanted(variants=roles.axes, replicate=roles.replicate, metrics=chosen, ignored=(*own, *roles.others))
    return Source("wandb", table.noted(notes), str(path.resolve()), path.stem, wanted)


def _is_setting(table: Table, name: str) -> bool:
    """Return whether a column has text, or numbers that repeat: on average, two runs or more have each."""
    cells = table.column(name)
    if not is_numeric(cells) or plain_name(name) in ("seed", "replicate", "random_seed"):
        return True
    return len({str(cell) for cell in cells}) * 2 <= len(cells)
