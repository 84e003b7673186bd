"""Check the keys about results: objectives, margins, contrasts, predictions and reported values.

No function here raises: each yields problems as (key, text).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ablate.errors import did_you_mean
from ablate.names import level_name, same, short_names
from ablate.study import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.study.design import Axis
    from ablate.study.file.paths import Problem
    from ablate.study.file.reading.hypothesis import Prediction
    from ablate.study.file.sections import Sections

#: Fewer parts leave nothing to share; more would need thousands of variants.
FEWEST_PARTS, MOST_PARTS = 2, 12
#: The most combinations of parts that a message lists.
MOST_LISTED = 4


def objective_problems(file: Sections) -> Iterator[Problem]:
    """Check that the objectives are metrics of the study."""
    objectives = {"objective": file.objective}
    objectives |= {f"search.objectives[{index}]": each for index, each in enumerate(file.objectives)}
    for key, objective in objectives.items():
        if objective.metric and objective.metric not in file.metrics:
            hint = did_you_mean(objective.metric, file.metrics)
            yield f"{key}.metric", f"this study has no metric '{objective.metric}'{hint}"
    if len(file.objectives) > 1 and file.search and file.search.prune_after:
        yield "search.prune_after", "only a search with one objective can find that a variant is worse than the best"


def margin_problems(file: Sections, metrics: Sequence[str]) -> Iterator[Problem]:
    """Check that the margins belong to metrics of the study, with or without the overrides, which may change them."""
    for metric in file.margins:
        if metric not in metrics:
            yield f'margins."{metric}"', f"this study has no such metric{did_you_mean(metric, metrics)}"


def contrast_problems(file: Sections) -> Iterator[Problem]:
    """Check that the contrasts weigh variants of the study and that their weights add up to 0.

    For the file without overrides: ``--set`` may change the levels and so the names of the variants.
    """
    variants = [variant.name for variant in file.compared_variants()] if file.contrasts else []
    for name, weights in file.contrasts.items():
        key = f'contrasts."{name}"'
        for variant in weights:
            yield from _variant_problems(f'{key}."{variant}"', variant, variants)
        total = sum(weights.values())
        if not any(weights.values()) or abs(total) > 1e-9:
            yield key, f"the weights of a contrast must add up to 0 and not all be 0; these add up to {total:g}"


def prediction_problems(file: Sections) -> Iterator[Problem]:
    """Check that the predictions name variants, contrasts, effects, axes and metrics of the study.

    For the file without overrides, as :func:`contrast_problems`.
    """
    variants = [variant.name for variant in file.compared_variants()] if file.hypothesis.predictions else []
    for index, prediction in enumerate(file.hypothesis.predictions):
        key = f"hypothesis.predictions[{index}]"
        named = [
            ("variant", prediction.variant),
            ("best", prediction.best),
            *(("than", one) for one in prediction.than),
        ]
        for name, variant in named:
            if variant:
                yield from _variant_problems(f"{key}.{name}", variant, variants)
        yield from _subject_problems(key, prediction, file)
        yield from _quantity_problems(key, prediction, file)


def _subject_problems(key: str, prediction: Prediction, file: Sections) -> Iterator[Problem]:
    """Check contrast, effect and trend, and that no variant is compared with itself."""
    known = {"contrast": list(file.contrasts), "effect": _effect_names(file), "trend": _numeric_axes(file)}
    words = {
        "contrast": "contrast",
        "effect": "main effect or interaction",
        "trend": "numeric axis of 3 or more levels",
    }
    for name, names in known.items():
        given = getattr(prediction, name)
        if given and given not in names:
            offered = f" (offered: {'; '.join(names) or 'none'})"
            yield f"{key}.{name}", f"this study has no such {words[name]}{did_you_mean(given, names)}{offered}"
    baseline = next((variant.name for variant in file.compared_variants() if variant.baseline), "")
    if prediction.variant and prediction.variant in (prediction.than or (baseline,)):
        yield f"{key}.variant", f"'{prediction.variant}' cannot be compared with itself; name another variant in than"


def _quantity_problems(key: str, prediction: Prediction, file: Sections) -> Iterator[Problem]:
    metric = prediction.metric or file.objective.metric
    if metric not in file.metrics:
        yield f"{key}.metric", f"this study has no metric '{metric}'{did_you_mean(metric, file.metrics)}"
    elif prediction.direction == "equivalent":
        margin = file.margins.get(metric, {})
        if margin == {}:
            yield f"{key}.direction", f"equivalent needs a margin: state one for '{metric}' in [margins]"
        elif isinstance(margin, dict) and prediction.feature and prediction.feature not in margin:
            text = f"equivalent needs a margin: state one for the feature '{prediction.feature}' of '{metric}'"
            yield f"{key}.direction", f"{text} in [margins]"


def _effect_names(file: Sections) -> list[str]:
    """Return the names of main effects and two-way interactions as reports print them."""
    axes = blocks.compared(file.axes.values())
    if file.design not in ("factorial", "fractional") or len(axes) < 2:
        return []
    labels, baseline = short_names([axis.path for axis in axes]), file.baseline_levels()
    single = [
        [f"{labels[axis.path]}={level_name(level)}" for level in axis.levels if not same(level, baseline[axis.path])]
        for axis in axes
    ]
    pairs = (itertools.product(*two) for two in itertools.combinations(single, 2))
    return [*itertools.chain(*single), *(" x ".join(pair) for pair in itertools.chain(*pairs))]


def _numeric_axes(file: Sections) -> list[str]:
    return [axis.path for axis in blocks.compared(file.axes.values()) if _is_numeric(axis)]


def _is_numeric(axis: Axis) -> bool:
    numbers = all(isinstance(level, int | float) and not isinstance(level, bool) for level in axis.levels)
    return numbers and len(axis.levels) > 2


def reported_problems(file: Sections) -> Iterator[Problem]:
    """Check that the reported values belong to variants and metrics of the study; for the file without overrides."""
    reported = file.reported.get("values", {})
    variants = [variant.name for variant in file.variants()] if reported else []
    for variant, values in reported.items():
        key = f'reported.values."{variant}"'
        yield from _variant_problems(key, variant, variants)
        for metric in values:
            if metric not in file.metrics:
                yield f'{key}."{metric}"', f"this study has no such metric{did_you_mean(metric, file.metrics)}"


def _variant_problems(key: str, variant: str, variants: Sequence[str]) -> Iterator[Problem]:
    if variant not in variants:
        hint = did_you_mean(variant, variants)
        yield key, f"this study has no such variant{hint} (variants: {'; '.join(variants)})"


def part_problems(file: Sections) -> Iterator[Problem]:
    """Check that the parts belong to named variants, and that every combination of them has exactly one variant."""
    for variant, parts in file.parts.items():
        if variant not in file.named:
            hint = did_you_mean(variant, file.named)
            known = f" (named variants: {', '.join(file.named)})" if file.named else "; parts are of [variants.NAME]"
            yield f"parts.{variant}", f"this study has no such named variant{hint}{known}"
        if len(set(parts)) < len(parts):
            yield f"parts.{variant}", "lists a part twice"
    names = list(dict.fromkeys(name for parts in file.parts.values() for name in parts))
    if file.parts and len(names) < FEWEST_PARTS:
        yield "parts", f"needs {FEWEST_PARTS} or more parts: there is nothing to share"
    elif len(names) > MOST_PARTS:
        yield "parts", f"{len(names)} parts are too many (at most {MOST_PARTS})"
    else:
        yield from _combination_problems(file.parts, names)


def _combination_problems(parts: Mapping[str, Sequence[str]], names: Sequence[str]) -> Iterator[Problem]:
    """Find combinations of parts that no variant has, and those that several have."""
    variants: dict[frozenset[str], str] = {}
    for variant, own in parts.items():
        first = variants.setdefault(frozenset(own), variant)
        if first != variant:
            yield f"parts.{variant}", f"has the same parts as '{first}'; leave the one out that is a control"
    sizes = range(len(names) + 1)
    every = [on for size in sizes for on in itertools.combinations(names, size)]
    missing = [" + ".join(on) or "no part" for on in every if frozenset(on) not in variants] if names else []
    if missing:
        listing = "; ".join(missing[:MOST_LISTED])
        more = f" and {len(missing) - MOST_LISTED} more" if len(missing) > MOST_LISTED else ""
        yield "parts", f"every combination of the parts needs a named variant; missing: {listing}{more}"
