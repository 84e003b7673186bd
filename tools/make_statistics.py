"""Writes the simulated tables of docs/statistics.md: ``python tools/make_statistics.py`` (some minutes).

Every study is simulated whole and judged by the functions that judge real ones: values of a baseline and of ``m``
variants in ``n`` replicates, paired differences, sign-flip tests with Holm's correction, two one-sided tests, verdicts.
"""  # noqa: INP001 - a script

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ablate.report.best import left_out

from ablate.report.statistics import inference, verdicts
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.arrays import FloatArray


PAGE = Path(__file__).parent.with_name("docs") / "statistics.md"
BEGIN, END = "<!-- simulated tables: begin -->\n", "<!-- simulated tables: end -->\n"
STUDIES = 10_000
ALPHA = 0.05

#: How replicates of one variant scatter, with standard deviation 1 and mean 0.
SCATTER: dict[str, Callable[[np.random.Generator, tuple[int, ...]], FloatArray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed (exponential)": lambda rng, shape: rng.exponential(size=shape) - 1.0,
    "heavy tails (t, 3 df)": lambda rng, shape: rng.standard_t(3, size=shape) / np.sqrt(3.0),
}


def differences(
    rng: np.random.Generator, scatter: str, studies: int, m: int, n: int, effect: FloatArray | float
) -> FloatArray:
    """Paired differences of ``m`` variants from one baseline, [studies, m, n].

    ``effect`` is the standardised difference: in standard deviations of a paired difference.
    """
    draw = SCATTER[scatter]
    values = draw(rng, (studies, m, n)) - draw(rng, (studies, 1, n))
    return values + np.sqrt(2.0) * np.reshape(effect, (*np.shape(effect), 1)[-2:])


def judged(values: FloatArray, margin: float) -> FloatArray:
    """The verdict of every comparison, [studies, m], as the report reaches it."""
    studies, m, n = values.shape
    p = inference.sign_flip(values.reshape(-1, n)).reshape(studies, m)
    same = np.full((studies, m), np.nan)
    if np.isfinite(margin):
        same = inference.equivalence(values.reshape(-1, n), np.full(studies * m, margin)).reshape(studies, m)
    found = np.empty((studies, m), dtype=object)
    for study in range(studies):
        corrected, equivalent = inference.holm(p[study]), inference.holm(same[study])
        for variant in range(m):
            mean = values[study, variant].mean()
            found[study, variant] = verdicts.decide(mean, "lower", corrected[variant], equivalent[variant], ALPHA)
    return found


def told(found: FloatArray) -> FloatArray:
    """Which verdicts claim a difference."""
    return np.isin(found, ["better", "worse"])


def false_positives(studies: int = STUDIES) -> Iterator[list[str]]:
    """The share of studies without any difference in which some variant is called better or worse."""
    rng = np.random.default_rng(1)
    for scatter in SCATTER:
        for n in (5, 6, 8, 10, 12):
            shares = []
            for m in (1, 4, 6):
                found = judged(differences(rng, scatter, studies, m, n, 0.0), np.nan)
                shares.append(f"{told(found).any(1).mean():.3f}")
            yield [scatter, str(n), *shares]


def false_equivalence(studies: int = STUDIES) -> Iterator[list[str]]:
    """The share of comparisons at the margin's edge that are called no difference that matters."""
    rng = np.random.default_rng(2)
    for scatter in SCATTER:
        for n in (6, 8, 12):
            shares = []
            for effect in (0.5, 1.0, 2.0):
                margin = effect * np.sqrt(2.0)
                found = judged(differences(rng, scatter, studies, 1, n, effect), margin)
                shares.append(f"{(found == 'no difference that matters').mean():.3f}")
            yield [scatter, str(n), *shares]


def powers(studies: int = STUDIES) -> Iterator[list[str]]:
    """How often one comparison finds a standardised effect: simulated, and as computed."""
    rng = np.random.default_rng(3)
    for n in (6, 8, 10, 12):
        row = []
        for effect in (0.5, 1.0, 1.5, 2.0):
            found = judged(differences(rng, "normal", studies, 1, n, effect), np.nan)
            row.append(f"{told(found).mean():.3f} ({inference.power(effect, n, ALPHA):.3f})")
        yield [str(n), *row]


def needed(studies: int = STUDIES) -> Iterator[list[str]]:
    """The replicates said to be needed for 80 % power, and the power that so many have."""
    rng = np.random.default_rng(4)
    for effect in (1.0, 1.25, 1.5, 2.0, 3.0):
        for m in (1, 4):
            n = inference.replicates_needed(effect, ALPHA / m)
            if n is not None and n <= inference.EXACT_UP_TO:
                values = differences(rng, "normal", studies, 1, n, effect)
                found = inference.sign_flip(values[:, 0]) < ALPHA / m + 1e-12
                yield [f"{effect:g}", str(m), str(n), f"{found.mean():.3f}"]


def named_as_best(study: FloatArray) -> set[int]:
    """The variants among which the best one is said to be, by place; lower is better, [variants, replicates]."""
    first = int(study.mean(1).argmin())
    others = [place for place in range(len(study)) if place != first]
    p = left_out([study[place] - study[first] for place in others], StatisticsSettings())
    return {first, *(place for place, each in zip(others, p, strict=True) if not each < ALPHA)}


def best_left_out(studies: int = 2000) -> Iterator[list[str]]:
    """How often the best variant is not among those that are named, and how many of these there are."""
    rng = np.random.default_rng(7)
    for lead in (0.0, 1.0, 2.0):
        for m, n in ((3, 8), (5, 8), (5, 12), (10, 12)):
            values = rng.normal(size=(studies, m, n))
            values[:, 0] -= lead  # the first one is the best, or all are equal and it is as good as any
            named = [named_as_best(study) for study in values]
            missed, size = np.mean([0 not in each for each in named]), np.mean([len(each) for each in named])
            yield [f"{lead:g}", str(m), str(n), f"{missed:.3f}", f"{size:.1f}"]


def trends(studies: int = 2000) -> Iterator[list[str]]:
    """How often a trend is claimed, by the sign-flip test over Kendall's taus and by Page's test."""
    from scipy import stats as sps

    rng, levels = np.random.default_rng(8), np.arange(5.0)
    for slope in (0.0, 0.3):
        for scatter in (0.0, 0.3, 0.6):
            for n in (6, 8, 12):
                slopes = slope + rng.normal(0.0, scatter, (studies, n, 1))
                values = rng.normal(size=(studies, n, 5)) + slopes * (levels - 2)
                taus = np.array([inference.kendall(levels, study) for study in values])
                flips = inference.sign_flip(taus) < ALPHA
                pages = [min(sps.page_trend_test(s * study).pvalue for s in (1, -1)) < ALPHA / 2 for study in values]
                yield [f"{slope:g}", f"{scatter:g}", str(n), f"{flips.mean():.3f}", f"{np.mean(pages):.3f}"]


def coverage(studies: int = 2000) -> Iterator[list[str]]:
    """How often a 95 % interval of a mean holds the true mean, by Student's t and by BCa."""
    rng = np.random.default_rng(5)
    for scatter, draw in SCATTER.items():
        for n in (5, 8, 12, 20, 30, 50):
            values = draw(rng, (studies, n))
            shares = []
            for method in ("t", "BCa"):
                low, high = intervals(values, method)
                shares.append(f"{((low <= 0) & (high >= 0)).mean():.3f}")
            yield [scatter, str(n), *shares]


def intervals(values: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """Intervals by one method, whatever the number of replicates."""
    from scipy import stats as sps

    if method == "t":
        found = sps.ttest_1samp(values, 0.0, axis=-1).confidence_interval(0.95)
    else:
        rng = np.random.default_rng(6)
        found = sps.bootstrap((values,), np.mean, axis=-1, n_resamples=999, batch=50, method="BCa", rng=rng)
        found = found.confidence_interval
    return np.asarray(found.low), np.asarray(found.high)


def tables() -> str:
    """All tables as Markdown."""
    coverages = (
        "The share of 2,000 studies in which a 95 % interval of a mean contains the true mean. BCa is too narrow for "
        f"few replicates, whatever the scatter, so Student's t is used below {inference.BOOTSTRAP_FROM} replicates. "
        f"From {inference.BOOTSTRAP_FROM} on, the ends of BCa follow the skew of the values, but its coverage is "
        "still no better."
    )
    parts: list[tuple[str, str, list[str], Iterator[list[str]]]] = [
        (
            "Wrong claims of a difference",
            (
                f"The share of {STUDIES:,} studies in which at least one variant is called better or worse although "
                f"none differs; at most {ALPHA:g} is allowed. With five replicates no difference can be claimed."
            ),
            ["scatter", "replicates", "1 comparison", "4 comparisons", "6 comparisons"],
            false_positives(),
        ),
        (
            "Wrong claims of no difference that matters",
            (
                "The share of comparisons with this verdict although the difference is as large as the margin; at most "
                f"{ALPHA:g} is allowed. Margins are in standard deviations of a paired difference."
            ),
            ["scatter", "replicates", "margin 0.5", "margin 1", "margin 2"],
            false_equivalence(),
        ),
        (
            "Power",
            (
                "The share of studies that find a difference of this standardised size, with one comparison and normal "
                "scatter; the computed power is in brackets."
            ),
            ["replicates", "0.5", "1.0", "1.5", "2.0"],
            powers(),
        ),
        (
            "Replicates needed",
            "The number of replicates that the report names for 80 % power, and its simulated power.",
            ["standardised effect", "comparisons", "replicates named", "power"],
            needed(),
        ),
        (
            "The best one",
            (
                f"The share of 2,000 studies that exclude the best variant (at most {ALPHA:g} is allowed), and the "
                "mean number of variants that the report names. The lead of the best variant is in standard deviations "
                "of a replicate; at 0 all variants are equal, and the table shows one of them."
            ),
            ["lead", "variants", "replicates", "excluded", "named"],
            best_left_out(),
        ),
        (
            "Trends",
            (
                "The share of 2,000 studies that claim a trend along five levels, by the sign-flip test over Kendall's "
                "taus (the test used here) and by Page's test. The slopes of the replicates scatter; slopes are in "
                f"standard deviations of a value, from level to level. At slope 0 at most {ALPHA:g} is allowed."
            ),
            ["slope", "scatter of slopes", "replicates", "sign-flip", "Page"],
            trends(),
        ),
        ("Coverage", coverages, ["scatter", "replicates", "t", "BCa"], coverage()),
    ]
    return "\n".join(f"### {title}\n\n{text}\n\n{_markdown(head, rows)}" for title, text, head, rows in parts)


def _markdown(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    """Put the tables into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", encoding="utf-8")
    sys.stdout.write(f"wrote the tables of {PAGE}\n")


if __name__ == "__main__":
    main()
