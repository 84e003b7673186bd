"""The list of all reports, and the facts behind it, keep a claim together with its caveat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from support.effects_material import Stored

from ablate.registry import get_registry
from ablate.report.formats.index import summary_json, write_index
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.sentences import answer

if TYPE_CHECKING:
    from pathlib import Path

CAVEAT = "but 99 % of a sample is copied from the training pieces (a: 50 %)"


def test_the_best_one_is_listed_with_its_copies_and_the_hypothesis_with_its_answer(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    start = rng.normal(5.0, 1.0, 8)
    distances = {
        name: start - size + rng.normal(0, 0.02, 8) for name, size in zip("abcde", (0, 4, 1, 2, 3), strict=True)
    }
    shares = {name: (0.99 if name == "b" else 0.5) + rng.normal(0, 0.001, 8) for name in distances}
    values = {("distance", "average"): distances, ("covered", "share"): shares}
    stored = Stored(tmp_path / "home", {name: {"x": i} for i, name in enumerate(distances)}, values)
    predictions = [{"best": "b"}, {"variant": "c", "direction": "worse"}]
    study = stored.put(
        objective={"metric": "distance", "feature": "", "direction": ""}, copying=["covered"], predictions=predictions
    )
    facts = json.loads(summary_json(study, answer(Analysis(study, get_registry()))))
    assert facts["answer"][0] == f"The best variant is b, with 95 % confidence, {CAVEAT}."
    assert facts["answer"][1].startswith(f"b is better than a, {CAVEAT}: distance ")
    assert len(facts["answer"]) == 3
    assert facts["hypothesis"] == "Hypothesis contradicted (2 predictions: 1 supported, 1 contradicted)"
    assert [text.partition(":")[0] for text in facts["predictions"]] == ["Supported", "Contradicted"]
    facts["warnings"] = ["one", "two"]
    folder = tmp_path / "reports" / "study"
    folder.mkdir(parents=True)
    (folder / "index.html").touch()
    (folder / "summary.json").write_text(json.dumps(facts), encoding="utf-8")
    page = write_index(tmp_path / "reports").read_text(encoding="utf-8")
    for phrase in (CAVEAT, facts["hypothesis"], "2 reasons for caution", 'href="study/index.html#warnings"'):
        assert phrase in page
