"""Tables of the runs: their trainings, the costs of all stages, and those without a full result."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from ablate.kinds import KINDS, TRAIN
from ablate.names import replicate_name
from ablate.report.statistics.described import summary
from ablate.report.statistics.described.summary import NOTHING
from ablate.report.text.tables.grid import EMPTY, Cell, Column, Grid, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ablate.report.data.study import Study
    from ablate.report.statistics.described.summary import Spread
    from ablate.store.records import StageRecord

_COST_COLUMNS = ("stages", "seconds", "seconds each", "unshared", "tokens", "tokens/s", "utilisation", "joules")
_REASONS = {"pending": "has not run yet", "interrupted": "was interrupted; run the same command again to resume"}


def training_grid(study: Study) -> Grid:
    """Return the trainings of the study, one row for each group of variants that shares them."""
    table = summary.trainings(study.run_frame)
    validates = bool((table["validation_loss"].notna() | (table["kept_step"] < table["steps"])).any())
    rows = []
    for shared_by, part in table.groupby("shared_by", sort=False):
        hardware = [*summary.distinct([*part["device"], *part["precision"]]), *_fused(part)]
        cells = (
            Cell(f"{part['done'].sum()} of {len(part)}"),
            _spread(summary.spread_of(part["loss"])),
            *([_spread(summary.spread_of(part["validation_loss"]))] if validates else []),
            Cell(_range(part["steps"])),
            *([Cell(_range(part["kept_step"])), Cell(_stopped(part))] if validates else []),
            Cell(_range(part["tokens_seen"])),
            Cell(_range(part["parameters"])),
            _spread(summary.spread_of(part["train_seconds"])),
            Cell(", ".join(hardware) or NOTHING),
        )
        rows.append(Row(str(shared_by), cells))
    columns = (
        Column("done"),
        Column("final loss", "nats per token, mean of the last steps"),
        *([Column("validation loss", "nats per token, of the kept weights")] if validates else []),
        Column("steps"),
        *([Column("steps kept"), Column("stopped early")] if validates else []),
        Column("tokens seen"),
        Column("parameters"),
        Column("seconds"),
        Column("hardware", words=True),
    )
    caption = "Trainings; loss and seconds are mean ± sd over trainings"
    return Grid(
        caption, "used by", columns, tuple(rows), f"{summary.tokens_note(study)}{summary.smoothing_note(study)}".strip()
    )


def _fused(part: pd.DataFrame) -> list[str]:
    """Return ``20 fused`` for trainings that ran fused on a GPU."""
    sizes = sorted({int(size) for size in part["together"].dropna() if size > 1})
    return [f"{' to '.join(map(str, dict.fromkeys((sizes[0], sizes[-1]))))} fused"] if sizes else []


def _stopped(part: pd.DataFrame) -> str:
    """Return the number of trainings that stopped early."""
    known = part["stopped_early"].dropna()
    return f"{known.sum():.0f} of {len(known)}" if len(known) else NOTHING


def _spread(spread: Spread | None) -> Cell:
    return EMPTY if spread is None else Cell(spread.mean_text, f"± {spread.sd_text}, n={spread.n}", sort=spread.mean)


def _range(values: pd.Series) -> str:
    """Return the smallest and the largest value, or the only one."""
    numbers = values.dropna()
    ends = dict.fromkeys((numbers.min(), numbers.max())) if len(numbers) else ()
    return " to ".join(f"{value:,.0f}" for value in ends) or NOTHING


def cost_grid(study: Study) -> Grid:
    """Return the costs of the study by kind of stage: seconds, tokens, utilisation, and joules where measured."""
    uses = collections.Counter(fingerprint for run in study.runs for fingerprint in run.stages.values())
    rows, without_sharing = [], 0.0
    for kind in (kind for kind in KINDS if any(stage.kind == kind for stage in study.stages.values())):
        stages = [stage for stage in study.stages.values() if stage.kind == kind]
        unshared = sum(stage.seconds * uses[stage.fingerprint] for stage in stages)
        without_sharing += unshared
        rows.append(Row(kind, _cost_cells(stages, unshared)))
    seconds = sum(stage.seconds for stage in study.stages.values())
    foot = (
        "Seconds are the total time of all workers. A stage that several variants share counts once, and trainings "
        "that ran fused have equal shares of their time. Unshared: the total if every run did its own work; sharing "
        f"saved {without_sharing - seconds:,.0f} of {without_sharing:,.0f} s. Utilisation: the arithmetic of a "
        "training, at 6 FLOP for each weight and token, relative to the speed of one large matrix product on the same "
        "worker."
    )
    return Grid("Costs", "stage", tuple(Column(title) for title in _COST_COLUMNS), tuple(rows), foot)


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
    """Return the number of tokens that a training saw or a generation made."""
    return int(stage.result.get("tokens_seen" if stage.kind == TRAIN else "tokens_made", 0))


def missing_grid(study: Study) -> Grid:
    """Return the runs without a full result, each with its reason."""
    rows = []
    for run in study.runs:
        if run.state != "done":
            error = ": ".join(filter(None, (run.error_class, run.error)))
            reason = error or _REASONS.get(run.state, "no reason recorded")
            rows.append(
                Row(
                    run.variant,
                    (Cell(replicate_name(study.spec, run.variant, run.replicate)), Cell(run.state), Cell(reason)),
                )
            )
    columns = (Column("replicate"), Column("state", words=True), Column("reason", words=True))
    return Grid("Runs without a full result", "variant", columns, tuple(rows))
