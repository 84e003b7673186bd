"""Reports of independent runs: their verdicts, their words, and what they leave out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.effects_material import Stored
from support.independent_material import JUDGED, analysed

from ablate.report.figures.gallery import FIGURES
from ablate.report.statistics.inference.independent import worlds
from ablate.report.statistics.inference.independent.groups import Groups
from ablate.report.text.sentences import answer
from ablate.report.write import write_report
from ablate.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.report.statistics.analysis.analysis import Analysis


@pytest.fixture(autouse=True)
def few_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worlds, "RANDOM", 499)
    monkeypatch.setattr(worlds, "EXACT_UP_TO", 500)


def drawn(*sizes: tuple[str, float, int], seed: int = 1, sd: float = 0.3) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    return {name: (mean + sd * rng.normal(size=n)).tolist() for name, mean, n in sizes}


def row(analysis: Analysis, name: str, metric: str = "loss") -> dict[str, object]:
    frame = analysis.against_baseline
    (found,) = frame[(frame["comparison"] == name) & (frame["metric"] == metric)].to_dict("records")
    return {str(key): value for key, value in found.items()}


def lines(analysis: Analysis) -> list[str]:
    return [line.text for block in answer(analysis).blocks for line in block.lines]


def test_variants_with_other_numbers_of_runs_are_compared_by_their_means() -> None:
    loss = drawn(("base", 2.0, 8), ("ours", 1.0, 5), ("same", 2.0, 6))
    analysis = analysed({"loss": loss})
    ours = row(analysis, "ours")
    assert ours["difference"] == pytest.approx(np.mean(loss["ours"]) - np.mean(loss["base"]))
    assert (ours["n"], ours["verdict"], ours["p_better"]) == (5, "better", 1.0)
    assert row(analysis, "same")["verdict"] == "inconclusive"
    assert analysis.best["loss", "value"].candidates == ("ours",)
    assert isinstance(ours["values"], Groups)


def test_the_words_name_independent_runs_and_no_pairs() -> None:
    analysis = analysed({"loss": drawn(("base", 2.0, 8), ("ours", 1.0, 5), ("same", 2.0, 6))})
    told = answer(analysis)
    first, second, *_ = lines(analysis)
    assert first.startswith("ours is better than base: loss −")  # noqa: RUF001
    assert "better in 100 % of the pairs of runs, 5 and 8 independent runs, p = " in first
    assert "runs of each variant" in second
    assert told.population.startswith("Verdicts compare independent runs")
    text = " ".join([*lines(analysis), told.promise, told.population])
    for word in ("same seeds", "paired by seed", "sign-flip", "replicates are needed", "in every replicate"):
        assert word not in text
    assert not any("missing replicates" in line for line in lines(analysis)), "6 runs beside 8 miss nothing"


def test_too_few_runs_are_said_with_the_number_that_is_enough() -> None:
    two = analysed({"loss": drawn(("base", 2.0, 3), ("ours", 1.0, 3))})
    assert "3 runs are too few: no result can reach p < 0.05; 4 of each variant are enough." in lines(two)[0]
    single = analysed({"loss": drawn(("base", 2.0, 8), ("ours", 1.0, 1), ("other", 1.0, 2))})
    assert "A single run has no spread: add runs of each variant." in lines(single)[0]
    assert "2 and 8 runs are too few" in lines(single)[1]
    assert {row(single, name)["verdict"] for name in ("ours", "other")} == {"inconclusive"}


def test_margins_are_tested_also_as_a_share_of_the_baseline() -> None:
    loss = drawn(("base", 2.0, 9), ("same", 2.0, 8), sd=0.05)
    for margin in (0.5, "25 %"):
        found = row(analysed({"loss": loss}, margins={"loss": margin}), "same")
        assert found["verdict"] == "equivalent"
        assert found["margin"] == pytest.approx(0.5, rel=0.05)
    few = analysed({"loss": drawn(("base", 2.0, 9), ("same", 2.0, 5))}, margins={"loss": 0.5})
    assert any("5 runs are too few for it, 6 of each variant are the fewest" in line for line in lines(few))


def test_runs_that_are_alike_are_alike() -> None:
    analysis = analysed({"loss": {"base": [1.0] * 4, "ours": [1.0] * 5, "other": [2.0] * 4}})
    assert row(analysis, "ours")["verdict"] == "alike"
    assert "ours and base are alike in every run: loss, 9 independent runs." in lines(analysis)
    assert row(analysis, "other")["verdict"] == "worse"


@pytest.fixture(scope="module")
def crossed() -> Analysis:
    """Two crossed axes, one of them numeric, with unequal numbers of runs and a contrast."""
    axes = {"depth": [1, 2, 3], "norm": ["off", "on"]}
    levels = {f"{d} {n}": {"depth": d, "norm": n} for d, n in itertools.product(*axes.values())}
    rng = np.random.default_rng(3)
    sizes = dict(zip(levels, (6, 5, 7, 4, 5, 6), strict=True))
    loss = {
        name: (5 - own["depth"] - 2 * (own["norm"] == "on") + 0.2 * rng.normal(size=sizes[name])).tolist()
        for name, own in levels.items()
    }
    second = {name: rng.normal(size=n).tolist() for name, n in sizes.items()}
    spec = {"axes": axes, "design": "factorial", "contrasts": {"deep": {"3 on": 1.0, "1 on": -1.0}}}
    return analysed({"loss": loss, "other": second}, levels=levels, **spec)


def test_effects_contrasts_interactions_and_trends_are_sums_of_means(crossed: Analysis) -> None:
    frame = crossed.all_effects[crossed.all_effects["metric"] == "loss"]
    found = {(kind, name): verdict for kind, name, verdict in zip(frame["kind"], frame["comparison"], frame["verdict"])}  # noqa: B905
    assert found["main effect", "norm=on"] == "better"
    assert found["contrast", "deep"] == "better"
    assert found["interaction", "depth=3 x norm=on"] == "inconclusive"
    assert found["trend", "depth"] == "lower"
    slope = frame[frame["kind"] == "trend"].iloc[0]
    assert slope["difference"] == pytest.approx(-1.0, abs=0.15)
    (effect,) = frame[(frame["kind"] == "main effect") & (frame["comparison"] == "norm=on")].to_dict("records")
    means = crossed.replicates.table("loss", "value").mean()
    on, off = ([name for name in means.index if name.endswith(side)] for side in ("on", "off"))
    assert effect["difference"] == pytest.approx(means[on].mean() - means[off].mean())
    assert any(line.startswith("With depth, loss falls") and "tau" not in line for line in lines(crossed))


def test_every_figure_is_drawn_or_left_out(crossed: Analysis) -> None:
    drawings = {
        name: FIGURES[name](crossed, None)
        for name in ("forest", "values", "interactions", "effects", "contrasts")  # type: ignore[arg-type]
    }
    assert all(drawings.values())
    (trend, *_) = crossed.trends
    x, mean, band = trend.curve()
    assert mean[0] == pytest.approx(4.0 - 1.0, abs=0.2)
    assert (band.low < mean).all()
    assert len(x) == len(mean)


def test_shares_of_parts_add_up() -> None:
    levels = {f"{a}{b}": {"a": a, "b": b} for a, b in itertools.product("nf", "nf")}
    rng = np.random.default_rng(4)
    loss = {
        name: (5 - 2 * (own["a"] == "f") - (own["b"] == "f") + 0.2 * rng.normal(size=5 + at)).tolist()
        for at, (name, own) in enumerate(levels.items())
    }
    analysis = analysed({"loss": loss}, levels=levels, axes={"a": ["n", "f"], "b": ["n", "f"]})
    shares = analysis.shares["loss", "value"]
    assert sum(share.row["difference"] for share in shares.shares) == shares.total["difference"]
    assert [share.row["verdict"] for share in shares.shares] == ["better", "better"]
    assert shares.missing == 0


def test_what_needs_pairs_is_left_out(crossed: Analysis) -> None:
    assert crossed.variance.empty
    assert crossed.advice is None
    assert crossed.looks.plain
    assert "need pairs and are left out" in answer(crossed).promise


def test_a_hypothesis_is_answered_by_the_verdicts() -> None:
    analysis = analysed(
        {"loss": drawn(("base", 2.0, 8), ("ours", 1.0, 7), ("bad", 9.0, 7))},
        predictions=[{"variant": "ours", "direction": "better"}, {"variant": "bad", "direction": "equivalent"}],
        margins={"loss": 0.5},
    )
    told = answer(analysis).hypothesis
    assert told is not None
    assert [line.verdict for line in told.lines] == ["supported", "contradicted"]


def test_the_whole_report_is_written(tmp_path: Path) -> None:
    loss = drawn(("base", 2.0, 6), ("ours", 1.0, 4), ("same", 2.0, 5))
    padded = {name: own + [float("nan")] * (6 - len(own)) for name, own in loss.items()}
    stored = Stored(tmp_path, {name: {"method": name} for name in loss}, {("loss", "value"): padded})
    stored.put(judged=JUDGED, objective={"metric": "loss"}, design="listed")
    with Store(f"sqlite:///{tmp_path / 'ablate.db'}") as store:
        page = write_report(store, tmp_path, "example")
    text = page.read_text(encoding="utf-8")
    assert "Verdicts compare independent runs" in text
    assert "the share of all pairs of runs in which a variant is better" in text
    for words in ("paired by seed", "sign-flip", "same seeds"):
        assert words not in text
    effects = (page.parent / "data" / "effects.csv").read_text(encoding="utf-8")
    assert '"ours"' in effects
