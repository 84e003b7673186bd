"""Tables of comparisons: differences with their intervals and verdicts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablate.report.statistics import verdicts
from ablate.report.statistics.described import summary
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.statistics.rows import records, rows_of
from ablate.report.text import rules
from ablate.report.text.tables.grid import EMPTY, Cell, Grid, Row, quantity_columns, signed, variant_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity


#: The cell of a variant with another tokenizer than the baseline, in a quantity of tokens.
INCOMPARABLE = Cell("cannot be compared", "other tokenizers")


def verdict_grid(analysis: Analysis) -> Grid:
    """Return the differences of each variant from the baseline in every headline quantity."""
    over = f", on average over {analysis.study.blocks.label}" if analysis.study.blocks else ""
    caption = f"Differences from {analysis.study.variant_levels.baseline}{over}, with 95 % intervals"
    return comparison_grid(analysis, analysis.against_baseline, caption, "variant")


def contrast_grid(analysis: Analysis) -> Grid:
    """Return the contrasts of the study file."""
    return comparison_grid(analysis, analysis.contrasts, "The study's contrasts", "contrast")


def factorial_grid(analysis: Analysis) -> Grid:
    """Return the main effects and interactions."""
    return comparison_grid(analysis, analysis.factorial_effects, "Main effects and interactions", "effect")


def comparison_grid(analysis: Analysis, frame: pd.DataFrame, caption: str, first: str) -> Grid:
    """Return comparisons in every headline quantity, the primary ones first."""
    quantities = analysis.in_order
    by_key = {(row["comparison"], row["metric"], row["feature"]): row for row in records(frame)}
    aliases = dict(zip(frame["comparison"], frame["alias"], strict=True))
    rows = (
        Row(
            name,
            tuple(
                _difference(by_key.get((name, *quantity)), _without(analysis, name, quantity))
                for quantity in quantities
            ),
            (f"or {aliases[name]}",) if aliases[name] else variant_tags(analysis, name),
        )
        for name in aliases
    )
    columns = quantity_columns(analysis, quantities, roles=True)
    shown = pd.concat([rows_of(frame, quantity) for quantity in quantities]) if quantities else frame
    foot = f"{rules.rules_in_words(analysis)}{rules.interval_note(shown)}"
    return Grid(caption, first, columns, tuple(rows), foot)


def _without(analysis: Analysis, name: str, quantity: Quantity) -> Cell:
    """Return the cell of a comparison that was not made."""
    apart = analysis.incomparable.get(quantity, ())
    return INCOMPARABLE if name in apart or (apart and name not in analysis.study.variant_levels.levels) else EMPTY


def _wins(row: Mapping[str, Any]) -> str:
    """Return in how many replicates, or what share of the pairs of independent runs, a comparison is better."""
    word = "better" if row["direction"] in ("lower", "higher") else "higher"
    if isinstance(row["values"], Groups):
        return f"{100 * row['p_better']:.0f} % {word}"
    if not np.nan_to_num(row["values"]).any():
        return f"equal in all {row['n']}"
    return f"{row['p_better'] * row['n']:g} of {row['n']} {word}"


def _difference(row: Mapping[str, Any] | None, without: Cell) -> Cell:
    if row is None:
        return without
    digits = summary.decimals([row["difference"]], [(row["high"] - row["low"]) / 4])
    interval = "" if math.isnan(row["low"]) else f"{signed(row['low'], digits)} to {signed(row['high'], digits)}"
    if interval:
        interval += f"; {_wins(row)}" if not math.isnan(row["p_better"]) else ""
    return Cell(
        f"{signed(row['difference'], digits)} {verdicts.mark(row)}", interval, row["verdict"], float(row["difference"])
    )
