"""``ablate study compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.locations import existing_store, home_option, store_option
from ablate.cli.output import json_option, print_json, print_table

if TYPE_CHECKING:
    from pathlib import Path


@click.command("compare")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@click.option("--metric", help="Of this metric every feature; default: every metric's headline.")
@home_option
@store_option
@json_option
def compare(one: str, other: str, metric: str | None, home: Path, store: str | None, as_json: bool) -> None:  # noqa: FBT001
    """Compare two variants, or two studies, replicate by replicate.

    A and B are each a study, or a variant of one as STUDY:VARIANT. Two variants may differ in anything but corpus and
    metrics, and what they differ in is said. Two studies must have the same baseline: then the variants of both stand
    against it, and those of one name against each other.

    Example: ablate study compare tau_sweep:tau=0.6 tau_sweep:tau=0.8
    """
    from ablate.report.statistics.pairs import compare_pair

    with existing_store(home, store) as opened:
        pair = compare_pair(opened, one, other, metric)
    if as_json:
        print_json({"differs_in": pair.differs, "comparisons": pair.frame.drop(columns="values").to_dict("records")})
        return
    if pair.differs:
        click.echo(f"they differ in: {', '.join(pair.differs)}")
    for line in pair.sentences:
        click.echo(f"- {line}")
    print_table(pair.headers, pair.rows, right=len(pair.headers) - 3)
