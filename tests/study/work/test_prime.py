from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import ablate
from ablate.errors import PrimerError, StudyFileError
from ablate.music.performance import DRUMS
from ablate.music.storage import pack_performances, read_performances
from ablate.registry import get_registry
from ablate.study.plan.layout import lay_out
from ablate.study.work.prime import cut_primer, separated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.bench import Bench

    from ablate.study.file.study_file import StudySpec

TOKENIZERS = [get_registry().spec("tokenizer", name) for name in ("midilike-classic", "midilike")]
MUCH = 10_000


def built(spec: Any) -> Any:
    return spec.build(spec.parse({}))


@pytest.fixture(scope="module")
def prelude() -> ablate.Performance:
    spec = get_registry().spec("corpus", "bach-prelude")
    (performance,) = spec.build(spec.parse({})).load()
    return performance


@pytest.mark.parametrize("spec", TOKENIZERS, ids=lambda spec: spec.name)
def test_a_primer_is_the_beginning_of_the_piece(spec: Any, prelude: ablate.Performance) -> None:
    tokenizer = built(spec)
    whole = tokenizer.encode(prelude)
    by_tokens = cut_primer(prelude, tokenizer, {"tokens": 50, "notes": 0, "seconds": 0.0}, MUCH)
    by_notes = cut_primer(prelude, tokenizer, {"tokens": 0, "notes": 12, "seconds": 0.0}, MUCH)
    by_seconds = cut_primer(prelude, tokenizer, {"tokens": 0, "notes": 0, "seconds": 4.0}, MUCH)
    for primer in (by_tokens, by_notes, by_seconds):
        assert np.array_equal(primer, whole[: len(primer)])
    assert len(by_tokens) == 50
    assert len(tokenizer.decode(by_notes)) == 12
    assert len(tokenizer.decode(by_notes[:-1])) == 11
    times = tokenizer.times(whole)
    assert times[len(by_seconds) - 1] <= 4.0 < times[len(by_seconds)]


@pytest.mark.parametrize(
    ("take", "at_most", "expected"),
    [
        ({"tokens": 10**6}, MUCH, "has .* tokens, fewer than primer.tokens = 1e\\+06"),
        ({"notes": 550}, MUCH, "has 549 notes, fewer than primer.notes = 550"),
        ({"seconds": 500.0}, MUCH, "seconds, fewer than primer.seconds = 500"),
        ({"seconds": 60.0}, 100, "more than generation.tokens = 100; take a smaller primer.seconds"),
        ({"seconds": 0.5}, MUCH, "the first 0.5 s of primer '.*' have no notes; its first note is at 1.0 s; take more"),
        ({"seconds": 1e-9}, 100, "the first 1e-09 s of primer .* its first note is at 1.0 s; take more"),
    ],
)
def test_a_primer_that_cannot_be_is_refused(
    prelude: ablate.Performance, take: dict[str, float], at_most: int, expected: str
) -> None:
    tokenizer = built(TOKENIZERS[1])
    shifted = prelude.notes.copy()
    shifted["start"] += 1.0  # so that nothing stands at 0
    shifted["end"] += 1.0
    with pytest.raises(PrimerError, match=expected):
        cut_primer(prelude.replace(notes=shifted), tokenizer, take, at_most)


@pytest.mark.parametrize("name", ["midilike", "midilike-bpe"])
def test_silence_is_no_primer(name: str) -> None:
    """The refusal names a length that has a note."""
    late = ablate.Performance.from_notes([(60, 80, 2.67 + n / 3, 2.9 + n / 3) for n in range(20)], name="late")
    tokenizer = built(get_registry().spec("tokenizer", name))
    with pytest.raises(PrimerError, match=r"the first 2 s of primer 'late' have no notes; its first note is at 2.7 s"):
        cut_primer(late, tokenizer, {"seconds": 2.0}, MUCH)
    assert len(tokenizer.decode(cut_primer(late, tokenizer, {"seconds": 2.7}, MUCH))) == 1


def test_a_primer_outside_the_vocabulary_is_refused(prelude: ablate.Performance) -> None:
    notes = prelude.notes.copy()
    notes["pitch"][3] = 5
    with pytest.raises(PrimerError, match="1 of 549 notes are outside the tokenizer's vocabulary: MIDI pitch 5"):
        cut_primer(prelude.replace(notes=notes), built(TOKENIZERS[0]), {"notes": 4}, MUCH)


