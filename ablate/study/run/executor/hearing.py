"""Take the messages of a job that a worker does."""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING, Any

from ablate.errors import StageError, named_line, one_line
from ablate.printable import printable
from ablate.study.run.executor.tasks import JobBegun, JobEnded, Message
from ablate.study.run.executor.transfer.away import FilePart, Logged
from ablate.study.run.executor.transfer.versions import processor
from ablate.study.work.dispatch import NO_SPACE, no_space
from ablate.study.work.messages import News, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.specs import ExecutorSpec
    from ablate.study.run.executor.deaths import Running

_log = logging.getLogger(__name__)


class Notes:
    """Shows what an executor has to say to a person, each text once.

    Args:
        about: the record of the executor.
    """

    def __init__(self, about: ExecutorSpec) -> None:
        self._name, self._shown = about.name, set[str]()

    def show(self, text: str) -> None:
        """Show a line."""
        if text not in self._shown:
            self._shown.add(text)
            _log.warning("executor '%s': %s", self._name, printable(text))

    def compare(self, there: str) -> None:
        """Show that a worker has another processor than the driver, if it has.

        Args:
            there: the processor of the worker.
        """
        if there != processor():
            self.show(
                f"a worker has another CPU ({there}) than this machine ({processor()}): results of different CPUs may "
                "differ in their last bits"
            )


class Fault(Exception):  # noqa: N818 - the text reads as the end of a sentence
    """A message that costs its worker the job."""


def hear(data: bytes, running: Running, home: Path, tell: Callable[[News], None], notes: Notes) -> None:
    """Take one message.

    Args:
        data: the message.
        running: the job; its results and state are changed.
        home: the driver's.
        tell: receives progress.
        notes: shows lines to a person.

    Raises:
        Fault: it cannot be used.
        HomeError: the disk is full.
    """
    message = _read(data)
    if isinstance(message, News):
        running.fraction = max(running.fraction, message.fraction)
        tell(message)
    elif isinstance(message, JobBegun):
        running.begun = True
        notes.compare(message.processor)
    elif isinstance(message, JobEnded):
        running.fatal = message.fatal
    elif isinstance(message, Logged):
        _log.log(message.level, "%s", printable(message.text))
    else:
        _take(message, running, home)


def _read(data: bytes) -> Message:
    try:
        message: Message = pickle.loads(data)  # noqa: S301 - a worker has packed it
    except Exception as error:
        # the message may hold anything of a component
        raise Fault(f"sent a result that cannot be read ({named_line(error)})") from error
    return message


def _take(message: Any, running: Running, home: Path) -> None:
    """Take what a worker has made: a result, or a part of a file."""
    incoming = running.incoming
    try:
        if isinstance(message, FilePart):
            if incoming:
                incoming.take(message)
        elif incoming and isinstance(message, StageResult):
            running.results.append(incoming.finish(message))
        else:
            running.results.append(message)
    except StageError as error:
        raise Fault(f"sent a file {one_line(error)}") from error
    except OSError as error:
        if error.errno in NO_SPACE:
            raise no_space(home, error) from error
        raise Fault(f"sent a file that cannot be written here ({error.strerror})") from error
