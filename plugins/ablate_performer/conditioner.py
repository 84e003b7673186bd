"""Tells the network who plays, by the performer's place in a list of names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ablate.interfaces import FloatArray
    from ablate_performer.options import PerformerOptions

_LABEL = "performer"


class Performer(ablate.Conditioner):
    """The performer's place in the list, the same at every token.

    The label ``performer``, a place in the list, says who plays a performance; without it, a part of its name does.
    Training on a performance by anyone else is refused. Whatever else is observed, music by somebody unknown whose
    likelihood is asked for, is taken for the default performer's.

    Args:
        options: the performers, and where their names stand.
    """

    def __init__(self, options: PerformerOptions) -> None:
        self.options = options
        self._places = {name: place for place, name in enumerate(options.performers)}
        self.labels = {_LABEL: float(self._places[options.default or options.performers[0]])}
        self.categories = {_LABEL: options.performers}

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError unless the label is a place in the list."""
        if not self._is_place(labels[_LABEL]):
            raise ValueError(f"{_LABEL} must be {self._wanted()}, not {labels[_LABEL]:g}")

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Raise ValueError where a performance's performer is not in the list, or one in the list plays nothing."""
        found = set()
        for performance in performances:
            place = self._place(performance)
            if place is None:
                raise ValueError(self._unknown(performance))
            found.add(place)
        missing = [f"'{name}'" for name, place in self._places.items() if place not in found]
        if missing:
            others = f" (nor does any of {', '.join(missing[1:])})" if missing[1:] else ""
            raise ValueError(
                f"performer {missing[0]} plays none of the performances to train on{others}: it could never be "
                "learned; remove it from conditioner.performer.performers, or add music that [split] does not hold out"
            )

    def observe(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """The place of who plays, float32 [time, 1]; that of the default where it is nobody in the list."""
        place = self._place(performance)
        return self.ask(self.labels if place is None else {_LABEL: float(place)}, times)

    def ask(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """The place asked for, float32 [time, 1]."""
        return np.full((len(times), 1), labels[_LABEL], np.float32)

    def ask_rows(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """The same place at every step, float32 [rows, 1]."""
        asked_r1 = np.array([[row[_LABEL]] for row in labels], np.float32)
        return lambda times: asked_r1

    def module(self, width: int) -> torch.nn.Module:
        """One embedding for each performer: [rows, time, 1] to [rows, time, width]."""
        from ablate_performer.network import PlaceEmbedding  # torch, which nobody needs who checks a study's labels

        return PlaceEmbedding(len(self._places), width)

    def _place(self, performance: ablate.Performance) -> int | None:
        if _LABEL in performance.labels:
            label = performance.labels[_LABEL]
            return int(label) if self._is_place(label) else None
        return self._places.get(self._part(performance.name) or "")

    def _part(self, name: str) -> str | None:
        """The part of a performance's name that names the performer; None if there is none, or it is empty."""
        parts, field = name.split(self.options.separator), self.options.field
        return (parts[field] or None) if -len(parts) <= field < len(parts) else None

    def _is_place(self, value: float) -> bool:
        return float(value).is_integer() and 0 <= value < len(self._places)

    def _wanted(self) -> str:
        return (
            f"one of {', '.join(self._places)}, or a place among them, a whole number from 0 to {len(self._places) - 1}"
        )

    def _unknown(self, performance: ablate.Performance) -> str:
        """Why a performance's performer is not known, and what to do."""
        name, part, options = performance.name, self._part(performance.name), self.options
        if _LABEL in performance.labels:
            return f"'{name}' has the label {_LABEL} = {performance.labels[_LABEL]:g}; it must be {self._wanted()}"
        where = f"part {options.field} of its name, split at '{options.separator}'"
        change = "set conditioner.performer.field or separator"
        if part is None:
            return f"'{name}' has no performer: there is no {where}; {change}"
        hint = did_you_mean(part, options.performers)
        return (
            f"'{name}' is played by '{part}' ({where}), who is not among {', '.join(options.performers)}{hint or ';'} "
            f"add it to conditioner.performer.performers, or {change}"
        )