def test_a_primer_of_several_instruments(prelude: ablate.Performance) -> None:
    """It is refused where the tokenizer writes them as one; where it merges them, its drums are counted."""
    notes = prelude.notes.copy()
    notes["instrument"][:3], notes["instrument"][3] = 40, DRUMS
    band = prelude.replace(notes=notes)
    with pytest.raises(
        PrimerError, match=r"3 instruments play its notes \(Acoustic Grand Piano 545, Violin 3, Drums 1\)"
    ):
        cut_primer(band, built(TOKENIZERS[1]), {"notes": 4}, MUCH)
    merging = TOKENIZERS[1].build(TOKENIZERS[1].parse({"instruments": "merge"}))
    lines: list[str] = []
    cut_primer(band, merging, {"notes": 4}, MUCH, lines.append)
    assert lines == [f"{prelude.name}: the tokenizer leaves out 1 of 549 notes: Drums 1"]
    notes["instrument"] = DRUMS
    with pytest.raises(PrimerError, match="has no notes that the tokenizer writes"):
        cut_primer(prelude.replace(notes=notes), merging, {"notes": 4}, MUCH)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(TOKENIZERS), st.integers(1, 120), st.integers(0, 2**32 - 1), st.integers(0, 200))
def test_every_note_is_the_primers_or_new(spec: Any, length: int, seed: int, count: int) -> None:
    tokenizer, corpus = built(spec), get_registry().spec("corpus", "bach-prelude")
    (piece,) = built(corpus).load()
    primer = cut_primer(piece, tokenizer, {"tokens": length}, MUCH)
    new = np.random.default_rng(seed).integers(len(tokenizer.vocabulary), size=count)
    sample = separated(new, primer, tokenizer)
    together = tokenizer.decode(np.concatenate([primer, new]))
    assert len(sample.primer) == len(tokenizer.decode(primer))
    assert np.array_equal(np.sort(sample.whole().notes), np.sort(together.notes))
    assert sample.primer_seconds == tokenizer.times(primer)[-1]
    assert (sample.notes["start"] >= sample.primer_seconds - 1e-9).all()
    assert (sample.primer["start"] <= sample.primer_seconds + 1e-9).all()
    alone = sample.continuation()
    assert not len(alone.primer)
    assert (alone.notes["start"] >= 0).all()
    assert np.allclose(alone.notes["end"] - alone.notes["start"], sample.notes["end"] - sample.notes["start"])


def test_a_primer_survives_storage_and_is_a_track_of_its_own(tmp_path: Path) -> None:
    notes = [(60, 64, 0.0, 0.5), (62, 64, 0.5, 1.5), (64, 64, 1.0, 2.0)]
    both = ablate.Performance.from_notes(notes)
    sample = both.replace(notes=both.notes[2:], primer=both.notes[:2], primer_seconds=1.0, name="sample-00")
    (tmp_path / "p.npz").write_bytes(pack_performances([both, sample]))
    plain, marked = read_performances(tmp_path / "p.npz")
    assert (len(plain), len(plain.primer), plain.primer_seconds) == (3, 0, 0.0)
    assert np.array_equal(marked.primer, sample.primer)
    assert marked.primer_seconds == 1.0
    tracks = {i.name: [n.pitch for n in i.notes] for i in marked.to_pretty_midi().instruments}
    assert tracks == {"primer": [60, 62], "sample-00": [64]}


PRIMED = """
[variants.bare]
[variants.primed]
primer.notes = 10
[variants.twice]
primer = { notes = 10, repeat_last = true }
"""


@pytest.fixture
def primed(tiny: Path, load: Callable[..., StudySpec]) -> Callable[..., StudySpec]:
    text = tiny.read_text(encoding="utf-8")
    text = text.replace("[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n", "")
    tiny.write_text(text + PRIMED, encoding="utf-8")
    return load


def artifact(bench: Bench, spec: StudySpec, variant: str, kind: str) -> Path:
    layout = lay_out(spec, get_registry(), "cpu")
    run = next(c for c in layout.runs if c.variant.name == variant and c.replicate == 0)
    return bench.home / run.stages.stages[kind].artifact


