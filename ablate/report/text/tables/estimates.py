"""Tables of values: the mean of every variant with its interval, and the floors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.statistics.described import floors, refused, summary
from ablate.report.text.tables.grid import EMPTY, Cell, Grid, Row, number, quantity_columns, variant_tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.rows import Quantity

_FOOT = (
    "The samples of a replicate are averaged first, and never count as replicates (n). Each interval is for one value "
    "alone."
)
_RESAMPLING = (
    " The resampling floor is the score of a perfect generator by chance: its mean, and the range of 95 % of its "
    "replicates."
)
_ROUND_TRIP = " The round trip is the score of a model that repeats the reference token by token"
_NONE_CLOSER = ", so with this tokenizer no value can be expected to be closer."
_SOME_CLOSER = (
    ". {closer} of {all} values here {are} closer: a sample that contains some bars more often than others can be "
    "closer in one feature than the whole piece is after its round trip."
)
_SHARED = " Variants with the same tokenizer share its error: it explains no difference between them."
_SEVERAL_PIECES = (
    " The copy and the round trip are of one piece at a time, compared with all pieces of the reference together. Each "
    "piece differs from all of them, so a model that mixes the pieces can be closer. The difference between the two "
    "floors is the error of the tokenizer. Variants with the same tokenizer share it: it explains no difference "
    "between them."
)


def estimate_grid(analysis: Analysis, quantities: Sequence[Quantity] | None = None) -> Grid:
    """Return every variant's mean with its interval in these quantities, and below them the floors.

    Args:
        analysis: the statistics of the study.
        quantities: in order; default: those that stand for each metric, the primary ones first.
    """
    caption = f"Means over replicates with 95 % intervals{_and_floors(analysis)}"
    chosen = analysis.in_order if quantities is None else quantities
    return _values_grid(analysis, chosen, caption, features=False)


def metric_grid(analysis: Analysis, metric: str) -> Grid:
    """Return means and floors for every feature of one metric."""
    quantities = [quantity for quantity in analysis.units if quantity[0] == metric]
    caption = f"{metric}: means over replicates with 95 % intervals{_and_floors(analysis)}"
    return _values_grid(analysis, quantities, caption, features=True)


def _and_floors(analysis: Analysis) -> str:
    return "" if analysis.study.floors.empty and analysis.study.judged else ", and floors"


def _values_grid(analysis: Analysis, quantities: Sequence[Quantity], caption: str, *, features: bool) -> Grid:
    estimates = analysis.estimate_records
    groups = analysis.estimates.groupby(["metric", "feature"], sort=False)
    digits = {
        quantity: summary.decimals(*(groups.get_group(quantity)[key] for key in ("mean", "sd")))
        for quantity in quantities
    }
    rows = [
        Row(
            name,
            tuple(_estimate(estimates.get((name, *q)), digits[q], with_sd=features) for q in quantities),
            variant_tags(analysis, name),
        )
        for name in analysis.study.names
    ]
    rows += _floor_rows(analysis, quantities, digits)
    columns = quantity_columns(analysis, quantities, features=features)
    missing = refused.missing_floors(analysis.study, {metric for metric, _ in quantities})
    foot = _FOOT + _RESAMPLING * bool(_and_floors(analysis)) + _round_trip(analysis, quantities)
    return Grid(caption, "variant", columns, tuple(rows), " ".join([foot, *missing]))


def _round_trip(analysis: Analysis, quantities: Sequence[Quantity]) -> str:
    """Return how the round trip limits the values of these quantities, after a space; empty without round trips."""
    errors = {
        (str(row["variant"]), row["metric"], row["feature"]): row["mean"]
        for row in analysis.floor_records
        if row["floor"] == "round_trip"
    }
    if not errors:
        return ""
    if (analysis.study.floors["pieces"] > 1).any():
        return _SEVERAL_PIECES
    lower = [quantity for quantity in quantities if analysis.directions[quantity] == "lower"]
    keys = [(name, *quantity) for quantity in lower for name in analysis.study.names]
    compared = [key for key in keys if key in errors and key in analysis.estimate_records]
    closer = sum(analysis.estimate_records[key]["estimate"] < errors[key] for key in compared)
    some = _SOME_CLOSER.format(closer=closer, all=len(compared), are="is" if closer == 1 else "are")
    return f"{_ROUND_TRIP}{some if closer else _NONE_CLOSER}{_SHARED}"


def _estimate(row: Mapping[str, Any] | None, digits: int, *, with_sd: bool) -> Cell:
    """Return a mean with its interval; ``with_sd`` adds the standard deviation and the number of replicates."""
    if row is None:
        return EMPTY
    ends = (row["low"], row["high"]) if row["n"] > 1 else None
    small = [_range(ends, digits)] if ends else []
    if with_sd or row["n"] < 2:
        small += [f"sd {number(row['sd'], digits)}, n={row['n']}"]
    return Cell(number(row["estimate"], digits), "; ".join(small), "", row["estimate"], ends, digits)


def _range(ends: tuple[float, float], digits: int) -> str:
    return f"{number(ends[0], digits)} to {number(ends[1], digits)}"


def _floor_rows(analysis: Analysis, quantities: Sequence[Quantity], digits: Mapping[Quantity, int]) -> list[Row]:
    """Return the floors of the baseline, and of every variant with another round trip than the baseline's."""
    by_key: dict[Any, dict[str, Any]] = {
        (str(row["variant"]), row["floor"], row["metric"], row["feature"]): row for row in analysis.floor_records
    }
    rows = []
    for variant in analysis.distinct_floors:
        of_variant = "" if variant == analysis.study.baseline else f" ({variant})"
        for floor, description in floors.FLOORS.items():
            cells = [_floor(by_key.get((variant, floor, *q)), digits[q]) for q in quantities]
            if any(cell is not EMPTY for cell in cells):
                rows.append(Row(f"{floor.replace('_', ' ')}{of_variant}", tuple(cells), (description,), "floor"))
    return rows


def _floor(row: Mapping[str, Any] | None, digits: int) -> Cell:
    if row is None:
        return EMPTY
    ends = (row["low"], row["high"]) if row["n"] > 1 and row["high"] > row["low"] else None
    small = _range(ends, digits) if ends else ""
    return Cell(number(row["mean"], digits), small, "floor", float(row["mean"]), ends, digits)
