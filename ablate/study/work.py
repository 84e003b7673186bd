"""The work of each stage, as a worker does it: inputs from files, outputs to files, nothing of the study around it."""

from __future__ import annotations

import dataclasses
import errno
import time
import traceback
from typing import TYPE_CHECKING

from ablate.errors import AblateError, HomeError
from ablate.study import work_floor, work_measure, work_model, work_music
from ablate.study.jobs import Context, Done, Failed, Job, Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.study.stages import Stage

#: Kinds whose jobs may have several stages that are worked on as one.
TOGETHER = ("train", "generate")
#: What a full disk, an exceeded quota or a file size limit look like.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def work(job: Job, context: Context) -> list[Done | Failed]:
    """Do a job; a stage that fails comes back as :class:`Failed`.

    Raises:
        Stopped: ``context.should_stop`` became true.
        HomeError: the disk is full; going on would fail every other job too.
    """
    if job.kind in TOGETHER and len(job.stages) > 1:
        results = _attempt(job.kind, job.stages, context)
        if isinstance(results, list):
            return results
        # one variant's plugin may have spoilt it for all: alone, each shows whether it is to blame
    return [result for stage in job.stages for result in _alone(job.kind, stage, context)]


def _alone(kind: str, stage: Stage, context: Context) -> list[Done | Failed]:
    results = _attempt(kind, (stage,), context)
    return results if isinstance(results, list) else [_failed(stage, results)]


def _attempt(kind: str, stages: tuple[Stage, ...], context: Context) -> list[Done | Failed] | BaseException:
    """What came of the stages, or what went wrong with all of them."""
    started = time.monotonic()

    def timed(results: Sequence[Done | Failed]) -> list[Done | Failed]:
        seconds = (time.monotonic() - started) / len(stages)
        return [dataclasses.replace(r, seconds=seconds) if isinstance(r, Done) else r for r in results]

    try:
        return timed(_WORK[kind](stages, context))
    except Stopped as stopped:
        raise Stopped(timed(stopped.results)) from None
    except OSError as error:
        if error.errno in NO_SPACE:
            raise HomeError(
                f"no space left for results in {context.home} ({error.strerror}); "
                "free some, then run the same command: everything finished is kept"
            ) from error
        return error
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises concerns its cells alone
        return error


def _failed(stage: Stage, error: BaseException) -> Failed:
    message = " ".join(str(error).split()) or "no message"
    if isinstance(error, AblateError):
        return Failed(stage, type(error).__name__, message)
    about = f"metric '{stage.config['metric']['name']}'" if "metric" in stage.config else stage.kind
    trace = "".join(traceback.format_exception(error))
    return Failed(stage, type(error).__name__, f"{message} (in {about}; see logs/{stage.fingerprint}.txt)", trace)


_WORK: dict[str, Callable[[tuple[Stage, ...], Context], Sequence[Done | Failed]]] = {
    "load": work_music.load,
    "prepare": work_music.prepare,
    "prime": work_music.prime,
    "train": work_model.train_stages,
    "generate": work_model.generate_stages,
    "measure": work_measure.measure,
    "floor": work_floor.floors,
    "resample": work_floor.resample,
}
