"""Check how axes become variants: the design, the budget, and each variant as a whole.

No function here raises: each yields problems as (key, text).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.settings import PrimerSettings
from ablate.study.design import FEWEST_TO_HALVE, OF_PARTS
from ablate.study.file.configuration import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.registry import Registry
    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections

#: A grid of more variants than this is a mistake, or should be a search.
MOST_VARIANTS = 5000


def design_problems(file: Sections) -> Iterator[Problem]:
    """Check that the axes fit the design."""
    if not file.design:
        return  # reported already
    if file.search and file.design != "search":
        yield "search", f'only design = "search" uses this table; the design of this study is "{file.design}"'
    if not file.axes and file.design != "factorial":
        yield "design", f'"{file.design}" needs axes to vary'
    if all(axis.levels or axis.range for axis in file.axes.values()):
        yield from _count_problems(file.design, {path: len(axis.levels) for path, axis in file.axes.items()})


def _count_problems(design: str, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Find numbers of levels, by path, that the design cannot use."""
    if design in OF_PARTS:
        for path, count in counts.items():
            if count != 2:
                yield f"axes.{path}", f'"{design}" needs two levels, without the part and with it, not {count}'
    if design == "fractional" and sum(count == 2 for count in counts.values()) < FEWEST_TO_HALVE:
        yield "design", f'"fractional" needs {FEWEST_TO_HALVE} or more axes of two levels; use "factorial" for fewer'
    together = math.prod(counts.values())
    if design in ("factorial", "fractional") and together > MOST_VARIANTS:
        yield "axes", f"{together:,} variants are too many (at most {MOST_VARIANTS:,}); use fewer levels, or a search"


def budget_problems(file: Sections) -> Iterator[Problem]:
    """Check that nothing varies what the budget computes."""
    if file.top.budget != "tokens":
        return
    varied = {f"axes.{path}": path for path in file.axes}
    for name, changes in file.named.items():
        varied |= {f"variants.{name}.{path}": path for path in changes}
    for key, path in varied.items():
        if path == "training.steps":
            yield key, 'budget = "tokens" computes the steps of each variant, so they cannot be varied'


def combination_problems(file: Sections, registry: Registry) -> Iterator[Problem]:
    """Check every variant as a whole; for files whose levels are all right one by one."""
    primers: dict[str, Mapping[str, Any]] = {}
    for variant in file.variants():
        configuration, problems = resolve(file.shaped(variant.levels), registry)
        for where, text in problems:
            yield where, f"{text} (in variant '{variant.name}')"
        primers[variant.name] = configuration.settings["primer"]
        batch_counts = configuration.settings["training"].get("batch_counts")
        if file.top.budget == "tokens" and variant.baseline and batch_counts == "example":
            reason = '"tokens" needs a baseline whose number of tokens is known before training'
            yield "budget", f"{reason}, but '{variant.name}' has training.batch_counts = \"example\""
    if all(primers.values()):  # empty where it does not validate, which is reported already
        yield from _idle_primer_problems({name: PrimerSettings(**primer) for name, primer in primers.items()})


def _idle_primer_problems(primers: Mapping[str, PrimerSettings]) -> Iterator[Problem]:
    """Find options of a primer in a study without one."""
    idle = next((name for name, primer in primers.items() if primer.repeat_last and not primer.asked), None)
    if idle is not None:
        yield "primer.repeat_last", f"variant '{idle}' has no primer, so there is no token to repeat"
    elif not any(primer.asked for primer in primers.values()):
        for option in ("piece", "file"):
            if any(getattr(primer, option) for primer in primers.values()):
                yield f"primer.{option}", "a primer needs a length: set primer.tokens, primer.notes or primer.seconds"
