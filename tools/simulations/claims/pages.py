"""How many statements of a whole report are false where nothing differs, for the layouts of two shipped studies."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.verdicts import DIFFERENT
from ablate.store.records import StudyRecord, VariantRecord
from ablate.study.file.study_file import read_study
from simulations.draws import SCATTER, three

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from ablate.arrays import Array

STUDIES = 600
TITLE = "A whole page where nothing differs"
TEXT = (
    "How often does a whole report claim something false if nothing differs?\n\n"
    f"{STUDIES:,} reports for each row, with the variants, contrasts, trends, quantities and replicates of a "
    "shipped study.\n"
    "All variants have one distribution, and quantities are correlated (0.5).\n\n"
    "- **primary**, **secondary**: the share of reports with any false statement of a difference about the "
    "primary quantity, and about all secondary quantities together. At most 0.05 is allowed for each.\n"
    "- **best set**: the share of reports that leave a given variant out of those among which the best one is, on"
    " average over the variants. At most 0.05 is allowed.\n"
    "- **false verdicts**: their mean number in a report."
)
HEADER = ["study", "scatter", "primary", "secondary", "best set", "false verdicts"]

#: The headline quantities of the metrics of these studies.
QUANTITIES = {
    "distance.pitch": ("average",),
    "distance.duration": ("average",),
    "distance.velocity": ("average",),
    "distance.average": ("average",),
    "memorization.covered": ("share",),
    "memorization.longest": ("notes", "share"),
    "likelihood.nll": ("nll",),
}


class Page(NamedTuple):
    """The false statements of a page: whether there is any in each family, the variants left out, and their number."""

    primary: bool
    secondary: bool
    left_out: frozenset[str]
    verdicts: int


def rows(studies: int) -> Iterator[list[str]]:
    """Yield one row for each study and scatter."""
    for name, scatter in itertools.product(("tau_sweep", "tempo_ablation"), ("normal", "exponential", "lognormal")):
        found = pages(name, scatter, studies)
        variants = [variant.name for variant in read_study(name).variants()]
        best = np.mean([[variant in page.left_out for variant in variants] for page in found])
        yield [
            name,
            scatter,
            three(float(np.mean([page.primary for page in found]))),
            three(float(np.mean([page.secondary for page in found]))),
            three(float(best)),
            f"{np.mean([page.verdicts for page in found]):.2f}",
        ]


def pages(name: str, scatter: str, studies: int) -> list[Page]:
    """Return the false statements of many reports of a study in which nothing differs."""
    import pandas as pd

    spec, registry = read_study(name), get_registry()
    variants = [VariantRecord(v.name, v.name, dict(v.levels), v.baseline) for v in spec.variants()]
    quantities = [(m, f) for m, features in QUANTITIES.items() if m in spec.config["metric"] for f in features]
    frame = _frame(
        spec.replicates, variants, [(*q, "none" if q[0].startswith("memorization") else "lower") for q in quantities]
    )
    record = StudyRecord(name, spec.plain(), spec.profile, "", spec.seed)
    rng, found = np.random.default_rng(9), []
    for _ in range(studies):
        frame["value"] = _values(rng, scatter, (len(quantities), len(variants), spec.replicates)).ravel()
        study = Study(record, tuple(variants), (), {}, frame, *(pd.DataFrame() for _ in range(4)), ())
        found.append(_page(Analysis(study, registry)))
    return found


def _frame(replicates: int, variants: list[VariantRecord], quantities: list[tuple[str, str, str]]) -> pd.DataFrame:
    """Return a study's frame without values, by quantity, variant and replicate."""
    import pandas as pd

    names = [variant.name for variant in variants]
    table = pd.DataFrame(
        [
            ("simulated", variant.name, variant.baseline, replicate, 0, metric, feature, "1", direction, 50)
            for metric, feature, direction in quantities
            for variant in variants
            for replicate in range(replicates)
        ],
        columns=[
            *("study", "variant", "baseline", "replicate", "sample", "metric", "feature", "unit", "direction", "n"),
        ],
    )
    return table.assign(variant=pd.Categorical(table["variant"], categories=names, ordered=True))


def _values(rng: np.random.Generator, scatter: str, shape: tuple[int, int, int]) -> Array:
    """Return values of one distribution, [quantities, variants, replicates], correlated over quantities."""
    draw, (quantities, variants, replicates) = SCATTER[scatter], shape
    own, shared = draw(rng, shape), draw(rng, (1, variants, replicates))
    return np.asarray((own + shared) / np.sqrt(2.0) + rng.normal(size=(quantities, 1, replicates)))


def _page(analysis: Analysis) -> Page:
    rows = analysis.all_effects
    false = rows["verdict"].isin(DIFFERENT)
    best = next(iter(analysis.best.values()))
    left_out = frozenset(analysis.study.names) - set(best.candidates)
    primary, secondary = (bool((false & (rows["role"] == role)).any()) for role in ("primary", "secondary"))
    return Page(primary, secondary, left_out, int(false.sum()))
