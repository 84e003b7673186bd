"""A Ray cluster of three nodes, started when a test needs it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from support import ray_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[ray_cluster.RayCluster]:
    lacking = ray_cluster.missing()
    if lacking:
        pytest.skip(f"no Ray cluster: {lacking}")
    before = dict(os.environ)
    os.environ.update(ray_cluster.SURROUNDINGS)
    started = ray_cluster.RayCluster(3)
    yield started
    started.close()
    for name in ray_cluster.SURROUNDINGS:
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]
