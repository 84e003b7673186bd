"""Find problems before anything runs that need more than the study file: components are built for this."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ablate.building import built
from ablate.errors import AblateError, StudyFileError
from ablate.specs import DEFAULTED
from ablate.study.work.components import build

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.file.configuration import Configuration
    from ablate.study.plan.layout import Layout


def check_components(layout: Layout) -> None:
    """Build the optimizer, the schedule and the samplers of each variant once; imports torch.

    Raises:
        StudyFileError: one of them cannot be built, or a sampler cannot work with its variant's tokenizer.
    """
    configurations = {run.variant.name: run.configuration for run in layout.runs}
    problems = []
    for name, configuration in configurations.items():
        for problem in (recipe_problem, sampler_problem):
            message = problem(configuration, layout.registry)
            problems += [f"{message} (in variant '{name}')"] if message else []
    if problems:
        raise StudyFileError(layout.spec.source, problems)


def recipe_problem(configuration: Configuration, registry: Registry) -> str:
    """Return why an optimizer or a schedule cannot be built, else an empty string; imports torch."""
    for kind in DEFAULTED:
        choice = configuration.one(kind)
        try:
            build(kind, choice.plain(), registry)
        except (AblateError, ValueError) as error:
            return f"{kind}.{choice.name}: {error}"
    return ""


def sampler_problem(configuration: Configuration, registry: Registry) -> str:
    """Return why a chain of samplers cannot work with its tokenizer, else an empty string; imports torch."""
    tokenizer = build("tokenizer", configuration.one("tokenizer").plain(), registry)
    for choice in configuration.choices["sampler"]:
        spec = registry.spec("sampler", choice.name)
        try:
            options = spec.parse(choice.options)
            built(spec, functools.partial(spec.build, [options], tokenizer))
        except (AblateError, ValueError) as error:
            return f"sampler.{choice.name}: {error}"
    return ""
