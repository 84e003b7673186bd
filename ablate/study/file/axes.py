"""Axes, named variants and the baseline of a study file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ablate.errors import InvalidOptions, did_you_mean
from ablate.names import same
from ablate.options import abridged, option, validate
from ablate.specs import SPECS
from ablate.study.design import NAMED, OF_PARTS, Axis, Range
from ablate.study.file import paths

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from ablate.study.file.paths import FileShape, Problem


#: The most levels of an axis, and the most variants of a study; the most axes.
MOST_LEVELS, MOST_AXES = 5000, 100


@dataclass(frozen=True)
class RangeTable:
    """An axis of numbers: ``{ low = 0.5, high = 2.0, levels = 4 }``."""

    low: int | float = option(doc="Smallest number.")
    high: int | float = option(doc="Largest number.")
    log: bool = option(False, doc="Whether the numbers are spaced by equal factors.")
    step: int | float | None = option(None, gt=0, doc="Distance between two numbers that a search can choose.")
    levels: int | None = option(None, ge=2, le=MOST_LEVELS, doc="Number of levels, for designs other than a search.")

    def __post_init__(self) -> None:
        problems = [
            (end, "is too large for a number with decimals")
            for end, number in (("low", self.low), ("high", self.high))
            if paths.finite(number) is None
        ]
        if self.low >= self.high:
            problems.append(("", f"low must be less than high, not {self.low} and {self.high}"))
        if self.log and self.low <= 0:
            problems.append(("log", f"needs a low above 0, not {self.low}"))
        if self.step is not None and (self.log or self.levels is not None):
            problems.append(("step", "cannot be combined with log or levels, which already space the numbers"))
        if problems:
            raise InvalidOptions(problems)

    @property
    def numbers(self) -> Range:
        """The numbers from ``low`` to ``high``."""
        return Range(self.low, self.high, self.log, self.step)


def is_axis_table(value: Any) -> bool:
    """Check whether a table describes an axis (``{ low = 0.5, high = 2.0 }``) and is not a further part of its path.

    The options of a component may also be called ``low`` or ``levels``, but their values would be lists or tables.
    """
    if not isinstance(value, dict):
        return False
    single = {key for key, each in value.items() if not isinstance(each, list | dict)}
    ends = bool(single & {"low", "high", "block"}) or ("levels" in value and bool(single - {"levels"}))
    return ends or (isinstance(value.get("when"), dict) and "levels" in value)


def flatten(table: dict[str, Any], stops: Container[str] = ()) -> dict[str, Any]:
    """Return ``{"sampler": {"temperature": {"tau": [..]}}}`` as ``{"sampler.temperature.tau": [..]}``.

    Values at the paths in ``stops`` stay as they are, since a level may itself be a table. So do tables that describe
    an axis.
    """
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and prefix not in stops and not is_axis_table(value):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            flat[prefix] = value

    walk("", table)
    return flat


def parse_axes(table: FileShape, named: Mapping[str, Any], problems: list[Problem]) -> dict[str, Axis]:
    """Parse ``[axes]``; return path -> axis, the axis of the named variants first.

    An axis of the wrong shape has neither levels nor a range; what is wrong with it is added to ``problems``.
    """
    axes = {NAMED: Axis(NAMED, tuple(named))} if named else {}
    flat = flatten(table)
    if len(flat) > MOST_AXES:
        problems.append(("axes", f"{len(flat):,} axes are too many (at most {MOST_AXES})"))
        return axes
    for path, value in flat.items():
        if path == NAMED:
            problems.append((f"axes.{path}", "the named variants are an axis already; give them in [variants.NAME]"))
        else:
            axes[path] = _parse_axis(path, value, problems)
    return axes


def _parse_axis(path: str, value: Any, problems: list[Problem]) -> Axis:
    if not is_axis_table(value):
        return Axis(path, _levels(f"axes.{path}", value, problems))
    table = dict(value)
    block = _block(f"axes.{path}.block", table.pop("block", False), problems)
    when = _conditions(f"axes.{path}.when", table.pop("when", {}), problems)
    if "low" in table or "high" in table:
        return dataclasses.replace(_range_axis(path, table, when, problems), block=block)
    known = ("levels", "when", "block")
    problems += [
        (f"axes.{path}.{key}", f"unknown key{did_you_mean(key, known)} (known: {', '.join(known)})")
        for key in table
        if key != "levels"
    ]
    return Axis(path, _levels(f"axes.{path}.levels", table.get("levels"), problems), None, when, block)


def _block(key: str, value: Any, problems: list[Problem]) -> bool:
    if isinstance(value, bool):
        return value
    problems.append((key, f"must be true or false, not {abridged(value)}"))
    return False


def _levels(key: str, value: Any, problems: list[Problem]) -> tuple[Any, ...]:
    if isinstance(value, list) and len(value) > MOST_LEVELS:
        problems.append((key, f"{len(value):,} levels are too many (at most {MOST_LEVELS:,})"))
        return ()
    if isinstance(value, list) and value:
        return tuple(value)
    problems.append((key, f"must be a list of levels, not {abridged(value)}"))
    return ()


def _conditions(key: str, table: Any, problems: list[Problem]) -> dict[str, tuple[Any, ...]]:
    """Parse the table ``when`` of an axis; return path -> the levels under which the axis exists."""
    if not isinstance(table, dict):
        problems.append((key, f"must be a table of axis = level, not {abridged(table)}"))
        return {}
    conditions = {path: tuple(level) if isinstance(level, list) else (level,) for path, level in flatten(table).items()}
    problems += [(f"{key}.{path}", "needs at least one level") for path, levels in conditions.items() if not levels]
    return {path: levels for path, levels in conditions.items() if levels}


def _range_axis(path: str, table: Mapping[str, Any], when: dict[str, tuple[Any, ...]], problems: list[Problem]) -> Axis:
    try:
        parsed = validate(RangeTable, table)
    except InvalidOptions as error:
        problems += [(paths.join("axes", path, key), text) for key, text in error.problems]
        return Axis(path, (), None, when)
    if parsed.levels is None:
        return Axis(path, (), parsed.numbers, when)
    return Axis(path, parsed.numbers.levels(parsed.levels), None, when)


def named_variants(table: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return ``[variants.NAME]`` as name -> path -> level.

    A kind is replaced as a whole (``conditioner = "tempo"``); settings and labels are set one by one
    (``training.steps = 100``), and so is any other path in quotes (``"sampler.temperature.tau" = 0.8``).
    """
    named: dict[str, dict[str, Any]] = {}
    for name, changes in table.items():
        # kinds first: an option that is set before its kind is replaced would be replaced, too
        flat = {key: value for key, value in changes.items() if key in SPECS}
        for key, value in changes.items():
            if isinstance(value, dict) and key not in SPECS:
                flat |= {f"{key}.{option}": level for option, level in value.items()}
            else:
                flat[key] = value
        named[name] = flat
    return named


