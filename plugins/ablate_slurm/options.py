"""Options of the executor."""

from __future__ import annotations

import re
from dataclasses import dataclass

import ablate

#: Times as sbatch reads them: minutes, minutes:seconds, hours:minutes:seconds, days-hours, and so on.
_DAYS = re.compile(r"(\d+)-(\d+)(?::(\d+))?(?::(\d+))?")
_MEMORY = re.compile(r"\d+(?:[KMGT]B?)?", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+)(?::(\d+))?(?::(\d+))?")


@dataclass(frozen=True)
class SlurmOptions:
    """Options of ``slurm``."""

    partition: str | int = ablate.option("", doc="Partition of the jobs; empty: that of the cluster.")
    account: str | int = ablate.option("", doc="Account that pays for the jobs; empty: your own.")
    jobs: int = ablate.option(
        8, ge=1, le=1000, doc="Largest number of jobs at once; fewer are asked for when there is less to do."
    )
    cores: int = ablate.option(
        1, ge=1, le=1024, doc="Cores of a job, each with a worker; of a job with GPUs, at least one for each."
    )
    gpus: int = ablate.option(
        0, ge=0, le=64, doc="GPUs of a job, each with a worker; 0: one if the study computes on a GPU, otherwise none."
    )
    memory: str | int = ablate.option(
        "", doc='Memory of a job, as sbatch reads it: "8G", or MiB as a number; empty: the default of the cluster.'
    )
    time: str | int = ablate.option(
        "",
        doc='Time limit of a job, as sbatch reads it: minutes as a number, "4:00:00", "2-12"; empty: that of the '
        "partition. A training that takes longer continues in another job.",
    )
    notice: int = ablate.option(
        120, ge=5, le=3600, doc="Seconds before its time limit at which a job ends its tasks; at most a quarter of it."
    )
    requeue: bool = ablate.option(True, doc="Whether SLURM starts a job again whose node has failed.")
    sbatch: tuple[str, ...] = ablate.option((), doc='More options of sbatch: ["--qos=long", "--constraint=a100"].')
    before: tuple[str, ...] = ablate.option(
        (), doc='Lines of shell that a job runs before Python: ["module load cuda"].'
    )
    python: str = ablate.option("", doc="Python that the jobs start; empty: the one that runs this command.")
    folder: str = ablate.option(
        "",
        doc="Folder that this machine and all nodes see, if the nodes do not see the home: messages and files travel "
        "through it. Empty: the home itself.",
    )
    patience: int = ablate.option(
        60,
        ge=5,
        le=86_400,
        doc="Seconds without a sign of this command after which the jobs end by themselves; a job that shows no sign "
        "for twice as long is cancelled.",
    )

    def __post_init__(self) -> None:
        """Check what the bounds cannot.

        Raises:
            ValueError: the time limit is none, or the memory.
        """
        if self.memory != "" and not _MEMORY.fullmatch(str(self.memory)):
            raise ValueError(f'memory: must be an amount as sbatch reads it, such as "8G", not "{self.memory}"')
        if self.time != "" and not seconds(str(self.time)):
            raise ValueError(f'time: must be a time limit as sbatch reads it, such as "4:00:00", not "{self.time}"')

    @property
    def seconds_of_notice(self) -> int:
        """The seconds before the end at which a job is warned."""
        limit = seconds(str(self.time))
        return min(self.notice, limit // 4) if limit else self.notice


def seconds(text: str) -> int:
    """Return a time limit in seconds; 0 if the text is none."""
    if found := _DAYS.fullmatch(text):
        days, hours, minutes, rest = (int(each or 0) for each in found.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + rest
    found = _CLOCK.fullmatch(text)
    if not found:
        return 0
    first, second, third = found.groups()
    if third is not None:
        return (int(first) * 60 + int(second)) * 60 + int(third)
    return int(first) * 60 + int(second or 0)
