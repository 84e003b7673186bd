"""``ablate db``."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo, note
from ablate.cli.locations import existing_store, home_option, store_option
from ablate.cli.merge import merge
from ablate.cli.output import json_option, plural, print_json
from ablate.errors import StoreError, listed_names
from ablate.printable import has_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.reading.problems import RowProblem
    from ablate.store.store import Store
    from ablate.study.files.findings import Checked
    from ablate.study.files.repair import Repaired


@click.group("db")
def group() -> None:
    """Manage the results database.

    Example: ablate db upgrade
    """


group.add_command(merge)


@group.command("upgrade")
@home_option
@store_option
def upgrade(home: Path, store: str | None) -> None:
    """Upgrade a database to the schema of this version.

    A database that an older ablate has written must be upgraded before use.

    Example: ablate db upgrade --home results
    """
    from ablate.store.database import schema
    from ablate.store.database.address import home_url

    if store is None and not (home / "ablate.db").is_file():
        raise StoreError(f"there is no database in {home}; choose another folder with --home")
    before, after = schema.upgrade_url(store or home_url(home.resolve()))
    echo(f"already at schema {after}" if before == after else f"upgraded from schema {before} to {after}")


@group.command("check")
@click.option("--repair", "with_repair", is_flag=True, help="Have what is lost made again by the next study run.")
@home_option
@store_option
@json_option
def check(*, with_repair: bool, home: Path, store: str | None, as_json: bool) -> int:
    """Read every file of a home, and explain where files and database do not agree.

    The exit code is 1 if something is wrong. With --repair, damaged files get another name, so that running their
    studies again makes them again; no result that is good is deleted, and the exit code is 1 if something is left.

    Example: ablate db check --repair --home results
    """
    from ablate.study.files.findings import commands
    from ablate.study.run.home import only_command, open_home

    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(existing_store(home, store, writing=with_repair))
        if with_repair:
            stack.enter_context(only_command(open_home(home), opened.url, "db check --repair", whole=True))
        checked, rows = _checked(home.resolve(), opened)
        # a name that is no text cannot be in a command; the advice for its row is to put it right
        studies = [study for study in commands(checked.findings) if not has_bytes(study)]
        again = [_command(opened, study, home) for study in studies]
        repaired = _repair(home.resolve(), opened, checked, rows) if with_repair else None
    if as_json:
        print_json(_facts(checked, repaired, again))
    else:
        _print(checked, repaired, again)
    return int(bool(repaired.left if repaired else checked.findings))


def _checked(home: Path, store: Store) -> tuple[Checked, list[RowProblem]]:
    """Return the result of the check, and the rows with problems."""
    from ablate.study.clean.stores import is_own
    from ablate.study.files.findings import check_home

    contents = store.contents()
    rows = [] if contents.broken else list(store.row_problems())
    return check_home(home, contents, rows, is_shared=not is_own(home, store.url)), rows


def _repair(home: Path, store: Store, checked: Checked, rows: list[RowProblem]) -> Repaired:
    from ablate.study.files.repair import repair

    return repair(home, store, checked.findings, rows)


def _command(store: Store, study: str, home: Path) -> str:
    """Return the command that makes what a study has lost again."""
    from ablate.digests import home_words
    from ablate.names import shell_name
    from ablate.study.file.as_run import command_as_run

    try:
        command = command_as_run(store.study(study), here=True)
    except StoreError:  # its row is one of those with problems
        command = ""
    return (command or f"ablate study run {shell_name(study)}") + home_words(home)


def _facts(checked: Checked, repaired: Repaired | None, again: list[str]) -> dict[str, Any]:
    facts = dataclasses.asdict(checked)
    return {**facts, "repaired": repaired and dataclasses.asdict(repaired), "commands": again}


def _print(checked: Checked, repaired: Repaired | None, again: list[str]) -> None:
    from ablate.printable import printable
    from ablate.study.files.findings import needs_repair

    for finding in checked.findings:
        of = f" (of {', '.join(finding.studies)})" if finding.studies and finding.kind != "run" else ""
        echo(printable(f"{finding.where}: {finding.problem}{of}; {finding.advice}"))
    read = f"{plural(checked.files, 'file')} ({checked.bytes / 1e6:,.1f} MB) of {plural(checked.stages, 'stage')}"
    problems = plural(len(checked.findings), "problem") if checked.findings else "all is as it was recorded"
    echo(f"checked {read}: {problems}")
    if checked.without_digests:
        note(f"{plural(checked.without_digests, 'stage')} of an older ablate or of a bundle have no digests to compare")
    if checked.elsewhere:
        note(f"{plural(checked.elsewhere, 'stage')} of the database have no files here: another home has them")
    if checked.unfinished:
        unfinished = f"{plural(checked.unfinished, 'unfinished training')} of {listed_names(checked.unfinished_of)}"
        note(printable(f"{unfinished} will be continued by the next study run"))
    if repaired:
        echo(*_repairs(repaired))
    when = ", after ablate db check --repair" if not repaired and needs_repair(checked.findings) else ""
    for command in again:
        echo(f"to make it again{when}: {printable(command)}")


def _repairs(repaired: Repaired) -> list[str]:
    """Return what a repair has done, one line each."""
    counts = (
        (len(repaired.put_aside), "damaged file", "put aside, with .damaged behind the name"),
        (len(repaired.removed), "damaged checkpoint", "removed"),
        (repaired.forgotten, "result", "forgotten: its rows or its folder cannot be used, or no study uses it"),
        (repaired.rows, "row", "removed that belonged to nothing"),
        (repaired.reopened, "run", "marked as not done"),
        (len(repaired.left), "problem", "left as it is"),
    )
    lines = [f"{plural(count, noun)} {what}" for count, noun, what in counts if count]
    return lines or ["nothing to repair"]