def test_a_primed_study_keeps_primers_and_measures_without_them(bench: Bench, primed: Callable[..., StudySpec]) -> None:
    spec = primed()
    result = bench.run(spec)
    assert (result.ran["train"], result.ran["prime"]) == (2, 1)
    samples = {
        v: read_performances(artifact(bench, spec, v, "generate") / "performances.npz")
        for v in ("bare", "primed", "twice")
    }
    assert [len(s.primer) for s in samples["bare"]] == [0, 0]
    assert [len(s.primer) for s in samples["primed"] + samples["twice"]] == [10] * 4
    tokens = {v: np.load(artifact(bench, spec, v, "generate") / "tokens.npy") for v in samples}
    assert {t.shape for t in tokens.values()} == {(2, 80)}, "as many new tokens with a primer as without"
    assert not np.array_equal(tokens["primed"], tokens["twice"]), "feeding the last token twice changes the music"
    counted = {(m.variant, m.measurement.sample): m.measurement.n for m in bench.numbers("tiny") if m.replicate == 0}
    for variant, each in samples.items():
        assert [counted[variant, i] for i in range(2)] == [len(s) for s in each]


def test_measuring_with_the_primer_generates_nothing_anew(bench: Bench, primed: Callable[..., StudySpec]) -> None:
    bench.run(primed())
    spec = primed({"measure.primer": True})
    result = bench.run(spec)
    assert result.ran == {"measure": 8, "resample": 8}, "the two primed variants, two replicates, two metrics"
    counted = {(m.variant, m.measurement.sample): m.measurement.n for m in bench.numbers(spec.name) if m.replicate == 0}
    samples = read_performances(artifact(bench, spec, "primed", "generate") / "performances.npz")
    assert [counted["primed", i] for i in range(2)] == [10 + len(s) for s in samples]


def test_a_primer_from_a_file_is_known_by_its_contents(
    bench: Bench, load: Callable[..., StudySpec], tmp_path: Path, prelude: ablate.Performance
) -> None:
    layouts = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "piece.mid").write_bytes(prelude.midi_bytes())
        spec = load({"primer.file": str(tmp_path / folder / "piece.mid"), "primer.seconds": 2.0})
        layouts.append(lay_out(spec, get_registry(), "cpu"))
    one, two = ({f for f, s in layout.stages().items() if s.kind == "prime"} for layout in layouts)
    assert one == two != set()
    assert not bench.run(spec).failures


def test_a_primers_file_is_looked_for_beside_the_study(tiny: Path, load: Callable[..., StudySpec]) -> None:
    more = '[primer]\nfile = "piece.mid"\nseconds = 1.0\n[variants.a]\nprimer.file = "music/other.mid"\n'
    tiny.write_text(tiny.read_text(encoding="utf-8") + more, encoding="utf-8")
    spec = load()
    assert spec.config["primer"]["file"] == str(tiny.parent / "piece.mid")
    assert spec.named["a"] == {"primer.file": str(tiny.parent / "music" / "other.mid")}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"primer.piece": "fugue"}, "unknown piece 'fugue'"),
        ({"generation.tokens": 20}, "more than generation.tokens = 20"),
    ],
)
def test_what_a_primer_lacks_is_said_before_anything_is_trained(
    bench: Bench, primed: Callable[..., StudySpec], change: dict[str, Any], expected: str
) -> None:
    result = bench.run(primed(change))
    assert result.refused
    assert "train" not in result.ran
    assert {f.variant for f in result.failures} == {"primed", "twice"}
    assert all(expected in f.error for f in result.failures)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"primer.tokens": 5, "primer.seconds": 1.0},
            "tokens, notes and seconds cannot be combined; set only one of them",
        ),
        ({"primer.seconds": -1.0}, "must be a number ≥ 0, not -1.0"),
    ],
)
def test_a_primer_that_the_file_shows_to_be_wrong(
    primed: Callable[..., StudySpec], change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(StudyFileError, match=expected):
        primed(change)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"primer.file": "x.mid"},
            "primer.file: a primer needs a length: set primer.tokens, primer.notes or primer.seconds",
        ),
        (
            {"primer.piece": "fugue"},
            "primer.piece: a primer needs a length: set primer.tokens, primer.notes or primer.seconds",
        ),
        (
            {"primer.repeat_last": True},
            "primer.repeat_last: variant 'tau=0.8' has no primer, so there is no token to repeat",
        ),
    ],
)
def test_options_of_no_primer_are_refused(
    load: Callable[..., StudySpec], change: dict[str, Any], expected: str
) -> None:
    with pytest.raises(StudyFileError, match=expected):
        load(change)
