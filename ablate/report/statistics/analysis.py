"""What a study shows, how sure it is, and what it cannot show: everything that the report says of numbers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.errors import AblateError
from ablate.options import validate
from ablate.registry import get_registry
from ablate.report.statistics import best, confounds, effects, floors, summary, trends, verdicts
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.data.study import Study
    from ablate.report.statistics.best import Best
    from ablate.report.statistics.floors import Band

Quantity = tuple[str, str]
#: The verdicts that say there is a difference.
TOLD = ("better", "worse", "higher", "lower")
#: With more comparisons than this, verdicts are counted at the top of a report and listed in its tables.
MOST_SENTENCES = 8


class Analysis:
    """The comparisons of one study, each worked out when it is first asked for.

    Args:
        study: what was measured.

    Attributes:
        rules: the study's statistics.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.rules: StatisticsSettings = validate(StatisticsSettings, study.spec.get("statistics") or {})
        self.replicates = effects.Replicates(study.frame)

    @functools.cached_property
    def primary(self) -> list[Quantity]:
        """The quantities that the study is about: its objective, or those of its search."""
        return [quantity for quantity, _ in self._objectives] or self.headline[:1]

    @functools.cached_property
    def _objectives(self) -> list[tuple[Quantity, str]]:
        """The objectives that were measured, each with the direction that the study file gives it, or none."""
        search = self.study.spec.get("search") or {}
        asked = search.get("objectives") or [self.study.spec.get("objective") or {}]
        measured = self.replicates.quantities
        found = []
        for each in asked:
            own = list(measured.loc[measured["metric"] == each.get("metric"), "feature"])
            if own:
                feature = each.get("feature") or (summary.AVERAGE if summary.AVERAGE in own else own[0])
                found += [((each["metric"], feature), each.get("direction") or "")] if feature in own else []
        return found

    @functools.cached_property
    def headline(self) -> list[Quantity]:
        """The quantities that stand for each metric, in order."""
        return _pairs(summary.headline(self.replicates.quantities))

    @functools.cached_property
    def in_order(self) -> list[Quantity]:
        """The primary quantities, then the other headline ones."""
        return list(dict.fromkeys([*self.primary, *self.headline]))

    def directions(self) -> dict[Quantity, str]:
        """Which way each quantity is better; that of an objective is the objective's."""
        measured = self.replicates.quantities
        found = dict(zip(_pairs(measured), measured["direction"], strict=True))
        return found | {quantity: direction for quantity, direction in self._objectives if direction}

    @functools.cached_property
    def floors(self) -> pd.DataFrame:
        """Mean and spread of every floor; see :func:`ablate.report.statistics.floors.summarise`."""
        return floors.summarise(self.study.floors)

    @functools.cached_property
    def floor_records(self) -> list[dict[str, Any]]:
        """The rows of :attr:`floors`."""
        rows: list[dict[str, Any]] = self.floors.to_dict("records")  # type: ignore[assignment]
        return rows

    @functools.cached_property
    def distinct_floors(self) -> list[str]:
        """The baseline, and a variant for each other set of floors that need no sample: of another tokenizer, say."""
        sets: dict[str, list[Any]] = {}
        for row in self.floor_records:
            if row["floor"] != "resampling":
                about = (row["metric"], row["feature"], row["floor"], row["mean"])
                sets.setdefault(str(row["variant"]), []).append(about)
        seen: dict[str, str] = {}
        for name in [self.study.baseline, *self.study.names]:
            if name in sets:
                seen.setdefault(repr(sorted(sets[name])), name)
        return list(seen.values()) or [self.study.baseline]

    @functools.cached_property
    def bands(self) -> dict[tuple[str, str, str], Band]:
        """The resampling band of each (variant, metric, feature)."""
        return floors.bands(self.floors)

    @functools.cached_property
    def margins(self) -> dict[Quantity, tuple[float, str]]:
        """What difference matters, and whose that is."""
        given = self.study.spec.get("margins") or {}
        return floors.margins(self.floors, self.study.baseline, given, self.replicates.quantities)

    @functools.cached_property
    def estimates(self) -> pd.DataFrame:
        """Every variant by itself, with the interval of its mean."""
        return effects.estimates(self.study.frame, self.rules)

    @functools.cached_property
    def estimate_records(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """The rows of :attr:`estimates` by (variant, metric, feature)."""
        rows: list[dict[str, Any]] = self.estimates.to_dict("records")  # type: ignore[assignment]
        return {(str(row["variant"]), row["metric"], row["feature"]): row for row in rows}

    @functools.cached_property
    def against_baseline(self) -> pd.DataFrame:
        """Each variant against the baseline, in every quantity."""
        return self._compared(list(effects.against_baseline(self.study.crossed)))

    @functools.cached_property
    def contrasts(self) -> pd.DataFrame:
        """The contrasts that the study names, in every quantity."""
        given = self.study.spec.get("contrasts") or {}
        return self._compared(list(effects.named_contrasts(given, self.study.crossed)))

    @functools.cached_property
    def crossed(self) -> pd.DataFrame:
        """Main effects and interactions of a crossed design, in the headline quantities; otherwise empty."""
        design = self.study.spec.get("design", "factorial")
        if design not in ("factorial", "fractional") or len(self.study.crossed.axes) < 2:
            return self._compared([])
        aliases = self.study.spec.get("aliases") or {}
        found = list(effects.crossed_effects(self.study.crossed, self.study.axis_labels, aliases))
        return self._compared(found, self.headline)

    @functools.cached_property
    def best(self) -> dict[Quantity, Best]:
        """The best variants in each primary quantity that has a better direction."""
        names, directions = self.study.names, self.directions()
        found = {q: best.best_of(self.replicates, names, q, directions[q], self.rules) for q in self.primary}
        return {quantity: each for quantity, each in found.items() if each}

    @functools.cached_property
    def trends(self) -> list[trends.Trend]:
        """Along each numeric axis, for the headline quantities."""
        return trends.trends(self.replicates, self.study.crossed, self.headline)

    @functools.cached_property
    def everything(self) -> pd.DataFrame:
        """Every comparison of every kind, as one frame."""
        kinds = (self.against_baseline, self.contrasts, self.crossed)
        some = [each for each in kinds if not each.empty]
        return pd.concat(some, ignore_index=True) if some else self.against_baseline

    def _compared(self, comparisons: list[effects.Weights], wanted: list[Quantity] | None = None) -> pd.DataFrame:
        quantities = self.replicates.quantities
        keys = _pairs(quantities)
        quantities = quantities.assign(direction=[self.directions()[key] for key in keys])
        if wanted is not None:
            quantities = quantities[[key in wanted for key in keys]]
        return effects.compared(self.replicates, comparisons, self.margins, self.rules, quantities)

    def of(self, frame: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
        """The rows of one quantity."""
        metric, feature = quantity
        return frame[(frame["metric"] == metric) & (frame["feature"] == feature)]

    def label(self, quantity: Quantity) -> str:
        """How a quantity is called."""
        return self.study.quantity_label(*quantity)

    def sentences(self, frame: pd.DataFrame, quantity: Quantity) -> list[tuple[str, str]]:
        """The verdicts of one quantity: each with its sentence."""
        rows: list[dict[str, Any]] = self.of(frame, quantity).to_dict("records")  # type: ignore[assignment]
        return [(row["verdict"], verdicts.sentence(row, self.rules, self.label(quantity))) for row in rows]

    @functools.cached_property
    def changes(self) -> dict[str, list[str]]:
        """For each variant in which settings it differs from the baseline."""
        return confounds.changed_paths(self.study.configs(), self.study.baseline)

    @functools.cached_property
    def followed(self) -> list[confounds.Confound]:
        """What differs between variants without being a level."""
        return confounds.followed(self.study.run_frame, self.study.baseline)

    def warnings(self) -> list[str]:
        """What a reader must know before believing a difference: confounds, and floors above the effects."""
        found = confounds.warnings(self.followed, self.changes)
        comparisons = self.against_baseline.rename(columns={"comparison": "variant"})
        means = self.estimates.astype({"variant": "str"})[["variant", "metric", "feature", "estimate"]]
        compared = comparisons.merge(means, on=["variant", "metric", "feature"])
        # the baseline has a mean of its own to look at
        about = compared[["metric", "feature", "direction"]].drop_duplicates()
        baseline = means[means["variant"] == self.study.baseline].merge(about, on=["metric", "feature"])
        everyone = pd.concat([compared, baseline.assign(difference=0.0)]).rename(columns={"estimate": "mean"})
        return found + floors.warnings(self.floors, everyone, {q: self.label(q) for q in self.headline})

    def copying(self) -> Quantity | None:
        """Return the share of a sample that is copied, if the study measures it."""
        quantities = _pairs(self.replicates.quantities)
        for metric in self.study.spec.get("copying") or ():
            feature = _copied_share(metric)
            shares = [key for key in quantities if key[0] == metric and feature in ("", key[1])]
            if shares:
                return shares[0]
        return None

    @functools.cached_property
    def by_copying(self) -> list[str]:
        """The variants that are better than the baseline in the first objective and copy more than it."""
        copying = self.copying()
        if copying is None:
            return []
        better = self.of(self.against_baseline, self.primary[0])
        more = self.of(self.against_baseline, copying)
        # whatever direction somebody gave it, a share of copies that is larger is more copying
        copies = set(more.loc[more["verdict"].isin(TOLD) & (more["difference"] > 0), "comparison"])
        return [name for name in better.loc[better["verdict"] == "better", "comparison"] if name in copies]


def _copied_share(metric: str) -> str:
    """Return the feature that is a metric's copied share; empty, so that any will do, if its plugin is missing."""
    try:
        return str(getattr(get_registry().spec("metric", metric), "copied_share", ""))
    except AblateError:
        return ""


def _pairs(quantities: pd.DataFrame) -> list[Quantity]:
    return list(zip(quantities["metric"], quantities["feature"], strict=True))


def counted(frame: pd.DataFrame) -> dict[str, int]:
    """How many comparisons have each verdict, in the order of :data:`ablate.report.statistics.verdicts.VERDICTS`."""
    counts: Mapping[Any, int] = frame["verdict"].value_counts().to_dict()
    return {verdict: counts[verdict] for verdict in verdicts.VERDICTS if verdict in counts}
