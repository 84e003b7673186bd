"""What can be wrong with what a study file varies: axes, named variants, baseline, design. None of these raises."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ablate.errors import did_you_mean
from ablate.names import level_name, same
from ablate.settings import PrimerSettings
from ablate.specs import SPECS
from ablate.study.design import DESIGNS, FEWEST_TO_HALVE, NAMED, OF_PARTS
from ablate.study.file import paths
from ablate.study.file.axes import (
    RANGE_KEYS,
    design_name,
    flat_axes,
    is_axis_table,
    named_axis,
    named_variants,
    parse_axis,
    parse_baseline,
    parse_variants,
    shaped,
)
from ablate.study.file.configuration import names_something, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.registry import Registry
    from ablate.study.file.paths import FileShape, Problem

#: A grid of more variants than this is a slip, or a search.
MOST_VARIANTS = 5000
#: Designs under which an axis may exist for some levels of another one only.
CONDITIONAL = ("factorial", "search")


def axis_problems(path: str, given: Any, raw: FileShape, registry: Registry, base: set[Problem]) -> Iterator[Problem]:
    """An axis that names nothing, is no list of levels and no range, or has levels that do not fit."""
    key = f"axes.{path}"
    table = is_axis_table(given)
    wrong = list(_when_problems(path, given, raw)) if table else []
    yield from wrong
    if wrong:
        return
    there = _where_it_exists(given, raw) if table else raw
    nothing = names_something(path, there, registry)
    if not nothing and path.partition(".")[0] == "metric":
        nothing = "metrics measure the variants, they cannot be what is varied"
    if nothing:
        yield key, nothing
        return
    wrong = list(_table_problems(key, given, design_name(raw))) if table else []
    if not table and (not isinstance(given, list) or not given):
        wrong = [(key, f"must be a list of levels, not {given!r}")]
    yield from wrong
    if wrong:
        return
    axis = parse_axis(path, given)
    levels = axis.levels or ((axis.range.low, axis.range.high) if axis.range else ())
    for index, level in enumerate(levels):
        if any(same(level, earlier) or level_name(level) == level_name(earlier) for earlier in levels[:index]):
            yield key, f"level {level_name(level)} is there twice"
        _, problems = resolve(paths.set_path(there, path, level), registry)
        for where, text in problems:
            if (where, text) not in base:
                yield f"{key}[{index}]", text if where == path else f"{where}: {text}"


def _where_it_exists(given: Mapping[str, Any], raw: FileShape) -> FileShape:
    """The base configuration with the first levels under which a conditional axis exists."""
    named = named_variants(raw)
    for path, level in flat_axes(given.get("when", {})).items():
        first = level[0] if isinstance(level, list) else level
        if path != NAMED or first in named:
            raw = shaped(raw, {path: first}, named)
    return raw


def _when_problems(path: str, given: Mapping[str, Any], raw: FileShape) -> Iterator[Problem]:
    when, key = given.get("when", {}), f"axes.{path}.when"
    if when and design_name(raw) not in CONDITIONAL:
        yield key, f'goes with design = "{CONDITIONAL[0]}" or "{CONDITIONAL[1]}" only'
        return
    if not isinstance(when, dict):
        yield key, f"must be a table of axis = level, not {when!r}"
        return
    all_axes = {**named_axis(raw), **flat_axes(raw.get("axes", {}))}
    earlier = dict(list(all_axes.items())[: list(all_axes).index(path)])
    for other, level in flat_axes(when).items():
        if other not in earlier:
            listing = ", ".join(earlier) or "none"
            yield f"{key}.{other}", f"no axis before this one{did_you_mean(other, earlier)} (before it: {listing})"
        elif isinstance(earlier[other], list):
            for one in level if isinstance(level, list) else [level]:
                if not any(same(one, known) for known in earlier[other]):
                    listing = ", ".join(map(level_name, earlier[other]))
                    yield f"{key}.{other}", f"{level_name(one)} is no level of that axis (levels: {listing})"


def _table_problems(key: str, given: Mapping[str, Any], design: str) -> Iterator[Problem]:
    known = RANGE_KEYS
    for name in given:
        if name not in known:
            yield f"{key}.{name}", f"unknown key{did_you_mean(name, known)} (known: {', '.join(known)})"
    levels = given.get("levels")
    if "low" not in given and "high" not in given:
        if not isinstance(levels, list) or not levels:
            yield f"{key}.levels", f"must be a list of levels, not {levels!r}"
        return
    low, high = given.get("low"), given.get("high")
    if low is None or high is None or not (_is_number(low) and _is_number(high) and low < high):
        yield key, f"a range needs low and high, two numbers with low < high, not {low!r} and {high!r}"
        return
    yield from _spacing_problems(key, given)
    if levels is None and design != "search":
        yield key, f'a range without levels is for design = "search"; add levels = 5, say, for a {design} design'
    elif levels is not None and (not isinstance(levels, int) or isinstance(levels, bool) or levels < 2):
        yield f"{key}.levels", f"must be how many levels the range is divided into, 2 or more, not {levels!r}"


def _spacing_problems(key: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    log, step = given.get("log", False), given.get("step")
    if not isinstance(log, bool):
        yield f"{key}.log", f"must be true or false, not {log!r}"
    elif log and given["low"] <= 0:
        yield f"{key}.log", f"needs a low above 0, not {given['low']!r}"
    if step is None:
        return
    if not _is_number(step) or step <= 0:
        yield f"{key}.step", f"must be a number above 0, not {step!r}"
    elif log or "levels" in given:
        yield f"{key}.step", "goes with neither log nor levels, which space the numbers themselves"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def variant_problems(
    name: str, changes: dict[str, Any], raw: FileShape, registry: Registry, base: set[Problem]
) -> Iterator[Problem]:
    """A named variant that changes nothing there is, or to what does not fit."""
    key = f"variants.{name}"
    axes = flat_axes(raw.get("axes", {}))
    kinds = shaped(raw, {NAMED: name}, {name: _whole_kinds(changes)})
    wrong = False
    for path, value in changes.items():
        nothing = names_something(path, kinds, registry)
        if not nothing and path.partition(".")[0] == "metric":
            nothing = "metrics measure the variants, they cannot be what is varied"
        if not nothing and path in axes:
            nothing = "is an axis of this study too; vary it in one place"
        if not nothing and path in SPECS and _changes_options_only(value, raw.get(path)):
            nothing = f'would replace the whole {path}; to change options, quote their paths: "{path}.NAME.OPTION" = …'
        if nothing:
            wrong = True
            yield f"{key}.{path}", nothing
    if wrong:
        return
    _, problems = resolve(shaped(raw, {NAMED: name}, {name: changes}), registry)
    for where, text in problems:
        if (where, text) not in base:
            yield key, f"{where}: {text}"


def _changes_options_only(value: Any, chosen: Any) -> bool:
    """Whether a table names options of what is chosen already and nothing else: TOML writes a path just so."""
    already = paths.named(chosen) or {}
    return isinstance(value, dict) and bool(value) and all(name in already and value[name] for name in value)


def _whole_kinds(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes that choose components: options of these can be named by the others."""
    return {path: level for path, level in changes.items() if path in SPECS}


