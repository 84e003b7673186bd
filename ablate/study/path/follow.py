"""Follow a path through the results: the changes taken so far, and the runs that the next decision needs.

A path is a function of the study and its results alone, so a killed study continues as if it had not been interrupted.
Each decision uses only the replicates that it is defined on, whatever other results there are.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ablate.study.design import changed_variant
from ablate.study.path.race import clearly_worse
from ablate.study.plan.layout import HeldBack

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from ablate.arrays import FloatArray
    from ablate.study.design import Variant
    from ablate.study.file.study_file import StudySpec


@dataclasses.dataclass(frozen=True)
class Results:
    """The results that a path is chosen by.

    Attributes:
        values: the objective by variant and replicate; lower is better.
        failed: the runs, as (variant, replicate), that this command has tried without a result.
        refusal: returns why a variant cannot be trained, else an empty text.
    """

    values: Mapping[str, Mapping[int, float]]
    failed: Container[tuple[str, int]] = ()
    refusal: Callable[[Variant], str] = lambda variant: ""

    def waits(self, variant: Variant, replicates: int) -> bool:
        """Return whether one of the first replicates of a variant has still to be run."""
        known = self.values.get(variant.name, {})
        return any(r not in known and (variant.name, r) not in self.failed for r in range(replicates))

    def array(self, variant: Variant, replicates: int) -> FloatArray:
        """Return the values of the first replicates, NaN where there is none."""
        known = self.values.get(variant.name, {})
        return np.array([known.get(replicate, np.nan) for replicate in range(replicates)])


@dataclasses.dataclass(frozen=True)
class Progress:
    """The state of a path with the results that there are.

    Attributes:
        taken: the variants that the path has reached, in order, the baseline first.
        variants: these, then the target, then the other candidates of each round.
        held: the candidates of which not all replicates are to run (yet), by name.
        left: the changes that are left to choose from; the last change is no choice.
        looking: whether a round has begun whose best change is not known yet.
    """

    taken: tuple[Variant, ...]
    variants: tuple[Variant, ...]
    held: Mapping[str, HeldBack]
    left: int
    looking: bool

    @property
    def unchosen(self) -> int:
        """At most how many further variants the rest of the path needs."""
        first = self.left - 1 if self.looking else self.left
        return sum(range(2, first + 1))


class _Path:
    """A path while it is followed."""

    def __init__(self, spec: StudySpec, results: Results) -> None:
        self._spec, self._results = spec, results
        self._left = [axis.path for axis in spec.axes]
        start, self._target = spec.variants()
        self._taken, self._tried = [start], [self._target]
        self._held: dict[str, HeldBack] = {}

    def follow(self) -> Progress:
        looking = False
        while len(self._left) > 1 and not looking and not self._waits(self._target, *self._taken):
            looking = not self._step()
        if len(self._left) == 1 and not self._waits(self._target, self._taken[-1]):
            self._taken.append(self._target)
            self._left = []
        names = {variant.name: variant for variant in (*self._taken, *self._tried)}
        return Progress(tuple(self._taken), tuple(names.values()), self._held, len(self._left), looking)

    def _waits(self, *variants: Variant) -> bool:
        return any(self._results.waits(variant, self._spec.replicates) for variant in variants)

    def _step(self) -> bool:
        """Take the best change of the next round; return False if it is not known yet."""
        candidates = {path: self._candidate(path) for path in self._left}
        self._tried += candidates.values()
        best = self._race({path: each for path, each in candidates.items() if not self._refused(each)})
        if best is None:
            return False
        winner = candidates[best]
        self._held.pop(winner.name, None)
        if self._waits(winner):
            return False
        self._taken.append(winner)
        self._left.remove(best)
        return True

    def _candidate(self, path: str) -> Variant:
        changed = [axis.path for axis in self._spec.axes if axis.path not in self._left]
        return changed_variant(self._spec.axes, self._spec.baseline, [*changed, path])

    def _refused(self, variant: Variant) -> bool:
        reason = self._results.refusal(variant)
        if reason:
            self._held[variant.name] = HeldBack(0, f"given up before training: {reason}")
        return bool(reason)

    def _race(self, alive: Mapping[str, Variant]) -> str | None:
        """Return the best change of a round; None if it needs runs that are missing, or if every candidate failed."""
        replicates, options = self._spec.replicates, self._spec.path
        look = min(options.first_replicates, replicates) if options.racing else replicates
        while look < replicates and len(alive) > 1:
            for candidate in alive.values():
                self._held[candidate.name] = HeldBack(look)
            if any(self._results.waits(candidate, look) for candidate in alive.values()):
                return None
            alive = self._kept(alive, look)
            look += 1
        for candidate in alive.values():
            self._held.pop(candidate.name, None)
        if len(alive) < 2 or self._waits(*alive.values()):
            return next(iter(alive), None) if len(alive) == 1 else None
        gains = self._gains(alive, replicates)
        best = max(gains, key=gains.__getitem__)
        return best if np.isfinite(gains[best]) else None

    def _kept(self, alive: Mapping[str, Variant], look: int) -> dict[str, Variant]:
        """Return the candidates that stay in the race after their first replicates; hold the others back."""
        gains = self._gains(alive, look)
        best = max(gains, key=gains.__getitem__)
        values = np.stack([self._results.array(candidate, look) for candidate in alive.values()])
        worse = clearly_worse(values - self._results.array(alive[best], look), self._spec.path.drop_p)
        kept = {}
        for (path, candidate), drop in zip(alive.items(), worse, strict=True):
            failed = not np.isfinite(gains[path])
            why = "none of them has a result" if failed else f"worse than '{alive[best].name}' in them"
            if drop or failed:
                self._held[candidate.name] = HeldBack(look, f"given up after {look} replicates: {why}")
            else:
                kept[path] = candidate
        return kept

    def _gains(self, alive: Mapping[str, Variant], replicates: int) -> dict[str, float]:
        """Return how much better than the current variant each candidate is, on average over shared replicates."""
        current = self._results.array(self._taken[-1], replicates)
        gains = {}
        for path, candidate in alive.items():
            differences = current - self._results.array(candidate, replicates)
            shared = differences[np.isfinite(differences)]
            gains[path] = float(shared.mean()) if len(shared) else -np.inf
        return gains


def follow(spec: StudySpec, results: Results) -> Progress:
    """Return how far the path of a study has come with these results, and what it needs next."""
    return _Path(spec, results).follow()


def run_limits(spec: StudySpec) -> tuple[int, int]:
    """Return the fewest and the most runs of a path: with every race decided at once, and with none decided.

    Runs whose variants differ only after training share their training.
    """
    changes = len(spec.axes)
    on_path, beside = changes + 1, changes * (changes - 1) // 2
    fewest = min(spec.path.first_replicates, spec.replicates) if spec.path.racing else spec.replicates
    return on_path * spec.replicates + beside * fewest, (on_path + beside) * spec.replicates
