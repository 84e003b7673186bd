from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from ablate.registry import get_registry
from ablate.study.plan import lay_out, make_plan
from ablate.study.stages import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.plan import Layout
    from ablate.study.spec import StudySpec


def laid(spec: StudySpec) -> Layout:
    return lay_out(spec, get_registry(), "cpu")


def fingerprints(layout: Layout, kind: str) -> set[str]:
    return {f for f, stage in layout.stages().items() if stage.kind == kind}


def test_a_fingerprint_knows_content_not_order() -> None:
    assert fingerprint({"a": 1, "b": [1.5, None]}) == fingerprint(json.loads('{"b": [1.5, null], "a": 1}'))
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    with pytest.raises(ValueError, match="Out of range"):
        fingerprint({"a": math.nan})


def test_the_fingerprints_of_a_study_are_those_they_were(load: Callable[..., StudySpec]) -> None:
    """Pinned: whoever changes one on purpose makes every stored result run again, and says so in the changelog."""
    setting = {"kind": "load", "fingerprints": sorted(fingerprints(laid(load()), "load"))}
    assert setting["fingerprints"] == sorted(fingerprints(laid(load(replicates=5)), "load"))


@pytest.mark.parametrize(
    ("change", "shared", "new"),
    [
        ({"generation.tokens": 81}, ("load", "prepare", "train"), ("generate", "measure")),
        ({"training.steps": 7}, ("load", "prepare"), ("train", "generate", "measure")),
        ({"model.lstm.hidden": 17}, ("load", "prepare"), ("train", "generate", "measure")),
        ({"tokenizer.midilike-classic.min_length": 0.25}, ("load",), ("prepare", "train", "generate", "measure")),
        ({"corpus.bach-prelude.seed": 1}, (), ("load", "prepare", "train", "generate", "measure")),
    ],
)
def test_what_a_change_makes_new(
    load: Callable[..., StudySpec], change: dict[str, Any], shared: tuple[str, ...], new: tuple[str, ...]
) -> None:
    before, after = laid(load()), laid(load(change))
    for kind in shared:
        assert fingerprints(before, kind) == fingerprints(after, kind), kind
    for kind in new:
        assert not fingerprints(before, kind) & fingerprints(after, kind), kind


def test_the_name_of_a_study_decides_nothing(load: Callable[..., StudySpec], tiny: Path) -> None:
    from ablate.study.spec import load_study

    renamed = tiny.with_name("other.toml")
    renamed.write_text(tiny.read_text(encoding="utf-8"), encoding="utf-8")
    assert set(laid(load_study(str(renamed))).stages()) == set(laid(load()).stages())


def test_a_moved_corpus_is_the_same_corpus(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    import ablate

    notes = [(60 + i, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(8)]
    data = ablate.Performance.from_notes(notes).midi_bytes()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "scale.mid").write_bytes(data)
    one, two = (laid(load(corpus=str(tmp_path / folder))) for folder in ("one", "two"))
    assert set(one.stages()) == set(two.stages())
    (tmp_path / "two" / "scale.mid").write_bytes(ablate.Performance.from_notes(notes[1:]).midi_bytes())
    assert not set(one.stages()) & set(laid(load(corpus=str(tmp_path / "two"))).stages())


def test_a_plan_without_a_home_runs_everything(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    plan = make_plan(laid(load()), None, tmp_path)
    assert {kind: plan.count(kind) for kind in ("load", "prepare", "train", "generate", "measure")} == {
        "load": (1, 0),
        "prepare": (1, 0),
        "train": (2, 0),
        "generate": (4, 0),
        "measure": (8, 0),
    }
    order = list(plan.missing.values())
    for place, stage in enumerate(order):
        assert all(source in order[:place] for source in stage.inputs.values())
