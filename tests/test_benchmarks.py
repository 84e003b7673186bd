"""The benchmarks are not run here, but what they compare must be comparable."""

from __future__ import annotations

import collections
import json
import runpy
import sys
import time
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from support.checkout import ROOT

from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ROOT / "tests/benchmarks"
GROUPS = (
    "data",
    "driver",
    "generation",
    "gpu",
    "metrics",
    "observers",
    "readers",
    "recipe",
    "report",
    "start",
    "store",
    "study",
    "training",
    "watch",
)


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in set(sys.modules) - before:
        if str(FOLDER) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def built(kind: str, name: str) -> Any:
    spec = get_registry().spec(kind, name)
    return spec.build(spec.parse({}))


def test_ratios_are_of_rates_and_targets_are_held_to_them() -> None:
    import time

    from harness import Case, cells, compare

    def work(seconds: float, amount: float) -> float:
        time.sleep(seconds)
        return amount

    table = compare(
        "sleep",
        "winks",
        [
            Case("baseline", lambda: work(0.02, 1)),
            Case("twice as many", lambda: work(0.02, 2), target=1.2),
            Case("too slow", lambda: work(0.03, 1), target=4, most=0.001),
        ],
        rounds=3,
    )
    assert [row.verdict for row in table.rows] == ["", "met", "missed"]
    assert table.rows[0].ratio == 1
    assert table.rows[1].ratio == pytest.approx(2, rel=0.3)
    assert cells(table.rows[2])[-2:] == [">= 4 x, <= 0.001 s", "missed"]


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_offers_tables(group: str) -> None:
    import importlib

    assert callable(importlib.import_module(f"bench_{group}").tables)
    page = (ROOT / "docs/explanation/benchmarks.md").read_text(encoding="utf-8")
    assert f"<!-- {group} -->" in page
    assert f"<!-- end of {group} -->" in page