def shaped(
    config: FileShape,
    levels: Mapping[str, Any],
    named: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, paths.Components],
) -> FileShape:
    """Return the configuration, in file shape, with the levels of a variant.

    Args:
        config: the base configuration.
        levels: by path.
        named: the changes of the named variants.
        own: the options that the file has for components, by kind.
    """
    for path, level in levels.items():
        changes = named[level] if path == NAMED else {path: level}
        for where, value in changes.items():
            config = paths.set_path(config, where, value, own.get(where))
    return config


def baseline_level(
    axis: Axis,
    baseline: Mapping[str, Any],
    design: str,
    config: FileShape,
    own: Mapping[str, paths.Components] | None = None,
) -> Any:
    """Return the baseline's level of an axis: that of ``[baseline]``, of the base configuration, or the first level.

    Where a part is left out of the full model or added to the bare one, the base configuration does not decide:
    the bare model has the first level, the full model the last one. A block has no baseline: the first level stands for
    it where a single configuration is needed.

    Args:
        axis: of the study.
        baseline: the table ``[baseline]`` by path.
        design: a key of ``design.DESIGNS``.
        config: the base configuration.
        own: the options that the file has for components, by kind.
    """
    if axis.block:
        return next(iter(axis.levels), None)
    from_config = axis.path != NAMED and design not in OF_PARTS
    value = baseline.get(axis.path, paths.get_path(config, axis.path) if from_config else None)
    if not axis.levels:
        return axis.range.low if value is None and axis.range else value
    if value is None:
        return axis.levels[-1] if design == "leave_one_out" else axis.levels[0]
    return matching_level(axis, value, (own or {}).get(axis.path, {}))


def matching_level(axis: Axis, value: Any, own: paths.Components) -> Any:
    """Return the level of an axis that a value means, or the value itself if it means none.

    Args:
        axis: of the study.
        value: of ``[baseline]``, ``[target]`` or the base configuration.
        own: of an axis that is a kind, the options that the file has for its components.
    """
    if axis.path in SPECS:  # "tempo", ["tempo"] and {tempo = {}} are three spellings of one level
        wanted = paths.named(paths.with_own(value, own))
        return next((level for level in axis.levels if paths.named(paths.with_own(level, own)) == wanted), value)
    return next((level for level in axis.levels if same(level, value)), value)
