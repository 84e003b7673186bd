"""A finished study with a three-way split, whose trainings validate, stop early and keep their best weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from support.report_study import Builder

if TYPE_CHECKING:
    from pathlib import Path

PIECES = ("bach", "berg", "chopin", "haydn", "liszt", "ravel", "satie")


class Validated(Builder):
    """A builder of a study that holds pieces out; metrics of samples compare with the test pieces."""

    measured = {"reference": "test"}  # noqa: RUF012

    def __init__(self, home: Path, replicates: int = 3, *, per_replicate: bool = False, folds: int = 0) -> None:
        super().__init__(home, ("tau=0.6", "tau=0.8"), replicates, 2)
        self.per_replicate, self.folds = per_replicate, folds

    def config(self, tau: float) -> dict[str, Any]:
        split = {"per_replicate": self.per_replicate, "folds": self.folds}
        return {**super().config(tau), "split": split, "measure": {"reference": "test"}}

    def stages(self, variant: str, replicate: int) -> dict[str, str]:
        return {**super().stages(variant, replicate), "prepare": f"prepare {replicate}"}

    def train(self, replicate: int) -> None:
        turn = 2 * replicate if self.per_replicate or self.folds else 0
        order = PIECES[turn:] + PIECES[:turn]
        uses = {"train": order[3:], "validation": order[2:3], "test": order[:2]}
        split = {use: [(name, 100, 60.0) for name in names] for use, names in uses.items()}
        self._put("prepare", f"prepare {replicate}", {"examples": 4, "split": split})
        super().train(replicate)

    def validation(self, replicate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return losses every 100 steps: the last replicate stops after 500 steps, the others run all 700."""
        steps = np.arange(100, 800 if replicate < self.replicates - 1 else 600, 100.0)
        return np.stack([steps, 2.0 + 0.1 * replicate + ((steps - 300) / 400) ** 2], axis=1)
