"""The records of one study without its results, as they go from one home into another."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.store.records import LookRecord, RunRecord, StudyRecord, VariantRecord
    from ablate.store.store import Store


@dataclasses.dataclass(frozen=True)
class StudyRecords:
    """The records of a study without its stages.

    Attributes:
        study: its record.
        variants: in order.
        runs: by variant and replicate.
        looks: at its verdicts, in the order in which they were made.
    """

    study: StudyRecord
    variants: tuple[VariantRecord, ...]
    runs: tuple[RunRecord, ...]
    looks: tuple[LookRecord, ...]

    @classmethod
    def read(cls, store: Store, name: str) -> StudyRecords:
        """Read them from a database; raises :class:`ablate.errors.UnknownName`."""
        return cls(store.study(name), tuple(store.variants(name)), tuple(store.runs(name)), tuple(store.looks(name)))

    @property
    def fingerprints(self) -> set[str]:
        """The stages of all runs."""
        return {fingerprint for run in self.runs for fingerprint in run.stages.values()}

    @property
    def done(self) -> int:
        """The number of runs that are done."""
        return sum(run.state == "done" for run in self.runs)
