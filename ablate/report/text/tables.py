"""The tables of a report: one kind of grid, which the page, Markdown and LaTeX all print."""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import TYPE_CHECKING, Any

from ablate.kinds import KINDS, TRAIN
from ablate.report.statistics import confounds, floors, summary, verdicts
from ablate.report.statistics.summary import AVERAGE, NOTHING
from ablate.report.text import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis import Analysis, Quantity
    from ablate.report.statistics.summary import Spread
    from ablate.store.records import StageRecord

MINUS = "\N{MINUS SIGN}"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One cell: what it says, what it adds in small print, its verdict or kind, and what it is sorted by."""

    text: str
    small: str = ""
    kind: str = ""
    sort: float | None = None


#: Where nothing was measured.
EMPTY = Cell(NOTHING)


@dataclasses.dataclass(frozen=True)
class Column:
    """A column's title, a note in small print, and whether it holds words."""

    title: str
    note: str = ""
    words: bool = False


@dataclasses.dataclass(frozen=True)
class Row:
    """A row: its name, tags beside it (``baseline``), its cells, and its kind (``floor``)."""

    name: str
    cells: tuple[Cell, ...]
    tags: tuple[str, ...] = ()
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class Grid:
    """A table."""

    caption: str
    first: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    foot: str = ""

    def __bool__(self) -> bool:
        return bool(self.rows)


def _quantity_columns(analysis: Analysis, quantities: Iterable[Quantity], *, features: bool = False) -> list[Column]:
    measured = analysis.replicates.quantities
    units = dict(zip(zip(measured["metric"], measured["feature"], strict=True), measured["unit"], strict=True))
    columns = []
    for quantity in quantities:
        direction, unit = analysis.directions()[quantity], units[quantity]
        better = f"{direction} is better" if direction in ("lower", "higher") else ""
        title = quantity[1] if features else analysis.label(quantity)
        columns.append(Column(title, ", ".join(filter(None, (unit if unit != "1" else "", better)))))
    return columns


def _tags(analysis: Analysis, name: str) -> tuple[str, ...]:
    tags = ("baseline",) if name == analysis.study.baseline else ()
    return (*tags, "copies more") if name in analysis.by_copying else tags


def verdict_grid(analysis: Analysis) -> Grid:
    """Each variant against the baseline in every headline quantity: the difference, its interval, its mark."""
    caption = f"Differences from {analysis.study.baseline}, with 95 % intervals"
    return comparison_grid(analysis, analysis.against_baseline, caption, "variant")


def comparison_grid(analysis: Analysis, frame: pd.DataFrame, caption: str, first: str) -> Grid:
    """Comparisons in every headline quantity, the primary ones first."""
    quantities = analysis.in_order
    keys = zip(frame["metric"], frame["feature"], strict=True)
    found = _by_comparison(frame[[key in quantities for key in keys]])
    names = list(dict.fromkeys(frame["comparison"]))
    aliases = dict(zip(frame["comparison"], frame["alias"], strict=True))
    rows = (
        Row(
            name,
            tuple(_difference(found.get((name, *quantity))) for quantity in quantities),
            (f"or {aliases[name]}",) if aliases[name] else _tags(analysis, name),
        )
        for name in names
    )
    columns = tuple(_quantity_columns(analysis, quantities))
    return Grid(caption, first, columns, tuple(rows), sentences.rules_in_words(analysis))


def _by_comparison(frame: pd.DataFrame) -> dict[tuple[str, str, str], Mapping[str, Any]]:
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return {(row["comparison"], row["metric"], row["feature"]): row for row in rows}


def _difference(row: Mapping[str, Any] | None) -> Cell:
    if row is None:
        return EMPTY
    digits = summary.decimals([row["difference"]], [(row["high"] - row["low"]) / 4])
    between = "" if math.isnan(row["low"]) else f"{_signed(row['low'], digits)} to {_signed(row['high'], digits)}"
    mark = verdicts.MARKS[row["verdict"]]
    return Cell(f"{_signed(row['difference'], digits)} {mark}", between, row["verdict"], float(row["difference"]))


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}".replace("-", MINUS)


