"""The quantities of a study: their roles, directions, margins and means."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.names import headline_features
from ablate.options import validate
from ablate.report.statistics import effects, margins, ranges, roles
from ablate.report.statistics.described import summary
from ablate.report.statistics.described.pieces import few_pieces
from ablate.report.statistics.replicates import Replicates
from ablate.report.statistics.rows import Quantity, keys_of, records
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from ablate.registry import Registry
    from ablate.report.data.study import Study
    from ablate.report.statistics.comparisons.weights import Weights
    from ablate.report.statistics.margins import Margin
    from ablate.report.statistics.roles import Role


class Quantities:
    """The quantities of one study, each fact computed at its first use.

    Args:
        study: the study with its measurements.
        registry: the components, for the feature of a metric that is its share of copies.
        asked: comparisons that somebody asks for beside those of the study; they join the families of their quantities.

    Attributes:
        study: the study.
        rules: the study's statistics.
        replicates: the values.
    """

    def __init__(self, study: Study, registry: Registry, asked: Sequence[Weights] = ()) -> None:
        self.study, self.registry, self._asked = study, registry, tuple(asked)
        self.rules: StatisticsSettings = validate(StatisticsSettings, study.spec.get("statistics") or {})
        self.replicates = Replicates(study.frame, study.blocks, paired=study.paired)

    @functools.cached_property
    def few_pieces(self) -> dict[Quantity, str]:
        """For each quantity, the number of pieces that it is measured on if they are few; otherwise an empty text."""
        keys = keys_of(self.replicates.quantities)
        return {key: few_pieces(self.study, *key, self.registry) for key in keys}

    @functools.cached_property
    def primary(self) -> list[Quantity]:
        """The quantities that the study is about: its objective, or the objectives of its search."""
        return [quantity for quantity, _ in self._objectives] or self.headline[:1]

    @functools.cached_property
    def _objectives(self) -> list[tuple[Quantity, str]]:
        """The measured objectives, each with the direction in the study file, or an empty text."""
        search = self.study.spec.get("search") or {}
        quantities = self.replicates.quantities
        objectives = []
        for objective in search.get("objectives") or [self.study.spec.get("objective") or {}]:
            features = list(quantities.loc[quantities["metric"] == objective.get("metric"), "feature"])
            known = [one for one in features if (objective.get("metric"), one) not in self.study.details]
            feature = objective.get("feature") or next(iter(headline_features(known)), "")
            if features and feature and feature not in features:
                has = f"metric '{objective['metric']}' has no feature '{feature}' (it has: {', '.join(features)})"
                raise AblateError(f"study '{self.study.record.name}': objective: {has}; correct it and run the study")
            if feature in features:
                objectives.append(((objective["metric"], feature), objective.get("direction") or ""))
        return objectives

    @functools.cached_property
    def headline(self) -> list[Quantity]:
        """The quantities that stand for each metric, in order."""
        return keys_of(summary.headline(self.replicates.quantities, self.study.details))

    @functools.cached_property
    def in_order(self) -> list[Quantity]:
        """The primary quantities, then the other headline quantities."""
        return list(dict.fromkeys([*self.primary, *self.headline]))

    @functools.cached_property
    def directions(self) -> dict[Quantity, str]:
        """The better direction of each quantity; for an objective, that of the study file if there is one."""
        quantities = self.replicates.quantities
        directions = dict(zip(keys_of(quantities), quantities["direction"], strict=True))
        return directions | {quantity: direction for quantity, direction in self._objectives if direction}

    @functools.cached_property
    def units(self) -> dict[Quantity, str]:
        """The unit of each quantity; ``"1"`` without one."""
        quantities = self.replicates.quantities
        return dict(zip(keys_of(quantities), quantities["unit"], strict=True))

    @functools.cached_property
    def role_of(self) -> dict[Quantity, Role]:
        """The role of each quantity."""
        headline = dict.fromkeys(self.headline, roles.SECONDARY)
        everything = dict.fromkeys(keys_of(self.replicates.quantities), roles.EXPLORATORY)
        return everything | headline | dict.fromkeys(self.primary, roles.PRIMARY)

    def comparable(self, names: Iterable[str], quantity: Quantity) -> bool:
        """Return whether a quantity of these variants can be compared; nats per token need equal tokenizers."""
        return quantity not in self.study.within_tokenizer or self.study.equal_tokenizers(names)

    @functools.cached_property
    def incomparable(self) -> dict[Quantity, list[str]]:
        """The variants that cannot be compared with the baseline, by quantity; only quantities with such variants."""
        names, baseline = list(self.study.variant_levels.levels), self.study.variant_levels.baseline
        apart = {q: [name for name in names if not self.comparable((name, baseline), q)] for q in self.units}
        return {quantity: others for quantity, others in apart.items() if others}

    def label(self, quantity: Quantity) -> str:
        """Return the name of a quantity."""
        return self.study.quantity_label(*quantity)

    @functools.cached_property
    def margins(self) -> dict[Quantity, Margin]:
        """The smallest difference that matters, where the study file states it."""
        return margins.margins(
            self.study.spec.get("margins") or {},
            self.study.variant_levels.baseline,
            self.replicates.quantities,
            self.study.details,
        )

    @functools.cached_property
    def estimates(self) -> pd.DataFrame:
        """The mean of every variant with its interval, which of a share stays between 0 and 1."""
        return ranges.cut_values(effects.estimates(self.study.frame, self.rules), self.study.shares)

    @functools.cached_property
    def estimate_records(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """The rows of :attr:`estimates` by (variant, metric, feature)."""
        return {(str(row["variant"]), row["metric"], row["feature"]): row for row in records(self.estimates)}
