"""``ablate study show``."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import failure_lines, json_option, plural, print_json, print_left_out
from ablate.cli.study.stored.states import print_states
from ablate.kinds import PREPARE, kind_of
from ablate.names import level_name, replicate_name, same, short_names
from ablate.store.parts import SHARDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ablate.report.data.left_out import LeftOut
    from ablate.store.records import RunRecord, StudyRecord, VariantRecord
    from ablate.store.store import Store


@click.command("show")
@click.argument("name")
@stored_study("name")
@home_option
@store_option
@json_option
def show(name: str, home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Show the variants of a study, the state of each run, and why runs have failed.

    Example: ablate study show tau_sweep --profile smoke
    """
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        study, variants, runs = opened.study(name), opened.variants(name), opened.runs(name)
        population, lacking = _population(opened, runs), _left_out(opened, study, runs)
    if as_json:
        print_json(
            {
                "study": dataclasses.asdict(study),
                "variants": [dataclasses.asdict(variant) for variant in variants],
                "runs": [dataclasses.asdict(run) for run in runs],
                "population": population,
                "left_out": lacking.sentences,
                "problems": lacking.problems,
            }
        )
        return
    _print_study(study, variants)
    print_states(study, variants, runs)
    _print_failures(study, runs)
    if population:
        echo_sentence(population)
    print_left_out(*lacking)


def _left_out(store: Store, study: StudyRecord, runs: Sequence[RunRecord]) -> LeftOut:
    from ablate.report.data.left_out import RECORDED_BY, left_out

    wanted = {each for run in runs for name, each in run.stages.items() if kind_of(name) in RECORDED_BY}
    return left_out(runs, store.stages(wanted), study.spec)


def _population(store: Store, runs: Sequence[RunRecord]) -> str:
    """Return the replicates and pieces that the verdicts are about; empty for a study that holds no piece out."""
    prepared = {run.stages[PREPARE]: run for run in runs if PREPARE in run.stages and run.config.get("split")}
    if not prepared:
        return ""  # what follows imports pandas
    from ablate.report.data.splits import Splits
    from ablate.report.text.population import population_of

    stages = store.stages(prepared)
    finished = [(run, stages[run.stages[PREPARE]]) for run in runs if run.stages.get(PREPARE) in stages]
    return population_of(Splits.read(finished), [run.config for run in runs])


def _print_study(study: StudyRecord, variants: Sequence[VariantRecord]) -> None:
    echo_sentence(f"{study.name}: {study.spec.get('question', '')}")
    judged = study.spec.get("judged")
    if judged:
        echo_sentence(f"results of others in {judged['source']}, {'paired' if judged['paired'] else 'not paired'}")
        for note in judged.get("notes", ()):
            echo_sentence(note, "  - ")
        return
    corpus = study.spec.get("corpus", study.corpus)
    about = f"corpus {level_name(corpus)}, " if corpus else ""  # a program may need none
    echo_sentence(f"profile {study.profile}, {about}seed {study.seed}")
    if study.spec.get("overrides"):
        echo(f"overrides: {' '.join(study.spec['overrides'])}")
    known = {variant.name for variant in variants}
    taken = [name for name in (study.spec.get("path") or {}).get("taken", ()) if name in known]
    if taken:
        echo(f"path: {taken[0]}")
        for change in _changes(taken, variants):
            echo(f"  then {change}")


def _changes(taken: Sequence[str], variants: Sequence[VariantRecord]) -> Iterator[str]:
    """Yield the change of each step of a path: a variant's name has all changes since the baseline."""
    levels = {variant.name: variant.levels for variant in variants}
    labels = short_names(list(levels[taken[0]]))
    for one, other in itertools.pairwise(taken):
        changed = [path for path, level in levels[other].items() if not same(level, levels[one][path])]
        end = " (target)" if other == "target" else ""
        yield ", ".join(f"{labels[path]}={level_name(levels[other][path])}" for path in changed) + end


def _print_failures(study: StudyRecord, runs: Sequence[RunRecord]) -> None:
    failures: list[tuple[str, str]] = []
    for run in runs:
        if run.state == "failed":
            name = replicate_name(study.spec, run.variant, run.replicate)
            failures.append((f"{run.variant}, replicate {name}", f"{run.error_class}: {run.error}"))
    for line in failure_lines(failures):
        echo_sentence(line)
    unfinished = sum(run.state in ("pending", "interrupted") for run in runs)
    if unfinished and not study.spec.get(SHARDS):  # of a part, 'left out' says what has the others
        echo_sentence(
            f"{plural(unfinished, 'run')} not finished; to continue, use 'ablate study run' with the same options"
        )
