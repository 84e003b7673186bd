"""The pieces that metrics compare samples with: those of the study, or those that a record asks for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.store_material import measurements

import ablate
from ablate.errors import StudyFileError
from ablate.music.performance import Performance

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

#: Of each piece a bit, which stands in all its velocities: a sum shows which pieces were given.
BITS = {"a": 1, "b": 2, "c": 4, "d": 8}
SPLIT = {"split.validation": ["b"], "split.test": ["c", "d"]}


def given(pieces: Sequence[Performance]) -> float:
    return float(sum(piece.notes["velocity"][0] for piece in pieces))


class Given(ablate.Metric):
    """The pieces of the reference, and the first velocity of the sample."""

    def measure(self, generated: Performance, reference: Sequence[Performance]) -> ablate.Measurements:
        values = {"reference": given(reference), "sample": float(generated.notes["velocity"].max())}
        return ablate.Measurements(tuple(ablate.Value(v, feature=f, n=1) for f, v in values.items()))


class GivenToSets(Given, ablate.SetMetric):
    def measure(self, generated: Any, reference: Sequence[Performance]) -> ablate.Measurements:
        return ablate.Measurements((ablate.Value(given(reference), feature="reference", n=len(generated)),))


@pytest.fixture
def music(offer: Callable[[Any], None], tiny: Path, tmp_path: Path) -> str:
    """A study with metrics that follow the study, or their record; return the folder of the pieces."""
    spec = ablate.MetricSpec(name="follows", summary="Follows.", build=lambda options: Given())
    offer(spec)
    offer(dataclasses.replace(spec, name="fixed", reference="train"))
    offer(dataclasses.replace(spec, name="copies", copied_share="sample"))
    offer(dataclasses.replace(spec, name="apart", reference="validation"))
    offer(ablate.SetMetricSpec(name="sets", summary="Sets.", build=lambda options: GivenToSets()))
    tables = "".join(f"[metric.{name}]\n" for name in ("follows", "fixed", "copies", "apart", "sets"))
    text = tiny.read_text().replace('[metric."distance.pitch"]\n', tables)
    tiny.write_text(text.replace("midilike-classic", "midilike"), encoding="utf-8")
    folder = tmp_path / "music"
    folder.mkdir()
    for name, bit in BITS.items():
        notes = [(60 + i % 5, bit, 0.5 * i, 0.5 * i + 0.4) for i in range(40)]
        (folder / f"{name}.mid").write_bytes(Performance.from_notes(notes).midi_bytes())
    return str(folder)


@pytest.mark.parametrize(("part", "pieces"), [("train", "a"), ("validation", "b"), ("test", "cd")])
def test_a_metric_compares_with_the_pieces_of_the_study_or_its_own(
    bench: Bench, load: Callable[..., StudySpec], music: str, part: str, pieces: str
) -> None:
    spec = load({**SPLIT, "measure.reference": part}, corpus=music, replicates=1)
    assert not bench.run(spec).failures
    with bench.store() as store:
        found = {
            (m.measurement.metric, m.measurement.value)
            for m in measurements(store, spec.name)
            if m.measurement.feature == "reference"
        }
        chosen = float(sum(BITS[piece] for piece in pieces))
        assert found == {("follows", chosen), ("sets", chosen), ("fixed", 1.0), ("copies", 1.0), ("apart", 2.0)}
        floors = [m for each in store.floors(store.runs(spec.name)[0].stages.values()).values() for m in each]
    of_follows = [m for m in floors if m.metric == "follows"]
    assert {m.value for m in of_follows if m.feature == "reference"} == {chosen}
    copies = {m.value for m in of_follows if (m.floor, m.feature) == ("copy", "sample")}
    assert copies == {float(BITS[piece]) for piece in pieces}
    others = {m.value for m in of_follows if (m.floor, m.feature) == ("another_piece", "sample")}
    assert others == ({4.0, 8.0} if part == "train" else {1.0}), "training pieces, where these are not the reference"
    drawn = np.array([m.value for m in of_follows if (m.floor, m.feature) == ("resampling", "sample")])
    assert set(drawn) <= {BITS[piece] for piece in pieces} | {np.mean([4, 8])}


def test_another_reference_measures_again_and_trains_no_more(
    bench: Bench, load: Callable[..., StudySpec], music: str
) -> None:
    bench.run(load(SPLIT, corpus=music))
    ran = bench.run(load({**SPLIT, "measure.reference": "test"}, corpus=music)).ran
    assert ran == {"measure": 4 * 3, "floor": 3, "resample": 4 * 3}, "follows, sets and distance.velocity"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"measure.reference": "test", "split.validation": 0.5},
            "measure.reference: compares samples with test pieces, and there are none; set split.test, to 0.1 say",
        ),
        (
            {"split.test": 0.5},
            "metric.apart: compares samples with validation pieces, and there are none; set split.validation, to 0.1 ",
        ),
        (
            {"axes.measure.reference": ["train", "test"], **SPLIT},
            "axes.measure.reference: variants that are measured against different pieces cannot be compared; set it",
        ),
        ({"measure.reference": "tests", **SPLIT}, 'measure.reference: must be "train" or "validation" or "test"'),
    ],
)
def test_a_reference_that_does_not_exist_is_a_problem_of_the_file(
    load: Callable[..., StudySpec], music: str, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(StudyFileError) as error:
        load(settings, corpus=music)
    assert problem in str(error.value)


def test_copies_are_copies_of_training_pieces() -> None:
    with pytest.raises(ValueError, match="metric 'mine' has a copied_share, so its reference can only be \"train\""):
        ablate.MetricSpec(name="mine", summary="Mine.", build=lambda _: Given(), copied_share="s", reference="test")


def test_folds_have_test_pieces(bench: Bench, load: Callable[..., StudySpec], music: str) -> None:
    spec = load({"split.folds": 2, "split.validation": 0.25, "measure.reference": "test"}, corpus=music)
    assert not bench.run(spec).failures
    with bench.store() as store:
        found = {
            m.replicate: m.measurement.value
            for m in measurements(store, spec.name)
            if (m.measurement.metric, m.measurement.feature) == ("follows", "reference")
        }
    assert sum(found.values()) == sum(BITS.values()), "each piece is a test piece once"