def estimate_grid(analysis: Analysis) -> Grid:
    """Every variant's mean with its interval in the headline quantities, and under them the floors."""
    caption = "Means over replicates with 95 % intervals, and floors"
    return _values_grid(analysis, analysis.in_order, caption, features=False)


def metric_grid(analysis: Analysis, metric: str) -> Grid:
    """The same for every feature of one metric."""
    measured = analysis.replicates.quantities
    own = [(metric, feature) for feature in measured.loc[measured["metric"] == metric, "feature"]]
    return _values_grid(
        analysis, own, f"{metric}: means over replicates with 95 % intervals, and floors", features=True
    )


def _values_grid(analysis: Analysis, quantities: Sequence[Quantity], caption: str, *, features: bool) -> Grid:
    found = analysis.estimate_records
    groups = analysis.estimates.groupby(["metric", "feature"], sort=False)
    digits = {
        quantity: summary.decimals(*(groups.get_group(quantity)[key] for key in ("mean", "sd")))
        for quantity in quantities
    }
    rows = [
        Row(
            name,
            tuple(_estimate(found.get((name, *q)), digits[q], whole=features) for q in quantities),
            _tags(analysis, name),
        )
        for name in analysis.study.names
    ]
    rows += _floor_rows(analysis, quantities, digits)
    foot = (
        "The samples of a replicate are averaged first, and never count as replicates (n). A resampling floor is what "
        "a perfect generator would score by chance: its mean, and where 95 % of its replicates would lie."
    )
    columns = tuple(_quantity_columns(analysis, quantities, features=features))
    return Grid(caption, "variant", columns, tuple(rows), foot)


def _estimate(row: Mapping[str, Any] | None, digits: int, *, whole: bool) -> Cell:
    """A mean with its interval; ``whole`` adds the standard deviation and how many replicates there are."""
    if row is None:
        return EMPTY
    small = [f"{_number(row['low'], digits)} to {_number(row['high'], digits)}"] if row["n"] > 1 else []
    if whole or row["n"] < 2:
        small += [f"sd {_number(row['sd'], digits)}, n={row['n']}"]
    return Cell(_number(row["estimate"], digits), "; ".join(small), "", row["estimate"])


def _floor_rows(analysis: Analysis, quantities: Sequence[Quantity], digits: Mapping[Quantity, int]) -> list[Row]:
    """The floors of the baseline, and of every variant with another round trip than the baseline's."""
    found: dict[Any, dict[str, Any]] = {
        (str(row["variant"]), row["floor"], row["metric"], row["feature"]): row for row in analysis.floor_records
    }
    rows = []
    for variant in analysis.distinct_floors:
        of = "" if variant == analysis.study.baseline else f" ({variant})"
        for floor, what in floors.FLOORS.items():
            cells = [_floor(found.get((variant, floor, *q)), digits[q]) for q in quantities]
            if any(cell is not EMPTY for cell in cells):
                rows.append(Row(f"{floor.replace('_', ' ')}{of}", tuple(cells), (what,), "floor"))
    return rows


def _floor(row: Mapping[str, Any] | None, digits: int) -> Cell:
    if row is None:
        return EMPTY
    spread = row["n"] > 1 and row["high"] > row["low"]
    small = f"{_number(row['low'], digits)} to {_number(row['high'], digits)}" if spread else ""
    return Cell(_number(row["mean"], digits), small, "floor", float(row["mean"]))


def _number(value: float, digits: int) -> str:
    return NOTHING if math.isnan(value) else f"{value:,.{digits}f}".replace("-", MINUS)


