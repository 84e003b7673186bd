"""What can be wrong with a study file. Every function returns problems as (key, text); none raises."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ablate.engine.settings import PrimerSettings
from ablate.errors import AblateError, did_you_mean
from ablate.specs import SPECS
from ablate.study import choices, varied
from ablate.study.design import NAMED, factorial, level_name, same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.registry import Registry
    from ablate.study.choices import FileShape, Problem

#: Top-level keys that are no section, with their type and how to say it.
_PLAIN: dict[str, tuple[type[Any], str]] = {
    "question": (str, "text"),
    "hypothesis": (str, "text"),
    "seed": (int, "a whole number, 0 or more"),
    "replicates": (int, "a whole number, 1 or more"),
    "objective": (dict, "a table with metric, feature and direction"),
    "axes": (dict, "a table of lists"),
    "variants": (dict, "a table for each variant"),
    "baseline": (dict, "a table with a level for each axis"),
    "reported": (dict, "a table with source and values"),
    "profiles": (dict, "a table of profiles"),
}
_KNOWN = (*_PLAIN, *choices.SECTIONS)
#: What a profile may change: sizes, never what is compared.
_PROFILE_KEYS = ("model", "training", "generation", "replicates")
_SMALLEST = {"seed": 0, "replicates": 1}


def shape_problems(raw: FileShape) -> list[Problem]:
    """Unknown keys, wrong types, and profiles that reach too far."""
    problems = [
        (key, f"unknown key{did_you_mean(key, _KNOWN)} (known: {', '.join(_KNOWN)})")
        for key in raw
        if key not in _KNOWN
    ]
    problems += _plain_problems(raw)
    variants = raw.get("variants", {})
    if isinstance(variants, dict):
        problems += [("variants", "a variant needs a name")] if "" in variants else []
        problems += [
            (f"variants.{name}", f"must be a table of what it changes, not {changes!r}")
            for name, changes in variants.items()
            if not isinstance(changes, dict)
        ]
    profiles = raw.get("profiles", {})
    if isinstance(profiles, dict):
        for name, profile in profiles.items():
            problems += _profile_problems(name, profile, raw)
    problems += _reported_problems(raw.get("reported", {}))
    return problems


def _plain_problems(raw: FileShape) -> list[Problem]:
    problems = []
    for key, (kind, words) in _PLAIN.items():
        value = raw.get(key)
        wrong = not isinstance(value, kind) or isinstance(value, bool)
        if value is not None and (wrong or (key in _SMALLEST and value < _SMALLEST[key])):
            problems.append((key, f"must be {words}, not {value!r}"))
    return problems


def _profile_problems(name: str, profile: Any, raw: FileShape) -> Iterator[Problem]:
    key = f"profiles.{name}"
    if not isinstance(profile, dict):
        yield key, f"must be a table, not {profile!r}"
        return
    if name == "default":
        yield key, "'default' is the file as it stands; choose another name"
    for section, value in profile.items():
        if section not in _PROFILE_KEYS:
            allowed = ", ".join(_PROFILE_KEYS)
            yield f"{key}.{section}", f"a profile may change {allowed}, never what is compared"
        elif section == "replicates":
            yield from ((f"{key}.{k}", text) for k, text in _plain_problems({"replicates": value}))
        elif not isinstance(value, dict):
            yield f"{key}.{section}", f"must be a table, not {value!r}"
    chosen = choices.named(raw.get("model", {})) or {}
    model = profile.get("model", {})
    for component in model if isinstance(model, dict) else ():
        if component not in chosen:
            yield f"{key}.model.{component}", f"a profile keeps the study's model ({', '.join(chosen)})"


def _reported_problems(reported: Any) -> list[Problem]:
    if not isinstance(reported, dict):
        return []
    problems = [
        (f"reported.{key}", f"unknown key{did_you_mean(key, ('source', 'values'))} (known: source, values)")
        for key in reported
        if key not in ("source", "values")
    ]
    values = reported.get("values", {})
    for variant, metrics in values.items() if isinstance(values, dict) else ():
        for metric, features in metrics.items() if isinstance(metrics, dict) else ((variant, None),):
            numbers = features.values() if isinstance(features, dict) else (None,)
            if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
                problems.append((f"reported.values.{variant}.{metric}", "must be a table of feature = number"))
    if not isinstance(values, dict):
        problems.append(("reported.values", f"must be a table of variants, not {values!r}"))
    return problems


def content_problems(raw: FileShape, registry: Registry) -> list[Problem]:
    """Unknown components, options out of type or bounds, axes that name nothing, levels that do not fit."""
    _, problems = choices.resolve(raw, registry)
    if not (choices.named(raw.get("metric", [])) or {}):
        problems.append(("metric", f"a study needs a metric. Offered: {', '.join(registry.names('metric'))}"))
    if not (choices.named(raw.get("sampler", [])) or {}):
        problems.append(("sampler", f"a study needs a sampler. Offered: {', '.join(registry.names('sampler'))}"))
    base = set(problems)
    axes = varied.flat_axes(raw.get("axes", {}))
    for path, levels in axes.items():
        problems += _axis_problems(path, levels, raw, registry, base)
    for name, changes in varied.named_variants(raw).items():
        problems += _variant_problems(name, changes, raw, registry, base)
    axes = {**varied.named_axis(raw), **axes}
    problems += _baseline_problems(raw, axes)
    problems += _objective_problems(raw)
    problems += _label_problems(raw, axes, registry)
    return problems + _plain_problems(raw)


def _label_problems(raw: FileShape, axes: dict[str, Any], registry: Registry) -> Iterator[Problem]:
    """Labels that nothing in the study would read: asking for them would change nothing, without a word."""
    labels = raw.get("labels", {})
    asked = {f"labels.{label}": f"labels.{label}" for label in labels} if isinstance(labels, dict) else {}
    asked |= {path: f"axes.{path}" for path in axes if path.startswith("labels.")}
    for name, changes in varied.named_variants(raw).items():
        asked |= {path: f"variants.{name}.{path}" for path in changes if path.startswith("labels.")}
    if not asked:
        return
    levels = axes.get("conditioner", [])
    settings = [raw.get("conditioner", []), *(levels if isinstance(levels, list) else [])]
    settings += [changes["conditioner"] for changes in varied.named_variants(raw).values() if "conditioner" in changes]
    known = sorted({label for value in settings for label in _labels_of(value, registry)})
    for path, key in asked.items():
        label = path.removeprefix("labels.")
        if label not in known:
            listing = ", ".join(known) or "none"
            yield (
                key,
                f"no conditioner of this study reads it{did_you_mean(label, known)} (labels they read: {listing})",
            )


def _labels_of(value: Any, registry: Registry) -> Iterator[str]:
    for name, options in (choices.named(value) or {}).items():
        with contextlib.suppress(AblateError, ValueError):  # reported where the conditioner is chosen
            yield from choices.build_conditioner(name, options, registry).labels


def reported_problems(raw: FileShape) -> Iterator[Problem]:
    """Reported values that the report could not place; asked of the file alone, whose axes they speak of."""
    variants = [variant.name for variant in factorial(varied.axes(raw), varied.baseline(raw))]
    metrics = list(choices.named(raw.get("metric", [])) or {})
    for variant, values in raw.get("reported", {}).get("values", {}).items():
        if variant not in variants:
            hint = did_you_mean(variant, variants)
            yield f'reported.values."{variant}"', f"no variant of this study{hint} (variants: {'; '.join(variants)})"
        for metric in values:
            if metric not in metrics:
                yield (
                    f'reported.values."{variant}"."{metric}"',
                    f"no metric of this study{did_you_mean(metric, metrics)}",
                )


def _axis_problems(path: str, levels: Any, raw: FileShape, registry: Registry, base: set[Problem]) -> Iterator[Problem]:
    key = f"axes.{path}"
    nothing = choices.names_something(path, raw, registry)
    if nothing:
        yield key, nothing
        return
    if path.partition(".")[0] == "metric":
        yield key, "metrics measure the variants, they cannot be what is varied"
        return
    if not isinstance(levels, list) or not levels:
        yield key, f"must be a list of levels, not {levels!r}"
        return
    for index, level in enumerate(levels):
        if any(same(level, earlier) or level_name(level) == level_name(earlier) for earlier in levels[:index]):
            yield key, f"level {level_name(level)} is there twice"
        _, problems = choices.resolve(choices.set_path(raw, path, level), registry)
        for where, text in problems:
            if (where, text) not in base:
                yield f"{key}[{index}]", text if where == path else f"{where}: {text}"


def _variant_problems(
    name: str, changes: dict[str, Any], raw: FileShape, registry: Registry, base: set[Problem]
) -> Iterator[Problem]:
    key = f"variants.{name}"
    axes = varied.flat_axes(raw.get("axes", {}))
    kinds = varied.shaped(raw, {NAMED: name}, {name: _whole_kinds(changes)})
    wrong = False
    for path, value in changes.items():
        nothing = choices.names_something(path, kinds, registry)
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
    _, problems = choices.resolve(varied.shaped(raw, {NAMED: name}, {name: changes}), registry)
    for where, text in problems:
        if (where, text) not in base:
            yield key, f"{where}: {text}"


def combination_problems(raw: FileShape, registry: Registry) -> Iterator[Problem]:
    """What is wrong with whole variants only; asked of a file whose levels are all right one by one."""
    primers: dict[str, Mapping[str, Any]] = {}
    for variant in factorial(varied.axes(raw), varied.baseline(raw)):
        shape = varied.shaped(raw, variant.levels, varied.named_variants(raw))
        configuration, problems = choices.resolve(shape, registry)
        for where, text in problems:
            yield where, f"{text} (in variant '{variant.name}')"
        primers[variant.name] = configuration.settings["primer"]
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


def _changes_options_only(value: Any, chosen: Any) -> bool:
    """Whether a table names options of what is chosen already and nothing else: TOML writes a path just so."""
    already = choices.named(chosen) or {}
    return isinstance(value, dict) and bool(value) and all(name in already and value[name] for name in value)


def _whole_kinds(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes that choose components: options of these can be named by the others."""
    return {path: level for path, level in changes.items() if path in SPECS}


