"""The contract of executors, on a cluster of three nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ablate_ray
from ablate.testing import ExecutorContract

if TYPE_CHECKING:
    from support.ray_cluster import RayCluster

(RAY,) = ablate_ray.ablate_executors()


@pytest.mark.slow
class TestRay(ExecutorContract):
    spec = RAY

    @pytest.fixture
    def settings(self, cluster: RayCluster) -> dict[str, object]:
        return {"address": cluster.address}


@pytest.mark.slow
class TestRayThatSeesTheHome(ExecutorContract):
    spec = RAY

    @pytest.fixture
    def settings(self, cluster: RayCluster) -> dict[str, object]:
        return {"address": cluster.address, "shared_home": True, "tasks": 2}
