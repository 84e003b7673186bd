"""Do the work of a job in a worker: inputs from files, outputs to files, without the study around them."""

from __future__ import annotations

import dataclasses
import errno
import functools
import logging
import time
import traceback
from typing import TYPE_CHECKING

from ablate import kinds
from ablate.blame import take_blame
from ablate.errors import AblateError, HomeError, named_line, one_line
from ablate.interrupts import is_ctrl_c
from ablate.kinds import KINDS
from ablate.printable import printable
from ablate.study.work import collect, fit, floors, generate, load, measure, prepare, prime, program, train
from ablate.study.work.checked_files import check_inputs, with_digests
from ablate.study.work.messages import Context, Job, JobStopped, StageFailure, StageResult
from ablate.surroundings import kept_surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from ablate.study.stage import Stage

    Work = Callable[[tuple[Stage, ...], Context], Iterable[StageResult | StageFailure]]

_log = logging.getLogger(__name__)

#: Errors of a full disk, an exceeded quota and a file size limit.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def work(job: Job, context: Context) -> Iterator[StageResult | StageFailure]:
    """Do a job and yield a result for each stage, as soon as it is final; that of a stage that fails is a failure.

    Raises:
        JobStopped: ``context.should_stop`` became true, or the disk is full, so that every other job would fail too.
    """
    done = set()
    if KINDS[job.kind].jobs == "together" and len(job.stages) > 1:
        results, error = _attempt(job, job.stages, context)
        yield from results
        if not error:
            return
        _pass_on(error)
        # the plugin of one variant may have failed them all; alone, only the stages of that variant fail
        reason = named_line(error)
        _log.warning("%d stages (%s) cannot be done as one, trying one by one: %s", len(job.stages), job.kind, reason)
        done = {result.stage.fingerprint for result in results}
    for stage in job.stages:
        if stage.fingerprint not in done:
            results, error = _attempt(job, (stage,), context)
            yield from results
            if error:
                _pass_on(error)
                yield _failed(stage, error)


def _pass_on(error: BaseException) -> None:
    """Raise what ends the whole job."""
    if isinstance(error, HomeError):
        raise JobStopped(error) from error
    if isinstance(error, JobStopped):
        raise error


def _attempt(
    job: Job, stages: tuple[Stage, ...], context: Context
) -> tuple[list[StageResult | StageFailure], BaseException | None]:
    """Work on stages as one; return their results, and the error that ended the work, if any."""
    results: list[StageResult | StageFailure] = []
    failure: BaseException | None = None
    started = time.monotonic()
    try:
        check_inputs(stages, job.files, context.home)
        with kept_surroundings():
            for result in (FUSED if job.fused else WORK)[job.kind](stages, context):
                results.append(with_digests(result, context.home))  # noqa: PERF401 - those before an error count
    except OSError as error:
        failure = error
        if error.errno in NO_SPACE:
            failure = no_space(context.home, error)
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        failure = error  # of a plugin, it fails only its own runs
    seconds = (time.monotonic() - started) / len(stages)
    timed = [
        dataclasses.replace(r, seconds=seconds, device=context.device) if isinstance(r, StageResult) else r
        for r in results
    ]
    return timed, failure


def no_space(home: Path, error: OSError) -> HomeError:
    """Return the error that ends a run because nothing more can be written."""
    failure = HomeError(
        f"no space left for results in {home} ({error.strerror}); "
        "free some space, then run the same command: everything finished is kept"
    )
    failure.__cause__ = error
    return failure


def _failed(stage: Stage, error: BaseException) -> StageFailure:
    """Return the failure of a stage, which names the component that caused it."""
    message, name = printable(one_line(error)) or "no message", printable(type(error).__name__)
    about = take_blame(error)
    log = f"see logs/{stage.fingerprint}.txt in the home folder"
    if isinstance(error, AblateError):
        if about and about not in message:
            message += f" (in {about})"
        if error.__cause__ is None or isinstance(error.__cause__, AblateError):
            return StageFailure(stage, name, message)
        return StageFailure(stage, name, f"{message} ({log})", _trace(error))
    return StageFailure(stage, name, f"{message} (in {about or stage.kind}; {log})", _trace(error))


def _trace(error: BaseException) -> str:
    """Return the traceback of an error as text that a file can hold."""
    try:
        return "".join(traceback.format_exception(error)).encode(errors="backslashreplace").decode()
    except Exception as odd:  # noqa: BLE001 - an exception of a plugin may do anything to become text
        return f"{type(error).__name__}, whose traceback cannot be printed: {type(odd).__name__}"


#: The work of each kind of stage.
WORK: dict[str, Work] = {
    kinds.LOAD: load.load,
    kinds.FIT: fit.fit,
    kinds.PREPARE: prepare.prepare,
    kinds.PRIME: prime.prime,
    kinds.TRAIN: train.train_stages,
    kinds.GENERATE: generate.generate_stages,
    kinds.PROGRAM: program.run_program,
    kinds.COLLECT: collect.collect,
    kinds.MEASURE: measure.measure,
    kinds.FLOOR: floors.floors,
    kinds.RESAMPLE: floors.resample,
}

#: The work of jobs whose networks are run as one.
FUSED: dict[str, Work] = {
    kinds.TRAIN: functools.partial(train.train_stages, fused=True),
    kinds.GENERATE: functools.partial(generate.generate_stages, fused=True),
}
