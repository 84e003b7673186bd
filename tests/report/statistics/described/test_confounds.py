"""What differs between variants without being varied."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.report.statistics.described.confounds import (
    QUANTITIES,
    TOLERANCE,
    Confound,
    changed_paths,
    confounds_of,
    warnings,
)

MINUS = "\N{MINUS SIGN}"
USUAL = {"tokens_seen": 1000.0, "steps": 100.0, "steps_per_epoch": 10.0, "parameters": 500.0}
USUAL |= {"sample_notes": 50.0, "sample_seconds": 30.0, "kept_step": 100.0, "notes_kept": 1.0}
#: The quantities of trainings that keep their last weights, of music that keeps its notes.
USED = [quantity for quantity in QUANTITIES if quantity not in ("kept_step", "notes_kept")]


def runs(**variants: list[dict[str, float]]) -> pd.DataFrame:
    """For each variant its replicates, each by what is unusual about it."""
    rows = [{"variant": name, **USUAL, **each} for name, own in variants.items() for each in own]
    frame = pd.DataFrame(rows)
    return frame.assign(variant=pd.Categorical(frame["variant"], categories=list(variants), ordered=True))


#: Every variant is compared with "a".
TO_A = dict.fromkeys("abc", "a")


class TestFollowed:
    def test_the_steps_of_the_measured_weights_count_where_they_are_not_the_last_ones(self) -> None:
        found = confounds_of(runs(a=[{}, {"kept_step": 60.0}], b=[{}, {}]), TO_A)
        kept = {each.variant: each for each in found if each.quantity == "kept_step"}
        assert kept == {"a": Confound("a", "kept_step", 80.0, 1.0), "b": Confound("b", "kept_step", 100.0, 1.25)}

    def test_means_over_replicates_beside_the_baselines(self) -> None:
        found = confounds_of(runs(a=[{}, {"tokens_seen": 3000.0}], b=[{"tokens_seen": 5000.0}, {}]), TO_A)
        assert [(each.variant, each.quantity) for each in found] == [(v, q) for v in "ab" for q in USED]
        tokens = {each.variant: each for each in found if each.quantity == "tokens_seen"}
        assert tokens["a"] == Confound("a", "tokens_seen", 2000.0, 1.0)
        assert tokens["b"] == Confound("b", "tokens_seen", 3000.0, 1.5)
        assert all(each.ratio == 1.0 for each in found if each.quantity != "tokens_seen")

    def test_what_is_not_known_is_left_out(self) -> None:
        nothing = dict.fromkeys(QUANTITIES, math.nan)
        assert confounds_of(runs(a=[nothing], b=[{}]), TO_A) == []
        found = confounds_of(runs(a=[{}, nothing], b=[{"parameters": math.nan}]), TO_A)
        assert ("b", "parameters") not in {(each.variant, each.quantity) for each in found}
        assert all(each.ratio == 1.0 for each in found)
        assert confounds_of(runs(a=[{}], b=[{}]), dict.fromkeys("ab", "gone")) == []

    @pytest.mark.parametrize(
        ("ratio", "matters"),
        [(1.0, False), (TOLERANCE, False), (1 / TOLERANCE, False), (1.0501, True), (0.9523, True), (0.9525, False)],
    )
    def test_five_percent_up_or_down_is_no_matter(self, ratio: float, *, matters: bool) -> None:
        assert Confound("b", "steps", 1.0, ratio).matters is matters

    @given(st.floats(0.01, 100))
    def test_up_and_down_are_alike(self, ratio: float) -> None:
        if abs(abs(math.log(ratio)) - math.log(TOLERANCE)) > 1e-9:
            assert Confound("b", "steps", 1.0, ratio).matters == Confound("b", "steps", 1.0, 1 / ratio).matters


class TestWarnings:
    def test_a_sentence_for_each_quantity_with_every_variant(self) -> None:
        found = confounds_of(
            runs(
                a=[{}],
                b=[{"tokens_seen": 5000.0, "sample_notes": 40.0}],
                c=[{"tokens_seen": 1100.0, "parameters": 520.0}],
                d=[{"tokens_seen": 400.0, "sample_notes": 51.0}],
            ),
            dict.fromkeys("abcd", "a"),
        )
        listed = ["b 5 times, c +10%, d 0.4 times", f"b {MINUS}20%"]
        assert warnings(found, {}) == [
            f"{what} differ from the baseline: {each}. This alone may explain a difference."
            for what, each in zip(("Tokens seen in training", "Notes in a sample"), listed, strict=True)
        ]

    def test_a_tokenizer_that_loses_notes_is_spared_them(self) -> None:
        found = confounds_of(runs(a=[{}], b=[{"notes_kept": 0.6}], c=[{"notes_kept": 0.97}]), TO_A)
        sentence = f"Share of notes that the tokenizer keeps differs from the baseline: b {MINUS}40%. "
        assert warnings(found, {}) == [f"{sentence}This alone may explain a difference."]
        assert {each.variant for each in found if each.quantity == "notes_kept"} == {"a", "b", "c"}

    def test_beyond_six_variants_it_counts(self) -> None:
        found = [Confound(f"v{place}", "parameters", 2.0, 2.0) for place in range(9)]
        (sentence,) = warnings(found, {})
        assert "v5 2 times, and 3 more." in sentence
        assert "v6" not in sentence

    def test_steps_that_are_varied_themselves_are_no_surprise(self) -> None:
        found = confounds_of(runs(a=[{}], b=[{"steps": 200.0}], c=[{"steps": 300.0}]), TO_A)
        assert warnings(found, {"b": ["training.steps"], "c": ["training.steps"]}) == []
        (sentence,) = warnings(found, {"b": ["training.steps"], "c": ["training.batch"]})
        assert sentence == "Training steps differ from the baseline: c 3 times. This alone may explain a difference."

    def test_but_the_tokens_that_come_of_them_are_said(self) -> None:
        found = confounds_of(runs(a=[{}], b=[{"steps": 200.0, "tokens_seen": 2000.0}]), TO_A)
        assert [each.partition(" differ")[0] for each in warnings(found, {"b": ["training.steps"]})] == [
            "Tokens seen in training"
        ]

    def test_where_all_are_alike_there_is_none(self) -> None:
        assert warnings(confounds_of(runs(a=[{}], b=[{"steps": 104.0}]), TO_A), {}) == []


def component(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "version": "1", "options": options}


BASE: dict[str, Any] = {
    "sampler": [component("temperature", tau=1.0)],
    "conditioner": [component("tempo", source="label")],
    "training": {"steps": 7, "batch": 2},
    "labels": {"tempo": 90.0},
}


class TestChangedPaths:
    def changed(self, **sections: Any) -> list[str]:
        return changed_paths({"base": BASE, "other": {**BASE, **sections}}, {"base": "base", "other": "base"})["other"]

    def test_every_setting_that_differs(self) -> None:
        assert changed_paths({"base": BASE}, {"base": "base"}) == {"base": []}
        assert self.changed(training={"steps": 9, "batch": 2}) == ["training.steps"]
        assert self.changed(sampler=[component("temperature", tau=0.8)], training={"steps": 9, "batch": 4}) == [
            "sampler.temperature.tau",
            "training.steps",
            "training.batch",
        ]

    def test_a_label_that_a_conditioner_brings_is_part_of_it(self) -> None:
        assert self.changed(conditioner=[], labels={}) == ["conditioner"]
        assert self.changed(conditioner=[component("tempo", source="shuffled")], labels={"tempo": 60.0}) == [
            "conditioner.tempo.source"
        ]
        assert self.changed(conditioner=[], labels={}, training={"steps": 9, "batch": 2}) == [
            "conditioner",
            "training.steps",
        ]

    def test_a_label_by_itself_is_a_change(self) -> None:
        assert self.changed(labels={"tempo": 60.0}) == ["labels.tempo"]
