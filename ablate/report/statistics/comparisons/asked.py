"""Choose the comparisons that are made in each quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ablate.report.statistics import roles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd

    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.rows import Quantity

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
