"""The hypothesis and its answer, from the study file's predictions to the sentences."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.effects_material import Stored

from ablate.registry import get_registry
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.statistics.hypothesis import _is_beyond_margin, answers, whole
from ablate.report.statistics.inference import intervals
from ablate.report.text.lines import Line
from ablate.report.text.sentences import answer
from ablate.store.records import LookRecord

if TYPE_CHECKING:
    from pathlib import Path

Q = ("distance", "average")
LEVELS = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}


def study(home: Path, predictions: list[dict[str, Any]], **spec: Any) -> Analysis:
    """Four levels of one axis: b is clearly better than a, c worse, d like a; two other metrics and a feature."""
    rng = np.random.default_rng(3)
    start = rng.normal(5.0, 1.0, 8)
    sizes = {"a": 0.0, "b": -1.0, "c": 0.8, "d": 0.001}
    noisy = {name: start + size + rng.normal(0, 0.02, 8) for name, size in sizes.items()}
    rising = {name: level + rng.normal(0, 0.1, 8) for name, level in LEVELS.items()}
    # nothing is known about it
    unclear = {name: start + rng.normal(0, 1.0, 8) for name in sizes}
    values = {Q: noisy, ("distance", "l1"): rising, ("rate", "value"): unclear}
    levels = {name: {"sampler.tau": level} for name, level in LEVELS.items()}
    stored = Stored(home, levels, values, {"rate": "none"})
    objective = {"metric": "distance", "feature": "", "direction": ""}
    return Analysis(stored.put(objective=objective, predictions=predictions, **spec), get_registry())


def answered(home: Path, prediction: dict[str, Any], **spec: Any) -> str:
    (one,) = answers(study(home, [prediction], **spec))
    return one.answer


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ({"variant": "b", "direction": "better"}, "supported"),
        ({"variant": "b", "direction": "lower"}, "supported"),
        ({"variant": "b", "direction": "worse"}, "contradicted"),
        ({"variant": "b", "direction": "higher"}, "contradicted"),
        ({"variant": "c", "direction": "better"}, "contradicted"),
        ({"variant": "c", "direction": "worse"}, "supported"),
        ({"variant": "a", "than": ["b"], "direction": "worse"}, "supported"),
        ({"variant": "c", "than": ["b"], "direction": "worse"}, "supported"),
        ({"variant": "b", "than": ["c"], "direction": "better"}, "supported"),
        ({"variant": "b", "than": ["a", "c", "d"], "direction": "better"}, "supported"),
        ({"variant": "a", "than": ["b", "c"], "direction": "better"}, "contradicted"),
        ({"variant": "b", "metric": "rate", "direction": "higher"}, "not decided"),
        ({"variant": "b", "metric": "rate", "direction": "better"}, "not tested"),
        ({"variant": "b", "metric": "gone", "direction": "better"}, "not tested"),
        ({"variant": "gone", "direction": "better"}, "not tested"),
        ({"best": "b"}, "supported"),
        ({"best": "a"}, "contradicted"),
        ({"best": "c"}, "contradicted"),
        ({"best": "gone"}, "not tested"),
        ({"best": "a", "feature": "l1"}, "supported"),
        ({"best": "b", "feature": "l1"}, "contradicted"),
        ({"trend": "sampler.tau", "feature": "l1", "direction": "higher"}, "supported"),
        ({"trend": "sampler.tau", "feature": "l1", "direction": "worse"}, "supported"),
        ({"trend": "sampler.tau", "feature": "l1", "direction": "better"}, "contradicted"),
        ({"trend": "sampler.other", "direction": "better"}, "not tested"),
    ],
)
def test_each_prediction_has_the_answer_of_its_verdicts(
    tmp_path: Path, prediction: dict[str, Any], expected: str
) -> None:
    assert answered(tmp_path, prediction) == expected


def test_no_difference_that_matters_is_an_answer(tmp_path: Path) -> None:
    margins = {"distance": 0.3}
    equal = {"variant": "d", "direction": "equivalent"}
    assert answered(tmp_path / "a", equal, margins=margins) == "supported"
    assert answered(tmp_path / "b", {"variant": "d", "direction": "better"}, margins=margins) == "contradicted"
    assert answered(tmp_path / "c", {"variant": "b", "direction": "equivalent"}, margins=margins) == "contradicted"
    assert answered(tmp_path / "d", equal) == "not decided", "without a margin nothing is equivalent"
    assert answered(tmp_path / "e", {"variant": "b", "direction": "equivalent"}, margins={"distance": 1.0}) == (
        "not decided"
    ), "a difference, but its interval reaches into the margin"


@pytest.mark.parametrize("replicates", [1, 5, 6])
def test_few_replicates_that_are_alike_decide_nothing(tmp_path: Path, replicates: int) -> None:
    values = {Q: {name: np.ones(replicates) for name in ("a", "b")}}
    levels = {name: {"sampler.tau": LEVELS[name]} for name in ("a", "b")}
    predictions = [{"variant": "b", "direction": "better"}, {"variant": "b", "direction": "equivalent"}]
    objective = {"metric": "distance", "feature": "", "direction": ""}
    stored = Stored(tmp_path, levels, values).put(objective=objective, predictions=predictions)
    expected = ["contradicted", "supported"] if replicates == 6 else ["not decided"] * 2
    assert [one.answer for one in answers(Analysis(stored, get_registry()))] == expected


def test_a_difference_beyond_the_margin_allows_for_all_comparisons(tmp_path: Path) -> None:
    """The interval of b alone lies beyond the margin, and the one that allows for the family does not."""
    equal = {"variant": "b", "direction": "equivalent"}
    rows = study(tmp_path / "a", [equal]).all_effects
    row = rows[(rows["comparison"] == "b") & (rows["role"] == "primary") & (rows["kind"] == "variant")].iloc[0]
    assert row["family"] > 1
    just = {"distance": -float(row["high"]) - 1e-4}
    assert answered(tmp_path / "b", equal, margins=just) == "not decided"


def test_the_whole_is_the_sum_of_its_parts(tmp_path: Path) -> None:
    right, wrong = {"variant": "b", "direction": "better"}, {"variant": "c", "direction": "better"}
    unclear, missing = {"variant": "b", "metric": "rate", "direction": "higher"}, {"best": "gone"}
    for index, (predictions, expected) in enumerate(
        [
            ([right], "supported"),
            ([right, unclear], "not decided"),
            ([right, missing], "not decided"),
            ([right, unclear, wrong], "contradicted"),
            ([missing], "not tested"),
        ]
    ):
        assert whole(answers(study(tmp_path / str(index), predictions))) == expected


def test_predictions_belong_to_the_families(tmp_path: Path) -> None:
    """What is compared anyway adds nothing; the rest joins the family of its quantity, exploratory ones the second."""
    plain = study(tmp_path / "0", []).all_effects
    same = study(tmp_path / "1", [{"variant": "b", "direction": "better"}, {"best": "b"}]).all_effects
    assert len(same) == len(plain)
    more = [
        {"variant": "c", "than": ["b"], "direction": "worse"},
        {"variant": "b", "feature": "l1", "direction": "worse"},
    ]
    frame = study(tmp_path / "2", [*more, more[0]]).all_effects
    extra = frame[frame["kind"] == "prediction"]
    assert extra[["comparison", "versus", "feature", "role"]].to_numpy().tolist() == [
        ["c", "b", "average", "primary"],
        ["b", "a", "l1", "secondary"],
    ]
    sizes = {role: part["family"].iloc[0] for role, part in frame.groupby("role")}
    before = {role: part["family"].iloc[0] for role, part in plain.groupby("role")}
    assert {role: sizes[role] - before[role] for role in ("primary", "secondary")} == {"primary": 1, "secondary": 1}
    explored = frame[(frame["feature"] == "l1") & (frame["kind"] == "variant")]
    assert set(explored["verdict"]) == {""}, "the same comparison without a prediction has no verdict"


def test_the_answer_begins_with_it(tmp_path: Path) -> None:
    predictions = [
        {"best": "b"},
        {"variant": "c", "direction": "better"},
        {"variant": "b", "metric": "rate", "direction": "higher"},
        {"best": "a", "feature": "l1"},
        {"trend": "sampler.tau", "feature": "l1", "direction": "higher"},
        {"variant": "b", "metric": "rate", "direction": "better"},
    ]
    block = answer(study(tmp_path, predictions)).hypothesis
    assert block
    assert block.heading == (
        "Hypothesis contradicted (6 predictions: 3 supported, 1 contradicted, 1 not decided, 1 not tested)"
    )
    texts = [line.text for line in block.lines]
    assert [line.verdict for line in block.lines] == [text.partition(":")[0].lower() for text in texts]
    assert texts[0] == "Supported: b is the best variant in distance (the best: b)."
    assert texts[1].startswith("Contradicted: c is better than a in distance (difference +0.8")
    assert re.search(
        r"\(difference \S+, 95 % interval \S+ to \S+, better in 0 of 8 replicates, p = 0\.\d+\)\.$", texts[1]
    )
    assert texts[2].startswith("Not decided: b is higher than a in rate (difference ")
    assert texts[3].startswith("Supported: a is the best variant in distance l1 (b against a: difference +")
    assert texts[4].startswith("Supported: distance l1 rises with tau (slope +")
    assert re.search(r"95 % interval \S+ to \S+, 8 replicates, p = 0\.\d+\)\.$", texts[4])
    assert texts[5] == (
        "Not tested: b is better than a in rate (the metric has no better direction; predict higher or lower)."
    )


def test_no_difference_that_matters_is_answered_with_its_margin(tmp_path: Path) -> None:
    found = answer(study(tmp_path, [{"variant": "d", "direction": "equivalent"}], margins={"distance": 0.3})).hypothesis
    assert found
    (line,) = found.lines
    assert "8 replicates, within ±0.3 (the study's margin), p = 0.0" in line.text


def test_without_predictions_there_is_no_answer(tmp_path: Path) -> None:
    assert answer(study(tmp_path, [])).hypothesis is None


def test_the_page_shows_the_answer_once() -> None:
    assert (
        Line("contradicted", "Contradicted: tau=0.8 is the best variant.").after_words == "tau=0.8 is the best variant."
    )
    assert Line("", "Contradicted: no").after_words == "Contradicted: no"
    assert Line("better", "a is better than b").after_words == "a is better than b"


def test_a_contradiction_of_no_difference_is_corrected_for_the_looks(tmp_path: Path) -> None:
    """The interval lies just beyond the margin after one look, and not after the number of looks that widens it."""
    found = study(tmp_path, [{"variant": "b", "direction": "equivalent"}], margins={"distance": 0.05})
    (row,) = found.against_baseline[found.against_baseline["comparison"] == "b"].iloc[:1].to_dict("records")
    family, level = row["family"], 0.05
    widths = [intervals.interval(row["values"], 1 - level / family / looks).high for looks in (1, 4)]
    row["margin"] = -float(np.mean(widths))
    assert _is_beyond_margin(found, row)
    variants = tuple(found.study.fingerprints)
    looks = tuple(LookRecord(n, None, {}, {}, variants) for n in (5, 6, 7))
    seen = Analysis(dataclasses.replace(found.study, looks=looks), get_registry())
    assert len(seen.looks.made) == 4
    assert not _is_beyond_margin(seen, row)
