"""The pieces that each run of a study was trained, validated and tested on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

    from ablate.store.records import RunRecord, StageRecord

#: One piece: its name, notes and seconds.
Piece = tuple[str, int, float]
#: The uses of a piece, in the order of tables.
USES = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Splits:
    """The splits of a study's runs; it is false for a study that holds no piece out.

    Attributes:
        of: (variant, replicate) -> the pieces by their use, in the order of the corpus.
    """

    of: Mapping[tuple[str, int], Mapping[str, tuple[Piece, ...]]]

    @classmethod
    def read(cls, prepared: Iterable[tuple[RunRecord, StageRecord]]) -> Splits:
        """Return the splits of runs, each given with its finished preparation."""
        return cls(
            {
                (run.variant, run.replicate): {
                    use: tuple((str(name), int(notes), float(seconds)) for name, notes, seconds in split.get(use, ()))
                    for use in USES
                }
                for run, stage in prepared
                if (split := stage.result.get("split"))
            }
        )

    def __bool__(self) -> bool:
        return bool(self.of)

    def elsewhere(self, variant: str, use: str) -> set[str]:
        """Return the names of the pieces with another use than this one in a variant's first replicate."""
        splits = [(replicate, split) for (name, replicate), split in self.of.items() if name == variant]
        if not splits:
            return set()
        _, split = min(splits, key=lambda each: each[0])
        return {name for other in USES if other != use for name, _, _ in split[other]}

    def pieces(self, use: str) -> list[str]:
        """Return the names of the pieces with this use in any run, each once."""
        return list(dict.fromkeys(name for split in self.of.values() for name, _, _ in split[use]))

    def counts(self, use: str) -> list[int]:
        """Return the different numbers of pieces with this use in a run, in increasing order."""
        return sorted({len(split[use]) for split in self.of.values()})

    @property
    def shared(self) -> bool:
        """True if all replicates of each variant have one split."""
        first: dict[str, Mapping[str, tuple[Piece, ...]]] = {}
        return all(first.setdefault(variant, split) == split for (variant, _), split in self.of.items())

    def frame(self, variants: Iterable[str]) -> pd.DataFrame:
        """Return one row for each piece of each run, with ``variant`` an ordered categorical.

        Columns: ``variant``, ``replicate``, ``use`` (train, validation or test), ``piece``, ``notes``, ``seconds``.
        """
        import pandas as pd  # `ablate study show` needs no frame, and would take twice as long

        rows = [
            (variant, replicate, use, *piece)
            for (variant, replicate), split in self.of.items()
            for use in USES
            for piece in split[use]
        ]
        frame = pd.DataFrame(rows, columns=["variant", "replicate", "use", "piece", "notes", "seconds"])
        names = pd.Categorical(frame["variant"], categories=list(variants), ordered=True)
        return frame.assign(variant=names).astype({"replicate": "int64", "notes": "int64", "seconds": "float64"})
