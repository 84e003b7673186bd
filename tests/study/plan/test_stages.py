from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any

import pytest

import ablate
from ablate.kinds import KINDS
from ablate.registry import get_registry
from ablate.study.file.configuration import Choice
from ablate.study.plan import estimate as estimates
from ablate.study.plan.estimate import estimate
from ablate.study.plan.layout import lay_out
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.plan.music.pieces import planned_splits
from ablate.study.plan.plan import make_plan
from ablate.study.plan.stages import Setting, run_stages
from ablate.study.stage import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec
    from ablate.study.plan.layout import Layout


@pytest.fixture(autouse=True)
def _short_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time fewer steps for an estimate: its precision is no matter here."""
    monkeypatch.setattr(estimates, "LONG_ENOUGH", 0.01)


def laid(spec: StudySpec) -> Layout:
    return lay_out(spec, get_registry(), "cpu")


def fingerprints(layout: Layout, kind: str) -> set[str]:
    return {f for f, stage in layout.stages().items() if stage.kind == kind}


def test_a_fingerprint_knows_content_not_order() -> None:
    assert fingerprint({"a": 1, "b": [1.5, None]}) == fingerprint(json.loads('{"b": [1.5, null], "a": 1}'))
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    with pytest.raises(ValueError, match="Out of range"):
        fingerprint({"a": math.nan})


METRICS = {name: get_registry().spec("metric", name) for name in ("distance.pitch", "distance.velocity")}
HERE = Setting(seed=5, device="cpu", torch="2.13")
FLOORS = ("floor distance.pitch", "floor distance.velocity")
PINNED = {
    "load": "d92b084342d97a3c",
    "prepare": "230e3666221096bb",
    "train": "6bd8300e471caf86",
    "generate": "314891dc70f610b4",
    "measure distance.pitch": "6cc783e0e33106bb",
    "measure distance.velocity": "643153a563174066",
    "floor distance.pitch": "57de8a53f049253c",
    "floor distance.velocity": "c33589d11b6e08b3",
    "resample distance.pitch": "51257506d6b17314",
    "resample distance.velocity": "f36171f1e48c64f3",
}


def stages(load: Callable[..., StudySpec], setting: Setting = HERE, **changes: Any) -> dict[str, str]:
    """Fingerprints of the first run of the study, by stage, as they would be elsewhere."""
    run = laid(load()).runs[0]
    configuration = dataclasses.replace(run.configuration, **changes)
    choice = configuration.one("corpus")
    spec = get_registry().spec("corpus", choice.name)
    identity = spec.build(spec.parse(choice.options)).identity()
    return run_stages(configuration, identity, 0, setting, METRICS).fingerprints()


def test_the_fingerprints_of_a_study_are_those_they_were(load: Callable[..., StudySpec]) -> None:
    """Whoever changes one on purpose makes every stored result run again, and says so in the changelog."""
    assert {name: digest[:16] for name, digest in stages(load).items()} == PINNED
    on_gpu = stages(load, Setting(5, "cuda", "2.13"))
    assert (on_gpu["train"][:16], on_gpu["generate"][:16]) == ("b503af248e4b1369", "a289b0360bf096a4")


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        (Setting(5, "cuda", "2.13"), {"load", "prepare", *FLOORS}),
        (Setting(5, "cpu", "2.14"), {"load", "prepare", *FLOORS}),
        (Setting(6, "cpu", "2.13"), {"load", "prepare"}),
    ],
)
def test_device_torch_and_seed_decide_a_training(
    load: Callable[..., StudySpec], setting: Setting, kept: set[str]
) -> None:
    before, after = stages(load), stages(load, setting)
    assert {name for name in before if before[name] == after[name]} == kept


AFTER = {
    "load": ["fit", "prepare", "prime", "floor", "train", "generate", "measure", "resample"],
    "fit": ["prepare", "prime", "floor", "train", "generate", "measure", "resample"],
    "prepare": ["train", "generate", "measure", "resample"],
    "prime": ["generate", "measure", "resample"],
    "floor": [],
    "train": ["generate", "measure", "resample"],
    "generate": ["measure", "resample"],
    "measure": [],
    "resample": [],
}


@pytest.mark.parametrize("kind", sorted(AFTER))
def test_the_code_of_a_stage_is_part_of_it(
    load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def primed() -> dict[str, str]:
        return stages(lambda: load({"primer.tokens": 10, "tokenizer": "midilike-bpe"}))

    before = primed()
    monkeypatch.setitem(KINDS, kind, dataclasses.replace(KINDS[kind], code=KINDS[kind].code + 1))
    changed = {name.partition(" ")[0] for name, digest in primed().items() if digest != before[name]}
    assert changed == {kind, *AFTER[kind]}


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("corpus", "load"),
        ("tokenizer", "prepare"),
        ("model", "train"),
        ("sampler", "generate"),
        ("metric", "measure distance.pitch"),
    ],
)
def test_the_version_of_a_component_is_part_of_what_it_makes(
    load: Callable[..., StudySpec], kind: str, first: str
) -> None:
    chosen = laid(load()).runs[0].configuration.choices
    newer = (dataclasses.replace(chosen[kind][0], version="newer"), *chosen[kind][1:])
    before, after = stages(load), stages(load, choices={**chosen, kind: newer})
    assert next(name for name in before if before[name] != after[name]) == first


def test_augmenters_draw_anew_in_each_replicate(load: Callable[..., StudySpec]) -> None:
    run = laid(load()).runs[0]
    augmenter = Choice("augmenter", "any", "1", {})
    spec = get_registry().spec("corpus", "bach-prelude")
    corpus = spec.build(spec.parse({}))

    def prepared(replicate: int, *augmenters: Choice) -> str:
        choices = {**run.configuration.choices, "augmenter": augmenters}
        configuration = dataclasses.replace(run.configuration, choices=choices)
        return run_stages(configuration, corpus.identity(), replicate, HERE, METRICS).fingerprints()["prepare"]

    assert prepared(0) == prepared(1)
    assert prepared(0, augmenter) != prepared(1, augmenter)


def test_an_estimate_grows_with_the_work(
    load: Callable[..., StudySpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "LONG_ENOUGH", 0.1)

    def estimated(**overrides: Any) -> float:
        return estimate(make_plan(laid(load(**overrides)), None, tmp_path), "cpu", 1).seconds

    small = estimated()
    assert 0 < small < 30
    assert estimated(settings={"training.steps": 6000, "generation.tokens": 80_000}) > 100 * small


def test_an_estimate_has_the_seconds_of_a_training_and_of_a_sample(
    load: Callable[..., StudySpec], tmp_path: Path
) -> None:
    plan = make_plan(laid(load()), None, tmp_path)
    found = estimate(plan, "cpu", 1)
    samples = sum(len(stage.config["seeds"]) for stage in plan.missing.values() if stage.kind == "generate")
    trained, sampled = found.training * len(plan.layout.runs), found.sample * samples
    assert trained + sampled + found.measuring == pytest.approx(found.seconds)
    assert found.measuring > 0


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
    from ablate.study.file.study_file import read_study

    renamed = tiny.with_name("other.toml")
    renamed.write_text(tiny.read_text(encoding="utf-8"), encoding="utf-8")
    assert set(laid(read_study(str(renamed))).stages()) == set(laid(load()).stages())


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


def test_what_fused_models_compute_decides_a_training_on_a_gpu_alone(
    load: Callable[..., StudySpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = [Setting(5, device, "2.13") for device in ("cpu", "cuda")]
    before = [stages(load, setting)["train"] for setting in settings]
    monkeypatch.setattr("ablate.study.plan.stages.FUSION_CODE", 99)
    after = [stages(load, setting)["train"] for setting in settings]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_an_estimate_times_models_as_they_will_run(load: Callable[..., StudySpec], tmp_path: Path) -> None:
    plan = make_plan(laid(load(replicates=3)), None, tmp_path)
    assert estimate(plan, "cpu", 1).fused_groups == ()
    fused = estimate(plan, "cpu", 1, fused=True)
    assert fused.fused_groups == (3,)
    assert fused.seconds > 0


def test_an_estimate_knows_what_a_batch_counts(
    load: Callable[..., StudySpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five copies are five times the windows."""
    tried: list[int] = []
    trial_job = estimates.trial_job

    def noted(config: Any, settings: Any, examples: int, registry: Any) -> Any:
        tried.append(examples)
        return trial_job(config, settings, examples, registry)

    monkeypatch.setattr(estimates, "trial_job", noted)
    for counts in ("example", "step"):
        settings = {"augmenter": "tempo", "training.batch_counts": counts}
        assert estimate(make_plan(laid(load(settings)), None, tmp_path), "cpu", 1).seconds > 0
    assert tried == [5, 1]


def test_an_estimate_loads_a_corpus_once(
    load: Callable[..., StudySpec], tmp_path: Path, offer: Callable[[Any], None]
) -> None:
    loads: list[int] = []

    class Counted(ablate.Corpus):
        def identity(self) -> str:
            return "counted"

        def load(self) -> list[ablate.Performance]:
            loads.append(1)
            notes = [(60 + i % 7, 64, 0.2 * i, 0.2 * i + 0.1) for i in range(40)]
            return [ablate.Performance.from_notes(notes, name=f"piece {n}") for n in range(6)]

    offer(ablate.CorpusSpec(name="counted", summary="Counts.", build=lambda options: Counted()))
    settings = {
        "corpus": "counted",
        "split.validation": 0.2,
        "split.test": 0.2,
        "split.per_replicate": True,
        "training.validate_every": 2,
    }
    plan = make_plan(laid(load(settings)), None, tmp_path)
    music = PlannedMusic(plan.layout.registry)
    assert len(planned_splits(plan.layout, music)) == 2
    estimate(plan, "cpu", 1, music)
    assert loads == [1]
