"""The target of a path: the level of each axis at its end.

No function here raises: problems are added to a list, or yielded, as (key, text).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ablate.errors import did_you_mean
from ablate.names import level_name, same
from ablate.study.file.axes import baseline_level, flatten, matching_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.design import Axis
    from ablate.study.file.paths import FileShape, Problem
    from ablate.study.file.sections import Sections

#: A path with one change has nothing to choose; one with more than this has over 200 configurations.
FEWEST_CHANGES, MOST_CHANGES = 2, 20
_ENDS = ("base", "target")


def with_target(
    axes: Mapping[str, Axis], raw: FileShape, config: FileShape, problems: list[Problem]
) -> Mapping[str, Axis]:
    """Return the axes of a study file, those that ``[target]`` names with two levels: the baseline's and the target's.

    Args:
        axes: path -> axis.
        raw: the file.
        config: the base configuration, in file shape.
        problems: problems of the table are added here.
    """
    targets = flatten(raw.get("target", {}), stops=axes)
    if targets and raw.get("design") != "path":
        problems.append(("target", 'only design = "path" uses this table'))
        return axes
    narrowed = dict(axes)
    baseline = flatten(raw.get("baseline", {}), stops=axes)
    for path, value in targets.items():
        if path not in axes:
            problems.append((f"target.{path}", f"this study has no such axis{did_you_mean(path, axes)}"))
            continue
        level = matching_level(axes[path], value)
        start = baseline_level(axes[path], baseline, "path", config)
        problem = _target_problem(axes[path], level, start)
        if problem:
            problems.append((f"target.{path}", problem))
        else:
            ends = tuple(each for each in axes[path].levels if same(each, start) or same(each, level))
            narrowed[path] = dataclasses.replace(axes[path], levels=ends)
    return narrowed


def _target_problem(axis: Axis, level: Any, start: Any) -> str:
    if not any(same(level, each) for each in axis.levels):
        levels = ", ".join(map(level_name, axis.levels)) or "none"
        return f"{level_name(level)} is not a level of this axis (levels: {levels})"
    if same(level, start):
        return f"{level_name(level)} is also the baseline's level; a path changes every axis"
    return ""


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
