"""The music that a study left out, and what is odd in its files, as its stages have recorded it."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, NamedTuple

from ablate.kinds import COLLECT, FIT, FLOOR, LOAD, MEASURE, PREPARE, PRIME, PROGRAM, kind_of
from ablate.names import replicate_name
from ablate.store.parts import part_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ablate.store.records import RunRecord, StageRecord

#: The most problems that a report lists before it folds the others behind their number.
MOST_PROBLEMS = 10
#: The kinds of stages that record it.
RECORDED_BY = (LOAD, FIT, PREPARE, PRIME, COLLECT, PROGRAM, MEASURE, FLOOR)
#: The most variants that a sentence lists.
_MOST_NAMES = 6


class LeftOut(NamedTuple):
    """The music that a study left out, and the problems of its files.

    Attributes:
        sentences: what was left out with its counts: other shards of the study, of the corpus, by each tokenizer, of
            primers, and of the samples of others.
        problems: one line for each file that was left out or is odd, with the file's name.
    """

    sentences: tuple[str, ...]
    problems: tuple[str, ...]


def left_out(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord], spec: Mapping[str, Any]) -> LeftOut:
    """Return what a study left out, each text once.

    Args:
        runs: of the study.
        stages: its finished stages by fingerprint.
        spec: the study as plain data.
    """
    sentences = [part_sentence(spec, runs)] if part_sentence(spec, runs) else []
    sentences += [*_of_corpora(runs, stages), *_of_tokenizers(runs, stages), *_of_primers(runs, stages)]
    sentences += [*_of_samples(runs, stages), *_of_lost_results(runs, stages)]
    return LeftOut(tuple(dict.fromkeys(sentences)), tuple(dict.fromkeys(_problems(runs, stages, spec))))


def _finished(
    runs: Iterable[RunRecord], stages: Mapping[str, StageRecord], *kinds: str
) -> Iterator[tuple[RunRecord, StageRecord]]:
    """Yield the finished stages of these kinds, with their runs."""
    for run in runs:
        for name, fingerprint in run.stages.items():
            if kind_of(name) in kinds and fingerprint in stages:
                yield run, stages[fingerprint]


def _of_corpora(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    loads = {stage.fingerprint: stage for _, stage in _finished(runs, stages, LOAD)}
    for number, load in enumerate(loads.values(), start=1):
        text = load.result.get("summary")
        if text:
            yield f"Corpus{f' {number}' if len(loads) > 1 else ''}: {text}."


def _of_tokenizers(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    """Yield the problems of tokenizers in the first replicate of each variant; of some variants with their names."""
    first: dict[tuple[str, str], StageRecord] = {}
    for run, stage in _finished(runs, stages, FIT, PREPARE, FLOOR):
        first.setdefault((run.variant, stage.kind), stage)
    variants: dict[str, list[str]] = {}
    for (variant, _), stage in first.items():
        for text in stage.result.get("problems") or ():
            variants.setdefault(str(text), []).append(variant)
    every = {variant for variant, _ in first}
    for text, names in variants.items():
        yield f"{text[:1].upper()}{text[1:]}{'' if every == set(names) else f' ({_listing(names)})'}."


def _listing(names: Sequence[str]) -> str:
    more = f"; and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"variant{'' if len(names) == 1 else 's'} {'; '.join(names[:_MOST_NAMES])}{more}"


def _of_primers(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    for _, stage in _finished(runs, stages, PRIME):
        if stage.result.get("summary"):
            yield f"Primer: {stage.result['summary']}."


def _of_samples(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    """Yield how much was left out of MIDI files that are the samples of runs."""
    lost: collections.Counter[str] = collections.Counter()
    used: collections.Counter[str] = collections.Counter()
    concerned, count = 0, 0
    for _, stage in _finished(runs, stages, COLLECT, PROGRAM):
        own = stage.result.get("left_out") or {}
        count += 1
        concerned += any(own.values())
        lost.update(own)
        used.update(files=stage.result.get("samples", 0), notes=stage.result.get("notes", 0))
    if concerned:
        from ablate.music.corpus.read import left_out_text  # imports NumPy

        yield f"Samples: {left_out_text(lost, used)}, in {concerned} of {count} runs."
    yield from _unchosen(runs, stages)


def _of_lost_results(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    """Yield how many measurements of finished runs the database has lost."""
    measured = {
        fingerprint
        for run in runs
        for name, fingerprint in run.stages.items()
        if run.state == "done" and kind_of(name) == MEASURE
    }
    lost = len(measured - set(stages))
    if lost:
        yield f"Results: {lost:,} of {len(measured):,} measurements of finished runs are no longer in the database."


def _unchosen(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord]) -> Iterator[str]:
    """Yield how many notes of these samples no metric measures: those of instruments that are not chosen."""
    lost: collections.Counter[int] = collections.Counter()
    total, concerned, measured = 0, set(), set()
    for run, stage in _finished(runs, stages, MEASURE):
        key, found = (run.variant, run.replicate), stage.result.get("unchosen")
        measured.add(key)
        if found and key not in concerned:  # every metric of a run records the same
            concerned.add(key)
            total += stage.result["notes"]
            lost.update({int(number): count for number, count in found.items()})
    if lost:
        from ablate.music.instruments import listed  # imports NumPy

        yield (
            f"Samples: {lost.total():,} of {total:,} notes not measured, in {len(concerned)} of {len(measured)} runs, "
            f"because the corpus does not choose their instruments: {listed(lost)}."
        )


def _problems(runs: Sequence[RunRecord], stages: Mapping[str, StageRecord], spec: Mapping[str, Any]) -> Iterator[str]:
    seen = set()
    for run, stage in _finished(runs, stages, LOAD, PRIME, COLLECT, PROGRAM):
        if stage.fingerprint in seen:
            continue
        seen.add(stage.fingerprint)
        replicate = replicate_name(spec, run.variant, run.replicate)
        starts = {PRIME: "primer ", PROGRAM: f"{run.variant}, replicate {replicate}: "}
        written = stage.result.get("written") or ()  # stated beside the files
        for text in stage.result.get("problems") or ():
            if text not in written:
                yield f"{starts.get(stage.kind, '')}{text}"
