"""``ablate study bundle`` and ``ablate study unbundle``."""

from __future__ import annotations

import importlib.metadata
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.destination import file_or_stdout
from ablate.cli.echo import echo, echo_data
from ablate.cli.locations import check_stored, existing_store, home_option, name_option, store_option, stored_study
from ablate.cli.output import json_option, plural, print_json
from ablate.cli.study.planning.shard import note_part
from ablate.errors import UsageError
from ablate.names import shell_name
from ablate.stdout import results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.bundle.unpack import Unpacked

#: The parts that a bundle can go without.
PARTS = ("weights", "corpus", "audio")


@click.command("bundle")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    callback=file_or_stdout,
    help="File to write, or - for standard output; default: ./NAME.zip.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(PARTS),
    help="Part to leave out (repeatable): the weights of models, the notes of the corpus, or the sound of the page.",
)
@stored_study("name")
@home_option
@store_option
@json_option
def bundle(
    *,
    name: str,
    output: Path | None,
    without: tuple[str, ...],
    home: Path,
    store: str | None,
    as_json: bool,
) -> None:
    """Write a study with everything that belongs to it into one zip file.

    Unpacked, it opens by a double click on index.html. 'ablate study unbundle' brings it into another home.

    Example: ablate study bundle tau_sweep -o study.zip
    """
    with existing_store(home, store) as opened:
        check_stored(opened, name, home)
        note_part(opened, name)
        from ablate.cli.study.planning.looks import record_look_of
        from ablate.files import file_name
        from ablate.registry import get_registry
        from ablate.report.write import write_page
        from ablate.study.bundle.pack import pack

        record_look_of(opened, name)
        to_stdout = output == Path("-")
        if to_stdout and results().isatty():
            raise UsageError("a bundle is not text: name a file with --output, or redirect it")
        registry, home = get_registry(), home.resolve()
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            out = Path(other, "-") if to_stdout else output or Path(f"{file_name(name)}.zip")
            write_page(opened, home, name, Path(folder), sound="audio" not in without, registry=registry)
            packed = pack(opened, home, name, out, page=Path(folder), without=without, registry=registry)
            size = out.stat().st_size
            if to_stdout:
                echo_data(out.read_bytes())
        has_file = "file" in opened.study(name).spec or "judged" in opened.study(name).spec
    if as_json and not to_stdout:
        print_json({"bundle": str(out), "bytes": size, "parts": packed.sizes, "missing": packed.missing})
        return
    parts = ", ".join(f"{part} {_size(count)}" for part, count in sorted(packed.sizes.items()))
    echo(f"bundle: {'-' if to_stdout else out}, {_size(size)} ({parts})", err=to_stdout)
    if packed.sizes.get("corpus"):
        echo("note: it contains the notes of the corpus; --without corpus leaves them out", err=True)
    if packed.missing:
        count = plural(len(packed.missing), "result")
        echo(f"note: it lacks {count} that are gone or have odd names, like {packed.missing[0]}", err=True)
    if not has_file:
        echo(
            "note: it lacks the study file, which an older ablate did not store; run it once more, then bundle it",
            err=True,
        )


@click.command("unbundle")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@name_option("Name for the study in this home; default: its own.")
@home_option
@store_option
@json_option
def unbundle(*, file: Path, name: str, home: Path, store: str | None, as_json: bool) -> None:
    """Bring the study in a bundle into a home, where all commands work on it and nothing runs again.

    Every file is checked, and nothing is written outside the home. Unbundle only what you trust: studies of this home
    reuse its results.

    Example: ablate study unbundle study.zip
    """
    from ablate.store.database.address import home_url
    from ablate.study.bundle.unpack import unpack
    from ablate.study.run.home import open_home

    opened = open_home(home)
    result = unpack(file, opened, store or home_url(opened), name)
    notes = list(_notes(result))
    if as_json:
        facts: dict[str, Any] = {"study": result.study.name, "new": result.new, "runs": result.runs}
        print_json({**facts, "stages": result.stages, "added": result.added, "notes": notes})
        return
    if result.new:
        echo(f"{result.study.name}: {plural(result.runs, 'run')} with {plural(result.stages, 'result')} in {home}")
    elif result.added:
        echo(
            f"{result.study.name} is in {home} already; added files that it lacked to {plural(result.added, 'result')}"
        )
    else:
        echo(f"{result.study.name} is in {home} already, with the same results; nothing to do")
    for note in notes:
        echo(f"note: {note}", err=True)
    if result.new:
        echo(f"next: ablate study report --home {shlex.quote(str(home))} {shell_name(result.study.name)}")


def _notes(result: Unpacked) -> Iterator[str]:
    """Yield what this installation lacks that the study was run with, and what the bundle lacks."""
    about = result.manifest
    absent = sorted({each["distribution"] for each in about.components if not _installed(each["distribution"])})
    if absent:
        wanted = " ".join(f"{each}=={about.packages[each]}" if each in about.packages else each for each in absent)
        yield f"components of packages that are not installed here were used; to run more of it: pip install {wanted}"
    torch = about.packages.get("torch", "")
    if (
        torch
        and result.study.spec.get("judged") is None
        and _minor(torch) != _minor(importlib.metadata.version("torch"))
    ):
        yield (
            f"it was run with torch {torch}, and torch {importlib.metadata.version('torch')} is installed here: its "
            "results can be read, but new ones could not be compared with them"
        )
    if about.without:
        yield f"the bundle was made without {', '.join(about.without)}"


def _installed(distribution: str) -> bool:
    if distribution in ("unknown", "not installed"):
        return True
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _minor(version: str) -> list[str]:
    return version.split(".")[:2]


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.0f} kB"
