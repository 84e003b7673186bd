"""The labels of generated music: the numbers that the conditioners of a configuration use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.blame import about, blaming
from ablate.building import build_component
from ablate.errors import did_you_mean, named_line, one_line
from ablate.interrupts import is_ctrl_c
from ablate.options import abridged
from ablate.study.file.paths import finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.interfaces import Conditioner
    from ablate.registry import Registry
    from ablate.study.file.paths import Problem


def build_conditioner(name: str, options: Mapping[str, Any], registry: Registry) -> Conditioner:
    """Build a conditioner from its name and plain options.

    Raises:
        AblateError: no such conditioner, or options that do not validate.
        ValueError: options that the conditioner itself refuses.
    """
    spec = registry.spec("conditioner", name)
    conditioner: Conditioner = build_component(spec, options)
    return conditioner


def used_labels(
    labels: Mapping[str, Any], conditioners: Sequence[Conditioner], problems: list[Problem]
) -> dict[str, float]:
    """Return every label that a conditioner uses, as a number: that of ``[labels]``, or else its default."""
    numbers = {}
    for name, value in labels.items():
        number = _label_number(name, value, conditioners, problems)
        if number is not None:
            numbers[name] = number
    used: dict[str, float] = {}
    for conditioner in conditioners:
        own = {name: numbers.get(name, float(default)) for name, default in conditioner.labels.items()}
        try:
            with blaming(about(conditioner)):
                conditioner.check_labels(own)
        except ValueError as error:
            problems.append(("labels", one_line(error)))
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            problems.append(("labels", f"{about(conditioner)} failed: {named_line(error)}"))
        used |= own
    return used


def _label_number(name: str, value: Any, conditioners: Sequence[Conditioner], problems: list[Problem]) -> float | None:
    """Return a label's value as a number; None, with a problem where that is an error, if it has none here."""
    categories = next((c.categories[name] for c in conditioners if name in c.categories), None)
    if categories is not None:
        if str(value) in categories:
            return float(list(categories).index(str(value)))
        listing = f"{did_you_mean(str(value), categories)} (known: {', '.join(categories)})"
        problems.append((f"labels.{name}", f"unknown value '{value}'{listing}"))
        return None
    if isinstance(value, str) and not any(name in c.labels for c in conditioners):
        return None  # a name that only the conditioner of another variant has
    number = finite(value)
    if number is None:
        problems.append((f"labels.{name}", f"must be a number, not {abridged(value)}"))
    return number
