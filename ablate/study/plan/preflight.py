"""Find problems before anything runs that need more than the study file: components are built for this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.errors import AblateError, StudyFileError
from ablate.study.work.components import build

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.file.configuration import Configuration
    from ablate.study.plan.layout import Layout


def check_samplers(layout: Layout) -> None:
    """Build each chain of samplers once with its variant's tokenizer; imports torch.

    Raises:
        StudyFileError: a sampler cannot work with its variant's tokenizer.
    """
    configurations = {run.variant.name: run.configuration for run in layout.runs}
    messages = {name: sampler_problem(each, layout.registry) for name, each in configurations.items()}
    problems = [f"{message} (in variant '{name}')" for name, message in messages.items() if message]
    if problems:
        raise StudyFileError(layout.spec.source, problems)


def sampler_problem(configuration: Configuration, registry: Registry) -> str:
    """Return why a chain of samplers cannot work with its tokenizer, else an empty string; imports torch."""
    tokenizer = build("tokenizer", configuration.one("tokenizer").plain(), registry)
    for choice in configuration.choices["sampler"]:
        spec = registry.spec("sampler", choice.name)
        try:
            spec.build([spec.parse(choice.options)], tokenizer)
        except (AblateError, ValueError) as error:
            return f"sampler.{choice.name}: {error}"
    return ""
