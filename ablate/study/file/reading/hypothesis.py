"""The hypothesis of a study: its text, and the predictions that the report answers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal

from ablate.errors import did_you_mean
from ablate.options import abridged, option, plain
from ablate.study.file.keys import validated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.file.paths import Problem

#: The subjects of a prediction; each has exactly one.
SUBJECTS = ("variant", "contrast", "effect", "trend", "best")


@dataclasses.dataclass(frozen=True)
class Prediction:
    """One of ``hypothesis.predictions``: a subject, a direction, and the quantity; default that of the objective."""

    variant: str = option("", doc="A variant, compared with the baseline or with those in than.")
    than: tuple[str, ...] = option((), doc="The variants that variant is compared with; default the baseline.")
    contrast: str = option("", doc="One of the study's contrasts.")
    effect: str = option("", doc="A main effect or an interaction of a crossed design, as the report names it.")
    trend: str = option("", doc="The path of a numeric axis, along which the quantity changes.")
    best: str = option("", doc="The variant that is better than every other one.")
    direction: Literal["better", "worse", "higher", "lower", "equivalent"] | None = option(
        None, doc="The expected result; best needs none."
    )
    metric: str = option("", doc="The metric; default that of the objective.")
    feature: str = option("", doc="One of the metric's features.")

    @property
    def subjects(self) -> list[str]:
        """The keys that name a subject."""
        return [key for key in SUBJECTS if getattr(self, key)]

    def plain(self) -> dict[str, Any]:
        """Return the keys that are set, as plain data."""
        return {key: value for key, value in plain(self).items() if value}


@dataclasses.dataclass(frozen=True)
class Hypothesis:
    """The key ``hypothesis``: its text, and what it predicts."""

    text: str = ""
    predictions: tuple[Prediction, ...] = ()


def parse_hypothesis(value: Any, problems: list[Problem]) -> Hypothesis:
    """Parse ``hypothesis``: a text, or a table with ``text`` and ``predictions``."""
    if isinstance(value, str):
        return Hypothesis(value)
    if not isinstance(value, dict):
        problems.append(("hypothesis", f"must be text, or a table with text and predictions, not {abridged(value)}"))
        return Hypothesis()
    known = ("text", "predictions")
    problems += [
        (f"hypothesis.{key}", f"unknown key{did_you_mean(key, known)} (known: {', '.join(known)})")
        for key in value
        if key not in known
    ]
    text = value.get("text", "")
    if not isinstance(text, str):
        problems.append(("hypothesis.text", f"must be text, not {abridged(text)}"))
        text = ""
    return Hypothesis(text, _predictions(value.get("predictions", []), problems))


def _predictions(tables: Any, problems: list[Problem]) -> tuple[Prediction, ...]:
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        wanted = f"must be a list of tables with one of {', '.join(SUBJECTS)}, and with direction"
        problems.append(("hypothesis.predictions", f"{wanted}, not {abridged(tables)}"))
        return ()
    return tuple(_prediction(f"hypothesis.predictions[{i}]", table, problems) for i, table in enumerate(tables))


def _prediction(key: str, table: Mapping[str, Any], problems: list[Problem]) -> Prediction:
    count = len(problems)
    if isinstance(table.get("than"), str):
        table = {**table, "than": [table["than"]]}
    prediction = validated(Prediction, table, key, problems)
    if len(problems) > count:
        return prediction
    subjects = prediction.subjects
    if len(subjects) != 1:
        have = f"has {' and '.join(subjects)}" if subjects else "has none of them"
        problems.append((key, f"needs exactly one of {', '.join(SUBJECTS)}, and {have}"))
    elif prediction.than and not prediction.variant:
        problems.append((f"{key}.than", f"only goes with variant, not with {subjects[0]}"))
    elif prediction.best and prediction.direction:
        problems.append((f"{key}.direction", "does not go with best, which is better than every other variant"))
    elif prediction.trend and prediction.direction == "equivalent":
        problems.append((f"{key}.direction", "a trend has no margin; predict better, worse, higher or lower"))
    elif not prediction.best and not prediction.direction:
        problems.append((key, "needs a direction: better, worse, higher, lower or equivalent"))
    return prediction
