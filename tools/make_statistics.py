"""Write the simulated tables of docs/statistics.md: ``python tools/make_statistics.py`` (some minutes).

Whole studies are simulated and judged by the functions that judge real ones: values of a baseline and of ``m`` variants
in ``n`` replicates, paired differences, sign-flip tests with Holm's correction, two one-sided tests, verdicts.
"""  # noqa: INP001 - a script

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics import verdicts
from ablate.report.statistics.best import exclusion_p
from ablate.report.statistics.inference import effect_sizes, equivalence, flips, intervals, power
from ablate.settings import StatisticsSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.arrays import FloatArray


PAGE = Path(__file__).parent.with_name("docs") / "statistics.md"
BEGIN, END = "<!-- simulated tables: begin -->\n", "<!-- simulated tables: end -->\n"
STUDIES = 10_000
ALPHA = 0.05

#: The distributions of the replicates of one variant, with standard deviation 1 and mean 0.
SCATTER: dict[str, Callable[[np.random.Generator, tuple[int, ...]], FloatArray]] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed (exponential)": lambda rng, shape: rng.exponential(size=shape) - 1.0,
    "heavy tails (t, 3 df)": lambda rng, shape: rng.standard_t(3, size=shape) / np.sqrt(3.0),
}


def differences(
    rng: np.random.Generator, scatter: str, studies: int, m: int, n: int, effect: FloatArray | float
) -> FloatArray:
    """Return paired differences of ``m`` variants from one baseline, [studies, m, n].

    ``effect`` is the standardised difference: in standard deviations of a paired difference.
    """
    draw = SCATTER[scatter]
    values = draw(rng, (studies, m, n)) - draw(rng, (studies, 1, n))
    return values + np.sqrt(2.0) * np.reshape(effect, (*np.shape(effect), 1)[-2:])


def judge(values: FloatArray, margin: float) -> FloatArray:
    """Return the verdict of every comparison, [studies, m], by the rules of the report."""
    studies, m, n = values.shape
    p = flips.sign_flip(values.reshape(-1, n)).reshape(studies, m)
    p_equivalent = np.full((studies, m), np.nan)
    if np.isfinite(margin):
        margins = np.full(studies * m, margin)
        p_equivalent = equivalence.equivalence(values.reshape(-1, n), margins).reshape(studies, m)
    results = np.empty((studies, m), dtype=object)
    for study in range(studies):
        p_holm, p_holm_equivalent = equivalence.holm(p[study]), equivalence.holm(p_equivalent[study])
        for variant in range(m):
            mean = values[study, variant].mean()
            results[study, variant] = verdicts.decide(mean, "lower", p_holm[variant], p_holm_equivalent[variant], ALPHA)
    return results


def claims(results: FloatArray) -> FloatArray:
    """Return which verdicts claim a difference."""
    return np.isin(results, ["better", "worse"])


