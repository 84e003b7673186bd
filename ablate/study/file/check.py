"""What can be wrong with a study file. Every function returns problems as (key, text); none raises."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError, InvalidOptions, did_you_mean
from ablate.options import validate
from ablate.study.file import check_axes, paths
from ablate.study.file.axes import flat_axes, named_axis, named_variants, parse_variants
from ablate.study.file.configuration import SECTIONS, TABLES, build_conditioner, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.registry import Registry
    from ablate.study.file.paths import FileShape, Problem

#: Top-level keys that are no section, with their type and how to say it.
_PLAIN: dict[str, tuple[type[Any], str]] = {
    "question": (str, "text"),
    "hypothesis": (str, "text"),
    "design": (str, "the name of a design"),
    "budget": (str, "steps or tokens"),
    "seed": (int, "a whole number, 0 or more"),
    "replicates": (int, "a whole number, 1 or more"),
    "objective": (dict, "a table with metric, feature and direction"),
    "axes": (dict, "a table of lists"),
    "variants": (dict, "a table for each variant"),
    "baseline": (dict, "a table with a level for each axis"),
    "contrasts": (dict, "a table of variant = weight for each contrast"),
    "margins": (dict, "a table of metric = number"),
    "reported": (dict, "a table with source and values"),
    "profiles": (dict, "a table of profiles"),
}
_KNOWN = (*_PLAIN, *SECTIONS, *TABLES)
#: What a profile may change: sizes, never what is compared.
_PROFILE_KEYS = ("model", "training", "generation", "search", "floors", "replicates")
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
    chosen = paths.named(raw.get("model", {})) or {}
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
    _, problems = resolve(raw, registry)
    if not (paths.named(raw.get("metric", [])) or {}):
        problems.append(("metric", f"a study needs a metric. Offered: {', '.join(registry.names('metric'))}"))
    if not (paths.named(raw.get("sampler", [])) or {}):
        problems.append(("sampler", f"a study needs a sampler. Offered: {', '.join(registry.names('sampler'))}"))
    base = set(problems)
    axes = flat_axes(raw.get("axes", {}))
    for path, levels in axes.items():
        problems += check_axes.axis_problems(path, levels, raw, registry, base)
    for name, changes in named_variants(raw).items():
        problems += check_axes.variant_problems(name, changes, raw, registry, base)
    axes = {**named_axis(raw), **axes}
    problems += check_axes.baseline_problems(raw, axes)
    problems += check_axes.design_problems(raw, axes)
    problems += check_axes.budget_problems(raw, axes)
    problems += _objective_problems("objective", raw.get("objective", {}), raw)
    problems += _table_problems(raw)
    problems += _margin_problems(raw)
    problems += _label_problems(raw, axes, registry)
    return problems + _plain_problems(raw)


def _table_problems(raw: FileShape) -> Iterator[Problem]:
    """The tables of settings that are no part of a variant."""
    for name, settings in TABLES.items():
        given = raw.get(name, {})
        if not isinstance(given, dict):
            yield name, f"must be a table, not {given!r}"
            continue
        try:
            validate(settings, {key: value for key, value in given.items() if (name, key) != ("search", "objectives")})
        except InvalidOptions as error:
            yield from ((f"{name}.{key}" if key else name, text) for key, text in error.problems)
    search = raw.get("search", {})
    objectives = search.get("objectives", []) if isinstance(search, dict) else []
    if not isinstance(objectives, list) or not all(isinstance(each, dict) for each in objectives):
        yield "search.objectives", f"must be a list of tables with metric, feature and direction, not {objectives!r}"
        return
    for index, each in enumerate(objectives):
        yield from _objective_problems(f"search.objectives[{index}]", each, raw)
        if "metric" not in each:
            yield f"search.objectives[{index}]", "needs a metric"
    if len(objectives) > 1 and search.get("prune_after"):
        yield "search.prune_after", "only a search with one objective can tell that a variant is worse than the best"


def _margin_problems(raw: FileShape) -> Iterator[Problem]:
    metrics = paths.named(raw.get("metric", [])) or {}
    margins = raw.get("margins", {})
    for metric, value in margins.items() if isinstance(margins, dict) else ():
        key = f'margins."{metric}"'
        numbers = value.values() if isinstance(value, dict) else [value]
        if metric not in metrics:
            yield key, f"no metric of this study{did_you_mean(metric, metrics)}"
        elif not numbers or any(isinstance(n, bool) or not isinstance(n, int | float) or n <= 0 for n in numbers):
            yield key, f"must be a number above 0, or a table of feature = number, not {value!r}"


def contrast_problems(raw: FileShape) -> Iterator[Problem]:
    """Contrasts that are none, or of variants that are not there; asked of the file alone, as the next ones."""
    variants = [variant.name for variant in parse_variants(raw)]
    for name, weights in raw.get("contrasts", {}).items():
        key = f'contrasts."{name}"'
        if not isinstance(weights, dict) or not all(
            isinstance(w, int | float) and not isinstance(w, bool) for w in weights.values()
        ):
            yield key, f"must be a table of variant = weight, not {weights!r}"
            continue
        for variant in weights:
            if variant not in variants:
                hint = did_you_mean(variant, variants)
                yield f'{key}."{variant}"', f"no variant of this study{hint} (variants: {'; '.join(variants)})"
        if not any(weights.values()) or abs(sum(weights.values())) > 1e-9:
            yield key, f"weights of a contrast add up to 0 and are not all 0; these add up to {sum(weights.values()):g}"


def _label_problems(raw: FileShape, axes: dict[str, Any], registry: Registry) -> Iterator[Problem]:
    """Labels that nothing in the study would read: asking for them would change nothing, without a word."""
    labels = raw.get("labels", {})
    asked = {f"labels.{label}": f"labels.{label}" for label in labels} if isinstance(labels, dict) else {}
    asked |= {path: f"axes.{path}" for path in axes if path.startswith("labels.")}
    for name, changes in named_variants(raw).items():
        asked |= {path: f"variants.{name}.{path}" for path in changes if path.startswith("labels.")}
    if not asked:
        return
    levels = axes.get("conditioner", [])
    levels = levels.get("levels", []) if isinstance(levels, dict) else levels
    settings = [raw.get("conditioner", []), *(levels if isinstance(levels, list) else [])]
    settings += [changes["conditioner"] for changes in named_variants(raw).values() if "conditioner" in changes]
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
    for name, options in (paths.named(value) or {}).items():
        with contextlib.suppress(AblateError, ValueError):  # reported where the conditioner is chosen
            yield from build_conditioner(name, options, registry).labels


def reported_problems(raw: FileShape) -> Iterator[Problem]:
    """Reported values that the report could not place; asked of the file alone, whose axes they speak of."""
    variants = [variant.name for variant in parse_variants(raw)]
    metrics = list(paths.named(raw.get("metric", [])) or {})
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


def _objective_problems(where: str, given: Any, raw: FileShape) -> Iterator[Problem]:
    if not isinstance(given, dict):
        return
    known = ("metric", "feature", "direction")
    for key, value in given.items():
        if key not in known:
            yield f"{where}.{key}", f"unknown key{did_you_mean(key, known)} (known: {', '.join(known)})"
        elif key == "direction" and value not in ("lower", "higher"):
            yield f"{where}.direction", f"must be lower or higher, not {value!r}"
        elif not isinstance(value, str):
            yield f"{where}.{key}", f"must be text, not {value!r}"
    metrics = paths.named(raw.get("metric", [])) or {}
    metric = given.get("metric")
    if isinstance(metric, str) and metric not in metrics:
        yield f"{where}.metric", f"this study has no metric '{metric}'{did_you_mean(metric, metrics)}"
