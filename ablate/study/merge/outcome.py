"""The outcome of a merge."""

from __future__ import annotations

import dataclasses

from ablate.printable import printable


@dataclasses.dataclass(frozen=True)
class Conflict:
    """Something that was not merged, because the home has it with another content, or because it is damaged.

    Attributes:
        home: that has it, as it was given.
        kind: of the stage (``"train"``); ``"study"`` for the records of a study.
        fingerprint: of the stage; empty for a study.
        studies: those that use the stage, in this home.
        problem: what differs or is wrong.
    """

    home: str
    kind: str
    fingerprint: str
    studies: tuple[str, ...]
    problem: str

    def __str__(self) -> str:
        what = f"{self.kind} {self.fingerprint}" if self.fingerprint else self.kind
        of = f" of {', '.join(self.studies)}" if self.studies else ""
        return printable(f"{what}{of} in {self.home}: {self.problem}")


@dataclasses.dataclass
class MergedHome:
    """The outcome of one home.

    Attributes:
        home: as it was given.
        added: the number of results that the other home did not have.
        known: the number of results that it had already, with the same content.
        files: the number of files that were copied.
        bytes: their size.
        derived: the number of results that were left out because they come from one with a conflict.
        unfinished: the number of unfinished trainings, whose checkpoints stay where they are.
    """

    home: str
    added: int = 0
    known: int = 0
    files: int = 0
    bytes: int = 0
    derived: int = 0
    unfinished: int = 0


@dataclasses.dataclass(frozen=True)
class Merged:
    """The outcome of all homes.

    Attributes:
        homes: in their order.
        studies: the number of runs that are done, and of all runs, of each study in these homes.
        changed: the studies that the home did not have, or whose records have changed.
        conflicts: what was not merged.
        notes: other messages for people.
    """

    homes: list[MergedHome] = dataclasses.field(default_factory=list)
    studies: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)
    changed: list[str] = dataclasses.field(default_factory=list)
    conflicts: list[Conflict] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
