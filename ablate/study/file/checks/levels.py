"""Check what a study varies: the paths and levels of its axes, the changes of its named variants, its baseline.

No function here raises: each yields problems as (key, text).
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import did_you_mean
from ablate.names import alike, level_name, same
from ablate.options import abridged
from ablate.printable import printable
from ablate.specs import SPECS
from ablate.study.design import NAMED
from ablate.study.file import paths
from ablate.study.file.axes import shaped
from ablate.study.file.configuration import resolve
from ablate.study.file.program import varied_problem
from ablate.study.file.reach import path_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.registry import Registry
    from ablate.study.design import Axis
    from ablate.study.file.known import KnownSections
    from ablate.study.file.paths import FileShape, Problem
    from ablate.study.file.sections import Sections

#: Designs in which an axis may exist only for some levels of another axis.
CONDITIONAL = ("factorial", "search")


class Base(NamedTuple):
    """Result of the base configuration: its problems, and the sections that were resolved."""

    problems: frozenset[Problem]
    known: KnownSections


def axis_problems(axis: Axis, file: Sections, registry: Registry, base: Base) -> Iterator[Problem]:
    """Check an axis: its conditions, its path and each of its levels.

    Args:
        axis: one of the file's axes, not that of the named variants.
        file: the study file.
        registry: the components.
        base: the base configuration's problems, which are not repeated for each level, and sections.
    """
    key = f"axes.{axis.path}"
    wrong = list(_condition_problems(axis, file))
    if wrong:
        yield from wrong
        return
    # the axis exists under the first of the levels in each of its conditions
    config = file.shaped({path: levels[0] for path, levels in axis.when.items()})
    problem = _path_problem(axis.path, config, registry) or _axis_split_problem(axis, config)
    if problem:
        yield key, problem
        return
    if axis.range and file.design not in ("search", ""):
        yield key, f'a range without levels needs design = "search"; for a {file.design} design add levels = 5, say'
        return
    yield from _alike_problems(axis, file)
    yield from _level_problems(axis, config, file.own.get(axis.path, {}), registry, base)


def _path_problem(path: str, config: FileShape, registry: Registry) -> str:
    problem = path_problem(path, config, registry) or varied_problem(path)
    if not problem and path.partition(".")[0] == "metric":
        return "metrics measure the variants and cannot be varied"
    if path == "measure.reference":
        return "variants that are measured against different pieces cannot be compared; set it for the whole study"
    return problem


def _axis_split_problem(axis: Axis, config: FileShape) -> str:
    return "" if axis.block else _split_problem(axis.path, axis.levels, config)


def _split_problem(path: str, levels: Sequence[Any], config: FileShape) -> str:
    """Return why variants cannot differ in a key of the split: they would be measured on other pieces."""
    section, _, key = path.partition(".")
    if section != "split":
        return ""
    split = config.get("split", {})
    tested = split.get("test") or split.get("folds")
    # names for the validation are taken out before a share is drawn for the test
    drawn = any(isinstance(level, list) for level in (*levels, split.get("validation")))
    stays = isinstance(tested, list) or not drawn
    if key == "validation" and tested and stays and config.get("measure", {}).get("reference") != "validation":
        return ""  # it varies the number of training pieces
    return (
        "variants that are measured on other pieces cannot be compared; "
        f"make it a block: {path} = {{ levels = […], block = true }}"
    )


def _condition_problems(axis: Axis, file: Sections) -> Iterator[Problem]:
    key = f"axes.{axis.path}.when"
    if axis.when and file.design not in (*CONDITIONAL, ""):
        yield key, f'needs design = "{CONDITIONAL[0]}" or "{CONDITIONAL[1]}", not "{file.design}"'
        return
    before = list(file.axes)[: list(file.axes).index(axis.path)]
    for path, levels in axis.when.items():
        if path not in before:
            hint = did_you_mean(path, before)
            yield f"{key}.{path}", f"no earlier axis has this path{hint} (earlier axes: {', '.join(before) or 'none'})"
            continue
        known = file.axes[path].levels
        for level in levels if known else ():
            if not _is_level(level, known):
                listing = ", ".join(map(level_name, known))
                yield f"{key}.{path}", f"{level_name(level)} is not a level of that axis (levels: {listing})"


def _is_level(level: Any, levels: tuple[Any, ...]) -> bool:
    return any(same(level, other) for other in levels)


def _alike_problems(axis: Axis, file: Sections) -> Iterator[Problem]:
    """Find levels that are the same, and those that are not but would have the same name or look the same."""
    own = file.own.get(axis.path, {})
    values: set[Any] = set()
    looks: dict[str, Any] = {}
    for level in axis.levels:
        value = paths.named(paths.with_own(level, own)) if axis.path in SPECS else level
        name = level_name(level)
        if _value_key(value) in values:
            yield f"axes.{axis.path}", f"duplicate level {name}"
        elif alike(name) in looks:
            yield f"axes.{axis.path}", _only_alike(level, looks[alike(name)])
        values.add(_value_key(value))
        looks.setdefault(alike(name), level)


def _value_key(value: Any) -> Any:
    """Return what is equal for levels that :func:`same` finds the same, and can be in a set."""
    if isinstance(value, list | dict):
        return json.dumps(json.loads(json.dumps(value), parse_int=float))
    return isinstance(value, bool), value


def _only_alike(level: Any, other: Any) -> str:
    one, two = (abridged(printable(each) if isinstance(each, str) else each) for each in (other, level))
    if isinstance(level, str) and PurePath(level).is_absolute():
        todo = "a file is named by the last part of its path: give each file its own name, or list one only"
    else:
        todo = "give each a name of its own, or list one only"
    return f"{one} and {two} are two levels, but their names are alike ({level_name(level)}); {todo}"


def _level_problems(
    axis: Axis, config: FileShape, own: paths.Components, registry: Registry, base: Base
) -> Iterator[Problem]:
    key = f"axes.{axis.path}"
    levels = axis.levels or ((axis.range.low, axis.range.high) if axis.range else ())
    for index, level in enumerate(levels):
        _, problems = resolve(paths.set_path(config, axis.path, level, own), registry, base.known)
        for where, text in problems:
            if (where, text) not in base.problems:
                yield f"{key}[{index}]", text if where == axis.path else f"{where}: {text}"


def variant_problems(name: str, file: Sections, registry: Registry, base: Base) -> Iterator[Problem]:
    """Check the changes of a named variant: their paths, and the configuration that results.

    Args:
        name: the variant.
        file: the study file.
        registry: the components.
        base: the base configuration's problems, which are not repeated, and sections.
    """
    changes = file.named[name]
    # the options of the components that the variant chooses can be changed, too
    kinds = {name: {path: changes[path] for path in changes if path in SPECS}}
    config = shaped(file.config, {NAMED: name}, kinds, file.own)
    wrong = [
        (f"variants.{name}.{path}", problem)
        for path, value in changes.items()
        if (problem := _change_problem(path, value, config, file, registry))
    ]
    if wrong:
        yield from wrong
        return
    _, problems = resolve(file.shaped({NAMED: name}), registry, base.known)
    for where, text in problems:
        if (where, text) not in base.problems:
            yield f"variants.{name}", f"{where}: {text}"


def _change_problem(path: str, value: Any, config: FileShape, file: Sections, registry: Registry) -> str:
    problem = _path_problem(path, config, registry) or _split_problem(path, [value], config)
    if problem:
        return problem
    if path in file.axes:
        return "is also an axis of this study; vary it in one place only"
    if path in SPECS and _changes_options_only(value, paths.chosen(file.config, path)):
        return f'would replace the whole {path}; to change options, quote their paths: "{path}.NAME.OPTION" = …'
    return ""


def _changes_options_only(value: Any, components: Mapping[str, Any]) -> bool:
    """Check whether a table sets options of chosen components only: TOML reads an unquoted path as such a table."""
    return isinstance(value, dict) and bool(value) and all(name in components and value[name] for name in value)


def baseline_problems(file: Sections) -> Iterator[Problem]:
    """Check that the baseline has a level of each axis, and of no other path."""
    for path in file.baseline:
        if path not in file.axes:
            yield f"baseline.{path}", f"this study has no such axis{did_you_mean(path, file.axes)}"
    for path, level in file.baseline_levels().items():
        problem = _baseline_level_problem(file.axes[path], level)
        if problem and path in file.baseline:
            yield f"baseline.{path}", f"the baseline {problem}; choose another one"
        elif problem:
            where = f"axes.{path}"
            yield where, f"the base configuration's value, hence the baseline, {problem}; set baseline.{path}"


def _baseline_level_problem(axis: Axis, level: Any) -> str:
    if axis.levels and not _is_level(level, axis.levels):
        return f"{level_name(level)} is not a level of this axis (levels: {', '.join(map(level_name, axis.levels))})"
    if axis.range and level not in axis.range:
        return f"{level_name(level)} is not in the range {axis.range.low} to {axis.range.high}"
    return ""
