"""Variants, baselines and replicates of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import AblateError

if TYPE_CHECKING:
    from support.judging import Judge

CROSSED = "model,lr,seed,loss\n" + "".join(
    f"{model},{lr},{seed},{seed + lr}\n" for model in ("lstm", "gru") for lr in (0.1, 0.01) for seed in (1, 2)
)


def test_several_columns_of_variants_are_axes(judged: Judge) -> None:
    wanted = {"variants": ("model", "lr")}
    study = judged(CROSSED, wanted=wanted)
    assert [variant.name for variant in study.runs.variants] == [
        "model=lstm, lr=0.01",
        "model=lstm, lr=0.1",
        "model=gru, lr=0.01",
        "model=gru, lr=0.1",
    ]
    assert study.plain()["axes"] == {"model": ["lstm", "gru"], "lr": [0.01, 0.1]}
    assert study.plain()["design"] == "factorial"
    less = "".join(line for line in CROSSED.splitlines(keepends=True) if not line.startswith("gru,0.01"))
    assert judged(less, wanted=wanted).plain()["design"] == "listed"


@pytest.mark.parametrize(
    "baseline", [("model=gru, lr=0.01",), ("lr=0.01", "model=gru"), ("lr=1e-2, model=gru",), ("gru", "0.01")]
)
def test_a_baseline_of_several_axes_may_be_written_in_many_ways(judged: Judge, baseline: tuple[str, ...]) -> None:
    study = judged(CROSSED, wanted={"variants": ("model", "lr")}, baseline=baseline)
    assert study.runs.baseline.levels == {"model": "gru", "lr": 0.01}


def test_a_baseline_that_fits_several_variants_is_refused(judged: Judge) -> None:
    with pytest.raises(AblateError, match="--baseline gru fits 2 variants"):
        judged(CROSSED, wanted={"variants": ("model", "lr")}, baseline=("gru",))


def test_equal_labels_are_one_replicate_whatever_their_order(judged: Judge) -> None:
    study = judged("method,seed,loss\nours,7,1\nours,30,2\nours,4,3\nlstm,4,5\nlstm,7,6\n")
    numbers = {(run.variant, run.label): (run.replicate, dict(run.values)) for run in study.runs.runs}
    assert study.runs.paired
    assert numbers == {
        ("ours", "4"): (0, {"loss": (3.0,)}),
        ("ours", "7"): (1, {"loss": (1.0,)}),
        ("ours", "30"): (2, {"loss": (2.0,)}),
        ("lstm", "4"): (0, {"loss": (5.0,)}),
        ("lstm", "7"): (1, {"loss": (6.0,)}),
        ("lstm", "30"): (2, {}),
    }
    assert "lstm has no seed 30: each comparison uses the replicates that all of its variants have" in study.notes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "method,seed,loss\na,1,1\na,2,2\nb,3,1\nb,4,2\nb,5,3\n",
            "not paired: b and the baseline have other values of seed; variants have 2 to 3 replicates",
        ),
        (
            "method,loss\na,1\na,2\nb,1\nb,2\n",
            "not paired: no column names the replicates, so each row is one (to choose: --replicate)",
        ),
    ],
)
def test_other_labels_are_independent_replicates(judged: Judge, text: str, why: str) -> None:
    study = judged(text)
    assert not study.runs.paired
    assert study.plain()["judged"]["paired"] is False
    assert why in study.notes
    numbers = {}
    for run in study.runs.runs:
        numbers.setdefault(run.variant, []).append(run.replicate)
    assert numbers["a"] == [0, 1]
    assert numbers["b"] == list(range(len(numbers["b"])))


def test_a_single_stray_replicate_does_not_unpair_the_others(judged: Judge) -> None:
    study = judged("method,seed,loss\na,1,1\na,2,2\nb,1,1\nb,2,2\nc,9,1\n")
    assert study.runs.paired
    assert "one replicate only of c: no difference from it can be tested" in study.notes


def test_samples_of_a_replicate_are_kept(judged: Judge) -> None:
    rows = [f"{m},{s},{p},{s + p / 10}\n" for m in ("ours", "lstm") for s in (1, 2) for p in (2, 1)]
    study = judged("method,seed,piece,loss\n" + "".join(rows))
    assert {run.values["loss"] for run in study.runs.runs} == {(1.1, 1.2), (2.1, 2.2)}


def test_few_replicates_and_many_variants_are_told(judged: Judge) -> None:
    notes = judged("method,seed,loss\n" + "".join(f"m{i},1,{i}\n" for i in range(200))).notes
    assert "one replicate only: no difference can be tested; add results with other seeds" in notes
    assert any(note.startswith("200 variants: every p is corrected for all 199 comparisons") for note in notes)
    assert (
        "one replicate only of b: no difference from it can be tested"
        in judged("method,seed,loss\na,1,1\na,2,1\nb,1,1\n").notes
    )
    assert "one variant only: there is nothing to compare it with" in judged("method,seed,loss\na,1,1\na,2,1\n").notes
