"""The kinds of faults: each is a function that injects some, and says for each whether the study survived it."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.home import Contents, Home


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a study under attack.

    Attributes:
        faults: the number that were injected.
        problem: what was lost, doubled, different, silent or stuck; empty where nothing was.
    """

    faults: int
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class Reference:
    """A study that was run without a fault: its home, its contents, and the seconds that it took."""

    study: str
    home: Home
    contents: Contents
    seconds: float


#: Attacks one study once.
Attack = Callable[["Reference", random.Random], Outcome]


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of faults.

    Attributes:
        name: for the command line.
        about: the fault, and what is right, for the table.
        attack: one attack.
        studies: those that are attacked in turn.
        faults: the number to inject in a long campaign.
    """

    name: str
    about: str
    attack: Attack
    studies: tuple[str, ...]
    faults: int

    def attacks(self, faults: int, seed: int, references: dict[str, Reference]) -> Iterator[Outcome]:
        """Yield the outcomes of attacks until this many faults have been injected."""
        done, number = 0, 0
        while done < faults:
            study = self.studies[number % len(self.studies)]
            outcome = self.attack(references[study], random.Random(f"{seed} {self.name} {number}"))  # noqa: S311
            done, number = done + outcome.faults, number + 1
            yield outcome
