"""Metrics against the public programs that define them, on twelve excerpts of a prelude and on twelve real pieces.

``tools/make_public_metrics.py`` ran the programs; ``tests/data/public_metrics`` has what they gave, ten digits each.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.checkout import ROOT
from support.plain_pieces import NAMES, one_after_another, prelude_excerpts, quarters, real_pieces

from ablate.music.midi import read_midi
from ablate_musicality.pieces import NUMBERS
from ablate_setdistances import ablate_metrics, features
from ablate_setdistances.frechet import frechet
from ablate_setdistances.symbolic import symbolic_features
from ablate_structure.groove import consistency, onsets_in_bars, similarity
from ablate_structure.metric import RANGES, repetition
from ablate_structure.options import RepetitionOptions
from ablate_structure.scape import fitness
from ablate_structure.similarity import chroma, self_similarity

if TYPE_CHECKING:
    from pathlib import Path

    from ablate import Performance

DIGITS = 1e-8
SPECS = {spec.name.removeprefix("setdistance."): spec for spec in ablate_metrics()}
FEATURES = [name for name in SPECS if name != "frechet"]
#: Arguments of a feature with mgeval's values.
ARGUMENTS = {
    "pitch_class_transitions": {"within": 0.05},
    "note_lengths": {"bar": 2.0},
    "note_length_transitions": {"bar": 2.0},
}


@dataclasses.dataclass
class Case:
    """Twelve pieces, and what the public programs gave for them."""

    name: str
    pieces: list[Performance]
    public: dict[str, Any]


@pytest.fixture(scope="module", params=["prelude", "smd"])
def case(request: pytest.FixtureRequest) -> Case:
    """Both sets of pieces; the real ones are skipped where they are absent."""
    public = json.loads((ROOT / f"tests/data/public_metrics/{request.param}.json").read_text())
    if request.param == "prelude":
        return Case("prelude", prelude_excerpts(), public)
    return Case("smd", real_pieces(request.getfixturevalue("smd_dir")), public)


@pytest.fixture(scope="module")
def recordings(smd_dir: Path) -> Case:
    """The twelve real pieces as they are, and what the programs gave for their files."""
    public = json.loads((ROOT / "tests/data/public_metrics/smd.json").read_text())
    return Case("smd", [read_midi(smd_dir / f"{name}.mid") for name in NAMES], public)


def vectors(name: str, pieces: list[Performance]) -> np.ndarray:
    feature = getattr(features, name)
    return np.array([feature(piece.canonical().notes, **ARGUMENTS.get(name, {})) for piece in pieces])


@pytest.mark.parametrize("name", FEATURES)
def test_features_equal_those_of_mgeval(case: Case, name: str) -> None:
    theirs = np.array(case.public["mgeval"][name]).reshape(len(case.pieces), -1)
    # mgeval cuts times to 10 ms before it adds up the seconds of a pitch class
    tolerance = 1e-3 if name == "pitch_classes" else DIGITS
    np.testing.assert_allclose(vectors(name, case.pieces), theirs, atol=tolerance, rtol=DIGITS)


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("pitch_count", 0),
        ("pitch_range", 0),
        ("note_count", 0),
        ("onset_interval", 0),
        ("note_lengths", 0),
        ("pitch_interval", 0.1134),  # semitones; the file's order of notes that start together is not by pitch
        ("pitch_classes", 0.0535),  # of a share: velocities and pedals
    ],
)
def test_features_of_recordings_differ_from_those_of_mgeval_for_known_reasons(
    recordings: Case, name: str, difference: float
) -> None:
    ours = vectors(name, recordings.pieces)
    theirs = np.array(recordings.public["mgeval_recordings"][name]).reshape(ours.shape)
    assert np.abs(ours - theirs).max() == pytest.approx(difference, abs=5e-4 if difference else DIGITS)


@pytest.mark.parametrize("name", FEATURES)
def test_sets_are_compared_as_the_definition_says(case: Case, name: str) -> None:
    """With mgeval's features and distances, and densities and integrals by SciPy on a line of 200,001 points."""
    ours = compared(case, name)
    # the features of pitch class already differ
    tolerance = 2e-3 if name == "pitch_classes" else 1e-4
    for prefix in ("", "reference_"):
        for feature in ("overlap", "divergence"):
            expected = case.public["mgeval_sets"][name][prefix + feature]
            assert ours[prefix + feature] == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("name", FEATURES)
def test_the_area_of_mgeval_is_smaller_by_the_tails_that_it_cuts_off(case: Case, name: str) -> None:
    ours, theirs = compared(case, name), case.public["mgeval_sets"][name]
    tolerance = 2e-3 if name == "pitch_classes" else 1e-4
    for prefix in ("", "reference_"):
        assert theirs[f"{prefix}cut_overlap"] == pytest.approx(theirs[f"{prefix}mgeval_overlap"], abs=1e-5)
        assert theirs[f"{prefix}mgeval_overlap"] <= ours[f"{prefix}overlap"] + tolerance


def test_the_divergence_of_mgeval_is_another_number(case: Case) -> None:
    """It compares two densities at different points; see also setdistances/test_densities.py."""
    ours = np.array([compared(case, name)[f"{p}divergence"] for name in FEATURES for p in ("", "reference_")])
    theirs = np.array(
        [case.public["mgeval_sets"][n][f"{p}mgeval_divergence"] for n in FEATURES for p in ("", "reference_")]
    )
    assert np.median(np.abs(theirs / ours - 1)) > 0.3
    assert 0.1 < (theirs > ours).mean() < 0.9  # and not on one side


