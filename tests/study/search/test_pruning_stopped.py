"""Searches that prune, stopped in the middle of a variant and run again: as if nobody had stopped them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.bench import Bench

from ablate.registry import get_registry
from ablate.store.store import Store
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from ablate.study.run.listener import Listener
from ablate.study.search.search import SearchRunner, is_undecided

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.store.records import RunState
    from ablate.study.plan.layout import Run
    from ablate.study.work.messages import StageFailure, StageResult

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
#: Samples of a few notes are far from the piece in every replicate, whatever the rest.
SEARCH = """
[axes]
generation.tokens = [80, 12]
training.learning_rate = { low = 1e-4, high = 1e-2, log = true }
[baseline]
generation.tokens = 80
training.learning_rate = 1e-3
[search]
n_variants = 3
algorithm = "random"
prune_after = 2
prune_p = 0.3
objectives = [{ metric = "distance.pitch" }]
"""
Facts = tuple[list[str], dict[tuple[str, int], tuple[str, str]], list[Any]]


class Killed(BaseException):
    """Ends a search where a test wants it; nothing more is written then, as after a kill."""


class Stops(Listener):
    """Stops a search when a variant is at a certain point.

    Args:
        variant: its index in the order in which variants are chosen.
        point: ``"<replicate> <state>"`` of a run, or ``"<kind>"`` of its first stage that is finished.
        kills: whether the search ends at once; else it is asked to stop.
    """

    def __init__(self, variant: int, point: str, *, kills: bool) -> None:
        self.run: SearchRunner
        self._variant, self._point, self._kills = variant, point, kills

    def done(self, done: StageResult) -> None:
        self._look(len(self.run._variants) - 1, done.stage.kind)

    def run_changed(self, run: Run, state: RunState, failure: StageFailure | None) -> None:
        names = [variant.name for variant in self.run._variants]
        self._look(names.index(run.variant.name), f"{run.replicate} {state}")

    def _look(self, variant: int, point: str) -> None:
        if (variant, point) == (self._variant, self._point):
            self._variant = -1
            if self._kills:
                raise Killed
            self.run.stop()


def search(home: Path, spec: StudySpec, listener: Stops | None = None) -> Facts:
    """Run a search until it is stopped, or to its end; return what is in the store then."""
    bench = Bench(home)
    with Store(bench.url, writing=True) as store:
        searching = SearchRunner(spec, get_registry(), store, bench.home, listener=listener)
        if listener:
            listener.run = searching
        try:
            searching.run()
        except Killed:
            assert listener
        chosen = [variant.name for variant in store.variants("tiny")]
        states = {(run.variant, run.replicate): (run.state, run.error) for run in store.runs("tiny")}
    return chosen, states, bench.numbers("tiny")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> StudySpec:
    file = tmp_path_factory.mktemp("study") / "tiny.toml"
    file.write_text('design = "search"\n' + tiny_text.replace(TAU, "") + SEARCH, encoding="utf-8")
    return read_study(str(file), Overrides(replicates=3))


@pytest.fixture(scope="module")
def uninterrupted(spec: StudySpec, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return search(tmp_path_factory.mktemp("whole") / "home", spec)


def pruned(facts: Facts) -> set[int]:
    chosen, states, _ = facts
    return {chosen.index(name) for (name, _), (state, _) in states.items() if state == "pruned"}


@pytest.mark.parametrize(("point", "way"), [("0 done", "Ctrl-C"), ("1 done", "kill")])
def test_a_variant_to_prune_is_pruned_after_all(
    point: str, way: str, spec: StudySpec, uninterrupted: Facts, tmp_path: Path
) -> None:
    """Killed in its first replicates, or after them and before the decision."""
    first = min(pruned(uninterrupted))
    stopped = search(tmp_path / "home", spec, Stops(first, point, kills=way == "kill"))
    assert len(stopped[2]) < len(uninterrupted[2])
    with Bench(tmp_path / "home").store() as store:
        assert is_undecided(spec, store, stopped[0][-1])
    assert search(tmp_path / "home", spec) == uninterrupted


def test_a_variant_to_keep_is_kept(spec: StudySpec, uninterrupted: Facts, tmp_path: Path) -> None:
    kept = max({1, 2} - pruned(uninterrupted))
    search(tmp_path / "home", spec, Stops(kept, "2 done", kills=True))
    assert search(tmp_path / "home", spec) == uninterrupted
