from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from support.shipped import read_shipped

from ablate.errors import StudyFileError, UnknownName, UsageError
from ablate.registry import get_registry
from ablate.report.statistics.verdicts import out_of_reach
from ablate.settings import StatisticsSettings
from ablate.study.file.configuration import resolve
from ablate.study.file.locate import shipped_studies
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec


def problems_of(path: Path, old: str, new: str) -> list[str]:
    """Return the problems after one edit of the tiny study."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read_study(str(path))
    assert all(line.startswith(f"{path}: ") for line in str(caught.value).splitlines())
    return caught.value.problems


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_shipped_studies_have_enough_replicates(name: str) -> None:
    spec = read_shipped(name)
    assert out_of_reach(spec.replicates, StatisticsSettings()) == ""


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_every_shipped_study_and_each_of_its_profiles_loads(name: str) -> None:
    profiles = tomllib.loads(shipped_studies()[name].read_text(encoding="utf-8")).get("profiles", {})
    plain = read_shipped(name)
    for profile in profiles:
        loaded = read_shipped(name, profile)
        assert loaded.variants() == plain.variants()
        assert loaded.config["metric"] == plain.config["metric"]
        assert loaded.name.startswith(f"{name}@{profile}")


def test_the_shipped_sweep_has_the_sizes_of_the_original() -> None:
    spec = read_study("tau_sweep", Overrides(profile="original"))
    config, problems = resolve(spec.config, get_registry())
    assert not problems
    assert {key: config.one("model").options[key] for key in ("embedding", "hidden", "layers")} == {
        "embedding": 240,
        "hidden": 256,
        "layers": 3,
    }
    training = config.settings["training"]
    assert (training["steps"], training["batch"], training["window"]) == (10_000, 1, 200)
    assert training["learning_rate"] == 1e-3
    schedule = config.one("schedule")
    assert (schedule.name, schedule.options) == ("step", {"decay": 0.98, "decay_every": 1000})
    assert [v.name for v in spec.variants()] == [f"tau={tau}" for tau in (0.6, 0.8, 1.0, 1.2, 1.4)]
    assert [v.name for v in spec.variants() if v.baseline] == ["tau=1.0"]


def test_the_reported_values_name_variants_and_metrics_of_the_study() -> None:
    spec = read_study("tau_sweep")
    assert set(spec.reading["reported"]["values"]) == {v.name for v in spec.variants()}
    for metrics in spec.reading["reported"]["values"].values():
        assert set(metrics) <= set(spec.config["metric"])


def test_reported_values_are_those_of_the_report(reference_dir: Path) -> None:
    import json

    original = json.loads((reference_dir / "original_values.json").read_text(encoding="utf-8"))["tau_sweep"]["variants"]
    values = read_study("tau_sweep").reading["reported"]["values"]
    for tau, features in original.items():
        ours = values[f"tau={tau}"]
        assert ours["distance.average"] == {"average": features["averages"]["all"]}
        for feature in ("pitch", "duration", "velocity"):
            named = dict(zip(("l1", "l2", "kl_pq", "kl_qp"), features[feature], strict=True))
            assert ours[f"distance.{feature}"] == {**named, "average": features["averages"][feature]}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("steps = 6", "stepz = 6", "training.stepz: unknown key; did you mean 'steps'?"),
        ("steps = 6", 'steps = "six"', 'training.steps: must be a whole number ≥ 1, not "six"'),
        ("steps = 6", "steps = 0", "training.steps: must be a whole number ≥ 1, not 0"),
        ("[model.lstm]", "[model.lstmm]", "model.lstmm: unknown model 'lstmm'; did you mean 'lstm'?"),
        ("embedding = 8", "embeding = 8", "model.lstm.embeding: unknown key; did you mean 'embedding'?"),
        ("replicates = 2", "replicates = 0", "replicates: must be a whole number ≥ 1, not 0"),
        ("replicates = 2", "replicates = true", "replicates: must be a whole number ≥ 1, not true"),
        ("seed = 5", "seed = -1", "seed: must be a whole number ≥ 0, not -1"),
        ('question = "Does', 'questoin = "Does', "questoin: unknown key; did you mean 'question'?"),
        (
            "[baseline]\nsampler.temperature.tau = 1.0",
            "[baseline]\nsampler.temperature.tau = 2.0",
            "baseline.sampler.temperature.tau: the baseline 2.0 is not a level of this axis (levels: 0.8, 1.0)",
        ),
        (
            "[baseline]\nsampler.temperature.tau = 1.0",
            "[baseline]\nsampler.temperature.taw = 1.0",
            "baseline.sampler.temperature.taw: this study has no such axis; did you mean 'sampler.temperature.tau'?",
        ),
        ("tau = [0.8, 1.0]", "tau = [0.8, 1, 1.0]", "axes.sampler.temperature.tau: duplicate level 1.0"),
        ("tau = [0.8, 1.0]", "tau = [-0.8, 1.0]", "axes.sampler.temperature.tau[0]: must be a number ≥ 0, not -0.8"),
        ("tau = [0.8, 1.0]", 'tau = ["hot", 1.0]', "axes.sampler.temperature.tau[0]: "),
        ("tau = [0.8, 1.0]", "tau = 0.8", "axes.sampler.temperature.tau: must be a list of levels, not 0.8"),
        (
            "tau = [0.8, 1.0]",
            "taw = [0.8, 1.0]",
            "axes.sampler.temperature.taw: sampler 'temperature' has no option 'taw'; did you mean 'tau'?",
        ),
        (
            "sampler.temperature.tau = [0.8",
            "sampler.temprature.tau = [0.8",
            "axes.sampler.temprature.tau: this study has no sampler 'temprature'; did you mean 'temperature'?",
        ),
        (
            "sampler.temperature.tau = [0.8",
            "smapler.temperature.tau = [0.8",
            "axes.smapler.temperature.tau: unknown path; did you mean 'sampler'?",
        ),
        ("[sampler.temperature]\n", "", "sampler: a study needs a sampler. Offered: "),
        (
            "[tokenizer.midilike-classic]",
            "[tokenizer]",
            "tokenizer: exactly one tokenizer is needed, found none. Offered: ",
        ),
        (
            "[profiles.smaller]",
            "[profiles.smaller]\nsampler.temperature.tau = 2.0",
            "profiles.smaller.sampler: a profile may change model, optimizer, schedule, training, generation, search, ",
        ),
        (
            "[profiles.smaller]",
            "[profiles.smaller]\nmodel.gru.hidden = 3",
            "profiles.smaller.model.gru: a profile cannot change the study's model (lstm)",
        ),
        ("[axes]", "[reported]\nvalue = 3\n[axes]", "reported.value: unknown key; did you mean 'values'?"),
        (
            "[axes]",
            '[reported.values.a]\n"distance.pitch" = 3\n[axes]',
            "reported.values.a.distance.pitch: must be a table of feature = number, not 3",
        ),
        (
            "[axes]",
            "[objective]\nmetric = 'distance.pich'\n[axes]",
            "objective.metric: this study has no metric 'distance.pich'; did you mean 'distance.pitch'?",
        ),
        ("[axes]", "[labels]\ntempo = 'fast'\n[axes]", "labels.tempo: no conditioner in this study uses this label"),
        ('[metric."distance.pitch"]\n[metric."distance.velocity"]', "", "metric: a study needs a metric. Offered: "),
        ("[axes]", '[axes]\nmodel = ["lstm", {lstm = {}}]', "axes.model: duplicate level lstm"),
        ("seed = 5", "seed = 5\nlabels = 3", "labels: must be a table of label = value, not 3"),
        ("[axes]", "[labels]\ntempo = inf\n[axes]", "labels.tempo: must be a finite number, not inf"),
        (
            "[axes]",
            "[labels]\ntempo = 1.0\n[axes]",
            "labels.tempo: no conditioner in this study uses this label (labels in use: none)",
        ),
        (
            "training.steps = 3",
            "training.stpes = 3",
            "profiles.smaller.training.stpes: unknown key; did you mean 'steps'?",
        ),
        (
            "[axes]",
            '[reported.values."tau=0.9"]\n"distance.pitch" = {l1 = 1.0}\n[axes]',
            "reported.values.\"tau=0.9\": this study has no such variant; did you mean 'tau=0.8'?",
        ),
        (
            "[axes]",
            '[reported.values."tau=0.8"]\n"distance.pich" = {l1 = 1.0}\n[axes]',
            'reported.values."tau=0.8"."distance.pich": this study has no such metric; did you mean \'distance.pitch\'',
        ),
    ],
)
def test_each_problem_is_reported_with_its_key(tiny: Path, old: str, new: str, expected: str) -> None:
    problems = problems_of(tiny, old, new)
    assert any(problem.startswith(expected) for problem in problems), problems


def test_all_problems_come_at_once(tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8").replace("steps = 6", "steps = 0").replace("hidden = 16", "hiden = 16")
    tiny.write_text(text.replace("tau = [0.8, 1.0]", "tau = [0.8, 0.8, 1.0]"), encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny))
    keys = {problem.split(":")[0] for problem in caught.value.problems}
    assert keys == {"training.steps", "model.lstm.hiden", "axes.sampler.temperature.tau"}


def test_broken_toml_names_the_place(tiny: Path) -> None:
    (problem,) = problems_of(tiny, "seed = 5", "seed = = 5")
    assert problem.startswith("is not valid TOML: ")
    assert "line 3" in problem


def test_a_file_that_is_no_text(tiny: Path) -> None:
    tiny.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StudyFileError, match="is not a text file in UTF-8"):
        read_study(str(tiny))


def test_an_unknown_study_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="unknown study 'tau_swep'; did you mean 'tau_sweep'"):
        read_study("tau_swep")
    with pytest.raises(StudyFileError, match=r"nowhere\.toml: no such file"):
        read_study("nowhere.toml")


def test_a_stored_name_leads_to_its_study_and_profile() -> None:
    with pytest.raises(UnknownName) as refusal:
        read_study("tau_sweep@smoke")
    assert str(refusal.value).endswith("To run a study with a profile: ablate study run tau_sweep --profile smoke")


class TestOverrides:
    def test_a_profile_overrides_settings_and_names_the_study(self, load: Callable[..., StudySpec]) -> None:
        spec = load(profile="smaller")
        assert spec.config["training"] == {"steps": 3, "batch": 2, "window": 16, "precision": "fp32"}
        assert (spec.name, spec.profile) == ("tiny@smaller", "smaller")

    def test_the_default_profile_is_the_file(self, load: Callable[..., StudySpec]) -> None:
        assert load(profile="default").name == load().name == "tiny"

    def test_an_unknown_profile(self, load: Callable[..., StudySpec]) -> None:
        with pytest.raises(UsageError, match="no profile 'smoller'; did you mean 'smaller'"):
            load(profile="smoller")

    def test_replicates_extend_a_study_a_seed_makes_another(self, load: Callable[..., StudySpec]) -> None:
        assert (load(replicates=7).name, load(replicates=7).replicates) == ("tiny", 7)
        assert (load(seed=1).name, load(seed=1).seed) == ("tiny@seed1", 1)

    def test_settings_reach_sections_components_and_axes(self, load: Callable[..., StudySpec]) -> None:
        spec = load({"training.steps": 4, "model.lstm.hidden": 9, "axes.sampler.temperature.tau": [1.0, 2.0]})
        assert spec.config["training"]["steps"] == 4
        assert spec.config["model"]["lstm"]["hidden"] == 9
        assert [v.name for v in spec.variants()] == ["tau=1.0", "tau=2.0"]
        assert spec.name.startswith("tiny@set-")
        assert load({"metric.distance.velocity.velocity_bins": 8}).config["metric"]["distance.velocity"] == {
            "velocity_bins": 8
        }

    def test_a_table_adds_a_component(self, load: Callable[..., StudySpec]) -> None:
        spec = load({"metric.distance.duration": {"duration_bins": 10}})
        assert list(spec.config["metric"]) == ["distance.pitch", "distance.velocity", "distance.duration"]
        assert spec.config["metric"]["distance.duration"] == {"duration_bins": 10}

    @pytest.mark.parametrize("path", ["training.stepz", "trainning.steps", "sampler.temperature.taw", "model.gru.x"])
    def test_an_unknown_setting(self, load: Callable[..., StudySpec], path: str) -> None:
        with pytest.raises(UsageError, match=f"--set {path}: "):
            load({path: 1})

    def test_a_setting_that_is_an_axis(self, load: Callable[..., StudySpec]) -> None:
        with pytest.raises(UsageError, match="is an axis of this study; set its levels"):
            load({"sampler.temperature.tau": 0.5})

    def test_a_path_becomes_a_corpus_that_reads_paths(self, load: Callable[..., StudySpec], tmp_path: Path) -> None:
        spec = load(corpus=str(tmp_path))
        assert spec.config["corpus"] == {"midi": {"path": str(tmp_path)}}
        assert spec.name == f"tiny@{tmp_path.name}"
        assert load(corpus=str(tmp_path), skip_bad=True).config["corpus"]["midi"]["skip_bad"] is True

    def test_a_corpus_that_is_neither_name_nor_path(self, load: Callable[..., StudySpec]) -> None:
        with pytest.raises(UsageError, match="no corpus of that name; did you mean 'bach-prelude'"):
            load(corpus="bach-preludes")


def test_problems_at_the_top_hide_no_others(tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8").replace("seed = 5", "seed = -5\nquestoin = 1")
    tiny.write_text(text.replace("hidden = 16", "hiden = 16"), encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny))
    assert {problem.split(":")[0] for problem in caught.value.problems} == {"seed", "questoin", "model.lstm.hiden"}


def test_paths_in_a_study_start_from_its_folder(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    text = tiny.read_text(encoding="utf-8").replace("[corpus.bach-prelude]", '[corpus.midi]\npath = "music"')
    tiny.write_text(text, encoding="utf-8")
    assert read_study(str(tiny)).config["corpus"]["midi"]["path"] == str(tmp_path / "music")


def test_a_corpus_without_a_path_names_the_command_that_gives_one(tiny: Path, tmp_path: Path) -> None:
    text = tiny.read_text(encoding="utf-8").replace("[corpus.bach-prelude]", "[corpus.midi]")
    tiny.write_text(text, encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny))
    assert caught.value.problems == ["corpus.midi.path: is required; set it, or give the command --corpus FOLDER"]
    (tmp_path / "etude.mid").touch()
    spec = read_study(str(tiny), Overrides(corpus=str(tmp_path / "etude.mid")))
    assert spec.config["corpus"]["midi"]["path"] == str(tmp_path / "etude.mid")


def test_component_axes_take_names_lists_and_tables(tiny: Path, raw: dict[str, Any]) -> None:
    text = tiny.read_text(encoding="utf-8").replace(
        "[axes]\n", '[axes]\ntokenizer = ["midilike-classic", {midilike = {step = 0.02}}]\n'
    )
    tiny.write_text(text, encoding="utf-8")
    spec = read_study(str(tiny))
    assert [v.name for v in spec.variants()][2] == "tokenizer=midilike(step=0.02), tau=0.8"
    assert [v.name for v in spec.variants() if v.baseline] == ["tokenizer=midilike-classic, tau=1.0"]
    chosen = [spec.configuration(v, get_registry()).one("tokenizer").name for v in spec.variants()]
    assert chosen == ["midilike-classic"] * 2 + ["midilike"] * 2


@pytest.mark.parametrize(
    ("options", "samples", "fewest"),
    [("{}", 12, 13), ('{ covariance = "diagonal" }', 1, 2), ("{ notes = 20 }", 13, 13)],
)
def test_sets_of_too_few_samples_are_refused_before_anything_runs(
    tiny: Path, options: str, samples: int, fewest: int
) -> None:
    text = tiny.read_text(encoding="utf-8") + f'\n[metric."setdistance.frechet"]\n{options[1:-1].strip()}\n'
    tiny.write_text(text, encoding="utf-8")
    settings = Overrides(settings=(("generation.samples", samples),))
    if samples >= fewest:
        assert "setdistance.frechet" in read_study(str(tiny), settings).config["metric"]
        return
    with pytest.raises(StudyFileError) as caught:
        read_study(str(tiny), settings)
    expected = f"needs {fewest} samples or more, but generation.samples = {samples}"
    assert caught.value.problems == [f"metric.setdistance.frechet: {expected}"]
