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
    from collections.abc import Mapping

    from ablate.study.design import Axis
    from ablate.study.file.paths import Components, FileShape, Problem


def with_target(
    axes: Mapping[str, Axis],
    raw: FileShape,
    config: FileShape,
    own: Mapping[str, Components],
    problems: list[Problem],
) -> Mapping[str, Axis]:
    """Return the axes of a study file, those that ``[target]`` names with two levels: the baseline's and the target's.

    Args:
        axes: path -> axis.
        raw: the file.
        config: the base configuration, in file shape.
        own: the options that the file has for components, by kind.
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
        level = matching_level(axes[path], value, own.get(path, {}))
        start = baseline_level(axes[path], baseline, "path", config, own)
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
