"""Do the work of a job in a worker: inputs from files, outputs to files, without the study around them."""

from __future__ import annotations

import dataclasses
import errno
import logging
import time
import traceback
from typing import TYPE_CHECKING

from ablate import kinds
from ablate.errors import AblateError, HomeError, one_line
from ablate.kinds import KINDS
from ablate.study.work import collect, fit, floors, generate, load, measure, prepare, prime, program, train
from ablate.study.work.checked_files import check_inputs, with_digests
from ablate.study.work.messages import Context, Job, JobStopped, StageFailure, StageResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ablate.study.stage import Stage

_log = logging.getLogger(__name__)

#: Errors of a full disk, an exceeded quota and a file size limit.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def work(job: Job, context: Context) -> list[StageResult | StageFailure]:
    """Do a job and return a result for each stage; that of a stage that fails is a :class:`StageFailure`.

    Raises:
        JobStopped: ``context.should_stop`` became true, or the disk is full, so that every other job would fail too.
            It has the results of the stages that were finished before.
    """
    results: list[StageResult | StageFailure] = []
    try:
        _work_on(job, context, results)
    except JobStopped:
        raise JobStopped(results) from None
    except HomeError as error:
        raise JobStopped(results, error) from error
    return results


def _work_on(job: Job, context: Context, results: list[StageResult | StageFailure]) -> None:
    if KINDS[job.kind].jobs == "together" and len(job.stages) > 1:
        error = _attempt(job, job.stages, context, results)
        if not error:
            return
        # the plugin of one variant may have failed them all; alone, only the stages of that variant fail
        reason = f"{type(error).__name__}: {one_line(error)}"
        _log.warning("%d stages (%s) cannot be done as one, trying one by one: %s", len(job.stages), job.kind, reason)
    done = {result.stage.fingerprint for result in results}
    for stage in job.stages:
        if stage.fingerprint not in done:
            error = _attempt(job, (stage,), context, results)
            if error:
                results.append(_failed(stage, error))


def _attempt(
    job: Job, stages: tuple[Stage, ...], context: Context, results: list[StageResult | StageFailure]
) -> BaseException | None:
    """Work on stages as one and add their results to ``results``; return the error that ended the work, if any."""
    started, first = time.monotonic(), len(results)
    try:
        check_inputs(stages, job.files, context.home)
        for result in WORK[job.kind](stages, context):
            results.append(with_digests(result, context.home))  # noqa: PERF401 - those before an error count
    except (JobStopped, HomeError):
        raise
    except OSError as error:
        if error.errno in NO_SPACE:
            raise HomeError(
                f"no space left for results in {context.home} ({error.strerror}); "
                "free some space, then run the same command: everything finished is kept"
            ) from error
        return error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an error of a plugin fails only its own runs
        return error
    finally:
        seconds = (time.monotonic() - started) / len(stages)
        results[first:] = [
            dataclasses.replace(r, seconds=seconds) if isinstance(r, StageResult) else r for r in results[first:]
        ]
    return None


def _failed(stage: Stage, error: BaseException) -> StageFailure:
    message = one_line(error) or "no message"
    if isinstance(error, AblateError):
        return StageFailure(stage, type(error).__name__, message)
    about = f"metric '{stage.config['metric']['name']}'" if "metric" in stage.config else stage.kind
    trace = "".join(traceback.format_exception(error))
    return StageFailure(stage, type(error).__name__, f"{message} (in {about}; see logs/{stage.fingerprint}.txt)", trace)


#: The work of each kind of stage.
WORK: dict[str, Callable[[tuple[Stage, ...], Context], Iterable[StageResult | StageFailure]]] = {
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
