"""The report at the end of a command: where it cannot be drawn, everything else is printed all the same."""

from __future__ import annotations

import contextlib
import traceback
from typing import TYPE_CHECKING, NamedTuple

import click

from ablate.cli.echo import echo, note
from ablate.errors import AblateError, named_line, one_line
from ablate.files import write_whole
from ablate.report.place import OUTDATED, has_report, report_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.store.store import Store

audio_option = click.option(
    "--audio/--no-audio",
    default=True,
    help="Render the sound of the samples for the report if ablate-music[audio] is installed (default), or not.",
)


class Drawn(NamedTuple):
    """A report, or the reason why there is none.

    Attributes:
        page: its page; None without one.
        problem: why it could not be drawn, in one line; empty if it was, or if nobody wanted it.
    """

    page: Path | None = None
    problem: str = ""

    def check(self) -> None:
        """Raise the problem, if there is one, as an AblateError."""
        if self.problem:
            raise AblateError(self.problem)


@contextlib.contextmanager
def reporting(home: Path, name: str, *, wanted: bool, changed: bool) -> Iterator[None]:
    """Print that the report of a study is being written, and let ``ablate watch`` show it, until the end of the block.

    Args:
        home: the folder; the command holds its lock.
        name: of the study.
        wanted: whether there will be a report.
        changed: whether there are results that an existing report does not show.
    """
    if not wanted or (not changed and has_report(home, name)):
        yield
        return
    from ablate.study.run.live import LiveNote

    echo("writing the report", err=True)
    with LiveNote(home, name, reporting=True):
        yield


def draw_report(store: Store, home: Path, name: str, registry: Registry, *, changed: bool, sound: bool = True) -> Drawn:
    """Write the report of a study, with sound if asked to, unless there is one and nothing has changed.

    Drawing its figures again would take longer than the rest of a command that finds all results. An error of the
    drawing leaves its traceback in the folder of logs.
    """
    from ablate.report.write import write_report
    from ablate.study.clean.remove import report_log

    if not changed and has_report(home, name):
        return Drawn(report_page(home, name))
    try:
        return Drawn(write_report(store, home, name, registry=registry, sound=sound, say=note))
    except AblateError as error:
        problem = one_line(error)
    except Exception as error:  # noqa: BLE001 - whatever fails in a figure, the results are there
        log = home / report_log(name)
        with contextlib.suppress(OSError):  # a full disk must not hide the problem itself
            write_whole(log, traceback.format_exc().encode(errors="backslashreplace"))
        problem = f"the report cannot be drawn: {named_line(error)} (traceback: {log})"
    folder = report_page(home, name).parent
    if folder.is_dir():
        with contextlib.suppress(OSError):
            write_whole(folder / OUTDATED, f"This report is older than the results of its study: {problem}\n".encode())
    return Drawn(problem=f"{problem}; the results are stored")
