"""``ablate study delete``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo
from ablate.cli.locations import check_stored, existing_store, home_option, shown_url, store_option, stored_study
from ablate.cli.output import confirm, plural
from ablate.errors import first_problems
from ablate.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.store import Store


@click.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@stored_study("name")
@home_option
@store_option
def delete(name: str, yes: bool, home: Path, store: str | None) -> None:  # noqa: FBT001
    """Delete a study, its report, and the results that only it uses.

    Results of its earlier seeds and levels, which no study uses, stay: ablate clean removes them.

    Example: ablate study delete tau_sweep --profile smoke
    """
    with existing_store(home, store, writing=True) as opened:
        if not opened.has_study(name):  # one whose rows were damaged can be deleted
            check_stored(opened, name, home)
        if not yes:
            confirm(f"Delete study {printable(name)} and the results that only it uses?", "nothing was deleted")
        from ablate.report.formats.index import write_index
        from ablate.study.clean.stores import is_own, unnamed_stores
        from ablate.study.run.home import only_command, open_home

        home = open_home(home)
        with only_command(home, opened.url, name):
            others = unnamed_stores(home, [opened.url])
            folders, left = _delete(opened, home, name, keep_files=bool(others))
            if (home / "reports").is_dir():
                write_index(home / "reports")
        unused = opened.unused_stages()
    echo(f"deleted {name}, {plural(folders, 'result folder')}")
    for line in first_problems(left):
        echo(f"note: left alone: {line}", err=True)
    if others:
        named = (each for each in dict.fromkeys([opened.url, *others]) if not is_own(home, each))
        options = " ".join(f"--store {shown_url(each)}" for each in named)
        echo(f"note: files of results stay, for studies in other databases; see: ablate clean {options}", err=True)
    elif unused:
        echo(f"note: no study uses {plural(len(unused), 'other result')}; ablate clean removes them", err=True)


def _delete(store: Store, home: Path, name: str, *, keep_files: bool) -> tuple[int, list[str]]:
    """Delete a study; return the number of folders that were removed, and a line for each place left alone."""
    from ablate.study.clean.remove import remove_checkpoints, remove_report, remove_results
    from ablate.study.trials.storage import delete_trials

    stages = {fingerprint for _, fingerprint in store.links(name)}
    delete_trials(store.url, name)  # first, because a study without trials is one, and trials without a study are not
    removed = store.delete_study(name)
    # whatever a kill leaves from here on belongs to no study, and ablate clean removes it
    if keep_files:
        return 0, remove_report(home, name)
    folders, left = remove_results(home, removed)
    left += remove_checkpoints(home, stages - store.used_stages())
    return folders, left + remove_report(home, name)