def confound_grid(analysis: Analysis) -> Grid:
    """What else differs: for every variant what follows from its levels, beside the baseline's, and what it changes."""
    found = {(each.variant, each.quantity): each for each in analysis.followed}
    quantities = [q for q in confounds.QUANTITIES if any(key[1] == q for key in found)]
    rows = []
    for name in analysis.study.names:
        cells = [_followed(found.get((name, quantity))) for quantity in quantities]
        changed = ", ".join(analysis.changes.get(name, ())) or NOTHING
        rows.append(
            Row(name, (*cells, Cell(changed)), _tags(analysis, name)[:1] if name == analysis.study.baseline else ())
        )
    columns = [Column(confounds.QUANTITIES[quantity]) for quantity in quantities]
    foot = "Means over replicates. Marked: more than 5 % from the baseline's."
    caption = "What differs between variants beside the levels themselves"
    return Grid(
        caption,
        "variant",
        (*columns, Column("changes", "settings unlike the baseline's", words=True)),
        tuple(rows),
        foot,
    )


def _followed(each: confounds.Confound | None) -> Cell:
    if each is None:
        return EMPTY
    text = f"{each.value:,.3g}" if each.value < 1000 else f"{each.value:,.0f}"
    return Cell(text, f"{each.ratio:.2f} times" if each.matters else "", "warn" if each.matters else "", each.value)


def cost_grid(study: Study) -> Grid:
    """What the study took: by kind of stage seconds, tokens, utilisation, and joules where the device told."""
    uses = collections.Counter(fingerprint for run in study.runs for fingerprint in run.stages.values())
    rows, alone = [], 0.0
    for kind in (kind for kind in KINDS if any(stage.kind == kind for stage in study.stages.values())):
        stages = [stage for stage in study.stages.values() if stage.kind == kind]
        unshared = sum(stage.seconds * uses[stage.fingerprint] for stage in stages)
        alone += unshared
        rows.append(Row(kind, _cost_cells(stages, unshared)))
    columns = ("stages", "seconds", "seconds each", "unshared", "tokens", "tokens/s", "utilisation", "joules")
    took = sum(stage.seconds for stage in study.stages.values())
    foot = (
        "Seconds are those of the workers, added up; what several variants share is counted once, and trainings that "
        "were done as one have equal parts of it. Unshared: what every "
        f"run by itself would have taken; sharing saved {alone - took:,.0f} of {alone:,.0f} s. Utilisation: "
        "the products of a training, at 6 FLOP a weight and token, over what one large product reached on its worker."
    )
    return Grid("Costs", "stage", tuple(Column(title) for title in columns), tuple(rows), foot)


def _cost_cells(stages: Sequence[StageRecord], unshared: float) -> tuple[Cell, ...]:
    seconds = sum(stage.seconds for stage in stages)
    joules = [stage.result["joules"] for stage in stages if stage.result.get("joules") is not None]
    tokens = sum(map(_tokens, stages))
    possible = sum(stage.result.get("product_rate", 0.0) * stage.seconds for stage in stages)
    done = sum(stage.result.get("flops_per_token", 0) * _tokens(stage) for stage in stages)
    return (
        Cell(f"{len(stages):,}", sort=len(stages)),
        Cell(f"{seconds:,.1f}", sort=seconds),
        Cell(f"{seconds / len(stages):,.2f}", sort=seconds / len(stages)),
        Cell(f"{unshared:,.1f}", sort=unshared),
        Cell(f"{tokens:,}" if tokens else NOTHING),
        Cell(f"{tokens / seconds:,.0f}" if tokens and seconds else NOTHING),
        Cell(f"{done / possible:.0%}" if possible else NOTHING),
        Cell(f"{sum(joules):,.0f}" if joules else NOTHING),
    )


def _tokens(stage: StageRecord) -> int:
    """How many tokens a training saw, or a generation made."""
    return int(stage.result.get("tokens_seen" if stage.kind == TRAIN else "tokens_made", 0))


def _as_one(part: pd.DataFrame) -> list[str]:
    """``20 as one`` for trainings that were done so."""
    sizes = sorted({int(size) for size in part["together"].dropna() if size > 1})
    return [f"{' to '.join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))} as one"] if sizes else []


