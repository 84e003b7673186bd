"""The population that verdicts are about: what differs between replicates, and what all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.report.data.splits import USES
from ablate.report.text.names import listing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.report.data.splits import Splits
    from ablate.report.data.study import Study

#: The most test pieces that are named.
MOST_NAMES = 6
#: The caution with verdicts over the folds of a cross-validation.
FOLDS = (
    "Read them with care: the folds of one round share most of their training pieces, so their replicates are not "
    "independent, and no test over folds is exact."
)
#: The limit of verdicts on results of which only numbers or notes are known.
NOT_STATED = (
    "A verdict covers only what differs between them (seeds, pieces, folds), and the results do not state what that is."
)


class Population(NamedTuple):
    """The population of the verdicts of a study, as two texts.

    Attributes:
        claim: a sentence with what differs between replicates, which is what verdicts are over, and what does not.
        limits: the sentences with what verdicts are not about, and with cautions.
    """

    claim: str
    limits: str


def population_sentence(study: Study) -> str:
    """Return the population that the verdicts of a study are about."""
    return " ".join(population(study))


def population(study: Study) -> Population:
    """Return the population of a study's verdicts.

    A verdict holds over whatever differs between the replicates. Where these share their pieces, that is the training
    seed only, and other pieces could give another verdict.
    """
    if study.judged:
        source = study.judged["source"]
        if study.paired:
            return Population(f"Verdicts are over further replicates like those in {source}.", NOT_STATED)
        return Population(
            f"Verdicts compare independent runs, and are over further runs like those in {source}.", NOT_STATED
        )
    blocks = study.blocks.label if study.blocks else ""
    if study.splits:
        return _of_splits(study.splits, study.configs().values(), blocks)
    music = f", for this music ({study.record.corpus})" if study.record.corpus else ""
    if study.spec.get("program"):
        seeds, limits = "the seeds that the programs were given", "They are about new runs, not about other data."
        return Population(f"Verdicts are over {seeds}{music}{_average(blocks)}.", limits)
    return Population(f"Verdicts are over training seeds{music}{_average(blocks)}.", _trainings_only(blocks))


def populations(studies: Iterable[Study]) -> list[str]:
    """Return the populations of several studies, with their names where they are not the same."""
    found = {study.record.name: population_sentence(study) for study in studies}
    if len(set(found.values())) == 1:
        return [*set(found.values())]
    return [f"{name}: {sentence}" for name, sentence in found.items()]


def population_of(splits: Splits, configs: Iterable[Mapping[str, Any]]) -> str:
    """Return the population by the splits of a study's runs, and the configurations of its variants."""
    return " ".join(_of_splits(splits, configs, "")) if splits else ""


def _of_splits(splits: Splits, configs: Iterable[Mapping[str, Any]], blocks: str) -> Population:
    if splits.shared:
        claim = f"Verdicts are over training seeds, {_shared(splits)}{_average(blocks)}."
        return Population(claim, _trainings_only(blocks))
    count = len({name for use in USES for name in splits.pieces(use)})
    folds = {config.get("split", {}).get("folds", 0) for config in configs} - {0}
    choice = f"{listing(sorted(map(str, folds)))} folds" if folds else "splits"
    return Population(
        f"Verdicts are over training seeds and {choice} of these {count} pieces{_average(blocks)}.",
        f"They are about these pieces, not about other ones.{f' {FOLDS}' if folds else ''}",
    )


def _average(blocks: str) -> str:
    return f", on average over {blocks}" if blocks else ""


def _trainings_only(blocks: str) -> str:
    return f"They are about new trainings, not about other pieces{' or other blocks' if blocks else ''}."


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
