"""``ablate clean``."""

from __future__ import annotations

import collections
import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

import click

from ablate.cli.echo import echo
from ablate.cli.locations import existing_store, has_store, home_option, shown_url
from ablate.cli.output import confirm, plural, print_table
from ablate.errors import HomeError, StoreError, first_problems

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ablate.store.records import RemovedStage
    from ablate.store.store import Store
    from ablate.study.clean.leftovers import Leftover

_MB = 1e6


class _Unused(NamedTuple):
    """Unused results: the stages in each database, and files."""

    stages: list[list[RemovedStage]]
    files: list[Leftover]

    def rows(self) -> list[tuple[str, int, int | None]]:
        """Return a row for each kind: its name, the number, and the bytes of files."""
        kinds = collections.Counter(stage.kind for stages in self.stages for stage in stages)
        sizes: dict[str, list[int]] = {}
        for each in self.files:
            sizes.setdefault(each.what, []).append(each.size)
        in_databases = [(f"results in the database: {kind}", count, None) for kind, count in sorted(kinds.items())]
        return [*in_databases, *((what, len(each), sum(each)) for what, each in sizes.items())]


@click.command("clean")
@home_option
@click.option(
    "--store",
    "stores",
    metavar="URL",
    multiple=True,
    help="SQLAlchemy URL of another database whose studies have files in this home (repeatable).",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(home: Path, stores: tuple[str, ...], yes: bool) -> None:  # noqa: FBT001
    """Remove what no study refers to, after saying how much it is.

    These are results of earlier seeds, levels and settings, with their rows in the database; checkpoints and logs of
    runs that no study has any more; reports of deleted studies; sounds that no report plays; and what killed commands
    left unfinished. Results that a study refers to stay, finished or not.

    Example: ablate clean --home results
    """
    from ablate.study.clean.stores import is_own
    from ablate.study.run.home import only_command, open_home

    others = [url for url in dict.fromkeys(stores) if not is_own(home, url)]
    urls: list[str | None] = [*([None] if has_store(home, None) or not others else []), *others]
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(existing_store(home, url, writing=True)) for url in urls]
        home = open_home(home)
        _check_all_named(home, opened)
        unused = _unused(home, opened)
        if not any([*unused.stages, unused.files]):
            echo(f"nothing to remove: studies refer to everything in {home}")
            return
        _print(unused, opened, home)
        if not yes:
            confirm("Remove all of this?", "nothing was removed")
        first, *others = [store.url for store in opened]
        stack.enter_context(only_command(home, first, "clean", *others, whole=True))
        _remove(unused, opened, home)


def _check_all_named(home: Path, stores: Sequence[Store]) -> None:
    """Check that every database is open whose studies have files in a home.

    Raises:
        HomeError: one is not; its results would look unused.
    """
    from ablate.study.clean.stores import unnamed_stores

    missing = unnamed_stores(home, [store.url for store in stores])
    if missing:
        options = " ".join(f"--store {shown_url(each)}" for each in missing)
        raise HomeError(f"{home} also has files of studies in other databases; name all of them: {options}")


def _unused(home: Path, stores: Iterable[Store]) -> _Unused:
    from ablate.study.clean.leftovers import find_leftovers

    used = {fingerprint for store in stores for fingerprint in store.used_stages()}
    studies = [study.name for store in stores for study in store.studies()]
    return _Unused([store.unused_stages() for store in stores], find_leftovers(home, used, studies))


def _print(unused: _Unused, stores: Sequence[Store], home: Path) -> None:
    rows = unused.rows()
    table = [(what, count, "" if size is None else f"{size / _MB:,.2f}") for what, count, size in rows]
    total = sum(size or 0 for _, _, size in rows)
    table.append(("total", sum(count for _, count, _ in rows), f"{total / _MB:,.2f}"))
    print_table(["what no study refers to", "number", "MB"], table, title=str(home), right=2)
    if not any(store.studies() for store in stores):
        echo("note: the database has no studies, so this is everything; bundles and study files bring studies back")


def _remove(unused: _Unused, stores: Sequence[Store], home: Path) -> None:
    """Remove what is unused still, now that no other command writes here."""
    from ablate.report.formats.index import write_index
    from ablate.study.clean.leftovers import remove_leftovers

    # taking the locks has removed unfinished files already
    swept = [each for each in unused.files if not os.path.lexists(home / each.name)]
    now = {each.name for each in _unused(home, stores).files}
    count = sum(
        len(store.remove_stages(stage.fingerprint for stage in stages))
        for store, stages in zip(stores, unused.stages, strict=True)
    )
    removed, left = remove_leftovers(home, [each for each in unused.files if each.name in now])
    freed = sum(each.size for each in [*removed, *swept])
    for store in stores:
        try:
            store.compact()
        except StoreError as error:
            echo(f"note: the database keeps its size: {error}", err=True)
    if (home / "reports").is_dir():
        write_index(home / "reports")
    for line in first_problems(left):
        echo(f"note: left alone: {line}", err=True)
    files = plural(len(removed) + len(swept), "file or folder").replace("file or folders", "files and folders")
    echo(f"removed {plural(count, 'result')} from the database and {files}, {freed / _MB:,.2f} MB")
