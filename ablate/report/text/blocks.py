"""Sentences about blocks: in how many of them a comparison holds, and how much it varies between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.report.statistics import verdicts
from ablate.report.statistics.inference import conjunction
from ablate.report.statistics.rows import records, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

#: The most sentences about single comparisons; the table contains all.
MOST_SENTENCES = 8


def holding_sentences(analysis: Analysis, quantity: Quantity) -> Iterator[str]:
    """Yield a sentence for each claimed comparison of a quantity, and the sentences about all of them."""
    rows = rows_of(analysis.replicability, quantity)
    effects = analysis.all_effects.loc[rows.index]
    claimed = rows[effects["verdict"].isin(verdicts.DIFFERENT)]
    for row in records(claimed.assign(verdict=effects.loc[claimed.index, "verdict"]))[:MOST_SENTENCES]:
        yield _holds(row)
    if len(claimed) > MOST_SENTENCES:
        yield f"{len(claimed) - MOST_SENTENCES} more comparisons are in the table of blocks."
    if claimed.empty:
        yield "No difference is claimed on average over the blocks, so none is claimed in any number of them."
    else:
        yield from _out_of_reach(analysis, effects)
    yield from _varying(records(rows), analysis)
    yield _chosen(analysis)
    yield _counted(analysis)


def _holds(row: Mapping[str, Any]) -> str:
    name, versus, count, p = row["comparison"], row["versus"], row["holds_in"], verdicts.p_text(row["p_holds"])
    if row["kind"] == "trend":
        claim = f"The trend along {name} ({'rising' if row['verdict'] == 'higher' else 'falling'})"
    else:
        claim = f"{name}: {verdicts.WORDS[row['verdict']]}{f' than {versus}' if versus else ''}"
    if not count:
        return f"{claim}: claimed on average over the blocks, and for no number of them ({p})."
    where = "all" if count == row["blocks"] else f"at least {count} of"
    return f"{claim} in {where} {row['blocks']} blocks ({p})."


def _out_of_reach(analysis: Analysis, effects: pd.DataFrame) -> Iterator[str]:
    """Yield a sentence if the replicates are too few for a claim about all blocks."""
    alpha, total = analysis.rules.alpha / len(analysis.looks.made), len(analysis.study.blocks.names)
    family = max(int(effects["family"].max()), 1)
    replicates = int(np.bincount(analysis.replicates.blocks).min())
    most = conjunction.reachable(replicates, total, family, alpha)
    if most == total:
        return
    enough = conjunction.enough_replicates(total, family, alpha)
    able = f"no claim about more than {most} of {total} blocks is possible" if most else "no such claim is possible"
    needs = f"; {enough} in each block are enough for a claim about all of them" if enough else ""
    comparisons = f"{family} comparison{'s' if family > 1 else ''}"
    yield f"With {replicates} replicates in each block and {comparisons}, {able}{needs}."


def _varying(rows: list[dict[str, Any]], analysis: Analysis) -> Iterator[str]:
    varying = [row for row in rows if row["p_heterogeneity"] < analysis.rules.alpha]
    for row in varying[:MOST_SENTENCES]:
        interval = f"95 % interval {row['sd_low']:.2g} to {row['sd_high']:.2g}"
        yield (
            f"{row['comparison']}: the difference is not the same in all blocks; standard deviation between blocks "
            f"{row['sd_between']:.2g} ({interval}, {verdicts.p_text(row['p_heterogeneity'])})."
        )
    if not varying and any(not np.isnan(row["p_heterogeneity"]) for row in rows):
        yield "Whether a difference varies between blocks cannot be told; the table shows how much it may."


def _counted(analysis: Analysis) -> str:
    total, each = len(analysis.study.blocks.names), int(np.bincount(analysis.replicates.blocks).max())
    return f"Numbers of replicates are for all {total} blocks together: {total * each} are {each} in each block."


def _chosen(analysis: Analysis) -> str:
    axes = " and ".join(analysis.study.blocks.axes)
    return (
        f"These statements are about these {analysis.study.blocks.label}. The levels of {axes} were chosen, not drawn "
        "at random from a population, so nothing here is a statement about other ones."
    )
