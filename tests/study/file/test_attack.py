"""Study files and overrides made at random end in a study that is laid out, or in lines that name the file."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from support.study_attack import attack_study
from support.study_fuzzing import make_attack

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: The long version is ``tools/fuzz_study.py``.
EXECUTIONS = 60


def test_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kinds: Counter[str] = Counter()
    for number in range(EXECUTIONS):
        outcome = attack_study(make_attack(18, number), tmp_path)
        assert not outcome.failed, (number, outcome)
        kinds[outcome.kind] += 1
    assert kinds["refused"] > EXECUTIONS / 3
    assert kinds["laid out"], "not everything is refused"
