"""The tables that ``ablate study run`` prints: means over replicates, and whether the music follows a label."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import math
from typing import TYPE_CHECKING, Any

from ablate.errors import UnknownName
from ablate.names import NAMELESS
from ablate.report.statistics.described.summary import NOTHING, headline, spreads, summarise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import pandas as pd

    from ablate.registry import Registry


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of texts.

    Attributes:
        headers: one for each column; the first is that of the variants.
        rows: the texts of each row, one for each header.
        namesakes: metrics of one family with columns for features of one name, which are easily confused.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    namesakes: tuple[str, ...] = ()


def summary_table(frame: pd.DataFrame, details: Collection[tuple[str, str]] = ()) -> Table:
    """Return variants by metrics, each cell ``mean ± sd (n=replicates)``.

    Args:
        frame: from :func:`ablate.report.data.frames.study_frame`.
        details: the quantities that have no column, as (metric, feature).

    Returns:
        A row for every variant of the study, also for variants without measurements; the baseline's name is marked. A
        column for each metric's feature ``average``, or for each feature of a metric that has none.
    """
    rows = headline(summarise(frame), details)
    by_key = spreads(rows)
    quantities = list(dict.fromkeys((metric, feature) for _, metric, feature in by_key))
    baselines = set(rows.loc[rows["baseline"], "variant"])
    names = [str(name) for name in frame["variant"].cat.categories]
    texts = tuple(
        (
            f"{name} (baseline)" if name in baselines else name,
            *(str(by_key.get((name, *quantity), NOTHING)) for quantity in quantities),
        )
        for name in names
    )
    titles = (metric if feature in NAMELESS else f"{metric} {feature}" for metric, feature in quantities)
    return Table(("variant", *titles), texts, _namesakes(quantities))


def _namesakes(quantities: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the metrics, in order, that have a feature in common with another metric of their family."""
    named = [(metric, feature) for metric, feature in quantities if feature not in NAMELESS]
    families = collections.Counter((metric.partition(".")[0], feature) for metric, feature in named)
    common = (metric for metric, feature in named if families[metric.partition(".")[0], feature] > 1)
    return tuple(dict.fromkeys(common))


def meanings(metrics: Iterable[str], registry: Registry) -> Iterator[str]:
    """Yield a line for each metric whose plugin is installed: what it measures."""
    for metric in metrics:
        with contextlib.suppress(UnknownName):
            yield f"{metric}: {registry.spec('metric', metric).summary}"


def response_table(rows: pd.DataFrame) -> Table:
    """Return rows of :func:`ablate.report.statistics.described.responses.responses` as text: ``mean ± sd``."""
    texts = tuple(
        (
            str(row["variant"]) or NOTHING,
            f"{row['metric']} {row['feature']}",
            str(row["label"]),
            _spread(row, "slope"),
            _spread(row, "correlation"),
            str(row["n"]),
        )
        for row in rows.to_dict("records")
    )
    return Table(("variant", "measured", "label", "slope", "correlation", "n"), texts)


def _spread(row: dict[Any, Any], column: str) -> str:
    sd = row[f"{column}_sd"]
    return f"{row[column]:.2f} ± {NOTHING if math.isnan(sd) else f'{sd:.2f}'}"
