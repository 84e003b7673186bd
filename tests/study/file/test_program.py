"""Study files whose runs start a program: what they may say, and one line for each mistake."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from support.checkout import ROOT

from ablate.errors import StudyFileError
from ablate.settings import ProgramSettings
from ablate.settings.program import duration_of
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.program.placeholders import RESERVED

if TYPE_CHECKING:
    from pathlib import Path

STUDY = """
replicates = 2
[program]
command = ["sh", "train.sh", "{rate}", "size={model.size}", "{seed}", "{out}"]
inputs = ["data/*.txt"]
metrics = "metrics.json"
directions = { loss = "lower" }
[parameters]
rate = 0.1
[parameters.model]
size = 8
[axes]
parameters.rate = [0.1, 0.2]
[axes.parameters.model]
size = [8, 16]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/one.txt").write_text("1")
    (tmp_path / "train.sh").write_text("exit 0")
    file = tmp_path / "own.toml"
    file.write_text(STUDY)
    return file


def problems_of(path: Path, old: str, new: str) -> list[str]:
    assert old in STUDY
    path.write_text(STUDY.replace(old, new))
    with pytest.raises(StudyFileError) as error:
        read_study(str(path))
    return [line.removeprefix(f"{path}: ") for line in str(error.value).splitlines()]


def test_parameters_are_axes_like_any_other(path: Path) -> None:
    spec = read_study(str(path), Overrides(settings=(("parameters.rate", 0.2), ("program.time_limit", "1 h"))[1:]))
    assert [variant.name for variant in spec.variants()] == [
        "rate=0.1, size=8",
        "rate=0.1, size=16",
        "rate=0.2, size=8",
        "rate=0.2, size=16",
    ]
    assert spec.program is not None
    assert (spec.program.seconds, spec.program.folder) == (3600, str(path.parent))
    assert spec.objective.metric == "loss"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("{rate}", "{rat}", "program.command[2]: {rat} stands for nothing; did you mean 'rate'?"),
        ("{rate}", "0.1", "parameters.rate: is not used: the command has no {rate}"),
        ("{seed}", "1", "program.command: contains neither {seed} nor {replicate}, so all replicates"),
        ("{out}", "here", "program.command: does not contain {out}"),
        ('"sh"', '"shh"', "program.command[0]: no program 'shh' in PATH; did you mean '"),
        ('"sh"', '"./trains.sh"', "program.command[0]: no program ./trains.sh in "),
        ('"sh"', '"./train.sh"', "program.command[0]: ./train.sh is not executable"),
        ("data/*.txt", "data/*.mid", 'program.inputs[0]: no file matches "data/*.mid" in '),
        ("data/*.txt", "{out}/x", "program.inputs[0]: {out} is known only when the program starts"),
        ("rate = 0.1\n", "rate = 0.1\nseed = 2\n", "parameters.seed: {seed} stands for something else already"),
        (
            "rate = 0.1\n",
            "rate = 1979-05-27\n",
            "parameters.rate: must be text, a number, or true or false, not a date",
        ),
        ('metrics = "metrics.json"', 'metrics = "../m.json"', "program.metrics: must be a path below {out}"),
        ('metrics = "metrics.json"\n', "", "program.metrics: is required with directions"),
        ('directions = { loss = "lower" }', "", "program.directions: is required with metrics"),
        ('"lower"', '"down"', "program.directions: must be a table whose values are"),
        ("[parameters]", 'time_limit = "2 hors"\n[parameters]', "program.time_limit: must be a number of seconds or"),
        ("[parameters]", "gpus = 0.7\n[parameters]", "program.gpus: must be a whole number, or 1/2, 1/3, … as 0.5"),
        ("[parameters]", "unit = {}\n[parameters]", "program.unit: unknown key; did you mean 'units'?"),
        ("[parameters]", 'midi = "*.mid"\n[parameters]', "corpus: is needed: the pieces that the MIDI files are"),
        (
            "[parameters]",
            '[metric."structure.groove"]\n[parameters]',
            "metric.structure.groove: is used for MIDI files only",
        ),
        ("[parameters]", "[training]\n[parameters]", "training: the program takes the place of this section"),
        ("[parameters]", "[model.lstm]\n[parameters]", "model: the program takes the place of this section"),
        ("[parameters]", "[split]\n[parameters]", "split: the program divides its pieces itself"),
        ("replicates = 2", 'replicates = 2\nbudget = "tokens"', "budget: a program trains by itself"),
        ("parameters.rate = [", "parameters.rat = [", "axes.parameters.rat: [parameters] has no parameter 'rat'; did"),
        ("parameters.rate = [", "program.cores = [1, 2] #", "axes.program.cores: variants differ in parameters.NAME"),
        ("[program]", "[programs]", "programs: unknown key; did you mean 'program'?"),
        ("[program]", "[programs]", "parameters: belongs to a study that runs a program; this study has no [program]"),
    ],
)
def test_each_mistake_has_a_line(path: Path, old: str, new: str, expected: str) -> None:
    problems = problems_of(path, old, new)
    assert any(problem.startswith(expected) for problem in problems), problems