def training_grid(study: Study) -> Grid:
    """The trainings of the study, one row for each group of variants that shares them."""
    table = summary.trainings(study.run_frame)
    rows = []
    for shared_by, part in table.groupby("shared_by", sort=False):
        cells = (
            Cell(f"{part['done'].sum()} of {len(part)}"),
            _spread(summary.spread_of(part["loss"])),
            Cell(_range(part["steps"])),
            Cell(_range(part["tokens_seen"])),
            Cell(_range(part["parameters"])),
            _spread(summary.spread_of(part["train_seconds"])),
            Cell(", ".join([*summary.distinct([*part["device"], *part["precision"]]), *_as_one(part)]) or NOTHING),
        )
        rows.append(Row(str(shared_by), cells))
    columns = (
        Column("done"),
        Column("final loss", "nats per token, mean of the last steps"),
        Column("steps"),
        Column("tokens seen"),
        Column("parameters"),
        Column("seconds"),
        Column("hardware", words=True),
    )
    return Grid("Trainings; loss and seconds are mean ± sd over trainings", "used by", columns, tuple(rows))


def _spread(spread: Spread | None) -> Cell:
    return EMPTY if spread is None else Cell(spread.mean_text, f"± {spread.sd_text}, n={spread.n}", sort=spread.mean)


def _range(values: pd.Series) -> str:
    """The one value of all, or the smallest and the largest."""
    known = values.dropna()
    ends = dict.fromkeys((known.min(), known.max())) if len(known) else ()
    return " to ".join(f"{value:,.0f}" for value in ends) or NOTHING


def reported_grid(analysis: Analysis, *, averages: bool) -> Grid:
    """Ours beside what was reported: the averages, or every other feature."""
    study = analysis.study
    if study.reported.empty:
        return Grid("", "", (), ())
    theirs = {
        (row["variant"], row["metric"], row["feature"]): row["value"] for row in study.reported.to_dict("records")
    }
    ours = summary.spreads(summary.comparison(study.frame))
    quantities = dict.fromkeys((metric, feature) for _, metric, feature in theirs if (feature == AVERAGE) == averages)
    rows = []
    for metric, feature in quantities:
        cells = []
        for name in study.names:
            own, reported = ours.get((name, metric, feature)), theirs.get((name, metric, feature))
            small = f"reported {reported:g}" if reported is not None else ""
            cells.append(Cell(f"{own.mean_text} ± {own.sd_text}" if own else NOTHING, small))
        rows.append(Row(f"{metric} {feature}", tuple(cells)))
    caption = (
        "Averages: ours (mean ± sd over replicates), and as reported" if averages else "Every other reported quantity"
    )
    return Grid(caption, "quantity", tuple(Column(name) for name in study.names), tuple(rows))


def response_grid(study: Study) -> Grid:
    """How what was measured follows a label that was asked for."""
    table = summary.response_table(summary.responses(study.frame))
    columns = tuple(Column(header, words=index < 2) for index, header in enumerate(table.headers[1:]))
    rows = tuple(Row(row[0], tuple(Cell(text) for text in row[1:])) for row in table.rows)
    return Grid("Responses to a label, mean ± sd over replicates", table.headers[0], columns, rows)


def missing_grid(study: Study) -> Grid:
    """The runs without a full result, each with the reason."""
    reasons = {"pending": "has not run yet", "interrupted": "was interrupted; the same command goes on with it"}
    rows = []
    for run in study.runs:
        if run.state != "done":
            error = ": ".join(filter(None, (run.error_class, run.error)))
            reason = error or reasons.get(run.state, "no reason recorded")
            rows.append(Row(run.variant, (Cell(str(run.replicate)), Cell(run.state), Cell(reason))))
    columns = (Column("replicate"), Column("state", words=True), Column("reason", words=True))
    return Grid("Runs without a full result", "variant", columns, tuple(rows))
