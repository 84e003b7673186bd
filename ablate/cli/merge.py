"""``ablate db merge``."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo, echo_sentence, note
from ablate.cli.locations import home_option, store_option
from ablate.cli.output import json_option, plural, print_json
from ablate.errors import first_problems
from ablate.names import shell_name

if TYPE_CHECKING:
    from ablate.study.merge.outcome import Merged, MergedHome


@click.command("merge")
@click.argument("homes", nargs=-1, required=True, metavar="HOME...", type=click.Path(path_type=Path))
@home_option
@store_option
@json_option
def merge(*, homes: tuple[Path, ...], home: Path, store: str | None, as_json: bool) -> int:
    """Bring the studies and results of several homes, such as those of shards, together in the home of --home.

    The HOMEs are only read. A result that --home has already has to be equal; where one is not, or a file of it is
    damaged, it is named and nothing is replaced, the rest is merged, and the exit code is 1. The same command again
    finds nothing to do. Merge only what you trust: studies of this home reuse its results.

    Example: ablate db merge shards/1 shards/2 shards/3 --home all
    """
    from ablate.store.database.address import home_url
    from ablate.study.merge.merge import merge_homes
    from ablate.study.run.home import open_home

    opened = open_home(home)
    merged = merge_homes(homes, opened, store or home_url(opened))
    if as_json:
        print_json(dataclasses.asdict(merged))
    else:
        _print(merged, home)
    return int(bool(merged.conflicts))


def _print(merged: Merged, home: Path) -> None:
    for each in merged.homes:
        echo_sentence(_account(each))
    for name, (done, runs) in merged.studies.items():
        echo_sentence(f"{name}: {done:,} of {plural(runs, 'run')} done")
    for each in merged.homes:
        if each.unfinished:
            count = plural(each.unfinished, "unfinished training")
            note(f"{count} in {each.home} stays there: run its command again, then merge it again")
    for line in merged.notes:
        note(line)
    for line in first_problems([str(each) for each in merged.conflicts], "--json lists all"):
        echo_sentence(line, "not merged: ", err=True)
    complete = [name for name in merged.changed if merged.studies[name][0] == merged.studies[name][1]]
    if complete:
        echo(f"next: ablate study report --home {shlex.quote(str(home))} {shell_name(complete[0])}")


def _account(about: MergedHome) -> str:
    """Return a sentence about one home."""
    parts = [f"{plural(about.added, 'result')} added"] if about.added else []
    if about.files:
        parts.append(f"{plural(about.files, 'file')} copied ({about.bytes / 1e6:,.1f} MB)")
    if about.known:
        parts.append(f"{about.known:,} equal to those that were there")
    if about.derived:
        parts.append(f"{about.derived:,} left out that come from a conflict")
    return f"{about.home}: {', '.join(parts) or 'nothing to add'}"
