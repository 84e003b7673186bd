"""One cluster for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.slurm import missing, running_cluster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.slurm import Cluster


@pytest.fixture(scope="session")
def running() -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(f"no SLURM: it needs {reason}")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    yield running
    assert not running.jobs(), "a job is left in the queue"