def compared(case: Case, name: str) -> dict[str, float]:
    """Return both features, and with the distances within the reference both again."""
    spec, half, found = SPECS[name], len(case.pieces) // 2, {}
    for prefix, intra in (("", "samples"), ("reference_", "reference")):
        measured = spec.build(spec.parse({"intra": intra})).measure(case.pieces[:half], case.pieces[half:])
        found |= {prefix + value.feature: value.value for value in measured.values}
    return found


def test_the_frechet_distance_equals_that_of_pytorch_fid(case: Case) -> None:
    found = np.array([symbolic_features(piece.notes) for piece in quarters(case.pieces)])
    assert frechet(*np.array_split(found, 2), diagonal=False) == pytest.approx(case.public["fid"], rel=1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("pitch_range", "pitch_range"),
        ("pitch_classes", "n_pitch_classes_used"),
        ("pitch_entropy", "pitch_entropy"),
        ("pitch_class_entropy", "pitch_class_entropy"),
        ("scale_consistency", "scale_consistency"),
        ("polyphony", "polyphony"),  # no pitch sounds twice at once in a plain piece
    ],
)
def test_numbers_equal_those_of_muspy(case: Case, ours: str, theirs: str) -> None:
    found = [NUMBERS[ours][0](piece.notes) for piece in case.pieces]
    assert found == pytest.approx([each[theirs] for each in case.public["muspy"]], rel=DIGITS, abs=DIGITS)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("pitch_range", "pitch_range"),
        ("pitch_classes", "n_pitch_classes_used"),
        ("pitch_entropy", "pitch_entropy"),
        ("pitch_class_entropy", "pitch_class_entropy"),
        ("scale_consistency", "scale_consistency"),
    ],
)
def test_numbers_of_recordings_equal_those_of_muspy(recordings: Case, ours: str, theirs: str) -> None:
    found = [NUMBERS[ours][0](piece.notes) for piece in recordings.pieces]
    assert found == pytest.approx([each[theirs] for each in recordings.public["muspy_recordings"]], rel=DIGITS)


def test_empty_time_is_the_empty_beat_rate_of_muspy_with_a_beat_of_a_tick(case: Case) -> None:
    """MusPy counts the beat in which a note ends as filled, so each silence is a tick shorter, and adds one beat."""
    for piece, each in zip(case.pieces, case.public["muspy"], strict=True):
        ends = np.maximum.accumulate(piece.notes["end"])
        silences = np.count_nonzero(piece.notes["start"][1:] > ends[:-1])
        ticks = round(piece.seconds * 960)
        ours = NUMBERS["empty_time"][0](piece.notes)
        assert (ours * ticks - silences) / (ticks + 1) == pytest.approx(each["empty_tick_rate"], abs=DIGITS)


def test_a_beat_hides_most_silence(case: Case) -> None:
    """The empty beat rate itself counts a beat of half a second as filled if anything sounds in it."""
    for piece, each in zip(case.pieces, case.public["muspy"], strict=True):
        assert each["empty_beat_rate"] < NUMBERS["empty_time"][0](piece.notes)


@pytest.mark.parametrize("positions", [16, 1920])
def test_groove_equals_that_of_muspy(case: Case, positions: int) -> None:
    found = [consistency(onsets_in_bars(piece.notes, 2.0, positions)) for piece in case.pieces]
    theirs = [each[f"groove_consistency_{positions}"] for each in case.public["muspy"]]
    assert found == pytest.approx(theirs, abs=DIGITS)


def test_groove_of_recordings_differs_as_the_first_bar_begins_with_the_first_onset(recordings: Case) -> None:
    found = [consistency(onsets_in_bars(piece.notes, 2.0, 16)) for piece in recordings.pieces]
    theirs = [each["groove_consistency_16"] for each in recordings.public["muspy_recordings"]]
    assert 0.01 < np.abs(np.subtract(found, theirs)).max() < 0.02


def test_groove_similarity_equals_that_of_musdr(case: Case) -> None:
    found = [similarity(onsets_in_bars(piece.notes, 2.0, 16)) for piece in case.pieces]
    assert found == pytest.approx(case.public["musdr_groove"], abs=DIGITS)


def test_structure_equals_that_of_musdr_but_for_two_slips(case: Case) -> None:
    pieces = [one_after_another(case.pieces)] if case.name == "prelude" else case.pieces
    changed = 0
    for piece, public in zip(pieces, case.public["musdr_structure"], strict=True):
        cells = self_similarity(chroma(piece.notes, 1.0, 2.0, 60), 8)
        assert cells.sum() == pytest.approx(public["cells"], rel=DIGITS)
        scape = [fitness(cells, range(low, high + 1)).max() for low, high in ((3, 8), (8, 15), (15, 60))]
        assert scape == pytest.approx(public["repaired"], abs=DIGITS)
        # the metric tries fewer lengths, none beyond half of the music
        values = np.array(list(repetition(piece.notes, RepetitionOptions()).values()))
        assert len(values) == len(RANGES)
        assert (values <= np.array(scape) + DIGITS).all()
        assert (values > np.array(scape) - 0.016).all()
        changed += int(np.abs(np.subtract(public["repaired"], public["musdr"])).max() > 1e-3)
    assert changed == (0 if case.name == "prelude" else 7)
