"""``ablate.load_results``: the results of a study in Python and in notebooks."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from support.blocks_material import blocked_study
from support.effects_material import Stored
from support.outputs_material import L1, PITCH, RATE, Parsed, component, drawn, put
from support.report_study import STUDY, Builder
from support.store_material import measurements
from support.validated_study import Validated

import ablate
from ablate.errors import HomeError, UnknownName
from ablate.registry import get_registry
from ablate.report.figures.gallery import FIGURES
from ablate.report.results import StudyResults
from ablate.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.report_study import Home


FRAMES = ("frame", "estimates", "effects", "floors", "variance", "runs")
AXIS = "sampler.temperature.tau"


@pytest.fixture(scope="module")
def results(finished: Home) -> StudyResults:
    return ablate.load_results(STUDY, finished.path)


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """A study that has a figure of every kind: three axes crossed, a contrast, and how much is copied."""
    home = tmp_path_factory.mktemp("crossed")
    builder = Builder(home, ("tau=0.6", "tau=0.8"), 2, 1)
    builder.plan()
    builder.load()
    builder.train(0)
    with builder.store as store:
        _cross(store)
    return ablate.load_results("crossed", home)


def _cross(store: Store) -> None:
    names = [f"tau={tau}, top={top}, size={size}" for tau in (1, 2, 3) for top in (10, 20) for size in (4, 8)]
    values = drawn(1, {name: 0.2 + place / 50 for place, name in enumerate(names)}, [PITCH, ("copied", "share")])
    put(
        store,
        "crossed",
        values,
        copying=["copied"],
        objective={"metric": "distance.pitch", "feature": "average"},
        contrasts={"ends": {names[0]: -1.0, names[-1]: 1.0}},
    )
    variants = [
        dataclasses.replace(
            variant, levels={"tau": 1 + place // 4, "top": 10 + 10 * (place // 2 % 2), "size": 4 + 4 * (place % 2)}
        )
        for place, variant in enumerate(store.variants("crossed"))
    ]
    runs = [
        dataclasses.replace(run, stages={**run.stages, "train": "train 0", "histogram": "distance.pitch"})
        for run in store.runs("crossed")
    ]
    store.put_study(store.study("crossed"), variants, runs)


def test_a_row_of_the_frame_is_a_measurement_of_the_store(results: StudyResults, finished: Home) -> None:
    frame = results.frame()
    about = ["replicate", "sample", "metric", "feature", "value", "unit", "direction", "n"]
    assert list(frame.columns) == ["study", "variant", AXIS, "baseline", *about]
    stored = [
        (m.variant, m.replicate, *dataclasses.astuple(m.measurement)[:-1]) for m in measurements(finished.store, STUDY)
    ]
    ours = frame[["variant", *about]].astype({"variant": str}).itertuples(index=False, name=None)
    assert sorted(ours) == sorted((v, r, *rest) for v, r, *rest in stored)
    assert len(frame) == 2 * 3 * 2 * 4, "variants, replicates, samples, features"
    assert set(frame["study"]) == {STUDY}
    assert frame.groupby("variant", observed=True)[AXIS].unique().map(list).to_dict() == {
        "tau=0.6": [0.6],
        "tau=0.8": [0.8],
    }


def test_estimates_are_the_means_over_replicates(results: StudyResults, finished: Home) -> None:
    estimates = results.estimates()
    assert {"variant", "metric", "feature", "unit", "direction", "mean", "sd", "n", "estimate", "low", "high"} <= set(
        estimates
    )
    assert len(estimates) == 2 * 4
    for row in estimates.to_dict("records"):
        keys = [(str(row["variant"]), r, s, row["metric"], row["feature"]) for r in range(3) for s in range(2)]
        means = np.array([finished.numbers[key] for key in keys]).reshape(3, 2).mean(1)
        assert (row["estimate"], row["sd"], row["n"]) == pytest.approx((means.mean(), means.std(ddof=1), 3))
        assert row["low"] < row["estimate"] < row["high"]


def test_effects_have_a_row_for_each_comparison_and_quantity(results: StudyResults) -> None:
    effects = results.effects()
    documented = {
        *("kind", "comparison", "versus", "alias", "metric", "feature", "unit", "direction", "n", "difference", "low"),
        *("high", "effect", "p", "p_adjusted", "family", "level", "level_now", "role", "margin", "margin_of"),
        *("p_equivalent", "verdict", "withheld", "doubts", "p_better", "p_better_low", "p_better_high"),
    }
    assert set(effects.columns) == documented
    assert len(effects) == 4
    assert set(effects["comparison"]) == {"tau=0.8"}
    assert set(effects["versus"]) == {"tau=0.6"}
    means = results.estimates().pivot_table(
        index=["metric", "feature"], columns="variant", values="estimate", observed=True
    )
    expected = (means["tau=0.8"] - means["tau=0.6"]).loc[pd.MultiIndex.from_frame(effects[["metric", "feature"]])]
    assert effects["difference"].to_list() == pytest.approx(expected.to_list())


def test_every_kind_of_comparison_is_among_the_effects(crossed: StudyResults) -> None:
    counts = crossed.effects().groupby("kind")["comparison"].nunique().to_dict()
    of_parts = {"share": 2, "dependence": 1, "total": 1, "add one in": 2, "leave one out": 2}
    assert counts == {"variant": 11, "contrast": 1, "main effect": 4, "interaction": 5, "trend": 1, **of_parts}


def test_floors_are_their_draws_summed_up(results: StudyResults) -> None:
    floors = results.floors()
    assert list(floors.columns) == ["variant", "metric", "feature", "floor", "mean", "low", "high", "n"]
    assert len(floors) == 2 * 4 * 3
    means = floors.groupby("floor")["mean"].unique().map(lambda found: found.round(6).tolist()).to_dict()
    assert means == {"copy": [0.0], "round_trip": [0.15], "resampling": [0.12]}
    assert floors.groupby("floor")["n"].unique().map(list).to_dict() == {
        "copy": [1],
        "round_trip": [1],
        "resampling": [15],
    }


def test_runs_are_those_of_the_study(results: StudyResults) -> None:
    runs = results.runs()
    assert list(zip(runs["variant"].astype(str), runs["replicate"], strict=True)) == [
        (variant, replicate) for variant in ("tau=0.6", "tau=0.8") for replicate in range(3)
    ]
    assert set(runs["state"]) == {"done"}
    assert runs["loss"].to_list() == pytest.approx([0.5, 0.6, 0.7] * 2)
    assert set(runs["sample_notes"]) == {90.0}


def test_verdicts_are_sentences_about_the_objective_first(results: StudyResults) -> None:
    found = results.verdicts()
    assert found.blocks[0].heading == "distance.pitch (lower is better), against tau=0.6"
    (line,) = found.blocks[0].lines
    row = results.effects().query("metric == 'distance.pitch' and feature == 'average'").iloc[0]
    assert line.verdict == row["verdict"] == "inconclusive"
    shown = f"{row['difference']:+.3g}".replace("-", "\N{MINUS SIGN}")
    assert line.text.startswith(f"Cannot tell tau=0.8 from tau=0.6: distance.pitch {shown}")
    assert found.promise.startswith(
        "Each p is that of a sign-flip test over paired replicates, and is corrected for all comparisons of its family "
        "together (max-T; for no difference that matters, Holm): distance.pitch"
    )


def test_names_and_how_it_shows_itself(results: StudyResults) -> None:
    assert (results.name, results.variants) == (STUDY, ["tau=0.6", "tau=0.8"])
    assert repr(results) == f"<results of {STUDY}: 2 variants, 6 of 6 runs done>"


@pytest.fixture(scope="module")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    home = tmp_path_factory.mktemp("blocked")
    return StudyResults(blocked_study(home, {0.8: (-1.0,) * 4, 0.6: (2.0, 0.0, 0.0, 0.0)}), home, get_registry())


def test_a_study_with_blocks_has_its_comparisons_in_each(blocked: StudyResults) -> None:
    assert blocked.block_effects()["block"].nunique() == 4
    assert set(blocked.replicability()["comparison"]) == set(blocked.effects()["comparison"])


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    """A study that followed a path of two changes."""
    home = tmp_path_factory.mktemp("path")
    levels = {"base": {"x": 0, "y": 0}, "y=1": {"x": 0, "y": 1}, "target": {"x": 1, "y": 1}}
    values = {name: [place + replicate / 10 for replicate in range(6)] for place, name in enumerate(levels)}
    taken = {"taken": list(levels)}
    stored = Stored(home, levels, {("distance", "average"): values})
    study = stored.put(design="path", path=taken, objective={"metric": "distance", "feature": "", "direction": ""})
    return StudyResults(study, home, get_registry())


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    home = tmp_path_factory.mktemp("validated")
    builder = Validated(home)
    builder.plan()
    with builder.store:
        builder.finish()
    return ablate.load_results(STUDY, home)


def test_a_study_with_validation_has_its_splits_and_losses(validated: StudyResults) -> None:
    splits = validated.splits()
    assert splits.groupby("use")["piece"].nunique().to_dict() == {"test": 2, "train": 4, "validation": 1}
    losses = validated.validation()
    assert losses.groupby("replicate")["step"].max().to_list() == [700, 700, 500]
    summary = validated.verdicts()
    assert "for these 2 test pieces: bach, berg" in summary.population
    assert summary.population in validated._repr_html_()
    effects = validated.effects()
    assert set(effects["doubts"]) == {"only 2 test pieces"}
    assert any("measured on 2 test pieces only" in line.text for block in summary.blocks for line in block.lines)


def test_a_study_without_a_split_has_neither(results: StudyResults) -> None:
    assert results.splits().empty
    assert results.validation().empty
    assert results.verdicts().population.startswith("Verdicts are over training seeds, for this music")


def test_every_kind_of_figure_is_one_or_names_those_there_are(
    results: StudyResults, crossed: StudyResults, blocked: StudyResults, path: StudyResults, validated: StudyResults
) -> None:
    drawn = set[str]()
    for study in (results, crossed, blocked, path, validated):
        lacking = "validation" if study is path else "path"
        with pytest.raises(UnknownName, match=f"unknown figure '{lacking}' of this study") as caught:
            study.figure(lacking)
        offered = set(str(caught.value).partition("Offered: ")[2].split(", "))
        assert "forest" in offered
        for kind in sorted(offered - drawn):
            figure = study.figure(kind)
            assert isinstance(figure, Figure)
            assert figure.axes
        drawn |= offered
    assert drawn == set(FIGURES), "each is one of some study here"
    assert plt.get_fignums() == []


def test_what_a_study_has_no_figure_of(results: StudyResults) -> None:
    with pytest.raises(UnknownName, match="figure 'contrasts' of this study") as caught:
        results.figure("contrasts")
    offered = str(caught.value).partition("Offered: ")[2].split(", ")
    assert offered == ["distributions", "forest", "losses", "values"]
    for kind in offered:
        results.figure(kind)


def test_a_figure_can_be_saved(results: StudyResults, tmp_path: Path) -> None:
    results.figure("values").savefig(tmp_path / "values.png")
    assert (tmp_path / "values.png").read_bytes().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def test_what_is_misspelt_is_named_with_what_is_meant(results: StudyResults, finished: Home) -> None:
    with pytest.raises(UnknownName, match=r"unknown figure 'forrest'; did you mean 'forest'\?"):
        results.figure("forrest")
    with pytest.raises(UnknownName, match=r"'tau_swep@smoke' in this home; did you mean 'tau_sweep@smoke'\?"):
        ablate.load_results("tau_swep@smoke", finished.path)


@pytest.mark.parametrize("name", FRAMES)
def test_changing_what_was_given_changes_nothing_else(results: StudyResults, name: str) -> None:
    give: Callable[[], pd.DataFrame] = getattr(results, name)
    given, before = give(), give().copy(deep=True)
    for column in given.columns:
        if given[column].dtype.kind in "fi":
            given[column] = given[column].astype(float)
            given.loc[:, column] = -1.0
    del given[given.columns[0]]
    results.variants.clear()
    pd.testing.assert_frame_equal(give(), before)
    assert results.variants == ["tau=0.6", "tau=0.8"]


def test_values_written_into_a_frame_stay_out_of_the_results(results: StudyResults) -> None:
    before = results.effects()
    given = results.frame()
    values = given["value"].to_numpy()
    values.setflags(write=True)
    values[:] = 7.0
    assert not (results.frame()["value"] == 7.0).any()
    pd.testing.assert_frame_equal(results.effects(), before)


def test_it_is_read_once(tmp_path: Path, finished: Home) -> None:
    for part in finished.path.glob("ablate.db*"):  # the journal may hold what was written last
        shutil.copy(part, tmp_path)
    results = ablate.load_results(STUDY, tmp_path)
    for part in tmp_path.glob("ablate.db*"):
        part.unlink()
    assert len(results.frame()) == 48
    assert results.verdicts().blocks
    assert isinstance(results.figure("forest"), Figure)


def test_a_home_in_which_nothing_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HomeError, match=f"no studies have been run in {tmp_path}/nowhere"):
        ablate.load_results(STUDY, tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ABLATE_HOME", raising=False)
    with pytest.raises(HomeError, match=f"no studies have been run in {tmp_path}/.ablate"):
        ablate.load_results(STUDY)
    assert not list(tmp_path.iterdir()), "looking makes nothing"


def test_the_home_is_that_of_the_environment(finished: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABLATE_HOME", str(finished.path))
    assert ablate.load_results(STUDY).variants == ["tau=0.6", "tau=0.8"]


def test_a_given_home_goes_before_that_of_the_environment(
    finished: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATE_HOME", str(tmp_path))
    assert ablate.load_results(STUDY, str(finished.path)).variants == ["tau=0.6", "tau=0.8"]


def test_another_database_than_the_homes_own(finished: Home, tmp_path: Path) -> None:
    results = ablate.load_results(STUDY, tmp_path, store=f"sqlite:///{finished.path / 'ablate.db'}")
    assert len(results.frame()) == 48
    with pytest.raises(UnknownName, match="figure 'losses' of this study"):
        results.figure("losses")  # whose files lie in the other home


def test_a_notebook_shows_names_as_text(tmp_path: Path) -> None:
    code = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"'"
    values = drawn(1, {"plain": 0.3, code: 0.2}, [(f"distance.{code}", "average"), L1, RATE])
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, code, values, question=code, configs={code: {"training": {"steps": 80}}})
    html = ablate.load_results(code, tmp_path)._repr_html_()
    read = Parsed(html)
    assert read.tags == {"h3", "p", "strong", "ul", "li", "small"}
    assert all(not attributes for _, attributes in read.elements)
    assert read.text.count(code) >= 4
    assert f"{code} is better than plain" in read.text


def test_what_was_planned_but_not_measured_says_so(tmp_path: Path) -> None:
    empty = {"warm": {PITCH: np.empty((2, 0))}, "hot": {PITCH: np.empty((2, 0))}}
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        put(store, "planned", empty, configs={"hot": {"model": [component("gru")]}})
    results = ablate.load_results("planned", tmp_path)
    shapes: dict[str, Any] = {name: len(getattr(results, name)()) for name in FRAMES}
    assert shapes == {"frame": 0, "estimates": 0, "effects": 0, "floors": 0, "variance": 0, "runs": 4}
    assert results.verdicts().blocks == ()
    assert "planned" in results._repr_html_()
    with pytest.raises(UnknownName, match="figure 'forest' of this study"):
        results.figure("forest")
