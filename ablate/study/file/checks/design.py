"""Check how axes become variants: the design, the budget, and each variant as a whole.

No function here raises: each yields problems as (key, text).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.building import fewest_of
from ablate.settings import PrimerSettings
from ablate.study.blocks import BLOCKED, compared
from ablate.study.design import ADAPTIVE, FEWEST_TO_HALVE, OF_PARTS
from ablate.study.file.axes import MOST_LEVELS
from ablate.study.file.configuration import resolve
from ablate.study.file.known import KnownSections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.registry import Registry
    from ablate.study.design import Axis, Variant
    from ablate.study.file.configuration import Configuration
    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections

#: A path with one change has nothing to choose; one with more than this has over 200 configurations.
FEWEST_CHANGES, MOST_CHANGES = 2, 20
#: The names of the configurations at the ends.
_ENDS = ("base", "target")

#: A grid of more variants than this is a mistake, or should be a search.
MOST_VARIANTS = MOST_LEVELS
#: The most runs: variants times replicates.
MOST_RUNS = 50_000


def design_problems(file: Sections) -> Iterator[Problem]:
    """Check that the axes fit the design."""
    if not file.design:
        return  # reported already
    if file.looks and file.design in ADAPTIVE:
        reason = f'design = "{file.design}" chooses its variants while it runs, so it cannot stop when they are decided'
        yield "replicates", f"{reason}; give one number"
    if file.search and file.design != "search":
        yield "search", f'only design = "search" uses this table; the design of this study is "{file.design}"'
    axes = {axis.path: axis for axis in compared(file.axes.values())}
    if not axes and file.design != "factorial":
        yield "design", f'"{file.design}" needs axes to vary'
    yield from block_problems(file)
    if all(axis.levels or axis.range for axis in file.axes.values()):
        blocks = math.prod(len(axis.levels) for axis in file.axes.values() if axis.block)
        counts = {path: len(axis.levels) for path, axis in axes.items()}
        replicates = file.looks.most if file.looks else file.top.replicates
        yield from _count_problems(file.design, counts, blocks, replicates)


def block_problems(file: Sections) -> Iterator[Problem]:
    """Check the axes that are blocks: their design, their number of levels, and that something else is varied."""
    blocks = {f"axes.{axis.path}": axis for axis in file.axes.values() if axis.block}
    if not blocks:
        return
    if file.design not in BLOCKED:
        designs = " or ".join(filter(None, (", ".join(f'"{name}"' for name in BLOCKED[:-1]), f'"{BLOCKED[-1]}"')))
        yield from ((f"{key}.block", f'needs design = {designs}, not "{file.design}"') for key in blocks)
    yield from _one_block_problems(file, blocks)
    if len(blocks) == len(file.axes):
        yield "axes", "has only blocks, which are not compared with each other; add an axis without block = true"
    if file.statistics.estimate != "mean":
        yield "statistics.estimate", '"iqm" may leave out whole blocks; with blocks it must be "mean"'


def _one_block_problems(file: Sections, blocks: Mapping[str, Axis]) -> Iterator[Problem]:
    for key, axis in blocks.items():
        if len(axis.levels) == 1:
            yield key, "has one level, but a comparison over blocks needs two or more; remove block = true"
        if axis.when:
            yield f"{key}.when", "a block exists for every variant, so it cannot have conditions"
        if axis.path in file.baseline:
            yield f"baseline.{axis.path}", "is a block, and every block has its own baseline; remove this line"
    for axis in file.axes.values():
        for path in axis.when:
            if f"axes.{path}" in blocks:
                yield f"axes.{axis.path}.when.{path}", "is a block, and every block has the same variants"


def _count_problems(design: str, counts: Mapping[str, int], blocks: int, replicates: int) -> Iterator[Problem]:
    """Find numbers of levels, by path, that the design cannot use; every variant exists in each of the blocks."""
    if design in OF_PARTS:
        for path, count in counts.items():
            if count != 2:
                yield f"axes.{path}", f'"{design}" needs two levels, without the part and with it, not {count}'
    if design == "fractional" and sum(count == 2 for count in counts.values()) < FEWEST_TO_HALVE:
        yield "design", f'"fractional" needs {FEWEST_TO_HALVE} or more axes of two levels; use "factorial" for fewer'
    crossed = design in ("factorial", "fractional")
    together = (math.prod(counts.values()) if crossed else sum(counts.values())) * blocks
    if design not in ADAPTIVE and together > MOST_VARIANTS:
        number = f"{together:,}" if together < 10**9 else "too many"
        yield "axes", f"{number} variants are too many (at most {MOST_VARIANTS:,}); use fewer levels, or a search"
    elif design not in ADAPTIVE and together * replicates > MOST_RUNS:
        text = f"{together:,} variants in {replicates:,} replicates are too many runs (at most {MOST_RUNS:,})"
        yield "replicates", f"{text}; use fewer"


def budget_problems(file: Sections) -> Iterator[Problem]:
    """Check that nothing varies what the budget computes."""
    if file.top.budget != "tokens":
        return
    if file.runs_program:
        yield "budget", 'a program trains by itself, so its tokens are unknown; remove this line, or set "steps"'
    varied = {f"axes.{path}": path for path in file.axes}
    for name, changes in file.named.items():
        varied |= {f"variants.{name}.{path}": path for path in changes}
    for key, path in varied.items():
        if path in ("training.steps", "training.epochs"):
            yield key, 'budget = "tokens" computes the steps of each variant, so they cannot be varied'


def combination_problems(file: Sections, registry: Registry) -> Iterator[Problem]:
    """Check every variant as a whole; for files whose levels are all right one by one."""
    primers: dict[str, Mapping[str, Any]] = {}
    small: dict[str, str] = {}
    known = KnownSections()
    for variant in file.variants():
        configuration, problems = resolve(file.shaped(variant.levels), registry, known)
        for where, text in problems:
            yield where, f"{text} (in variant '{variant.name}')"
        if file.runs_program:
            continue
        primers[variant.name] = configuration.settings["primer"]
        if file.top.budget == "tokens":
            yield from _unknown_budget(variant, configuration.settings["training"])
        if not problems:
            small |= dict(_small_sets(configuration, registry))
    yield from small.items()
    if primers and all(primers.values()):  # empty where it does not validate, which is reported already
        yield from _idle_primer_problems({name: PrimerSettings(**primer) for name, primer in primers.items()})


def _small_sets(configuration: Configuration, registry: Registry) -> Iterator[Problem]:
    """Find metrics of sets that need more samples than a run has."""
    samples = configuration.settings["generation"]["samples"]
    for choice in configuration.choices["metric"]:
        fewest = fewest_of(registry.spec("metric", choice.name), choice.options)
        if samples < fewest:
            yield f"metric.{choice.name}", f"needs {fewest} samples or more, but generation.samples = {samples}"


def _unknown_budget(variant: Variant, training: Mapping[str, Any]) -> Iterator[Problem]:
    """Find tokens of a budget that depend on the examples."""
    if variant.baseline and training.get("batch_counts") == "example":
        reason = '"tokens" needs a baseline whose number of tokens is known before training'
        yield "budget", f"{reason}, but '{variant.name}' has training.batch_counts = \"example\""
    if training.get("epochs"):
        yield "training.epochs", 'budget = "tokens" takes the tokens of training.steps; leave epochs out'


def _idle_primer_problems(primers: Mapping[str, PrimerSettings]) -> Iterator[Problem]:
    """Find options of a primer in a study without one."""
    idle = next((name for name, primer in primers.items() if primer.repeat_last and not primer.asked), None)
    if idle is not None:
        yield "primer.repeat_last", f"variant '{idle}' has no primer, so there is no token to repeat"
    elif not any(primer.asked for primer in primers.values()):
        for option in ("piece", "file"):
            if any(getattr(primer, option) for primer in primers.values()):
                yield f"primer.{option}", "a primer needs a length: set primer.tokens, primer.notes or primer.seconds"


def path_problems(file: Sections) -> Iterator[Problem]:
    """Check that the file of a path has changes to make, and one objective only."""
    if file.path and file.design != "path":
        yield "path", f'only design = "path" uses this table; the design of this study is "{file.design}"'
    if file.design != "path":
        return
    count = len(file.axes)
    if not FEWEST_CHANGES <= count <= MOST_CHANGES:
        limits = f"{FEWEST_CHANGES} to {MOST_CHANGES} axes, one for each change"
        yield "axes", f'"path" needs {limits}; this study has {count}'
    for path, axis in file.axes.items():
        if axis.levels and len(axis.levels) != 2:
            todo = f"name the level at its end: target.{path}" if len(axis.levels) > 2 else "add that of the target"
            yield f"axes.{path}", f'"path" needs the levels of baseline and target, not {len(axis.levels)}; {todo}'
    for name in _ENDS:
        if name in file.named:
            yield f"variants.{name}", f"an end of the path has the name '{name}'; choose another name"
