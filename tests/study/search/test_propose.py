"""What a search proposes after it was killed while it stored a proposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from optuna.storages import _CachedStorage

from ablate.registry import get_registry
from ablate.store.store import Store
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.search.propose import propose
from ablate.study.search.search import search_layout
from ablate.study.trials.view import Trials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AXES = """
[axes]
sampler.temperature.tau = { low = 0.6, high = 1.4 }
training.learning_rate = [1e-3, 2e-3, 5e-3]
model.lstm.layers = { low = 1, high = 4 }
training.batch = [4, 8, 16]
[baseline]
sampler.temperature.tau = 1.0
training.learning_rate = 1e-3
model.lstm.layers = 1
training.batch = 4
[search]
n_variants = 40
objectives = [{ metric = "distance.pitch", feature = "average" }]
"""


class Killed(BaseException):
    """Ends a proposal in the middle."""


@pytest.fixture
def search(tmp_path: Path, tiny_text: str) -> Callable[[str], StudySpec]:
    def read(algorithm: str) -> StudySpec:
        axes = tiny_text.index("[axes]")
        text = tiny_text[:axes] + AXES + f'algorithm = "{algorithm}"\n'
        (tmp_path / "tiny.toml").write_text(f'design = "search"\n{text}', encoding="utf-8")
        return read_study(str(tmp_path / "tiny.toml"), Overrides())

    return read


def proposals(folder: Path, spec: StudySpec, finished: int, count: int) -> list[dict[str, Any]]:
    """Return the next proposals of a search in a folder that has ``finished`` trials, each with a value."""
    folder.mkdir(exist_ok=True)
    url = f"sqlite:///{folder}/ablate.db"
    with Store(url, writing=True):
        pass
    trials = Trials(url, search_layout(spec, get_registry(), None, "cpu"), spec.objectives)
    try:
        found, known = [], [spec.variants()[0].name]
        while len(trials.study.get_trials(deepcopy=False)) <= finished:
            trial, _ = propose(spec, trials, known)
            trials.study.tell(trial, float(trial.number % 7))
        for _ in range(count):
            trial, variant = propose(spec, trials, known)
            trials.study.tell(trial, 1.0)
            found.append(variant.levels)
        return found
    finally:
        trials.close()


@pytest.mark.parametrize(
    ("algorithm", "finished", "stored"),
    [("random", 1, 2), ("random", 5, 1), ("tpe", 1, 3), ("tpe", 12, 2), ("nsga2", 1, 1)],
)
def test_a_proposal_that_was_stored_in_part_is_the_same_again(
    tmp_path: Path,
    search: Callable[[str], StudySpec],
    monkeypatch: pytest.MonkeyPatch,
    algorithm: str,
    finished: int,
    stored: int,
) -> None:
    spec = search(algorithm)
    wanted = proposals(tmp_path / "whole", spec, finished, 2)
    proposals(tmp_path / "killed", spec, finished, 0)
    calls = iter(range(100))
    store = _CachedStorage.set_trial_param

    def dying(*args: Any) -> None:
        if next(calls) == stored:
            raise Killed
        store(*args)

    monkeypatch.setattr(_CachedStorage, "set_trial_param", dying)
    with pytest.raises(Killed):
        proposals(tmp_path / "killed", spec, finished, 1)
    monkeypatch.undo()
    assert proposals(tmp_path / "killed", spec, finished, 2) == wanted
