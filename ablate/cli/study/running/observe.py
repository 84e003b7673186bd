"""``ablate study run --observe``: the observers of a study, and what they receive at its end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from ablate.cli.echo import echo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.store.store import Store
    from ablate.study.observe.choice import Observer
    from ablate.study.observe.observers import Observers

observe_option = click.option(
    "--observe",
    multiple=True,
    metavar="NAME[:TARGET][,OPTION=VALUE]",
    envvar="ABLATE_OBSERVE",
    show_envvar=True,
    help="Also write losses and results with an observer: tensorboard, mlflow, wandb or one of a plugin (repeatable).",
)


def chosen_observers(texts: Sequence[str], request: StudyRequest) -> list[Observer]:
    """Build the observers of ``--observe``; raises like :func:`ablate.study.observe.choice.build_observers`."""
    if not texts:
        return []
    from ablate.study.observe.choice import build_observers

    return build_observers(texts, request.layout.registry, request.home)


@contextlib.contextmanager
def observing(observers: Sequence[Observer], request: StudyRequest, store: Store) -> Iterator[Observers]:
    """Return what passes events on to observers; they also learn of an end by an error."""
    from ablate.study.observe.observers import Observers

    observed = Observers(request.layout.spec.name, observers, store, lambda line: echo(line, err=True))
    try:
        yield observed
    except BaseException:
        observed.finish(stopped=True)
        raise


def verdicts(analysis: Analysis) -> list[str]:
    """Return the sentences that answer a study's question, those about its hypothesis first."""
    from ablate.report.text.sentences import answer

    answered = answer(analysis)
    blocks = [answered.hypothesis, *answered.blocks] if answered.hypothesis else answered.blocks
    return [line.text for block in blocks for line in block.lines]