def test_benchmarks_that_are_cut_short_keep_their_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a package is not installed."""
    import harness

    def tables() -> Iterator[harness.Table]:
        yield harness.once("naps", "naps", [harness.Case("one", lambda: 1)])
        raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "bench_cut", SimpleNamespace(tables=tables))
    monkeypatch.setattr(harness, "PACKAGES", ("torch", "nobody-has-this-package"))
    monkeypatch.setattr(sys, "argv", ["benchmarks", "cut", "--out", str(tmp_path)])
    program = runpy.run_path(str(FOLDER / "__main__.py"))
    program["GROUPS"].append("cut")
    with pytest.raises(KeyboardInterrupt):
        program["main"]()
    kept = json.loads((tmp_path / "cut.json").read_text(encoding="utf-8"))
    assert [table["title"] for table in kept["tables"]] == ["naps"]
    assert kept["machine"]["packages"] == {"torch": version("torch"), "nobody-has-this-package": "not installed"}


def test_no_group_is_forgotten() -> None:
    assert sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py")) == list(GROUPS)


def test_tokens_note_by_note_are_the_tokens_of_the_tokenizer() -> None:
    from material import made_piece
    from naive import naive_tokens

    for piece in (*built("corpus", "bach-prelude").load(), made_piece(1, 300)):
        assert naive_tokens(piece) == built("tokenizer", "midilike-classic").encode(piece).tolist()


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer"])
def test_the_naive_networks_are_those_of_the_plugins(name: str) -> None:
    import naive

    sizes = {"embedding": 8, "layers": 2} | ({"heads": 2} if name == "transformer" else {"hidden": 16})
    kinds = {"lstm": naive.NaiveLSTM, "gru": naive.NaiveGRU, "transformer": naive.NaiveGPT}
    spec = get_registry().spec("model", name)
    ours = spec.build(spec.parse(sizes), 30, []).eval()
    model = kinds[name](30, **sizes).eval()
    model.load_state_dict(ours.state_dict())
    tokens = torch.arange(12).reshape(2, 6)
    torch.testing.assert_close(model(tokens)[0], ours(tokens, [])[0])


def test_the_naive_loops_learn_and_sample() -> None:
    from naive import NaiveLSTM, naive_sampling, naive_training

    torch.manual_seed(0)
    model = NaiveLSTM(30, 8, 16, 2)
    data = np.tile(np.arange(10), 30)
    first = naive_training(model, data, 1, 4, 16)
    assert naive_training(model, data, 150, 4, 16) < first / 2
    assert set(naive_sampling(model, 20)) <= set(range(30))


def test_the_naive_recipe_stops_early_and_keeps_the_best_weights() -> None:
    from naive import NaiveGRU, Recipe, naive_recipe, naive_validation

    torch.manual_seed(0)
    model, rng = NaiveGRU(12, 8, 16, 1), np.random.default_rng(0)
    # what it learns by heart in the first piece is wrong in the second
    pieces = [torch.from_numpy(rng.integers(0, 12, 60)) for _ in range(2)]
    recipe = Recipe(400, 4, 16, 0.03, warmup=10, weight_decay=0.01, validate_every=10, patience=3)
    loss, kept, steps = naive_recipe(model, pieces[:1], pieces[1:], recipe)
    assert kept < steps < 400
    assert steps == kept + 30
    assert naive_validation(model, pieces[1:], 16) == pytest.approx(loss)


@pytest.mark.slow
def test_the_script_and_the_study_train_the_same_experiment(tmp_path: Path) -> None:
    import bench_recipe

    home = tmp_path / "home"
    trainings = bench_recipe.prepared(home, bench_recipe.write_corpus(tmp_path / "music", None, 100), 1, "smoke")
    naive, ours = bench_recipe.naively(trainings, home, 1), bench_recipe.engine(trainings, home, None)
    assert list(naive) == list(ours) == ["lstm", "gru", "transformer"]
    for name, ((loss, steps),) in ours.items():
        # other windows and weights, hence nearly and not exactly
        assert loss == pytest.approx(naive[name][0][0], rel=0.1)
        assert steps == naive[name][0][1]


def test_what_a_gpu_is_measured_with_runs_here_in_small(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its numbers mean nothing on a CPU; that nothing in it is broken does."""
    import bench_gpu
    import gpu_ways

    from ablate.engine.fusion import trainer

    monkeypatch.setattr(gpu_ways, "CHECK_EVERY", 4)
    monkeypatch.setattr(trainer, "CHECK_EVERY", 4)
    monkeypatch.setattr(bench_gpu, "MAIN", 2)

    small = bench_gpu.Size(hidden=8, layers=2, rows=2, window=4)
    trained = bench_gpu.training(small, 2, "cpu", rounds=1)
    assert len(trained.rows) == 6
    assert all(row.rate > 0 for row in trained.rows)
    assert not any("not measured" in note for note in trained.notes)
    assert len(bench_gpu.training(small, 1, "cpu", rounds=1).rows) == 4
    shares = bench_gpu.profile(small, 2, "cpu").notes
    assert any(note.startswith("products: ") for note in shares)
    generated = bench_gpu.sampling(small, 2, 6, "cpu", lengths=(1, 9), short=(1, 9), rounds=1)
    assert [note.partition(": ")[2] for note in generated.notes if "not measured" in note] == []
    assert len([note for note in generated.notes if note.endswith(" s before the first token")]) == 4
    if not torch.cuda.is_available():
        assert list(bench_gpu.tables()) == []
        assert "no CUDA device here" in capsys.readouterr().out


def test_a_gpu_holds_one_way_at_a_time_and_one_that_fails_spares_the_others() -> None:
    import weakref

    from gpu_timing import Way, one_by_one, repeated

    class Large:
        def run(self) -> float:
            return 6.0

    alive: list[weakref.ref[Large]] = []

    def build() -> Any:
        assert all(reference() is None for reference in alive), "another way is still in memory"
        large = Large()
        alive.append(weakref.ref(large))
        return large.run

    def too_large() -> Any:
        raise torch.OutOfMemoryError("too much")

    clock = iter([0.0, 2.0, 10.0, 11.0]).__next__
    ways = [Way(name, repeated(each, 1)) for name, each in (("a", build), ("b", too_large), ("c", build))]
    table = one_by_one("t", "winks", ways, "cpu", clock)
    assert [(row.name, row.seconds, row.rate, row.ratio) for row in table.rows] == [("a", 2, 3, 1), ("c", 1, 6, 2)]
    assert table.notes == ["b: not measured: OutOfMemoryError: too much"]
    failed = one_by_one("t", "winks", ways[1:], "cpu", iter([0.0, 1.0]).__next__)
    assert np.isnan(failed.rows[0].ratio), "no other way takes the place of the baseline"


def test_a_generation_is_timed_without_its_start() -> None:
    from gpu_timing import by_length

    now = [0.0]

    def generate(tokens: int) -> float:
        now[0] += 5 + 0.25 * tokens
        return 3.0 * tokens

    timing = by_length(generate, 10, 50, rounds=2)(lambda: now[0])
    assert timing.amount == 3 * 40
    assert list(timing.seconds) == [10, 10]
    assert timing.note == "5 s before the first token"


