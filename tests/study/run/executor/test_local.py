"""The executor of this machine keeps the contract of all executors."""

from __future__ import annotations

from ablate.study.run.executor.local import LOCAL
from ablate.testing import ExecutorContract


class TestLocal(ExecutorContract):
    spec = LOCAL
