"""The commands of SLURM: ``sbatch``, ``squeue`` and ``scancel``."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from ablate.errors import ExecutorError, one_line
from ablate.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate_slurm.options import SlurmOptions

#: Seconds for a command; those of SLURM give up before.
_LONGEST = 120.0
#: What a command prints while the controller is away or busy.
_AWAY = (
    "contact slurm controller",
    "timed out",
    "Connection refused",
    "Zero Bytes",
    "Transport endpoint",
    "temporarily",
)
#: What a command prints that finds no settings of a cluster.
_NO_CLUSTER = ("establish a configuration source", "DNS SRV lookup failed")
#: States of jobs that have ended.
ENDED = {
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "SPECIAL_EXIT",
    "TIMEOUT",
}
#: The options of sbatch for those of the executor.
_WORDS = {"partition": "--partition", "account": "--account", "memory": "--mem", "time": "--time"}


class AwayError(ExecutorError):
    """The controller of SLURM does not answer; the message is its own."""


class RefusedError(ExecutorError):
    """SLURM does not do what it was asked to; the message is its own."""


@dataclasses.dataclass(frozen=True)
class JobState:
    """The state of a job.

    Attributes:
        job: as squeue shows it, ``"12_3"`` in an array.
        state: of SLURM, such as ``"PENDING"``.
        reason: why it waits or has failed; empty if there is none.
        node: where it runs.
        name: of the job.
    """

    job: str
    state: str
    reason: str = ""
    node: str = ""
    name: str = ""

    @property
    def about(self) -> str:
        """The job with its state, for people."""
        node = f" on {self.node}" if self.node else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f"job {self.job}{node}: {self.state}{reason}"


def require() -> None:
    """Check that this machine has SLURM.

    Raises:
        ExecutorError: it has not.
    """
    missing = [name for name in ("sbatch", "squeue", "scancel") if not shutil.which(name)]
    if missing:
        raise ExecutorError(
            f"executor 'slurm' needs the commands of SLURM, and this machine has no {' or '.join(missing)}; "
            "run ablate on a login node of a cluster, or use --executor local"
        )


def submit(script: Path, options: SlurmOptions, name: str, jobs: int, gpus: int, *, test: bool = False) -> str:
    """Submit an array of jobs, and return its number.

    Args:
        script: of the jobs.
        options: of the executor.
        name: of the jobs.
        jobs: their number.
        gpus: of each.
        test: only ask whether SLURM would take them.

    Raises:
        AwayError: SLURM does not answer.
        ExecutorError: SLURM refuses them.
    """
    try:
        done = _run(
            "sbatch", "--parsable", *(["--test-only"] if test else []), *words(script, options, name, jobs, gpus)
        )
    except RefusedError as error:
        keys = ", ".join([*_WORDS, "gpus", "cores"])
        set_ = "".join(f", {key}={value}" for key in _WORDS if (value := getattr(options, key)) != "")
        chosen = f"{set_}, cores={max(options.cores, gpus)}{f', gpus={gpus}' if gpus else ''}".removeprefix(", ")
        raise ExecutorError(
            f"SLURM refuses the jobs: {error}; you asked for {chosen}; "
            f"the options are --set executor.slurm.KEY: {keys}, sbatch"
        ) from error
    return done.partition(";")[0].strip()


def words(script: Path, options: SlurmOptions, name: str, jobs: int, gpus: int) -> list[str]:
    """Return the words of sbatch for an array of jobs; see :func:`submit`."""
    found = [f"{word}={value}" for key, word in _WORDS.items() if (value := getattr(options, key)) != ""]
    found += [f"--gres=gpu:{gpus}"] if gpus else []
    found += [
        "--requeue" if options.requeue else "--no-requeue",
        f"--cpus-per-task={max(options.cores, gpus)}",
        "--ntasks=1",
    ]
    found += [f"--signal=B:USR1@{options.seconds_of_notice}", "--export=ALL", "--open-mode=append"]
    found += [f"--job-name={name}", f"--output={script.parent}/logs/%A_%a.txt", f"--array=0-{jobs - 1}"]
    return [*found, *options.sbatch, str(script)]


def states(name: str) -> dict[str, JobState]:
    """Return the states of the jobs of a name of this user, those that have just ended included.

    Raises:
        AwayError: SLURM does not answer.
    """
    lines = _run("squeue", "-h", "-r", "-t", "all", *_mine(), "-n", name, "-o", _FORMAT).splitlines()
    found = (_state(line) for line in lines)
    return {each.job: each for each in found if each}


_FORMAT = "%i|%T|%N|%j|%r"


def _state(line: str) -> JobState | None:
    words = line.strip().split("|", 4)
    if len(words) < len(_FORMAT.split("|")):
        return None
    job, state, node, name, reason = words
    return JobState(job, state, "" if reason == "None" else printable(reason), node, name)


def left(prefix: str) -> set[str]:
    """Return the names that begin so of jobs of this user that have not ended.

    Raises:
        AwayError: SLURM does not answer.
    """
    found = (_state(line) for line in _run("squeue", "-h", "-r", *_mine(), "-o", _FORMAT).splitlines())
    return {each.name for each in found if each and each.name.startswith(prefix) and each.state not in ENDED}


def _mine() -> list[str]:
    """Return the words for the jobs of this user alone: anybody may give a job the same name."""
    return ["-u", str(os.geteuid())]


def cancel(name: str = "", job: str = "", *, waiting: bool = False) -> None:
    """Cancel the jobs of a name, or one job, of this user; only those that wait, where ``waiting``.

    Raises:
        AwayError: SLURM does not answer.
    """
    try:
        words = ["scancel", "--quiet", *_mine(), *(["-t", "PENDING"] if waiting else [])]
        _run(*words, *([f"--name={name}"] if name else [job]))
    except RefusedError as error:  # it has ended by itself
        raise AwayError(str(error)) from error


def end_all(names: set[str], seconds: float) -> bool:
    """Cancel the jobs of some names; return whether they have gone within some seconds."""
    deadline, pause = time.monotonic() + seconds, 0.05
    with contextlib.suppress(ExecutorError):
        for name in names:
            cancel(name)
        while names & left(""):
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, 1.0)
        return True
    return False


def _run(*words: str) -> str:
    try:
        # a group of its own: Ctrl-C is for the driver
        done = subprocess.run(  # noqa: S603 - a list of words
            words,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=environment(os.environ),
            stdin=subprocess.DEVNULL,
            timeout=_LONGEST,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise AwayError(f"{words[0]} does not end") from error
    except OSError as error:
        raise ExecutorError(f"{words[0]} cannot be started ({error.strerror})") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        text = one_line(ValueError("; ".join(line.removeprefix(f"{words[0]}: error: ").strip() for line in lines)))
        if any(each in text for each in _NO_CLUSTER):
            raise ExecutorError(
                f"this machine reaches no SLURM cluster ({words[0]} finds no settings); run ablate on a login node of "
                "a cluster, or name its settings in the variable SLURM_CONF"
            )
        if any(each in text for each in _AWAY):
            raise AwayError(text)
        raise RefusedError(text or f"{words[0]} ended with status {done.returncode}")
    return done.stdout


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a command: without what SLURM has set for a job that this process may run in."""
    kept = ("SLURM_CONF", "SLURM_CLUSTERS", "SLURM_JWT")
    return {key: value for key, value in own.items() if not key.startswith("SLURM_") or key in kept}