def test_a_whole_round_on_a_gpu_is_prepared_within_the_windows() -> None:
    """Half a second and 100 MB for each model, for windows that nobody trains with, would come before the first one."""
    import bench_gpu
    import gpu_ways

    from ablate.engine.training.job import CHECK_EVERY

    rounds = 3 + 2  # timed, warming up, and the memory
    assert rounds * CHECK_EVERY <= gpu_ways.LENGTH <= 1000
    assert max(bench_gpu.MODELS) * gpu_ways.LENGTH * bench_gpu.LARGE.rows * 16 < 2**30


def test_what_a_driver_tells_is_recorded_and_each_stage_is_looked_at_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from simulated import Simulated, layout

    from ablate.store.store import Store
    from ablate.study.run.listener import Listener
    from ablate.study.run.runner import SharedContext, StudyRunner
    from ablate.study.run.states import RunStates

    told: list[str] = []

    class Checking(Listener):
        """Looks for everything that it is told of in the database, as another process would."""

        def done(self, done: Any) -> None:
            query = "SELECT count(*) FROM ablate_stages WHERE fingerprint = ?"
            assert other.execute(query, [done.stage.fingerprint]).fetchone() == (1,)
            told.append(done.stage.kind)

        def run_changed(self, run: Any, state: str, failure: Any) -> None:
            query = (
                "SELECT r.state FROM ablate_runs r JOIN ablate_variants v ON v.id = r.variant_id "
                "WHERE v.name = ? AND r.replicate = ?"
            )
            assert other.execute(query, [run.variant.name, run.replicate]).fetchone() == (state,)
            told.append(state)

    counts: collections.Counter[str] = collections.Counter()

    def count(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            counts[name] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    count(RunStates, "_state")
    count(Store, "put_stages")
    runs = 100
    laid_out = layout(tmp_path, runs)
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        other = sqlite3.connect(tmp_path / "ablate.db")
        simulated = Simulated(tmp_path, 8, 60.0, backlog=8)
        shared = SharedContext(simulated)
        result = StudyRunner(laid_out, store, tmp_path, listener=Checking(), shared=shared).run()
        other.close()
        means = store.means(laid_out.spec.name, "distance.pitch", "f0")
        assert len(means) == runs
        (one,) = store.means(laid_out.spec.name, "distance.pitch", "f0", laid_out.variants[3].name)
        assert one == (laid_out.variants[3].name, 0)
    assert result.failures == ()
    assert (told.count("train"), told.count("measure"), told.count("done")) == (runs, runs, runs)
    assert simulated.done == 3 * runs + 1
    assert counts["put_stages"] < simulated.done / 2, "results that end together are not recorded together"
    # three times for its own stages, three times for those that all runs share, and when the work begins and ends
    assert counts["_state"] < 10 * runs, "all runs are looked at again and again"
    assert 0.9 < simulated.worked / (8 * (simulated.ended - simulated.begun)) <= 1


def test_simulated_workers_work_as_long_as_they_say() -> None:
    from simulated import Simulated

    from ablate.study.stage import Stage
    from ablate.study.work.messages import Job

    stages = [Stage("generate", {"seeds": [number]}) for number in range(5)]
    simulated = Simulated(ROOT, 2, 10.0, backlog=1)
    for stage in stages:
        simulated.submit(Job("generate", (stage,)))
    ended = []
    while simulated.busy:
        ended.append(len(simulated.wait(lambda news: None)))
    assert ended[0] in (1, 2)
    assert sum(ended) == 5
    assert simulated.ended - simulated.begun == pytest.approx(30, abs=1)
    assert simulated.worked == 50


def test_simulated_workers_begin_what_they_hold_without_the_driver() -> None:
    from simulated import Simulated

    from ablate.study.stage import Stage
    from ablate.study.work.messages import Job

    efficiency = []
    for backlog in (0, 2):
        simulated = Simulated(ROOT, 2, 0.02, backlog)
        for number in range(8):
            simulated.submit(Job("generate", (Stage("generate", {"seeds": [number]}),)))
        while simulated.busy:
            simulated.wait(lambda news: None)
            time.sleep(0.01)  # the driver is busy for half of the time that a stage takes
        assert simulated.done == 8
        efficiency.append(simulated.worked / (2 * (simulated.ended - simulated.begun)))
    assert efficiency[0] < 0.8
    assert efficiency[1] > efficiency[0] + 0.1
