"""The contract of executors, on a cluster of three nodes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

import ablate_ray
from ablate.testing import ExecutorContract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.ray_cluster import RayCluster

    from ablate.interfaces import Executor
    from ablate.testing.executor_log import Log

(RAY,) = ablate_ray.ablate_executors()


@pytest.mark.slow
class TestRay(ExecutorContract):
    spec = RAY

    @pytest.fixture(autouse=True)
    def on_the_cluster(self, cluster: RayCluster) -> None:
        self.address = cluster.address

    @contextlib.contextmanager
    def entered(self, settings: Mapping[str, Any]) -> Iterator[tuple[Executor, Log]]:
        with super().entered({"address": self.address, "tasks": 2, **settings}) as entered:
            yield entered

    def test_shared_home(self) -> None:
        self.test_home({"shared_home": True})
