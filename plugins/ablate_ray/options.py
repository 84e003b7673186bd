"""Options of the executor."""

from __future__ import annotations

from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class RayOptions:
    """Options of ``ray``."""

    address: str = ablate.option(
        "",
        doc='Cluster to use: "auto" for the one that this machine is a node of, or HOST:PORT of its head; empty: start '
        "Ray on this machine for this run.",
    )
    namespace: str = ablate.option("", doc="Namespace of the actors in Ray; empty: one of this run alone.")
    cores: int = ablate.option(1, ge=1, doc="CPU cores that each task takes from the cluster; it computes with one.")
    memory: float = ablate.option(0.0, ge=0, doc="GiB of memory that each task takes from the cluster; 0: any.")
    gpus: float = ablate.option(1.0, gt=0, le=1, doc="GPUs for each task that needs one; 0.5: two tasks share one.")
    tasks: int = ablate.option(
        0, ge=0, doc="Most tasks at once; 0: no limit but the room in the cluster. A cluster that grows needs a number."
    )
    shared_home: bool = ablate.option(
        False, doc="Read and write files in the home itself, which all machines must see under the same path."
    )