def false_positives(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield the share of studies without any difference in which some variant is called better or worse."""
    rng = np.random.default_rng(1)
    for scatter in SCATTER:
        for n in (5, 6, 8, 10, 12):
            shares = []
            for m in (1, 4, 6):
                results = judge(differences(rng, scatter, studies, m, n, 0.0), np.nan)
                shares.append(f"{claims(results).any(1).mean():.3f}")
            yield [scatter, str(n), *shares]


def false_equivalence(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield the share of comparisons at the margin's edge that are called equivalent."""
    rng = np.random.default_rng(2)
    for scatter in SCATTER:
        for n in (6, 8, 12):
            shares = []
            for effect in (0.5, 1.0, 2.0):
                margin = effect * np.sqrt(2.0)
                results = judge(differences(rng, scatter, studies, 1, n, effect), margin)
                shares.append(f"{(results == 'equivalent').mean():.3f}")
            yield [scatter, str(n), *shares]


def powers(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield the power of one comparison for a standardised effect: simulated, and as computed."""
    rng = np.random.default_rng(3)
    for n in (6, 8, 10, 12):
        row = []
        for effect in (0.5, 1.0, 1.5, 2.0):
            results = judge(differences(rng, "normal", studies, 1, n, effect), np.nan)
            row.append(f"{claims(results).mean():.3f} ({power.power(effect, n, ALPHA):.3f})")
        yield [str(n), *row]


def needed(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield the number of replicates recommended for 80 % power, and its simulated power."""
    rng = np.random.default_rng(4)
    for effect in (1.0, 1.25, 1.5, 2.0, 3.0):
        for m in (1, 4):
            n = power.replicates_needed(effect, ALPHA / m)
            if n is not None and n <= flips.EXACT_UP_TO:
                values = differences(rng, "normal", studies, 1, n, effect)
                significant = flips.sign_flip(values[:, 0]) < ALPHA / m + 1e-12
                yield [f"{effect:g}", str(m), str(n), f"{significant.mean():.3f}"]


def best_candidates(study: FloatArray) -> set[int]:
    """Return the indices of the variants that may be the best one; lower is better, [variants, replicates]."""
    first = int(study.mean(1).argmin())
    others = [index for index in range(len(study)) if index != first]
    p_values = exclusion_p([study[index] - study[first] for index in others], StatisticsSettings())
    return {first, *(index for index, p in zip(others, p_values, strict=True) if not p < ALPHA)}


def best_excluded(studies: int = 2000) -> Iterator[list[str]]:
    """Yield how often the best variant is excluded, and the mean number of candidates."""
    rng = np.random.default_rng(7)
    for lead in (0.0, 1.0, 2.0):
        for m, n in ((3, 8), (5, 8), (5, 12), (10, 12)):
            values = rng.normal(size=(studies, m, n))
            values[:, 0] -= lead  # the first variant is the best, or equal to all others
            candidates = [best_candidates(study) for study in values]
            excluded = np.mean([0 not in indices for indices in candidates])
            size = np.mean([len(indices) for indices in candidates])
            yield [f"{lead:g}", str(m), str(n), f"{excluded:.3f}", f"{size:.1f}"]


def trends(studies: int = 2000) -> Iterator[list[str]]:
    """Yield how often a trend is claimed, by the sign-flip test over Kendall's taus and by Page's test."""
    from scipy import stats as sps

    rng, levels = np.random.default_rng(8), np.arange(5.0)
    for slope in (0.0, 0.3):
        for scatter in (0.0, 0.3, 0.6):
            for n in (6, 8, 12):
                slopes = slope + rng.normal(0.0, scatter, (studies, n, 1))
                values = rng.normal(size=(studies, n, 5)) + slopes * (levels - 2)
                taus = np.array([effect_sizes.kendall(levels, study) for study in values])
                found = flips.sign_flip(taus) < ALPHA
                pages = [min(sps.page_trend_test(s * study).pvalue for s in (1, -1)) < ALPHA / 2 for study in values]
                yield [f"{slope:g}", f"{scatter:g}", str(n), f"{found.mean():.3f}", f"{np.mean(pages):.3f}"]


def coverage(studies: int = 2000) -> Iterator[list[str]]:
    """Yield how often a 95 % interval of a mean contains the true mean, by Student's t and by BCa."""
    rng = np.random.default_rng(5)
    for scatter, draw in SCATTER.items():
        for n in (5, 8, 12, 20, 30, 50):
            values = draw(rng, (studies, n))
            shares = []
            for method in ("t", "BCa"):
                low, high = interval_ends(values, method)
                shares.append(f"{((low <= 0) & (high >= 0)).mean():.3f}")
            yield [scatter, str(n), *shares]


def interval_ends(values: FloatArray, method: str) -> tuple[FloatArray, FloatArray]:
    """Return intervals by one method, for any number of replicates."""
    from scipy import stats as sps

    if method == "t":
        ends = sps.ttest_1samp(values, 0.0, axis=-1).confidence_interval(0.95)
    else:
        rng = np.random.default_rng(6)
        result = sps.bootstrap((values,), np.mean, axis=-1, n_resamples=999, batch=50, method="BCa", rng=rng)
        ends = result.confidence_interval
    return np.asarray(ends.low), np.asarray(ends.high)


#: The tables: title, text, headers, and the function that yields the rows.
TABLES: list[tuple[str, str, list[str], Callable[[], Iterator[list[str]]]]] = [
    (
        "Wrong claims of a difference",
        (
            f"The share of {STUDIES:,} studies in which at least one variant is called better or worse although "
            f"none differs; at most {ALPHA:g} is allowed. With five replicates no difference can be claimed."
        ),
        ["scatter", "replicates", "1 comparison", "4 comparisons", "6 comparisons"],
        false_positives,
    ),
    (
        "Wrong claims of no difference that matters",
        (
            "The share of comparisons with this verdict although the difference is as large as the margin; at most "
            f"{ALPHA:g} is allowed. Margins are in standard deviations of a paired difference."
        ),
        ["scatter", "replicates", "margin 0.5", "margin 1", "margin 2"],
        false_equivalence,
    ),
    (
        "Power",
        (
            "The share of studies that find a difference of this standardised size, with one comparison and normal "
            "scatter; the computed power is in brackets."
        ),
        ["replicates", "0.5", "1.0", "1.5", "2.0"],
        powers,
    ),
    (
        "Replicates needed",
        "The number of replicates that the report names for 80 % power, and its simulated power.",
        ["standardised effect", "comparisons", "replicates named", "power"],
        needed,
    ),
    (
        "The best one",
        (
            f"The share of 2,000 studies that exclude the best variant (at most {ALPHA:g} is allowed), and the "
            "mean number of variants that the report names. The lead of the best variant is in standard deviations "
            "of a replicate; at 0 all variants are equal, and the table shows one of them."
        ),
        ["lead", "variants", "replicates", "excluded", "named"],
        best_excluded,
    ),
    (
        "Trends",
        (
            "The share of 2,000 studies that claim a trend along five levels, by the sign-flip test over Kendall's "
            "taus (the test used here) and by Page's test. The slopes of the replicates scatter; slopes are in "
            f"standard deviations of a value, from level to level. At slope 0 at most {ALPHA:g} is allowed."
        ),
        ["slope", "scatter of slopes", "replicates", "sign-flip", "Page"],
        trends,
    ),
    (
        "Coverage",
        (
            "The share of 2,000 studies in which a 95 % interval of a mean contains the true mean. BCa is too narrow "
            "for few replicates, whatever the scatter, so Student's t is used below "
            f"{intervals.BOOTSTRAP_FROM} replicates. From {intervals.BOOTSTRAP_FROM} on, the ends of BCa follow the "
            "skew of the values, but its coverage is still no better."
        ),
        ["scatter", "replicates", "t", "BCa"],
        coverage,
    ),
]


def tables() -> str:
    """Return all tables as Markdown."""
    return "\n".join(f"### {title}\n\n{text}\n\n{_markdown(head, rows())}" for title, text, head, rows in TABLES)


def _markdown(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main() -> None:
    """Put the tables into the page."""
    before, _, remainder = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = remainder.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{tables()}\n{END}{after}", encoding="utf-8")
    sys.stdout.write(f"wrote the tables of {PAGE}\n")


if __name__ == "__main__":
    main()
