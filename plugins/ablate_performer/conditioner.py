"""The performer as an input of the network: a position in a list of names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np

import ablate
from ablate.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from ablate.arrays import FloatArray
    from ablate_performer.options import PerformerOptions

_LABEL = "performer"


class Performer(ablate.Conditioner):
    """A conditioner with the performer's position in the list, the same at every token.

    The performer is read from the label ``performer``, a position in the list, or else from a part of the performance's
    name. An unknown performer is an error in training; elsewhere, as for the likelihood of other music, the default
    performer is used.

    Args:
        options: the performers, and the part of a name to read.
    """

    def __init__(self, options: PerformerOptions) -> None:
        self.options = options
        # names of pieces have composed accents
        self._positions = {unicodedata.normalize("NFC", name): index for index, name in enumerate(options.performers)}
        self.labels = {_LABEL: float(options.performers.index(options.default or options.performers[0]))}
        self.categories = {_LABEL: options.performers}

    def check_labels(self, labels: Mapping[str, float]) -> None:
        """Raise ValueError unless the label is a position in the list."""
        if not self._is_position(labels[_LABEL]):
            raise ValueError(f"{_LABEL} must be {self._allowed()}, not {labels[_LABEL]:g}")

    def check_examples(self, performances: Sequence[ablate.Performance]) -> None:
        """Raise ValueError if a performer is not in the list, or one in the list has no performance."""
        positions = set()
        for performance in performances:
            position = self._position(performance)
            if position is None:
                raise ValueError(self._unknown(performance))
            positions.add(position)
        missing = [f"'{name}'" for name, position in self._positions.items() if position not in positions]
        if missing:
            others = f" (nor does any of {', '.join(missing[1:])})" if missing[1:] else ""
            raise ValueError(
                f"performer {missing[0]} plays none of the performances to train on{others}: it could never be "
                "learned; remove it from conditioner.performer.performers, or add music that [split] does not hold out"
            )

    def from_performance(self, performance: ablate.Performance, times: FloatArray) -> FloatArray:
        """Return the performer's position, float32 [time, 1]; the default's for a performer who is not in the list."""
        position = self._position(performance)
        return self.from_labels(self.labels if position is None else {_LABEL: float(position)}, times)

    def from_labels(self, labels: Mapping[str, float], times: FloatArray) -> FloatArray:
        """Return the label's position at each token, float32 [time, 1]."""
        return np.full((len(times), 1), labels[_LABEL], np.float32)

    def from_labels_batched(self, labels: Sequence[Mapping[str, float]]) -> Callable[[FloatArray], FloatArray]:
        """Return a function that gives each row's position at every step, float32 [rows, 1]."""
        position_r1 = np.array([[row[_LABEL]] for row in labels], np.float32)
        return lambda times: position_r1

    def module(self, embedding: int) -> torch.nn.Module:
        """Return an embedding for each performer: [rows, time, 1] to [rows, time, embedding]."""
        from ablate_performer.network import PositionEmbedding  # late: checking labels needs no torch

        return PositionEmbedding(len(self._positions), embedding)

    def _position(self, performance: ablate.Performance) -> int | None:
        if _LABEL in performance.labels:
            label = performance.labels[_LABEL]
            return int(label) if self._is_position(label) else None
        return self._positions.get(self._part(performance.name) or "")

    def _part(self, name: str) -> str | None:
        """Return the part of a performance's name that is the performer; None if it is missing or empty.

        The folders of a name count only where the separator has a ``/``.
        """
        separator, field = self.options.separator, self.options.field
        parts = (name if "/" in separator else name.rpartition("/")[2]).split(separator)
        return (parts[field] or None) if -len(parts) <= field < len(parts) else None

    def _is_position(self, value: float) -> bool:
        return float(value).is_integer() and 0 <= value < len(self._positions)

    def _allowed(self) -> str:
        names, last = ", ".join(self._positions), len(self._positions) - 1
        return f"one of {names}, or a position in this list, a whole number from 0 to {last}"

    def _unknown(self, performance: ablate.Performance) -> str:
        """Return an error message for a performance whose performer is unknown."""
        name, part, options = performance.name, self._part(performance.name), self.options
        if _LABEL in performance.labels:
            return f"'{name}' has the label {_LABEL} = {performance.labels[_LABEL]:g}; it must be {self._allowed()}"
        where = f"part {options.field} of its name, split at '{options.separator}'"
        change = "set conditioner.performer.field or separator"
        if part is None:
            return f"'{name}' has no performer: there is no {where}; {change}"
        hint = did_you_mean(part, options.performers)
        return (
            f"'{name}' is played by '{part}' ({where}), who is not among {', '.join(options.performers)}{hint or ';'} "
            f"add it to conditioner.performer.performers, or {change}"
        )
