"""What can be known to be wrong before anything runs, beyond what the study file alone shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError, StudyFileError
from ablate.study.work.components import built

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.file.configuration import Configuration
    from ablate.study.plan.layout import Layout


def check_samplers(layout: Layout, registry: Registry) -> None:
    """Build each chain of samplers once for the tokenizer that it will meet; imports torch.

    Raises:
        StudyFileError: a sampler cannot work with its variant's tokenizer.
    """
    configurations = {run.variant.name: run.configuration for run in layout.runs}
    complaints = {name: sampler_complaint(each, registry) for name, each in configurations.items()}
    problems = [f"{complaint} (in variant '{name}')" for name, complaint in complaints.items() if complaint]
    if problems:
        raise StudyFileError(layout.spec.source, problems)


def sampler_complaint(configuration: Configuration, registry: Registry) -> str:
    """Why a chain of samplers cannot work with its tokenizer, or an empty string if it can; imports torch."""
    tokenizer = built("tokenizer", configuration.one("tokenizer").plain())
    for choice in configuration.choices["sampler"]:
        spec = registry.spec("sampler", choice.name)
        try:
            spec.build([spec.parse(choice.options)], tokenizer)
        except (AblateError, ValueError) as error:
            return f"sampler.{choice.name}: {error}"
    return ""
