"""The components of a kind that a study varies as a whole, as in ``axes.model = ["lstm", "gru"]``.

A level or a change that names a component has the options that the file has for it, unless it sets them itself. So the
file may have a table for each of them (``[model.lstm]``, ``[model.gru]``), and profiles and ``--set`` reach them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.specs import SPECS
from ablate.study.file import paths
from ablate.study.file.axes import baseline_level, flatten
from ablate.study.file.configuration import SINGLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.design import Axis
    from ablate.study.file.paths import Components, FileShape


def own_options(config: FileShape) -> dict[str, Components]:
    """Return the components with the options that the file has for them, by kind."""
    return {kind: paths.chosen(config, kind) for kind in SPECS if kind in config}


def with_one_component(
    config: FileShape,
    axes: Mapping[str, Axis],
    named: Mapping[str, Mapping[str, Any]],
    baseline: Mapping[str, Any],
    design: str,
) -> FileShape:
    """Return the base configuration: of several tables of a kind that has one component, only the baseline's.

    Without a level in ``[baseline]``, the first table is the baseline's. A kind that the study does not vary keeps its
    tables, which is an error.

    Args:
        config: the sections of the file that an axis can reach.
        axes: by path.
        named: the changes of the named variants.
        baseline: the table ``[baseline]`` by path.
        design: a key of ``design.DESIGNS``.
    """
    for kind in SINGLE:
        tables = paths.chosen(config, kind)
        axis = axes.get(kind)
        if len(tables) < 2 or not (axis or any(kind in changes for changes in named.values())):
            continue
        first = next(iter(tables))
        config = {**config, kind: {first: tables[first]}}
        level = baseline_level(axis, baseline, design, config, {kind: tables}) if axis else None
        if level is not None and len(paths.named(level) or ()) == 1:
            config = {**config, kind: paths.with_own(level, tables)}
    return config


def offered(raw: FileShape, kind: str) -> list[str]:
    """Return the components of a kind that a study file names in its table, as levels of its axis, or in variants."""
    names = dict.fromkeys(paths.chosen(raw, kind))
    for value in _values(raw, kind):
        names |= dict.fromkeys(paths.named(value) or {})
    return list(names)


def _values(raw: FileShape, kind: str) -> Iterator[Any]:
    """Yield the values that a study file has for a whole kind, besides its table; the file may have any mistake."""
    axes, variants = raw.get("axes", {}), raw.get("variants", {})
    levels = flatten(axes).get(kind) if isinstance(axes, dict) else None
    levels = levels.get("levels") if isinstance(levels, dict) else levels
    yield from levels if isinstance(levels, list) else ()
    for changes in variants.values() if isinstance(variants, dict) else ():
        yield changes.get(kind, {}) if isinstance(changes, dict) else {}