def test_metrics_that_midi_files_cannot_have(path: Path) -> None:
    metrics = '[metric."likelihood.nll"]\n[metric."setdistance.pitch_count"]\n'
    problems = problems_of(path, "[parameters]", f'midi = "*.mid"\n[corpus.bach-prelude]\n{metrics}[parameters]')
    first, second = problems
    assert first == "metric.likelihood.nll: measures a model of ablate, and a program has none"
    assert second.startswith("metric.setdistance.pitch_count: needs 2 samples or more: set program.samples to the")


def test_named_variants_may_have_commands_of_their_own(path: Path) -> None:
    ours = ["sh", "ours.sh", "{rate}", "{model.size}", "{seed}", "{out}"]
    (path.parent / "ours.sh").write_text("exit 0")
    plain, _ = STUDY.split("[axes]")
    path.write_text(f'{plain}[variants.base]\n[variants.ours]\n"program.command" = {json.dumps(ours)}\n')
    first, second = (read_study(str(path)).shaped(v)["program"]["command"] for v in read_study(str(path)).variants())
    assert (first[1], second[1]) == ("train.sh", "ours.sh")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90 s", 90), ("1.5 h", 5400), ("1 h 30 min", 5400), ("2 days", 172800), ("2", None), ("2 hx", None), ("", None)],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert duration_of(text) == seconds


def test_a_number_is_a_duration_in_seconds() -> None:
    settings = ProgramSettings(("a",), metrics="m.json", directions={"loss": "lower"}, time_limit=1.5)
    assert settings.seconds == 1.5


@pytest.mark.parametrize("name", ["learning_rate", "overrides"])
def test_the_examples_have_no_mistakes(name: str) -> None:
    spec = read_study(str(ROOT / f"docs/examples/programs/{name}.toml"))
    assert len(spec.variants()) == 4
    assert spec.program is not None


def test_the_study_of_the_page(tmp_path: Path) -> None:
    page = (ROOT / "docs/guides/programs.md").read_text(encoding="utf-8")
    (block,) = (text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "[program]" in text)
    (tmp_path / "study.toml").write_text(block.replace('"python"', '"sh"'))
    (tmp_path / "train.py").write_text("")
    assert len(read_study(str(tmp_path / "study.toml")).variants()) == 2
    listed = set(re.findall(r"^\| `\{(\w+)\}`", page, re.MULTILINE))
    assert listed == {"NAME", *RESERVED}, "every placeholder is explained"


def test_the_scripts_of_the_examples_are_short() -> None:
    for script in (ROOT / "docs/examples/programs").glob("*.py"):
        assert len(script.read_text(encoding="utf-8").splitlines()) <= 60