def baseline_problems(raw: FileShape, axes: dict[str, Any]) -> Iterator[Problem]:
    """A baseline of an axis that is none, or whose level is none of the axis."""
    given = flat_axes(raw.get("baseline", {}), stops=axes)
    for path in given:
        if path not in axes:
            yield f"baseline.{path}", f"no axis of this study{did_you_mean(path, axes)}"
    for path, level in parse_baseline(raw).items():
        try:
            axis = parse_axis(path, axes[path])
        except (TypeError, ValueError):
            continue  # has been said
        where = f"baseline.{path}" if path in given else f"axes.{path}"
        said = "the baseline" if path in given else "the base configuration's value, hence the baseline,"
        if axis.levels and not any(same(level, other) for other in axis.levels):
            listing = ", ".join(level_name(other) for other in axis.levels)
            yield where, f"{said} {level_name(level)} is no level of the axis (levels: {listing}); set baseline.{path}"
        elif axis.range and level not in axis.range:
            bounds = f"{axis.range.low} to {axis.range.high}"
            yield where, f"{said} {level_name(level)} is not in the range {bounds}; set baseline.{path}"


def design_problems(raw: FileShape, axes: dict[str, Any]) -> Iterator[Problem]:
    """A design that there is not, or that these axes do not allow."""
    design = raw.get("design", "factorial")
    if not isinstance(design, str) or design not in DESIGNS:
        yield "design", f"must be one of {', '.join(DESIGNS)}, not {design!r}{did_you_mean(str(design), DESIGNS)}"
        return
    if "search" in raw and design != "search":
        yield "search", f'goes with design = "search"; this study\'s is "{design}"'
    if not axes and design != "factorial":
        yield "design", f'"{design}" needs axes to vary'
    try:
        counts = {path: len(parse_axis(path, given).levels) for path, given in axes.items()}
    except (TypeError, ValueError):
        return  # has been said
    yield from _count_problems(design, counts)


