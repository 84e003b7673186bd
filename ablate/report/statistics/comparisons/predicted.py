"""The comparisons that the predictions of a hypothesis are about."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.report.statistics import roles
from ablate.report.statistics.comparisons.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ablate.report.data.variants import Variants
    from ablate.report.statistics.rows import Quantity


@dataclasses.dataclass(frozen=True)
class Claim:
    """One comparison that a prediction is about.

    Attributes:
        comparison: what is compared.
        sign: -1 if the prediction names the two sides the other way round, otherwise 1.
    """

    comparison: Weights
    sign: int = 1


@dataclasses.dataclass(frozen=True)
class Predicted:
    """A prediction: its keys that are set, its quantity (None if it was not measured), and its comparisons."""

    prediction: Mapping[str, Any]
    quantity: Quantity | None
    claims: tuple[Claim, ...]


def claims(
    prediction: Mapping[str, Any], standard: Sequence[Weights], variants: Variants, labels: Mapping[str, str]
) -> list[Claim]:
    """Return the comparisons of a prediction; empty if the study has no such variant, contrast, effect or axis.

    A comparison that is among the standard ones is taken from there, so that it is judged once.

    Args:
        prediction: of the study file: its keys that are set.
        standard: what the study compares anyway.
        variants: of the study.
        labels: the short names of the axes, by path.
    """
    for key, kinds in (("contrast", ("contrast",)), ("effect", ("main effect", "interaction")), ("trend", ("trend",))):
        if key in prediction:
            name = labels.get(prediction[key], "") if key == "trend" else prediction[key]
            return [Claim(one) for one in standard if one.kind in kinds and one.name == name]
    first = prediction.get("variant") or prediction["best"]
    others = prediction.get("than") or [variants.baseline]
    if "best" in prediction:
        others = [name for name in variants.levels if name != first]
    if not {first, *others} <= set(variants.levels):
        return []
    return [_between(first, other, standard) for other in others]


def _between(first: str, other: str, standard: Iterable[Weights]) -> Claim:
    wanted = {first: 1.0, other: -1.0}
    for one in standard:
        if one.kind == "variant" and set(one.weights) == set(wanted):
            return Claim(one, 1 if one.weights == wanted else -1)
    return Claim(Weights("prediction", first, other, wanted))


def additional(predictions: Iterable[Predicted], role_of: Mapping[Quantity, str]) -> Iterator[Weights]:
    """Yield the comparisons that are judged only because a prediction is about them.

    These are comparisons that the study does not make anyway, and all comparisons in exploratory quantities, which have
    no verdict otherwise.

    Args:
        predictions: of the study.
        role_of: the role of each quantity.
    """
    seen = set()
    for each in predictions:
        for one in (claim.comparison for claim in each.claims if each.quantity):
            new = one.kind == "prediction" or role_of[each.quantity] == roles.EXPLORATORY  # type: ignore[index]
            key = (each.quantity, one.kind, one.name, one.versus)
            if new and key not in seen:
                seen.add(key)
                yield dataclasses.replace(one, kind="prediction", only=each.quantity)
