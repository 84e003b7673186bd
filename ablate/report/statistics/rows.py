"""Rows of the frames of a study's statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.report.statistics import roles, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from ablate.report.statistics.comparisons.weights import Weights

Quantity = tuple[str, str]
#: The columns that :attr:`Asked.key` fills.
KEY = ["kind", "comparison", "versus", "alias", "metric", "feature", "unit", "direction", "role"]


class Asked(NamedTuple):
    """A comparison that is made in a quantity.

    Attributes:
        comparison: with the weights of variants.
        direction: the better one of a difference; ``none`` for a slope.
        key: the columns :data:`KEY`.
    """

    comparison: Weights
    direction: str
    key: tuple[str, ...]


def asked(
    comparisons: Sequence[Weights],
    quantities: pd.DataFrame,
    comparable: Callable[[Iterable[str], Quantity], bool],
) -> Iterator[tuple[Quantity, list[Asked]]]:
    """Yield each quantity with the comparisons that are made in it.

    Args:
        comparisons: of all kinds.
        quantities: the columns ``metric``, ``feature``, ``unit``, ``direction`` and ``role``.
        comparable: whether variants can be compared in a quantity.
    """
    columns = [quantities[name] for name in ("metric", "feature", "unit", "direction", "role")]
    for metric, feature, unit, direction, role in zip(*columns, strict=True):
        quantity, found = (metric, feature), []
        for one in comparisons:
            judged_as = roles.judged_as(one.kind, role)
            if judged_as is None or one.only not in (None, quantity):
                continue
            if comparable([name for name, weight in one.weights.items() if weight], quantity):
                way = "none" if one.slope else direction
                key = (one.kind, one.name, one.versus, one.alias, metric, feature, unit, way, judged_as)
                found.append(Asked(one, way, key))
        yield quantity, found


def rows_of(frame: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """Return the rows of one quantity."""
    metric, feature = quantity
    return frame[(frame["metric"] == metric) & (frame["feature"] == feature)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dictionaries."""
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    return rows


def count_verdicts(frame: pd.DataFrame) -> dict[str, int]:
    """Count the comparisons with each verdict, in the order of :data:`ablate.report.statistics.verdicts.VERDICTS`."""
    counts: Mapping[Any, int] = frame["verdict"].value_counts().to_dict()
    return {verdict: counts[verdict] for verdict in verdicts.VERDICTS if verdict in counts}


def keys_of(quantities: pd.DataFrame) -> list[Quantity]:
    """Return metric and feature of each row."""
    return list(zip(quantities["metric"], quantities["feature"], strict=True))
