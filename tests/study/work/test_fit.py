"""Tokenizers that learn, from their stage to every stage that encodes or decodes."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.bench import Bench

import ablate
from ablate.errors import StageError
from ablate.music.midi import read_midi
from ablate.music.storage import read_performances
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.generate import GenerateRequest, generate_samples
from ablate.study.plan.estimate import estimate
from ablate.study.plan.jobs import Packing
from ablate.study.plan.layout import lay_out
from ablate.study.plan.plan import make_plan
from ablate.study.work.artifacts import read_examples
from ablate.study.work.components import build, loaded_tokenizer
from ablate.study.work.fit import fitted
from ablate.testing.material import equal_performances

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

OPTIONS = {"step": 0.125, "longest_shift": 0.5, "velocity_bins": 2, "low": 60, "high": 64}
BPE = {"midilike-bpe": {**OPTIONS, "vocabulary": 60}}
SETTINGS = {"tokenizer": BPE, "split.test": ["piece 0"], "split.validation": ["piece 1"]}
#: Where the second level would only do the same.
ONE_LEVEL: dict[str, Any] = {"axes.sampler.temperature.tau": [1.0]}
CHOICE = {"name": "midilike-bpe", "options": BPE["midilike-bpe"]}


def music(seed: int) -> ablate.Performance:
    """Notes at random, few enough that the same ones come again; other ones for every seed."""
    rng = np.random.default_rng(seed)
    start = np.cumsum(rng.integers(1, 3, 60)) * 0.125
    length = rng.integers(1, 4, 60) * 0.125
    columns = (rng.choice(rng.permutation(5)[:3], 60) + 60, rng.choice([40, 90], 60), start, start + length)
    return ablate.Performance.from_notes((int(p), int(v), s, e) for p, v, s, e in zip(*columns, strict=True))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "pieces"
    folder.mkdir()
    for seed in range(5):
        (folder / f"piece {seed}.mid").write_bytes(music(seed).midi_bytes())
    return folder


@pytest.fixture
def study(load: Callable[..., StudySpec], corpus: Path) -> Callable[..., StudySpec]:
    def loaded(**settings: Any) -> StudySpec:
        return load({**SETTINGS, **settings}, corpus=str(corpus))

    return loaded


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, corpus: Path) -> Bench:
    """Return a home in which the study ran, for tests that only read."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.toml").write_text(tiny_text, encoding="utf-8")
    bench = Bench(folder / "home")
    spec = read_study(str(folder / "tiny.toml"), Overrides(settings=tuple(SETTINGS.items()), corpus=str(corpus)))
    assert not bench.run(spec).failures
    return bench


@pytest.fixture
def ran(whole: Bench, tmp_path: Path) -> Bench:
    """Return a copy of this home."""
    shutil.copytree(whole.home, tmp_path / "ran")
    return Bench(tmp_path / "ran")


def learned_from(corpus: Path, *seeds: int) -> bytes:
    tokenizer = build("tokenizer", CHOICE, get_registry())
    return bytes(tokenizer.fit([read_midi(corpus / f"piece {seed}.mid") for seed in seeds]))


def stages_of(bench: Bench, spec: StudySpec) -> dict[str, Any]:
    """The stages of the first run, by name."""
    return dict(lay_out(spec, get_registry(), "cpu").runs[0].stages.stages)


def test_a_tokenizer_learns_from_the_training_pieces_alone(whole: Bench, corpus: Path) -> None:
    with whole.store() as store:
        (record,) = store.finished("fit")
    state = (whole.home / record.artifact / "learned.bin").read_bytes()
    assert state == learned_from(corpus, 2, 3, 4)
    assert state != learned_from(corpus, 0, 2, 3, 4)
    assert state != learned_from(corpus, 1, 2, 3, 4)
    assert record.result == {"pieces": 3, "words": 60, "unused": 0, "problems": []}


