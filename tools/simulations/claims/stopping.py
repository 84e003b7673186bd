"""Optional stopping: false claims, power and replicates with declared, undeclared and uncorrected looks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ablate.report.statistics.inference import flips
from ablate.report.statistics.inference.sequential import Look, claimed, conditional_power, spending
from simulations.draws import ALPHA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ablate.arrays import BoolArray, FloatArray
    from ablate.report.statistics.inference.sequential import Spending

STUDIES = 400
TITLE = "Stopping when it is decided"
TEXT = (
    "Do several looks keep the level, and how many replicates do they save?\n\n"
    f"{STUDIES} studies for each number, each with four variants against one baseline and normal scatter.\n"
    "*Uncorrected* is a report that does not count looks.\n\n"
    "- **effect**: 0 if nothing differs; otherwise the standardised effect of the one variant that differs.\n"
    "- **any false claim, or found**: at effect 0 the share of studies with any false claim (at most 0.05 is "
    "allowed), otherwise the share that finds the difference.\n"
    "- **replicates at the claim**: their mean number at the claim that is counted, or at the last look without "
    "one.\n"
    "- **replicates at the stop**: their mean number when every comparison is decided or given up."
)
HEADER = ["looks", "rule", "effect", "any false claim, or found", "replicates at the claim", "replicates at the stop"]
COMPARISONS = 4
DECLARED = (8, 12, 16, 24)
EVERY = ", ".join(map(str, DECLARED))
#: The rules for declared looks: the spending, and the smallest conditional power that is worth going on for.
RULES: dict[str, tuple[Spending, float]] = {
    "linear spending": ("linear", 0.0),
    "linear spending, giving up below 0.05": ("linear", 0.05),
}
#: The rules with the standardised effects that are simulated.
CASES = (
    *(("linear spending", effect) for effect in (0.0, 1.0, 1.5)),
    *(("linear spending, giving up below 0.05", effect) for effect in (0.0, 1.0)),
)


def differences(rng: np.random.Generator, n: int, effect: float) -> FloatArray:
    """Return differences of the variants from the baseline, [comparisons, replicates]; the first one differs."""
    values = rng.normal(size=(COMPARISONS, n)) - rng.normal(size=(1, n))
    values[0] += math.sqrt(2) * effect
    return np.asarray(values)


def uncorrected(values: FloatArray, numbers: Sequence[int]) -> BoolArray:
    """Return the claims of a report that knows nothing of earlier looks."""
    return np.asarray(flips.max_t(values[:, : numbers[-1]]).adjusted < ALPHA)


def undeclared(values: FloatArray, numbers: Sequence[int]) -> BoolArray:
    """Return the claims of a report whose looks after the first were not declared."""
    looks = [Look(n, math.nan if place else 1.0) for place, n in enumerate(numbers)]
    return claimed(values, looks, alpha=ALPHA)


def declared(rule: Spending) -> Callable[[FloatArray, Sequence[int]], BoolArray]:
    """Return the function for the claims of a report whose looks are declared."""

    def claims(values: FloatArray, numbers: Sequence[int]) -> BoolArray:
        looks = [Look(n, spending(n / DECLARED[-1], rule, ALPHA)) for n in numbers]
        return claimed(values, looks, alpha=ALPHA)

    return claims


def given_up(values: FloatArray, found: BoolArray, n: int, futility: float) -> BoolArray:
    """Return the comparisons that the last look would hardly decide."""
    most, level = DECLARED[-1], ALPHA / max(1, int((~found).sum()))
    if n >= most:
        return np.ones(len(values), bool)
    effects = values[:, :n].mean(1) / values[:, :n].std(1, ddof=1)
    return np.array([conditional_power(float(effect), n, most, level) < futility for effect in effects])


def study(
    values: FloatArray, numbers: Sequence[int], claims: Callable[..., BoolArray], effect: float, futility: float = 0.0
) -> tuple[bool, int, int]:
    """Return whether the claim that counts is made, the replicates at it, and those at which the study stops."""
    at = 0
    for place, n in enumerate(numbers):
        found = claims(values, numbers[: place + 1])
        if not at and (found[0] if effect else found.any()):
            at = n
        if (found | given_up(values, found, n, futility)).all() or (at and not effect):
            break
    return bool(at), at or numbers[-1], n


def row(label: str, rule: str, effect: float, results: Sequence[tuple[bool, int, int]]) -> list[str]:
    """Return a row of the table."""
    found, at, stop = np.mean(results, axis=0)
    return [label, rule, f"{effect:g}", f"{found:.3f}", f"{at:.1f}", f"{stop:.1f}"]


def rows(studies: int = STUDIES) -> Iterator[list[str]]:
    """Yield one row for each rule and effect."""
    yield from declared_rows(studies)
    yield from uncorrected_rows(studies)
    yield from undeclared_rows(studies)


def declared_rows(studies: int) -> Iterator[list[str]]:
    """Yield the rows about looks that a study declares."""
    rng = np.random.default_rng(41)
    for rule, effect in CASES:
        spends, futility = RULES[rule]
        drawn = (differences(rng, DECLARED[-1], effect) for _ in range(studies))
        yield row(EVERY, rule, effect, [study(each, DECLARED, declared(spends), effect, futility) for each in drawn])


def uncorrected_rows(studies: int) -> Iterator[list[str]]:
    """Yield the rows about the same looks without a correction."""
    rng = np.random.default_rng(42)
    for effect in (0.0, 1.0):
        drawn = (differences(rng, DECLARED[-1], effect) for _ in range(studies))
        yield row(EVERY, "uncorrected", effect, [study(each, DECLARED, uncorrected, effect) for each in drawn])


def undeclared_rows(studies: int) -> Iterator[list[str]]:
    """Yield the rows about looks that nobody declared."""
    rng = np.random.default_rng(43)
    both = (("uncorrected", uncorrected), ("not declared, corrected", undeclared))
    drawn = [differences(rng, 14, 0.0) for _ in range(studies)]
    for rule, claims in both:
        # whether any of the looks makes a claim does not depend on where the study stops
        yield row("8, then 1 more up to 14", rule, 0.0, [any_claim(each, range(8, 15), claims) for each in drawn])
    drawn = [differences(rng, 16, 1.0) for _ in range(studies)]
    for rule, claims in both:
        yield row("8, then 16", rule, 1.0, [study(each, (8, 16), claims, 1.0) for each in drawn])


def any_claim(values: FloatArray, numbers: Sequence[int], claims: Callable[..., BoolArray]) -> tuple[bool, int, int]:
    """Return whether any look claims anything, as a result of :func:`study`."""
    if claims is undeclared:  # the last look counts the claims of all looks
        return bool(claims(values, numbers).any()), numbers[-1], numbers[-1]
    found = any(claims(values, numbers[: place + 1]).any() for place in range(len(numbers)))
    return found, numbers[-1], numbers[-1]
