"""Section ``[program]`` of a study file: a program of the study's author, run in place of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - options are checked by their types
from dataclasses import dataclass
from typing import Literal

from ablate.errors import InvalidOptions
from ablate.options import abridged, option

#: Directions of a metric in the study file; ``given``: the metrics file has the direction of each feature.
ProgramDirection = Literal["lower", "higher", "none", "given"]

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_WORDS = {"sec": "s", "second": "s", "seconds": "s", "minute": "min", "minutes": "min", "hour": "h", "hours": "h"}
_WORDS |= {"day": "d", "days": "d"}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def duration_of(text: str) -> float | None:
    """Return the seconds of a duration such as ``"90 min"`` or ``"1 h 30 min"``; None if it is none."""
    seconds, end = 0.0, 0
    for part in _PART.finditer(text):
        unit = _WORDS.get(part[2], part[2])
        if part.start() != end or unit not in _UNITS:
            return None
        seconds, end = seconds + float(part[1]) * _UNITS[unit], part.end()
    return seconds if seconds and end == len(text) else None


@dataclass(frozen=True)
class ProgramSettings:
    """Section ``[program]`` of a study file: the program that each run starts, its files and its limits."""

    command: tuple[str, ...] = option(
        min_length=1, doc="The program and its arguments, each a text of its own; no shell reads them."
    )
    inputs: tuple[str, ...] = option(
        (),
        doc="Files, folders or patterns (data/*.mid), relative to folder, whose contents decide the result. Files "
        "that the command names, and Python modules beside a script that it imports, are inputs without being listed.",
    )
    metrics: str = option("", doc="JSON file with the results, which the program writes below {out}.")
    directions: Mapping[str, ProgramDirection] | None = option(
        None,
        doc="The metrics of that file which the study uses, and which of their values are better: lower, higher, none, "
        "or given if the file has the direction itself.",
    )
    units: Mapping[str, str] | None = option(None, doc="Units of these metrics.")
    midi: str = option("", doc="Pattern of the MIDI files that the program writes below {out} (*.mid).")
    samples: int = option(
        0, ge=0, le=10**5, doc="Number of MIDI files that each run must write; 0 for any number from 1."
    )
    time_limit: float | str = option(
        "", doc='Longest duration of one run: seconds, or a text such as "90 min" or "2 h"; empty for none.'
    )
    cores: int = option(1, ge=1, doc="CPU cores of one run: {threads}. Fewer runs work side by side if it is above 1.")
    gpus: float = option(
        0.0, ge=0, doc="GPUs of one run; 0.5 lets two runs share one. With 0, the program sees no GPU."
    )
    environment: Mapping[str, str] | None = option(None, doc="Environment variables to set for the program.")
    folder: str = option(".", min_length=1, doc="Folder that the program works in, relative to the study file.")

    def __post_init__(self) -> None:
        problems = [*self._metric_problems(), *self._limit_problems()]
        if problems:
            raise InvalidOptions(problems)

    def _metric_problems(self) -> list[tuple[str, str]]:
        problems = []
        if not self.metrics and not self.midi:
            problems.append(("", "set metrics to the JSON file that the program writes, or midi to its MIDI files"))
        if self.metrics and not self.directions:
            text = 'is required with metrics: name the metrics to use, directions = { loss = "lower" } say'
            problems.append(("directions", text))
        if self.directions and not self.metrics:
            problems.append(("metrics", "is required with directions: name the JSON file that contains these metrics"))
        unknown = [name for name in self.units or {} if name not in (self.directions or {})]
        problems += [(f"units.{name}", "directions has no such metric") for name in unknown]
        if self.samples and not self.midi:
            problems.append(("samples", "counts MIDI files; set midi to their pattern"))
        return problems

    def _limit_problems(self) -> list[tuple[str, str]]:
        problems = []
        if isinstance(self.time_limit, str) and self.time_limit and duration_of(self.time_limit) is None:
            wanted = 'must be a number of seconds or a text such as "90 s", "30 min" or "1 h 30 min"'
            problems.append(("time_limit", f"{wanted}, not {abridged(self.time_limit)}"))
        elif not isinstance(self.time_limit, str) and self.time_limit <= 0:
            problems.append(("time_limit", f'must be above 0 s, or "" for none, not {abridged(self.time_limit)}'))
        whole = self.gpus == int(self.gpus) if self.gpus >= 1 else not self.gpus or (1 / self.gpus) % 1 < 1e-6
        if not whole:
            problems.append(("gpus", f"must be a whole number, or 1/2, 1/3, … as 0.5, not {self.gpus:g}"))
        return problems

    @property
    def seconds(self) -> float:
        """The time limit in seconds; 0 for none."""
        return (duration_of(self.time_limit) or 0.0) if isinstance(self.time_limit, str) else self.time_limit

    @property
    def declared(self) -> dict[str, ProgramDirection]:
        """The metrics of the metrics file by name, with their directions."""
        return dict(self.directions or {})
