"""The contract of executors, on a real cluster."""

from __future__ import annotations

import pytest

from ablate.testing import ExecutorContract
from ablate_slurm import ablate_executors


@pytest.mark.usefixtures("cluster")
class TestSlurm(ExecutorContract):
    spec = next(iter(ablate_executors()))
    options = ({"jobs": 2},)
