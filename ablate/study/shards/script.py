"""The script that runs all shards of a study on a SLURM cluster, as one array of jobs."""

from __future__ import annotations

import dataclasses
import math
import shlex

from ablate.files import file_name
from ablate.names import shell_name
from ablate.printable import printable

#: How many times the estimated seconds and bytes a job asks for, and what it asks for besides.
_RESERVE, _SECONDS, _BYTES = 2.0, 600, 2**30
#: The seconds of a job whose duration nobody knows.
_UNKNOWN = 86_400


@dataclasses.dataclass(frozen=True)
class Array:
    """The shards of a study as jobs of one array.

    Attributes:
        study: the name that it is stored under.
        shards: their number.
        command: ``ablate study run`` with all options of the study, without home, shard and workers, as words.
        cores: the cores of a job.
        gpus: the GPUs of a job; a program may use a part of one.
        seconds: the expected duration of the longest shard; NaN if it is unknown.
        bytes: the memory that a shard needs; 0 if it is unknown.
    """

    study: str
    shards: int
    command: tuple[str, ...]
    cores: int
    gpus: float
    seconds: float
    bytes: int


def script(array: Array) -> str:
    """Return the text of the script: given to sbatch it runs the shards, and called with ``merge`` it joins them."""
    name = file_name(array.study)
    head = f"""\
#!/bin/bash
# The study {printable(array.study)} in {array.shards} shards: one job of a SLURM array for each of them.
#
#   sbatch {name}.sh        runs all shards, each in a home of its own
#   bash {name}.sh merge    brings the homes together when all jobs have ended, and writes the report
#
# A job that failed, was killed or ran out of time has lost nothing: give this script to sbatch once more. Jobs that
# are done find nothing to do then, and the others continue. The folder that you call sbatch in has to be the same on
# all nodes, and so do ablate, its plugins and torch.

# The partition of your cluster: take away one # and write its name. 'sinfo' lists them.
##SBATCH --partition=PARTITION
{_requests(array)}
#SBATCH --job-name=ablate-{name}
#SBATCH --array=1-{array.shards}
# Start a job again whose node has failed.
#SBATCH --requeue
# What each job prints.
#SBATCH --output={name}-%a.log
#SBATCH --open-mode=append
"""
    words = " ".join(map(shlex.quote, array.command))
    return f"""{head}
set -euo pipefail

# The folder with a home for each shard, and the home that gets the whole study.
shards=shards/{name}
all=.ablate

# If ablate is in an environment of its own, this is the place to activate it:
# source ~/venv/bin/activate

if [ "${{1:-}}" = merge ]; then
    ablate db merge "$shards"/{{1..{array.shards}}} --home "$all"
    ablate study report --home "$all" {shell_name(array.study)}
    exit
fi

exec {words} \\
    --shard "$SLURM_ARRAY_TASK_ID/{array.shards}" --home "$shards/$SLURM_ARRAY_TASK_ID" \\
    --workers "${{SLURM_CPUS_PER_TASK:-{array.cores}}}" --yes
"""


def _requests(array: Array) -> str:
    """Return the lines that ask for cores, memory, time and GPUs."""
    lines = [
        "# Each worker uses one core.",
        f"#SBATCH --cpus-per-task={array.cores}",
        f"# {_about_memory(array)}",
        f"#SBATCH --mem={math.ceil((_RESERVE * array.bytes + _BYTES) / 2**30)}G",
        f"# {_about_time(array)}",
        f"#SBATCH --time={_time(array.seconds)}",
    ]
    if array.gpus:
        lines += [
            "# Some clusters want the kind of GPU too, such as a100:1.",
            f"#SBATCH --gpus={math.ceil(array.gpus)}",
        ]
    return "\n".join(lines)


def _about_memory(array: Array) -> str:
    if not array.bytes:
        return "The memory is a guess: ablate cannot measure it here."
    where = " on this machine" if not array.gpus else " of the GPU; what the machine needs beside it is a guess"
    return f"The estimate is {array.bytes / 2**30:.1f} GiB{where}; a reserve is added."


def _about_time(array: Array) -> str:
    if math.isnan(array.seconds):
        return "The time is a guess: nobody knows how long a program takes before a run of it has ended."
    minutes = math.ceil(array.seconds / 60)
    expected = f"about {minutes:,} min" if minutes > 1 else "less than a minute"
    return f"The longest shard needs {expected} on this machine; a job may take twice as long and 10 min."


def _time(seconds: float) -> str:
    """Return a limit of time as SLURM reads it: days, hours, minutes and seconds."""
    limit = _UNKNOWN if math.isnan(seconds) else _RESERVE * seconds + _SECONDS
    minutes = math.ceil(limit / 60)
    return f"{minutes // 1440}-{minutes // 60 % 24:02}:{minutes % 60:02}:00"
