"""The population that verdicts are about: training seeds alone, or seeds and choices of the pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.text.names import listing

if TYPE_CHECKING:
    from ablate.report.data.study import Study

#: The most test pieces that are named.
MOST_NAMES = 6


def population_sentence(study: Study) -> str:
    """Return the population of a study that holds pieces out; an empty text for other studies.

    A verdict holds over whatever differs between the replicates. Where these share one split, that is the training
    seed only, and other test pieces could give another verdict.
    """
    splits = study.splits
    if not splits:
        return ""
    if splits.shared:
        return f"Verdicts are over training seeds, {_shared(study)}."
    count = len({name for use in ("train", "validation", "test") for name in splits.pieces(use)})
    folds = {config.get("split", {}).get("folds", 0) for config in study.configs().values()} - {0}
    choice = f"{listing(sorted(map(str, folds)))} folds" if folds else "splits"
    return f"Verdicts are over training seeds and {choice} of {count} pieces."


def _shared(study: Study) -> str:
    test, validation = study.splits.pieces("test"), study.splits.pieces("validation")
    if not test:
        return f"for this choice of {_count(len(validation), 'validation')}"
    named = f": {', '.join(test)}" if len(test) <= MOST_NAMES else ""
    these = "this" if len(test) == 1 else "these"
    return f"for {these} {_count(len(test), 'test')}{named}"


def _count(number: int, use: str) -> str:
    return f"{number} {use} piece{'' if number == 1 else 's'}"
