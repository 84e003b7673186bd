"""What a study file varies: its axes, named variants, baseline and objectives. For files without problems in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.names import same
from ablate.specs import SPECS
from ablate.study.design import DESIGNS, NAMED, OF_PARTS, Axis, Objective, Range, Variant
from ablate.study.file import paths

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from ablate.study.file.paths import FileShape

#: Keys of a table that stands in place of a list of levels.
RANGE_KEYS = ("low", "high", "log", "step", "levels", "when")


def is_axis_table(value: Any) -> bool:
    """Whether a table describes an axis (``{ low = 0.5, high = 2.0 }``), and is no further part of its path.

    The options of a component may be called ``low`` or ``levels`` too; but there the values would be lists or tables.
    """
    if not isinstance(value, dict):
        return False
    ends = any(key in value and not isinstance(value[key], list | dict) for key in ("low", "high"))
    return ends or (isinstance(value.get("when"), dict) and ("levels" in value or ends))


def flat_axes(table: dict[str, Any], stops: Container[str] = ()) -> dict[str, Any]:
    """``{"sampler": {"temperature": {"tau": [..]}}}`` as ``{"sampler.temperature.tau": [..]}``.

    Paths in ``stops`` are not gone into: a level may itself be a table. Nor are tables that describe an axis.
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


def parse_axes(raw: FileShape) -> tuple[Axis, ...]:
    """The axes of a file without problems, its named variants first."""
    flat = {**named_axis(raw), **flat_axes(raw.get("axes", {}))}
    return tuple(parse_axis(path, levels) for path, levels in flat.items())


def parse_axis(path: str, given: Any) -> Axis:
    """One axis, from its list of levels or its table; raises TypeError or ValueError for what is neither."""
    if isinstance(given, list):
        return Axis(path, tuple(given))
    if not is_axis_table(given):
        raise TypeError(f"no levels: {given!r}")
    conditions = flat_axes(given.get("when", {}))
    when = {other: tuple(level) if isinstance(level, list) else (level,) for other, level in conditions.items()}
    levels = given.get("levels", ())
    if "low" not in given:
        return Axis(path, tuple(levels), None, when)
    found = Range(**{key: given[key] for key in ("low", "high", "log", "step") if key in given})
    if levels:
        return Axis(path, found.levels(levels), None, when)
    return Axis(path, (), found, when)


def named_axis(raw: FileShape) -> dict[str, Any]:
    """The axis of the named variants as path -> levels; empty without any."""
    names = list(named_variants(raw))
    return {NAMED: names} if names else {}


def named_variants(raw: FileShape) -> dict[str, dict[str, Any]]:
    """``[variants.NAME]`` as path -> level.

    A kind is replaced as a whole (``conditioner = "tempo"``); settings and labels are set one by one
    (``training.steps = 100``), and so is any other path in quotes (``"sampler.temperature.tau" = 0.8``).
    """
    named: dict[str, dict[str, Any]] = {}
    for name, changes in raw.get("variants", {}).items():
        # kinds first: what stands in the file before its kind is replaced would be replaced with it
        flat = {key: value for key, value in changes.items() if key in SPECS}
        for key, value in changes.items():
            if isinstance(value, dict) and key not in SPECS:
                flat |= {f"{key}.{option}": level for option, level in value.items()}
            else:
                flat[key] = value
        named[name] = flat
    return named


def shaped(config: FileShape, levels: Mapping[str, Any], named: Mapping[str, Mapping[str, Any]]) -> FileShape:
    """A configuration in file shape with the levels of a variant."""
    for path, level in levels.items():
        changes = named[level] if path == NAMED else {path: level}
        for where, value in changes.items():
            config = paths.set_path(config, where, value)
    return config


def design_name(raw: FileShape) -> str:
    """The design's name."""
    return str(raw.get("design", "factorial"))


def parse_variants(raw: FileShape) -> list[Variant]:
    """The variants that the file's design has before anything runs."""
    return DESIGNS[design_name(raw)](parse_axes(raw), parse_baseline(raw))


def parse_baseline(raw: FileShape) -> dict[str, Any]:
    """A level for each axis: as given, or the base configuration's value, or the first level.

    Where a part is left out of the full model or added to the bare one, the file need not say which level is which:
    the first level is the bare model's, the last one the full model's.
    """
    axes = {**named_axis(raw), **flat_axes(raw.get("axes", {}))}
    given = flat_axes(raw.get("baseline", {}), stops=axes)
    return {path: _baseline_level(axis, given, raw) for path, axis in _built(axes).items()}


def _built(axes: Mapping[str, Any]) -> dict[str, Axis]:
    """The axes that can be built; what is wrong with the others is said elsewhere."""
    built = {}
    for path, levels in axes.items():
        try:
            built[path] = parse_axis(path, levels)
        except (TypeError, ValueError):
            built[path] = Axis(path, ())
    return built


def _baseline_level(axis: Axis, given: dict[str, Any], raw: FileShape) -> Any:
    path, levels = axis.path, axis.levels
    value = given.get(path) if path == NAMED else given.get(path, _file_value(axis, raw))
    if not levels:
        return axis.range.low if value is None and axis.range else value
    if value is None:
        return levels[-1] if design_name(raw) == "leave_one_out" else levels[0]
    if path in SPECS:  # "tempo", ["tempo"] and {tempo = {}} are three spellings of one level
        return next((level for level in levels if paths.named(level) == paths.named(value)), value)
    return next((level for level in levels if same(level, value)), value)


def _file_value(axis: Axis, raw: FileShape) -> Any:
    """What the base configuration says; which end of a design of parts that is, only ``[baseline]`` can say."""
    return None if design_name(raw) in OF_PARTS else paths.get_path(raw, axis.path)


def parse_objective(raw: FileShape) -> Objective:
    """What stands for a variant in Optuna: as given; what is not given is taken from what the metric measures."""
    metrics = list(paths.named(raw.get("metric", [])) or {})
    given = {"metric": metrics[-1] if metrics else "", "feature": "", "direction": ""}
    return Objective(**{**given, **raw.get("objective", {})})


def parse_objectives(raw: FileShape) -> tuple[Objective, ...]:
    """What a search looks at: its own objectives, or the study's only one."""
    given: Sequence[Mapping[str, str]] = raw.get("search", {}).get("objectives", ())
    return tuple(Objective(**{"metric": "", "feature": "", "direction": "", **each}) for each in given) or (
        parse_objective(raw),
    )
