"""The table of stage kinds: one row leads to the work, the fingerprints and the words of every kind."""

from __future__ import annotations

from ablate.kinds import KINDS, kind_of, stage_name
from ablate.study.work.dispatch import WORK


def test_every_kind_has_its_work() -> None:
    assert list(WORK) == list(KINDS)
    assert all(name == kind.name for name, kind in KINDS.items())


def test_what_comes_before_training_leads_to_files() -> None:
    """The training waits for it, and reads what it leaves."""
    early = [kind for kind in KINDS.values() if kind.early]
    assert early == list(KINDS.values())[: len(early)]
    assert all(kind.keeps_files and not kind.goal for kind in early)


def test_a_stage_in_a_run_is_named_by_its_kind() -> None:
    assert kind_of(stage_name("measure", "distance.pitch")) == "measure"
    assert kind_of("train") == "train"