def test_every_stage_uses_what_was_learned(bench: Bench, study: Callable[..., StudySpec], corpus: Path) -> None:
    spec = study(**{"primer.notes": 5, "metric": ["distance.pitch", "likelihood.nll"]}, **ONE_LEVEL)
    assert not bench.run(spec).failures
    stages = stages_of(bench, spec)
    reads = {name for name, stage in stages.items() if "fit" in stage.inputs}
    assert reads == {"prepare", "prime", "generate", "measure likelihood.nll", "floor distance.pitch"}
    tokenizer = loaded_tokenizer(CHOICE, bench.home / stages["fit"].artifact, get_registry())
    expected = [tokenizer.encode(read_midi(corpus / f"piece {seed}.mid")) for seed in (2, 3, 4)]
    folders = {name: bench.home / stage.artifact for name, stage in stages.items()}
    assert read_examples(folders["prepare"] / "examples.npz").tokens.tolist() == np.concatenate(expected).tolist()
    primer = np.load(folders["prime"] / "primer.npy")
    assert primer.tolist() == expected[0][: len(primer)].tolist()
    new = np.load(folders["generate"] / "tokens.npy")
    assert new.max() >= 2 * 5 + 2 + 4, "no merged token was generated"
    for sample, tokens in zip(read_performances(folders["generate"] / "performances.npz"), new, strict=True):
        whole = tokenizer.decode(np.concatenate([primer, tokens]))
        assert len(sample.whole()) == len(whole)
        assert np.array_equal(np.sort(sample.whole().notes["start"]), np.sort(whole.notes["start"]))


def test_a_grammar_of_merged_tokens_gives_only_what_can_be_encoded(
    bench: Bench, study: Callable[..., StudySpec]
) -> None:
    spec = study(sampler={"grammar": {}, "temperature": {}}, **ONE_LEVEL)
    assert not bench.run(spec).failures
    stages = stages_of(bench, spec)
    tokenizer: Any = loaded_tokenizer(CHOICE, bench.home / stages["fit"].artifact, get_registry())
    for tokens in np.load(bench.home / stages["generate"].artifact / "tokens.npy"):
        follow = tokenizer.grammar(1)
        for latest, after in zip([tokenizer.start_token, *tokens[:-1]], tokens, strict=True):
            assert follow(np.array([latest]))[0, after]


def test_a_study_shares_what_was_learned(whole: Bench, study: Callable[..., StudySpec]) -> None:
    """Both variants and both replicates do; another split or another option learns anew."""
    assert whole.counts(study(), "fit") == (0, 1)
    assert whole.counts(study(**{"training.steps": 7}), "fit") == (0, 1)
    assert whole.counts(study(**{"split.test": ["piece 2"]}), "fit") == (1, 0)
    assert whole.counts(study(**{"tokenizer.midilike-bpe.vocabulary": 50}), "fit") == (1, 0)
    assert whole.counts(study(tokenizer={"midilike": OPTIONS}), "fit") == (0, 0)


def test_another_split_for_each_replicate_is_learned_from_for_each(
    bench: Bench, study: Callable[..., StudySpec], corpus: Path
) -> None:
    """And a pool of processes learns the same as a single one."""
    spec = study(**{"split.test": 0.2, "split.validation": [], "split.per_replicate": True}, **ONE_LEVEL)
    assert not bench.run(spec).failures
    assert bench.counts(spec, "fit") == (0, 2)
    for run in lay_out(spec, get_registry(), "cpu").runs:
        stages = run.stages.stages
        with bench.store() as store:
            records = store.stages([stages["fit"].fingerprint, stages["prepare"].fingerprint])
        ((held_out, *_),) = records[stages["prepare"].fingerprint].result["split"]["test"]
        seeds = [seed for seed in range(5) if f"piece {seed}" != held_out]
        assert (bench.home / stages["fit"].artifact / "learned.bin").read_bytes() == learned_from(corpus, *seeds)
    pool = Bench(bench.home.parent / "pool")
    assert not pool.run(spec, workers=2).failures
    assert pool.numbers(spec.name) == bench.numbers(spec.name)


def test_what_was_learned_and_lost_is_learned_again(ran: Bench, study: Callable[..., StudySpec]) -> None:
    shutil.rmtree(ran.home / stages_of(ran, study())["fit"].artifact)
    more = study(**{"generation.tokens": 90})
    assert ran.counts(more, "fit") == (1, 0)
    assert ran.counts(more, "train") == (0, 2)
    assert not ran.run(more).failures


