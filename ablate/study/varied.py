"""What a study file varies: its axes, named variants, baseline and objective. For files without problems in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.specs import SPECS
from ablate.study import choices
from ablate.study.design import NAMED, Axis, Objective, same

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from ablate.study.choices import FileShape


def flat_axes(table: dict[str, Any], stops: Container[str] = ()) -> dict[str, Any]:
    """``{"sampler": {"temperature": {"tau": [..]}}}`` as ``{"sampler.temperature.tau": [..]}``.

    Paths in ``stops`` are not gone into: a level may itself be a table.
    """
    flat: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict) and prefix not in stops:
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            flat[prefix] = value

    walk("", table)
    return flat


def axes(raw: FileShape) -> tuple[Axis, ...]:
    """The axes of a file without problems, its named variants first."""
    flat = {**named_axis(raw), **flat_axes(raw.get("axes", {}))}
    return tuple(Axis(path, tuple(levels)) for path, levels in flat.items())


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
            config = choices.set_path(config, where, value)
    return config


def baseline(raw: FileShape) -> dict[str, Any]:
    """A level for each axis: as given, or the base configuration's value, or the first level."""
    axes = {**named_axis(raw), **flat_axes(raw.get("axes", {}))}
    given = flat_axes(raw.get("baseline", {}), stops=axes)
    return {path: _baseline_level(path, levels, given, raw) for path, levels in axes.items()}


def _baseline_level(path: str, levels: Any, given: dict[str, Any], raw: FileShape) -> Any:
    value = given.get(path) if path == NAMED else given.get(path, choices.get_path(raw, path))
    if not isinstance(levels, list) or not levels:
        return value
    if value is None:
        return levels[0]
    if path in SPECS:  # "tempo", ["tempo"] and {tempo = {}} are three spellings of one level
        return next((level for level in levels if choices.named(level) == choices.named(value)), value)
    return next((level for level in levels if same(level, value)), value)


def objective(raw: FileShape) -> Objective:
    """What stands for a variant in Optuna: as given; what is not given is taken from what the metric measures."""
    metrics = list(choices.named(raw.get("metric", [])) or {})
    given = {"metric": metrics[-1] if metrics else "", "feature": "", "direction": ""}
    return Objective(**{**given, **raw.get("objective", {})})
