"""The population that verdicts are about: training seeds alone, or seeds and choices of the pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.report.data.splits import USES
from ablate.report.text.names import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.report.data.splits import Splits
    from ablate.report.data.study import Study

#: The most test pieces that are named.
MOST_NAMES = 6
#: The population of a study whose replicates do not belong together.
INDEPENDENT = (
    "Verdicts compare independent runs: replicate k of one variant has nothing in common with replicate k of another, "
    "so the means of the variants are compared. The parts of sampling and training in the noise need pairs and are "
    "left out, and p is not corrected for several looks."
)
#: The caution with verdicts over the folds of a cross-validation.
FOLDS = (
    "Read them with care: the folds of one round share most of their training pieces, so their replicates are not "
    "independent, and no test over folds is exact."
)


def population_sentence(study: Study) -> str:
    """Return the population of a study that holds pieces out; an empty text for other studies.

    A verdict holds over whatever differs between the replicates. Where these share one split, that is the training
    seed only, and other test pieces could give another verdict.
    """
    if not study.paired:
        return INDEPENDENT
    return population_of(study.splits, study.configs().values())


def populations(studies: Iterable[Study]) -> list[str]:
    """Return the populations of several studies, with their names where they are not the same."""
    found = {study.record.name: population_sentence(study) for study in studies}
    if len(set(found.values())) == 1:
        return list(filter(None, {*found.values()}))
    return [f"{name}: {sentence}" for name, sentence in found.items() if sentence]


def population_of(splits: Splits, configs: Iterable[Mapping[str, Any]]) -> str:
    """Return the population by the splits of a study's runs, and the configurations of its variants."""
    if not splits:
        return ""
    if splits.shared:
        return f"Verdicts are over training seeds, {_shared(splits)}."
    count = len({name for use in USES for name in splits.pieces(use)})
    folds = {config.get("split", {}).get("folds", 0) for config in configs} - {0}
    choice = f"{listing(sorted(map(str, folds)))} folds" if folds else "splits"
    sentence = f"Verdicts are over training seeds and {choice} of these {count} pieces."
    return f"{sentence} {FOLDS}" if folds else sentence


def split_fact(study: Study) -> str:
    """Return the numbers of a replicate's pieces by their use; an empty text for a study that holds no piece out."""
    numbers = {use: study.splits.counts(use) for use in USES}
    counts = [
        f"{_range(each)} {'training' if use == 'train' else use}"
        for use, each in numbers.items()
        if max(each, default=0)
    ]
    if not counts:
        return ""
    return f"{listing(counts)} pieces{'' if study.splits.shared else ', others in each replicate'}"


def _range(numbers: Sequence[int]) -> str:
    return " to ".join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))


def _shared(splits: Splits) -> str:
    test, validation = splits.pieces("test"), splits.pieces("validation")
    if not test:
        return f"for this choice of {_count(len(validation), 'validation')}"
    named = f": {', '.join(test)}" if len(test) <= MOST_NAMES else ""
    these = "this" if len(test) == 1 else "these"
    return f"for {these} {_count(len(test), 'test')}{named}"


def _count(number: int, use: str) -> str:
    return f"{number} {use} piece{'' if number == 1 else 's'}"
