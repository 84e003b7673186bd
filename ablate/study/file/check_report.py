"""Check the keys about results: objectives, margins, contrasts and reported values.

No function here raises: each yields problems as (key, text).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.study.file.paths import Problem
    from ablate.study.file.sections import Sections


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


def margin_problems(file: Sections) -> Iterator[Problem]:
    """Check that the margins belong to metrics of the study."""
    for metric in file.margins:
        if metric not in file.metrics:
            yield f'margins."{metric}"', f"this study has no such metric{did_you_mean(metric, file.metrics)}"


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
