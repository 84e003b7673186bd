"""The executor ``ray``: workers on a Ray cluster, or on one that is started here for the run.

The modules in the order of reading:

- :mod:`ablate_ray.options`: the options;
- :mod:`ablate_ray.executor`: the driver's side, which never imports Ray;
- :mod:`ablate_ray.client`: the process that talks with Ray for the driver;
- :mod:`ablate_ray.connection`: connects that process to a cluster, or starts one;
- :mod:`ablate_ray.nodes`: the machines of the cluster, and the tasks that they have room for;
- :mod:`ablate_ray.pool`: the actors, and the tasks that they get;
- :mod:`ablate_ray.actor`: the worker's side, an actor that supervises one process;
- :mod:`ablate_ray.contents`: the contents of files in the object store;
- :mod:`ablate_ray.deaths`: words for the ways in which an actor dies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ablate
from ablate_ray.options import RayOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.interfaces.executor import Setup


def _build(options: RayOptions, setup: Setup) -> ablate.Executor:
    from ablate_ray.executor import RayExecutor

    return RayExecutor(options, setup)


@ablate.hookimpl
def ablate_executors() -> Iterator[ablate.ExecutorSpec]:
    """Offer the executor."""
    yield ablate.ExecutorSpec(
        name="ray",
        summary="Workers on a Ray cluster, or on a Ray of this machine.",
        options=RayOptions,
        build=_build,
        modules=("ray",),
        install="pip install 'ablate-music[ray]'",
    )
