"""Problems that can be found before training stop the study before training; others fail their runs only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import ablate
from ablate.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec


def refusal(bench: Bench, spec: StudySpec) -> str:
    """Run the study, which trains nothing; return its only error."""
    result = bench.run(spec)
    assert result.refused
    assert "train" not in result.ran
    assert {f.replicate for f in result.failures} == {0, 1}
    (error,) = {f"{f.error_class}: {f.error}" for f in result.failures}
    return error


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"augmenter": {"transpose": {"semitones": [-60]}}}, "augmenter 'transpose'"),
        ({"conditioner": {"performer": {"performers": ["001"]}}}, "conditioner 'performer': "),
        ({"conditioner": "tempo"}, "all training performances have tempo 1, so the network cannot learn the label"),
        ({"conditioner": {"tempo": {"source": "shuffled"}}}, "have tempo 1, so the network cannot learn the label"),
    ],
)
def test_music_without_what_a_component_needs(
    bench: Bench, load: Callable[..., StudySpec], settings: dict[str, Any], expected: str
) -> None:
    assert expected in refusal(bench, load(settings))


def test_notes_that_the_tokenizer_cannot_write(bench: Bench, load: Callable[..., StudySpec], tmp_path: Path) -> None:
    low = ablate.Performance.from_notes([(10, 64, 0.5 * i, 0.5 * i + 0.4) for i in range(9)])
    (tmp_path / "low.mid").write_bytes(low.midi_bytes())
    error = refusal(bench, load(corpus=str(tmp_path / "low.mid")))
    assert error.startswith(
        "StageError: tokenizer 'midilike-classic' finds nothing to learn in 'low': no note of it is"
    )


def test_drums_alone_with_a_tokenizer_that_leaves_out_drums(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Path
) -> None:
    drums = ablate.Performance.from_notes([(36, 64, 0.5 * i, 0.5 * i + 0.4, 128) for i in range(9)])
    (tmp_path / "drums.mid").write_bytes(drums.midi_bytes())
    tokenizer = {"midilike": {"instruments": "merge"}}
    error = refusal(bench, load({"tokenizer": tokenizer}, corpus=str(tmp_path / "drums.mid")))
    assert error == (
        "StageError: tokenizer 'midilike' finds nothing to learn in 'drums': it has drums only, which are left out"
    )


def test_two_augmenters_of_one_label(
    bench: Bench, load: Callable[..., StudySpec], offer: Callable[[Any], None]
) -> None:
    class Slow(ablate.Augmenter):
        def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Any:
            return [performance, performance.labelled(tempo=0.5)]

    offer(ablate.AugmenterSpec(name="slow", summary="Slow.", build=lambda options: Slow()))
    error = refusal(bench, load({"augmenter": ["tempo", "slow"]}))
    assert error.startswith("LabelClash: augmenters 'tempo' and 'slow' both write the label 'tempo'")


def test_an_augmenter_that_makes_no_music(
    bench: Bench, load: Callable[..., StudySpec], offer: Callable[[Any], None]
) -> None:
    class Broken(ablate.Augmenter):
        def augment(self, performance: ablate.Performance, rng: np.random.Generator) -> Any:
            notes = performance.notes.copy()
            notes["pitch"] += 100
            return [performance.replace(notes=notes)]

    offer(ablate.AugmenterSpec(name="broken", summary="Broken.", build=lambda options: Broken()))
    error = refusal(bench, load({"augmenter": ["broken"]}))
    assert error.startswith("StageError: augmenter 'broken', of 'bach-prelude': ")
    assert "is not valid" in error


def test_one_bad_variant_stops_the_others_before_training(bench: Bench, tiny: Path) -> None:
    from ablate.study.file.study_file import read_study

    text = tiny.read_text(encoding="utf-8")
    text = text.replace(
        "sampler.temperature.tau = [0.8, 1.0]", 'augmenter = ["none", {transpose = {semitones = [-90]}}]'
    )
    tiny.write_text(text.replace("sampler.temperature.tau = 1.0", 'augmenter = "none"'), encoding="utf-8")
    spec = read_study(str(tiny))
    result = bench.run(spec)
    assert result.refused
    assert {f.variant for f in result.failures} == {"augmenter=transpose(semitones=-90)"}
    assert set(bench.states("tiny").values()) == {"failed", "pending"}


def test_samplers_that_do_not_fit_the_tokenizer(
    bench: Bench, load: Callable[..., StudySpec], offer: Callable[[Any], None]
) -> None:
    from ablate.testing.material import PitchTokenizer

    offer(ablate.TokenizerSpec(name="pitches", summary="Pitches.", build=lambda options: PitchTokenizer()))
    with pytest.raises(StudyFileError, match=r"sampler.grammar: .*grammar.*\(in variant 'tau=0.8'\)"):
        bench.run(load({"tokenizer": "pitches", "sampler": {"temperature": {}, "grammar": {}}}))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"conditioner": "tempo", "labels.tempo": 0}, "labels: tempo must be greater than 0, not 0"),
        ({"conditioner": "tempo", "labels.tempo": -2.0}, "labels: tempo must be greater than 0, not -2"),
        ({"conditioner": {"tempo": {"low": 2.0}}}, "conditioner.tempo: "),
        ({"augmenter": {"tempo": {"factors": [0.0]}}}, "augmenter.tempo.factors: must be a list of "),
        ({"augmenter": {"tempo": {"factors": [1.0, 1.0]}}}, "augmenter.tempo: "),
        ({"conditioner": {"dynamics": {"default": 300}}}, "conditioner.dynamics"),
    ],
)
def test_options_and_labels_are_refused_with_the_file(
    load: Callable[..., StudySpec], settings: dict[str, Any], expected: str
) -> None:
    with pytest.raises(StudyFileError) as error:
        load(settings)
    assert any(problem.startswith(expected) for problem in error.value.problems), error.value.problems
