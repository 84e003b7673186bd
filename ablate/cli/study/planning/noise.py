"""The noise of an earlier run of a study, for the advice of ``ablate study plan`` on samples and replicates."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.report.statistics.variance import Advice
    from ablate.store.store import Store
    from ablate.study.plan.estimate import Estimate
    from ablate.study.plan.layout import Layout

#: The sentence where nothing is known yet.
UNKNOWN_NOISE = (
    "more samples or more replicates? unknown until six replicates with two samples each have run; "
    "then the report and this command compare the two"
)
#: The sentence where all results exist, and six replicates or more are among them.
NO_ADVICE = (
    "more samples or more replicates? these results cannot tell: their runs are not paired or have one sample each, "
    "their noise cannot be divided, or these replicates are too few for a verdict at this look"
)
#: Replicates from which on :data:`UNKNOWN_NOISE` would be wrong.
_ENOUGH = 6


@dataclasses.dataclass(frozen=True)
class Noise:
    """The noise of an earlier run.

    Attributes:
        study: its name.
        label: the quantity.
        advice: its variance components, with the costs of the planned study where these are estimated.
    """

    study: str
    label: str
    advice: Advice

    @property
    def sentence(self) -> str:
        """The best number of samples for each training."""
        from ablate.report.text.advice import plan_sentence

        return plan_sentence(self.advice, self.label, self.study)

    def facts(self) -> dict[str, Any]:
        """Return the numbers of the sentence; null in JSON where the number of samples has no limit."""
        found, optimal = self.advice.components, self.advice.optimal
        return {
            "study": self.study,
            "quantity": self.label,
            "replicates": found.replicates,
            "samples": found.samples,
            "sampling_share": list(found.share),
            "optimal_samples": [samples if math.isfinite(samples) else None for samples in optimal],
            "training_seconds": self.advice.costs.training,
            "sample_seconds": self.advice.costs.sample,
        }


def known_noise(layout: Layout, store: Store, expected: Estimate) -> Noise | None:
    """Return the noise of the latest run of the study, of the same name if there is one, else of another profile.

    Its seconds are those of the estimate, and the recorded ones where nothing of that kind is to run. None if no run
    has enough replicates and samples.
    """
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.report.statistics.variance import Costs, advise

    for name in _earlier(layout.spec.name, store):
        analysis = Analysis(Study.read(store, name), layout.registry)
        if analysis.study.frame.empty or analysis.advice is None:
            continue
        found, recorded = analysis.advice.components, analysis.advice.costs
        estimated = (expected.training, expected.sample)
        costs = Costs(*(a if math.isfinite(a) else b for a, b in zip(estimated, recorded, strict=True)))
        advice = advise(found, costs, len(layout.variants))
        return Noise(name, analysis.label(analysis.primary[0]), advice)
    return None


def noise_sentence(noise: Noise | None, replicates: int, *, complete: bool) -> str:
    """Return the advice on samples and replicates, or why there is none.

    Args:
        noise: of an earlier run, from :func:`known_noise`.
        replicates: of the study.
        complete: whether all its results exist.
    """
    if noise:
        return noise.sentence
    return NO_ADVICE if complete and replicates >= _ENOUGH else UNKNOWN_NOISE


def _earlier(name: str, store: Store) -> Iterator[str]:
    """Yield the studies of the same file: first that name, then the latest."""
    file = _file(name)
    known = [study for study in store.studies() if _file(study.name) == file]
    known.sort(key=lambda study: (study.name == name, study.updated), reverse=True)
    yield from (study.name for study in known)


def _file(name: str) -> str:
    return name.partition("@")[0].partition("+")[0]
