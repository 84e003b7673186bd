"""What can be known to be wrong before anything runs, beyond what the study file alone shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError, StudyFileError
from ablate.study.built import built

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.plan import Layout


def check_samplers(layout: Layout, registry: Registry) -> None:
    """Build each chain of samplers once for the tokenizer that it will meet; imports torch.

    Raises:
        StudyFileError: a sampler cannot work with its variant's tokenizer.
    """
    problems: dict[str, None] = {}
    seen = set()
    for cell in layout.cells:
        tokenizer = cell.configuration.one("tokenizer")
        for choice in cell.configuration.choices["sampler"]:
            key = repr((tokenizer.plain(), choice.plain()))
            if key in seen:
                continue
            seen.add(key)
            spec = registry.spec("sampler", choice.name)
            try:
                spec.build([spec.parse(choice.options)], built("tokenizer", tokenizer.plain()))
            except (AblateError, ValueError) as error:
                problems[f"sampler.{choice.name}: {error} (in variant '{cell.variant.name}')"] = None
    if problems:
        raise StudyFileError(layout.spec.source, list(problems))
