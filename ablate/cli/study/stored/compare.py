"""``ablate study compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.locations import existing_store, home_option, profile_option, store_option, stored_name
from ablate.cli.output import json_option, print_json, print_table
from ablate.cli.study.planning.shard import note_part

if TYPE_CHECKING:
    from pathlib import Path


@click.command("compare")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--metric", help="Show every feature of this metric (default: the main feature of each metric).")
@profile_option
@home_option
@store_option
@json_option
def compare(
    *, one: str, other: str, metric: str | None, profile: str, home: Path, store: str | None, as_json: bool
) -> None:
    """Compare two variants, or two studies.

    A and B are two studies, or two variants, written STUDY:VARIANT. Two variants may differ in everything except corpus
    and metrics; the differences are printed. Two studies must have baselines with the same settings: every variant is
    compared with the baseline of its own study, and variants of the same name with each other.

    Two variants of one study get the answer of its report, corrected for the same comparisons. Studies with the same
    seed are compared replicate by replicate. With other seeds, and for independent runs, replicates share nothing, so
    the two groups of replicates are compared, and the output says "not paired".

    Example: ablate study compare tau_sweep:tau=0.6 tau_sweep:tau=0.8
    """
    one, other = _with_profile(one, profile), _with_profile(other, profile)
    with existing_store(home, store) as opened:
        from ablate.report.statistics.pairs.compare import compare_pair
        from ablate.report.text.population import populations

        pair = compare_pair(opened, one, other, metric)
        note_part(opened, *dict.fromkeys(study.record.name for study in pair.studies))
    if as_json:
        comparisons = pair.frame.drop(columns="values").to_dict("records")
        print_json({"paired": pair.paired, "differs_in": pair.differs, "comparisons": comparisons})
        return
    if pair.differs:
        echo_sentence(f"they differ in: {', '.join(path.removeprefix('level.') for path in pair.differs)}")
    echo_sentence(pair.pairing)
    for line in pair.sentences:
        echo_sentence(line, "- ")
    names = {row[0] for row in pair.rows}
    if len(names) == 1:  # of two variants: above the table, because its columns are many
        echo()
        rows = [row[1:] for row in pair.rows]
        print_table(pair.headers[1:], rows, title=names.pop(), right=len(pair.headers) - 3)
    else:
        print_table(pair.headers, pair.rows, right=len(pair.headers) - 3)
    for note in pair.notes:
        echo_sentence(note)
    for sentence in populations(pair.studies):
        echo_sentence(sentence)


def _with_profile(text: str, profile: str) -> str:
    """Add a profile to the study of ``STUDY`` or ``STUDY:VARIANT``."""
    study, colon, variant = text.partition(":")
    return f"{stored_name(study, profile)}{colon}{variant}"