def _baseline_problems(raw: FileShape, axes: dict[str, Any]) -> Iterator[Problem]:
    given = varied.flat_axes(raw.get("baseline", {}), stops=axes)
    for path in given:
        if path not in axes:
            yield f"baseline.{path}", f"no axis of this study{did_you_mean(path, axes)}"
    for path, level in varied.baseline(raw).items():
        levels = axes[path]
        if isinstance(levels, list) and levels and not any(same(level, other) for other in levels):
            listing = ", ".join(level_name(other) for other in levels)
            where = f"baseline.{path}" if path in given else f"axes.{path}"
            said = "the baseline" if path in given else "the base configuration's value, hence the baseline,"
            yield where, f"{said} {level_name(level)} is no level of the axis (levels: {listing}); set baseline.{path}"


def _objective_problems(raw: FileShape) -> Iterator[Problem]:
    given = raw.get("objective", {})
    if not isinstance(given, dict):
        return
    known = ("metric", "feature", "direction")
    for key, value in given.items():
        if key not in known:
            yield f"objective.{key}", f"unknown key{did_you_mean(key, known)} (known: {', '.join(known)})"
        elif key == "direction" and value not in ("lower", "higher"):
            yield "objective.direction", f"must be lower or higher, not {value!r}"
        elif not isinstance(value, str):
            yield f"objective.{key}", f"must be text, not {value!r}"
    metrics = choices.named(raw.get("metric", [])) or {}
    metric = given.get("metric")
    if isinstance(metric, str) and metric not in metrics:
        yield "objective.metric", f"this study has no metric '{metric}'{did_you_mean(metric, metrics)}"
