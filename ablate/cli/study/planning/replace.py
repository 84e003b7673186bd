"""A study that would take the place of another one of its name: say so, ask, or refuse."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo
from ablate.cli.output import plural
from ablate.errors import UsageError

if TYPE_CHECKING:
    from ablate.cli.study.planning.request import StudyRequest
    from ablate.store.store import Store
    from ablate.study.run.replaced import Replaced


def confirm_replacing(request: StudyRequest, store: Store, *, yes: bool) -> None:
    """Say what a study replaces in its home; ask a person at a terminal where it is another study.

    Raises:
        UsageError: it was run on another corpus; or it is another study, and nobody can be asked.
        click.Abort: the person stops.
    """
    from ablate.study.run.checks import refuse_other_corpus
    from ablate.study.run.replaced import replaced

    name = request.layout.spec.name
    known = next((study for study in store.studies() if study.name == name), None)
    if known is None:
        return
    refuse_other_corpus(request.layout, store, known)
    found = replaced(request.layout, store)
    if found is None:
        return
    sentence = replaced_sentence(name, found)
    if not found.another or yes:
        echo(f"note: {sentence}", err=True)
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{sentence}, and --yes shows this one instead")
    echo(f"note: {sentence}", err=True)
    click.confirm("Show this one instead?", abort=True, err=True)


def replaced_sentence(name: str, found: Replaced) -> str:
    """Return what a study replaces, and that nothing is lost."""
    runs = f"{plural(found.runs, 'finished run')} of the earlier one"
    kept = "is kept, but no longer shown" if found.runs == 1 else "are kept, but no longer shown"
    changes = "; ".join(found.changes)
    return f"this replaces study '{name}' of this home: {changes}. {runs} {kept}; another --name keeps both"
