"""Tests of what metrics do with several instruments and with drums: rules of all of them, and those of a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ablate import Performance
from ablate.errors import AblateError, CorpusError, InvalidOptions, NothingGenerated
from ablate.music.performance import DRUMS, make_notes
from ablate.registry import get_registry
from ablate.specs import MetricSpec, SetMetricSpec
from ablate.study.work.floors import drawn_notes, pooled
from ablate_memorization.copies import CopyFinder
from ablate_memorization.options import LongestOptions
from ablate_setdistances import features

if TYPE_CHECKING:
    from ablate import Measurements

FLUTE, VIOLIN = 73, 40
SPECS = {
    component.spec.name: component.spec
    for component in get_registry().offered("metric")
    if isinstance(component.spec, MetricSpec | SetMetricSpec) and component.plugin.distribution == "ablate-music"
}
#: Settings with which a metric can measure small sets and short pieces.
SETTINGS: dict[str, dict[str, Any]] = {"setdistance.frechet": {"covariance": "diagonal"}}
#: The metrics that drums change.
OF_ALL_NOTES = {
    *("distance.velocity", "distance.inter_onset_interval", "distance.instrument", "distance.average"),
    *("musicality.notes_per_second", "musicality.empty_time", "musicality.instruments"),
    *("setdistance.note_count", "setdistance.onset_interval", "setdistance.frechet"),
    *("structure.groove", "control.tempo"),
}
#: Those of them that need a pitched note.
OF_BOTH = {"distance.average", "setdistance.frechet"}
OF_DRUMS = {"distance.drum"}


def pieces(count: int, seed: int, instrument: int = 0) -> list[Performance]:
    rng = np.random.default_rng(seed)
    return [
        Performance(
            make_notes(
                pitch=rng.integers(40, 90, 120),
                velocity=rng.integers(20, 120, 120),
                start=(starts := np.sort(rng.integers(0, 400, 120) / 10)),
                end=starts + rng.integers(1, 9, 120) / 10,
                instrument=instrument,
            )
        )
        for _ in range(count)
    ]


def together(*parts: Performance) -> Performance:
    return Performance(np.concatenate([part.notes for part in parts]))


def measure(name: str, samples: list[Performance], reference: list[Performance]) -> Measurements:
    spec = SPECS[name]
    metric = spec.build(spec.parse(SETTINGS.get(name, {})))
    music: Any = samples if isinstance(spec, SetMetricSpec) else samples[0]
    measured: Measurements = metric.measure(music, reference)
    return measured


@pytest.mark.parametrize("name", sorted(SPECS.keys() - OF_DRUMS))
def test_music_of_one_instrument_is_measured_alike_whichever_it_is(name: str) -> None:
    piano, violin = (measure(name, pieces(3, 1, program), pieces(4, 2, program)) for program in (0, VIOLIN))
    assert violin.values == piano.values


@pytest.mark.parametrize("name", sorted(SPECS.keys() - OF_ALL_NOTES - OF_DRUMS))
def test_drums_change_no_metric_of_pitches(name: str) -> None:
    samples, reference, drums = pieces(3, 1), pieces(4, 2), pieces(4, 3, DRUMS)
    alone = measure(name, samples, reference)
    with_drums = measure(
        name, [together(d, p) for p, d in zip(samples, drums, strict=False)], [*map(together, reference, drums)]
    )
    assert with_drums == alone
    with pytest.raises((AblateError, ValueError), match="pitched notes"):
        measure(name, drums, reference)
    with pytest.raises(CorpusError, match="pitched notes"):
        measure(name, samples, drums)


@pytest.mark.parametrize("name", sorted(OF_ALL_NOTES - OF_BOTH))
def test_drums_alone_have_a_rhythm_and_a_loudness(name: str) -> None:
    assert all(np.isfinite(value.value) for value in measure(name, pieces(3, 1, DRUMS), pieces(4, 2, DRUMS)).values)
    together_with = measure(name, [together(*pieces(1, 1), *pieces(1, 4, DRUMS))] * 3, pieces(4, 2))
    assert together_with.values != measure(name, pieces(1, 1) * 3, pieces(4, 2)).values


def test_instruments_are_compared_by_their_share_of_the_notes() -> None:
    reference = together(*pieces(1, 1), *pieces(1, 2, FLUTE))
    sample = together(*pieces(1, 1), *pieces(1, 2, VIOLIN), *pieces(2, 3, DRUMS))
    measured = measure("distance.instrument", [sample], [reference])
    found = {value.feature: value.value for value in measured.values}
    assert found["l1"] == pytest.approx(0.25 + 0.5 + 0.25 + 0.5)
    assert "wasserstein" not in found, "instruments are names"
    (histogram,) = measured.histograms
    assert {place: n for place, n in enumerate(histogram.generated) if n} == {0: 120, VIOLIN: 120, DRUMS: 240}


def test_drums_are_compared_by_their_sounds() -> None:
    kick, snare = (Performance.from_notes([(sound, 64, 0.5, 0.6, DRUMS)]) for sound in (36, 38))
    found = measure("distance.drum", [together(kick, *pieces(1, 1))], [together(kick, snare)])
    assert {v.feature: v.value for v in found.values}["l1"] == pytest.approx(1.0)
    with pytest.raises(NothingGenerated, match="no drum notes"):
        measure("distance.drum", pieces(1, 1), [kick])
    with pytest.raises(CorpusError, match="no drum notes"):
        measure("distance.drum", [kick], pieces(1, 1))


def test_notes_of_two_instruments_sound_at_once() -> None:
    band = Performance.from_notes([(60, 64, 0, 1, FLUTE), (60, 64, 0, 1, VIOLIN), (36, 64, 0, 1, DRUMS)])
    assert measure("musicality.polyphony", [band], [band]).values[0].value == 2
    assert measure("musicality.instruments", [band], [band]).values[0].value == 3


def test_successive_notes_are_of_one_instrument() -> None:
    notes = [(p, 64, 0.5 * i, 0.5 * i + 0.4, FLUTE) for i, p in enumerate((72, 74, 76))]
    notes += [(p, 64, 0.5 * i + 0.1, 0.5 * i + 0.4, 32) for i, p in enumerate((40, 41, 42))]
    notes += [(90, 64, 0.5 * i + 0.2, 0.5 * i + 0.3, DRUMS) for i in range(3)]
    band = Performance.from_notes(notes).canonical().notes
    assert features.pitch_interval(band).tolist() == [1.5]  # and not the 30 semitones from bass to flute
    assert np.flatnonzero(features.pitch_class_transitions(band, 0.25)).tolist() == [
        2,
        2 * 12 + 4,
        4 * 12 + 5,
        5 * 12 + 6,
    ]
    lengths = features.note_length_transitions(band, 2.0).reshape(12, 12)
    assert np.count_nonzero(lengths) == 2, "from flute to flute, and from bass to bass"


def lengths(sample: Performance, *reference: Performance, **options: Any) -> list[int]:
    found: list[int] = CopyFinder(reference, LongestOptions(**options)).lengths(sample).tolist()
    return found


MELODY = [(p, 64, 0.25 * i, 0.25 * i + 0.2) for i, p in enumerate((60, 67, 64, 72, 71, 62, 65, 69, 61, 74))]


def line(instrument: int, up: int = 0) -> Performance:
    return Performance.from_notes((p + up, v, start, end, instrument) for p, v, start, end in MELODY)


@pytest.mark.parametrize("options", [{}, {"transposed": True}])
def test_a_copy_has_the_instruments_of_the_original(options: dict[str, Any]) -> None:
    assert lengths(line(0), line(VIOLIN), **options) == [0] * 10
    duet = together(line(FLUTE), line(VIOLIN, -12))
    assert lengths(duet, line(0), duet, **options) == list(range(1, 21))
    swapped = together(line(VIOLIN), line(FLUTE, -12))
    assert max(lengths(swapped, line(0), duet, **options)) < 3
    # a piano among many instruments is searched as in piano music alone
    assert lengths(line(0), line(0), duet, swapped, **options) == list(range(1, 11))


def test_a_merged_copy_is_found_where_instruments_do_not_matter() -> None:
    duet = together(line(FLUTE), line(VIOLIN, -12))
    merged = together(line(0), line(0, -12))
    assert max(lengths(merged, duet)) == 0
    assert lengths(merged, duet, instruments="any") == lengths(merged, merged) == list(range(1, 21))
    assert max(lengths(merged, together(line(DRUMS), line(DRUMS, -12), line(FLUTE, 40)), instruments="any")) == 0


def test_drums_are_searched_by_their_own_and_never_transposed() -> None:
    song = together(line(0), line(DRUMS, -20))
    assert lengths(song, line(0)) == list(range(1, 11)), "drums between the notes do not break a copy"
    assert lengths(song, together(line(5), line(DRUMS, -20)), part="drums") == list(range(1, 11))
    assert max(lengths(line(DRUMS), line(DRUMS, 1), part="drums")) < 3
    with pytest.raises(InvalidOptions, match="drums have no pitch to transpose"):
        SPECS["memorization.ngrams"].parse({"part": "drums", "transposed": True})
    with pytest.raises(NothingGenerated, match="no pitched notes"):
        measure("memorization.longest", [line(DRUMS)], [song])


def test_drawn_notes_keep_their_instruments() -> None:
    song = together(line(0), line(DRUMS, -20))
    drawn = drawn_notes(pooled([song]), 200, np.random.default_rng(0)).notes
    kinds = {(int(n["pitch"]), int(n["instrument"])) for n in song.notes}
    assert {(int(n["pitch"]), int(n["instrument"])) for n in drawn} == kinds