def _count_problems(design: str, counts: Mapping[str, int]) -> Iterator[Problem]:
    """Numbers of levels that a design cannot use, by path."""
    if design in OF_PARTS:
        for path, count in counts.items():
            if count != 2:
                yield f"axes.{path}", f'"{design}" takes two levels, without the part and with it, not {count}'
    if design == "fractional" and sum(count == 2 for count in counts.values()) < FEWEST_TO_HALVE:
        yield "design", f'"fractional" halves {FEWEST_TO_HALVE} or more axes of two levels; with fewer use "factorial"'
    together = math.prod(counts.values())
    if design in ("factorial", "fractional") and together > MOST_VARIANTS:
        yield "axes", f"{together:,} variants are too many for a grid; use fewer levels, or a search"


def budget_problems(raw: FileShape, axes: dict[str, Any]) -> Iterator[Problem]:
    """A budget that there is not, or that contradicts what is varied."""
    budget = raw.get("budget", "steps")
    if budget not in ("steps", "tokens"):
        yield "budget", f"must be steps or tokens, not {budget!r}"
    elif budget == "tokens":
        changed = {f"axes.{path}": path for path in axes}
        for name, changes in named_variants(raw).items():
            changed |= {f"variants.{name}.{path}": path for path in changes}
        for key, path in changed.items():
            if path == "training.steps":
                yield key, 'budget = "tokens" works out the steps of each variant; they cannot be varied too'


def combination_problems(raw: FileShape, registry: Registry) -> Iterator[Problem]:
    """What is wrong with whole variants only; asked of a file whose levels are all right one by one."""
    primers: dict[str, Mapping[str, Any]] = {}
    for variant in parse_variants(raw):
        shape = shaped(raw, variant.levels, named_variants(raw))
        configuration, problems = resolve(shape, registry)
        for where, text in problems:
            yield where, f"{text} (in variant '{variant.name}')"
        primers[variant.name] = configuration.settings["primer"]
        counted = configuration.settings["training"].get("batch_counts")
        if raw.get("budget") == "tokens" and variant.baseline and counted == "example":
            known = '"tokens" gives every variant as many as the baseline has, which must be known beforehand'
            yield "budget", f"{known}; '{variant.name}' counts its batch by the example"
    if all(primers.values()):  # empty where it does not validate, which has been said
        yield from _idle_primer({name: PrimerSettings(**primer) for name, primer in primers.items()})


def _idle_primer(primers: Mapping[str, PrimerSettings]) -> Iterator[Problem]:
    """Options of a primer that no variant has."""
    idle = next((name for name, primer in primers.items() if primer.repeat_last and not primer.asked), None)
    if idle is not None:
        yield "primer.repeat_last", f"nothing to repeat: variant '{idle}' has no primer"
    elif not any(primer.asked for primer in primers.values()):
        for option in ("piece", "file"):
            if any(getattr(primer, option) for primer in primers.values()):
                yield f"primer.{option}", "how much of it? Give primer.tokens, notes or seconds"
