"""Ctrl-C and the other signals that ask a run to stop."""

from __future__ import annotations

import contextlib
import functools
import signal
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.echo import echo
from ablate.study.run.executor.start import STOPPING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ablate.study.run.adaptive import AdaptiveRunner
    from ablate.study.run.runner import StudyRunner

#: Exit code of a program that was asked to stop.
STOPPED = 130


@contextlib.contextmanager
def stop_on_signals(runner: StudyRunner | AdaptiveRunner, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Stop the study after its current step at the first signal, without waiting at the second one.

    The signals are those of Ctrl-C, of a batch system that ends its job, and of a terminal that is closed; one that is
    ignored already, as under ``nohup``, stays so. After the second one, the next acts as if nobody handled it.

    Raises:
        Exit: the second signal has come; what was finished is recorded.
    """
    tell = say or functools.partial(echo, err=True)
    handlers: dict[signal.Signals, Any] = {number: signal.getsignal(number) for number in STOPPING}
    handled = [number for number, handler in handlers.items() if handler is not signal.SIG_IGN]
    count = 0

    def stop(*_: object) -> None:
        nonlocal count
        count += 1
        if count == 1:
            runner.stop()
            with contextlib.suppress(RuntimeError):  # the signal came while a line was being printed
                tell("stopping after the current step; press Ctrl-C again to stop at once")
            return
        for number in handled:
            signal.signal(number, handlers[number])
        runner.kill()

    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, handlers[number])
    if count > 1:
        tell("stopped at once; finished results are kept. To continue, run the same command again")
        raise click.exceptions.Exit(STOPPED)
