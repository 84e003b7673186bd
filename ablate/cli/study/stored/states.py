"""The states of a study's runs as a table: every run, or where these are too many, numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.cli.folding import terminal_width
from ablate.cli.output import print_table
from ablate.cli.terminal_tables import table_width
from ablate.names import replicate_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.store.records import RunRecord, StudyRecord, VariantRecord

#: Without a terminal, a table has at most this many replicates.
MOST_REPLICATES = 12
#: A cell names at most this many replicates, or ranges of them.
MOST_NAMES = 6
#: The order of the columns; a state that only another version knows comes last.
_STATES = ("done", "failed", "pruned", "interrupted", "pending")


def print_states(study: StudyRecord, variants: Sequence[VariantRecord], runs: Sequence[RunRecord]) -> None:
    """Print the state of each run, or of too many replicates for one table how many are in each state, and which."""
    names = [variant.name + (" (baseline)" if variant.baseline else "") for variant in variants]
    replicates = sorted({run.replicate for run in runs})
    states = {(run.variant, run.replicate): run.state for run in runs}
    headers = ["variant", *(f"replicate {name}" for name in _labels(study, variants, replicates))]
    rows = [(name, *(states.get((v.name, r), "") for r in replicates)) for name, v in zip(names, variants, strict=True)]
    width = terminal_width()
    if len(replicates) <= MOST_REPLICATES if width is None else table_width(headers, rows) <= width:
        print_table(headers, rows, parts=len(replicates))
        return
    known = {run.state: None for run in runs}
    columns = [state for state in _STATES if state in known] + [state for state in known if state not in _STATES]
    counted = [
        (name, *(_cell(study, variant.name, states, replicates, state) for state in columns))
        for name, variant in zip(names, variants, strict=True)
    ]
    print_table(["variant", *columns], counted, title=f"states of {len(replicates)} replicates of each variant")


def _labels(study: StudyRecord, variants: Sequence[VariantRecord], replicates: Iterable[int]) -> list[str]:
    judged = study.spec.get("judged") or {}
    # of independent runs, every variant has other labels
    first = variants[0].name if judged.get("paired", True) and variants else ""
    return [replicate_name(study.spec, first, replicate) for replicate in replicates]


def _cell(
    study: StudyRecord, variant: str, states: Mapping[tuple[str, int], str], replicates: Sequence[int], state: str
) -> str:
    """Return how many runs of a variant are in a state, and which, unless all are or they are simply done."""
    own = [replicate for replicate in replicates if states.get((variant, replicate)) == state]
    if not own:
        return ""
    if state == "done" or len(own) == len(replicates):
        return str(len(own))
    return f"{len(own)} ({ranges([replicate_name(study.spec, variant, replicate) for replicate in own])})"


def ranges(names: Sequence[str]) -> str:
    """Return names of replicates, numbers that follow each other as a range: ``0, 4-7, 9``."""
    groups: list[list[str]] = []
    for name in names:
        follows = groups and name.isdecimal() and groups[-1][-1].isdecimal() and int(name) == int(groups[-1][-1]) + 1
        if follows:
            groups[-1].append(name)
        else:
            groups.append([name])
    texts = [f"{group[0]}-{group[-1]}" if len(group) > 2 else ", ".join(group) for group in groups]
    more = len(texts) - MOST_NAMES
    return ", ".join(texts[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
