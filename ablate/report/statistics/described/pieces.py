"""The pieces behind a quantity, where there are few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import UnknownName
from ablate.kinds import MEASURE, stage_name
from ablate.report.data.splits import USES

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.report.data.study import Study

#: With fewer pieces than this behind a quantity, its verdicts need care.
FEW = 5


def few_pieces(study: Study, metric: str, feature: str, registry: Registry) -> str:
    """Return the number of validation or test pieces that a quantity is measured on, if these are few.

    Args:
        study: the study.
        metric: the metric of the quantity.
        feature: its feature. Those of a trained model's metric are about the pieces that their name begins with
            (``validation_per_note``), and otherwise about the test pieces, or without these the validation pieces.
        registry: the components.

    Returns:
        A text such as ``"2 test pieces"``; empty with :data:`FEW` pieces or more in all replicates together, and for
        quantities that use no pieces that are held out.
    """
    use = _use(study, metric, feature, registry)
    count = len(study.splits.pieces(use)) if use in ("validation", "test") else 0
    return f"{count} {use} piece{'' if count == 1 else 's'}" if 0 < count < FEW else ""


def _use(study: Study, metric: str, feature: str, registry: Registry) -> str:
    try:
        scope = registry.spec("metric", metric).scope
    except UnknownName:  # its plugin is not installed here
        scope = "sample"
    if scope == "model":
        use = feature.partition("_")[0]
        return use if use in USES else "test" if study.splits.pieces("test") else "validation"
    name = stage_name(MEASURE, metric)
    stages = (study.stage(run, name) for run in study.runs)
    return next((str(stage.config.get("reference", "train")) for stage in stages if stage), "train")
