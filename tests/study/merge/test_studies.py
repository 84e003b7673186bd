"""Records of one study from two homes become those of one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ablate.store.records import LookRecord, RunRecord, StudyRecord, VariantRecord
from ablate.study.merge.studies import joined, study_differences
from ablate.study.records import StudyRecords

VARIANTS = (VariantRecord("a", "fa", {}, baseline=True), VariantRecord("b", "fb", {}, baseline=False))
LOOK = LookRecord(2, None, {"b - a": "decided"}, {"b - a": 0.1}, ("fa", "fb"))


def study(*states: str, shards: tuple[str, ...] = (), looks: tuple[LookRecord, ...] = (), **spec: Any) -> StudyRecords:
    """Return a study with these states of its runs, replicate by replicate."""
    runs = tuple(
        RunRecord(
            "ab"[index % 2],
            index // 2,
            {"train": f"t{index}", "generate": f"g{index}"},
            {},
            state,  # type: ignore[arg-type]
            error="why" if state == "failed" else "",
        )
        for index, state in enumerate(states)
    )
    plain: dict[str, Any] = {"replicates": len(states) // 2, "design": "factorial", **spec}
    plain |= {"shards": list(shards)} if shards else {}
    return StudyRecords(StudyRecord("s", plain, "default", "bach", 1), VARIANTS, runs, looks)


def states(found: StudyRecords) -> dict[str, str]:
    return {f"{run.variant}{run.replicate}": run.state for run in found.runs}


def test_a_run_is_done_where_its_results_are_there() -> None:
    here, there = study("done", "pending", shards=("1/2",)), study("pending", "done", shards=("2/2",))
    part = joined(here, there, {"g0"})
    assert states(part) == {"a0": "done", "b0": "pending"}  # its result was left out
    assert part.study.spec["shards"] == ["1/2", "2/2"]
    whole = joined(here, there, {"g0", "g1"})
    assert states(whole) == {"a0": "done", "b0": "done"}
    assert "shards" not in whole.study.spec


def test_a_failure_is_kept_until_the_run_is_done_elsewhere() -> None:
    here, there = study("pending", "failed"), study("failed", "interrupted")
    found = joined(here, there, {"g0"})
    assert states(found) == {"a0": "done", "b0": "failed"}
    assert [run.error for run in found.runs] == ["", "why"]
    assert states(joined(None, study("interrupted", "interrupted"), {"t1"})) == {"a0": "pending", "b0": "interrupted"}


def test_more_replicates_of_one_home_are_kept() -> None:
    here, there = study("done", "done"), study("done", "pending", "pending", "pending")
    assert not study_differences(here, there)
    for one, other in ((here, there), (there, here)):
        found = joined(one, other, {"g0", "g1", "g2"})
        assert states(found) == {"a0": "done", "b0": "done", "a1": "done", "b1": "pending"}
        assert found.study.spec["replicates"] == 2


def test_each_look_is_kept_once() -> None:
    other = dataclasses.replace(LOOK, replicates=4)
    found = joined(study("done", "done", looks=(LOOK,)), study("done", "done", looks=(LOOK, other)), {"g0", "g1"})
    assert [look.replicates for look in found.looks] == [2, 4]


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (study("done", "done", margins={"x": 1}), "the settings margins"),
        (dataclasses.replace(study("done"), variants=VARIANTS[:1]), "the variants"),
        (study("done", "done", "done", source="elsewhere.toml", corpus={"midi": {"path": "/there"}}), ""),
    ],
)
def test_another_study_is_told_from_the_same_one(there: StudyRecords, words: str) -> None:
    assert " and ".join(study_differences(study("done", "done"), there)) == words
