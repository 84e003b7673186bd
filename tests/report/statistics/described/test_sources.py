"""The warning about results from several versions of a source."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ablate.report.statistics.described.sources import warnings
from ablate.store.records import RunRecord, StageRecord


def facts(source: str, defaults: dict[str, Any], digest: str = "") -> dict[str, Any]:
    file = {"/words.txt": {"digest": digest, "stamp": digest, "option": "model.mine.words"}} if digest else {}
    return {"components": {"model.mine": {"source": {"mine.py": source}, "defaults": defaults}}, "files": file}


def study(*trained: dict[str, Any], kind: str = "train") -> Any:
    """Two variants in replicates of which each has a training with these facts."""
    runs, stages = [], {}
    for replicate, sources in enumerate(trained):
        for variant in ("a", "b"):
            fingerprint = f"{variant}{replicate}"
            runs.append(RunRecord(variant, replicate, {kind: fingerprint}, {}))
            finished = datetime(2026, 1, 1 + replicate, tzinfo=UTC)
            stages[fingerprint] = StageRecord(
                fingerprint, kind, {}, {}, "", "cpu", 1.0, {}, finished=finished, sources=sources
            )
    return SimpleNamespace(names=["a", "b"], runs=runs, stages=stages)


def test_one_version_needs_no_warning() -> None:
    one = facts("1", {"hidden": 8})
    assert warnings(study(one, one)) == []
    # an option that was added, and results of which nothing is recorded
    assert warnings(study(one, facts("1", {"hidden": 8, "more": 1}), {})) == []


def test_versions_are_told_with_their_replicates() -> None:
    one, two = facts("1", {"hidden": 8}, "x"), facts("2", {"hidden": 9}, "y")
    (sentence,) = warnings(study(one, one, two, two, two))
    assert sentence == (
        "Results come from 2 versions of the source of model 'mine' (/words.txt, default of hidden, mine.py): "
        "one in train of replicates 0, 1; one in train of replicates 2 to 4. A difference between them is no effect of "
        "what this study varies. To compute them again: study run with --recompute mine."
    )
    mixed = study(one, one)
    mixed.stages["b1"] = study(one, two).stages["b1"]
    assert "one in train of replicates 0, 1; one in train of replicate 1 of b." in warnings(mixed)[0]


def test_floors_belong_to_no_replicate() -> None:
    assert warnings(study(facts("1", {}), facts("2", {}), kind="floor")) == []