def test_generating_again_gives_the_same_samples(bench: Bench, study: Callable[..., StudySpec]) -> None:
    spec = study(**{"primer.notes": 5}, **ONE_LEVEL)
    bench.run(spec)
    folder = bench.home / stages_of(bench, spec)["generate"].artifact
    with bench.store() as store:
        request = GenerateRequest(spec.name, "tau=1.0")
        again = generate_samples(store, bench.home, request, get_registry(), device="cpu")
        request = dataclasses.replace(request, settings=(("primer.notes", 3),))
        other = generate_samples(store, bench.home, request, get_registry(), device="cpu")
    for one, two in zip(read_performances(folder / "performances.npz"), again, strict=True):
        assert equal_performances(one.whole(), two.whole())
    assert [len(sample.primer) for sample in other] == [3, 3]


def test_too_little_to_learn_is_reported(bench: Bench, study: Callable[..., StudySpec]) -> None:
    bench.run(study(**{"tokenizer.midilike-bpe.vocabulary": 3000}, **ONE_LEVEL))
    with bench.store() as store:
        (record,) = store.finished("fit")
    (problem,) = record.result["problems"]
    assert f"{record.result['unused']:,} of its 3,000 words stay unused: the 3 training piece(s)" in problem


def test_a_study_is_planned_before_anything_is_learned(
    study: Callable[..., StudySpec], tmp_path: Path, whole: Bench
) -> None:
    plan = make_plan(lay_out(study(), get_registry(), "cpu"), None, tmp_path)
    assert plan.count("fit") == (1, 0)
    assert 0 < estimate(plan, "cpu", 1).seconds < 60
    weights = load_file(whole.home / stages_of(whole, study())["train"].artifact / "weights.safetensors")
    assert any(60 in tensor.shape for tensor in weights.values()), "the network has another number of ids"


def test_samples_of_other_tokenizers_are_not_generated_together(study: Callable[..., StudySpec]) -> None:
    """Equal networks may be; their tokens would be decoded by one tokenizer."""
    layouts = [lay_out(study(**{"split.test": [piece]}), get_registry(), "cpu") for piece in ("piece 0", "piece 2")]
    generations = [run.stages.stages["generate"] for layout in layouts for run in layout.runs]
    packing = Packing("cpu", lambda: 1, lambda stage: 1, get_registry(), fused=True)
    jobs = packing.generations(generations)
    assert [len(job) for job in jobs] == [4, 4]
    assert all(len({stage.inputs["fit"].fingerprint for stage in job}) == 1 for job in jobs)


class Growing(ablate.FittedTokenizer):
    """Has more words after learning, or refuses to learn."""

    vocabulary = ("one", "two")
    start_token = 0
    unused = 0
    refusal = ""

    def fit(self, performances: Any) -> bytes:
        if self.refusal:
            raise ValueError(self.refusal)
        return b""

    def load(self, state: bytes) -> None:
        self.vocabulary = ("one", "two", "three")

    def encode(self, performance: Any) -> Any:
        return np.zeros(1, np.int64)

    def decode(self, tokens: Any) -> Any:
        return ablate.Performance.from_notes([])

    def times(self, tokens: Any) -> Any:
        return np.zeros(len(tokens))


def test_the_options_decide_the_number_of_words() -> None:
    with pytest.raises(StageError, match="'growing' has 3 words after learning and 2 before"):
        fitted(Growing(), [], "growing")


def test_a_tokenizer_may_refuse_to_learn() -> None:
    tokenizer = Growing()
    tokenizer.refusal = "no notes"
    with pytest.raises(StageError, match="'growing' cannot be fitted on these pieces: no notes"):
        fitted(tokenizer, [], "growing")


def test_what_was_learned_must_be_there_and_whole(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"learned\.bin is missing; run the study again"):
        loaded_tokenizer(CHOICE, tmp_path, get_registry())
    (tmp_path / "learned.bin").write_bytes(b"{")
    with pytest.raises(StageError, match=r"learned\.bin: tokenizer 'midilike-bpe' cannot use it"):
        loaded_tokenizer(CHOICE, tmp_path, get_registry())


@pytest.mark.parametrize("fit", [True, False])
def test_the_record_says_whether_a_tokenizer_learns(
    *, fit: bool, offer: Callable[[Any], None], bench: Bench, study: Callable[..., StudySpec]
) -> None:
    spec = get_registry().spec("tokenizer", "midilike" if fit else "midilike-bpe")
    offer(dataclasses.replace(spec, name="confused", fitted=fit))
    result = bench.run(study(tokenizer={"confused": {}}))
    errors = {failure.error for failure in result.failures}
    says = "is not fitted, but its record has fitted=True" if fit else "is fitted, but its record has fitted=False"
    assert any(says in error for error in errors), errors
