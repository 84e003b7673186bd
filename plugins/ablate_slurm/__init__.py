"""The executor ``slurm``: brings the work of a study to the jobs of a SLURM cluster.

The modules in the order of reading:

- :mod:`ablate_slurm.options`: what a person can choose;
- :mod:`ablate_slurm.executor`: the driver's side: hands tasks to pilots, and takes what comes of them;
- :mod:`ablate_slurm.pilots`: finds the pilots, listens to them, and judges them;
- :mod:`ablate_slurm.fleet`: asks for jobs, and notices those that are gone;
- :mod:`ablate_slurm.failures`: those that end too early;
- :mod:`ablate_slurm.commands`: ``sbatch``, ``squeue`` and ``scancel``;
- :mod:`ablate_slurm.script`: the script of a job;
- :mod:`ablate_slurm.link`: the driver's side of one pilot;
- :mod:`ablate_slurm.session`: the folder that the driver and the jobs share;
- :mod:`ablate_slurm.log`: messages as a file that one side appends to and the other one reads;
- :mod:`ablate_slurm.node`: the programs of a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_slurm.options import SlurmOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.interfaces.executor import Executor, Setup


def _build(options: SlurmOptions, setup: Setup) -> Executor:
    from ablate_slurm.executor import SlurmExecutor

    return SlurmExecutor(options, setup)


@ablate.hookimpl
def ablate_executors() -> Iterator[ablate.ExecutorSpec]:
    """Offer the executor."""
    yield ablate.ExecutorSpec(
        name="slurm", summary="Jobs of a SLURM cluster, each with workers.", options=SlurmOptions, build=_build
    )
