"""The two ends of a path in the study file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import StudyFileError
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

TAU = "[axes]\nsampler.temperature.tau = [0.8, 1.0]\n[baseline]\nsampler.temperature.tau = 1.0\n"
AXES = """
[axes]
tokenizer = ["midilike-classic", "midilike"]
generation.tokens = [80, 70]
sampler.temperature.tau = [1.0, 0.8, 1.2]
"""
TARGET = "[target]\nsampler.temperature.tau = 1.2\n"


def load(tiny: Path, text: str, settings: tuple[tuple[str, Any], ...] = ()) -> StudySpec:
    base = tiny.read_text(encoding="utf-8").replace(TAU, "")
    tiny.write_text(f'design = "path"\n{base}{text}', encoding="utf-8")
    return read_study(str(tiny), Overrides(settings=settings))


def problems(tiny: Path, text: str) -> str:
    with pytest.raises(StudyFileError) as caught:
        load(tiny, text)
    return str(caught.value)


def test_the_target_has_the_other_level_of_each_axis(tiny: Path) -> None:
    start, end = load(tiny, AXES + TARGET).variants()
    paths = ["tokenizer", "generation.tokens", "sampler.temperature.tau"]
    assert (start.name, dict(start.levels)) == ("base", dict(zip(paths, ["midilike-classic", 80, 1.0], strict=True)))
    assert (end.name, dict(end.levels)) == ("target", dict(zip(paths, ["midilike", 70, 1.2], strict=True)))
    assert (start.baseline, end.baseline) == (True, False)


def test_a_component_is_found_whatever_its_spelling(tiny: Path) -> None:
    spec = load(tiny, AXES + TARGET + "tokenizer = { midilike = {} }\n")
    assert spec.variants()[1].levels["tokenizer"] == "midilike"


def test_the_command_line_chooses_another_target(tiny: Path) -> None:
    spec = load(tiny, AXES + TARGET, (("target.sampler.temperature.tau", 0.8),))
    assert spec.variants()[1].levels["sampler.temperature.tau"] == 0.8
    stored = spec.plain()
    assert stored["axes"]["sampler.temperature.tau"] == [1.0, 0.8]
    assert stored["path"] == {"racing": True, "first_replicates": 4, "drop_p": 0.2}


def test_three_levels_need_a_target(tiny: Path) -> None:
    wanted = "not 3; name the level at its end: target.sampler.temperature.tau"
    assert f'axes.sampler.temperature.tau: "path" needs the levels of baseline and target, {wanted}' in problems(
        tiny, AXES
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (AXES + TARGET.replace("1.2", "1.0"), "1.0 is also the baseline's level; a path changes every axis"),
        (AXES + TARGET.replace("1.2", "1.4"), "1.4 is not a level of this axis (levels: 1.0, 0.8, 1.2)"),
        (AXES + TARGET + "generation.token = 70\n", "no such axis; did you mean 'generation.tokens'?"),
        ("[axes]\ngeneration.tokens = [80, 70]\n", '"path" needs 2 to 20 axes, one for each change; this study has 1'),
        (AXES + TARGET + "[path]\nfirst_replicates = 1\n", "path.first_replicates"),
        (AXES + TARGET + "[path]\nracin = true\n", "did you mean 'racing'?"),
        ("[variants.target]\n[variants.other]\n" + AXES + TARGET, "an end of the path has the name 'target'"),
        ("[axes]\ngeneration.tokens = [80]\nsampler.temperature.tau = [1.0, 0.8]\n", "not 1; add that of the target"),
        (
            "[axes]\ngeneration.tokens = { low = 1, high = 9 }\nsampler.temperature.tau = [1.0, 0.8]\n",
            "a range without",
        ),
    ],
)
def test_what_does_not_fit_is_explained(tiny: Path, text: str, message: str) -> None:
    assert message in problems(tiny, text)


@pytest.mark.parametrize("table", ["[path]\nracing = false\n", TARGET])
def test_other_designs_do_not_use_these_tables(tiny: Path, table: str) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8") + table, encoding="utf-8")
    with pytest.raises(StudyFileError, match='only design = "path" uses this table'):
        read_study(str(tiny))
