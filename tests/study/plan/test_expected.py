"""The expected duration of programs: that of runs which have ended already."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from support.bench import Bench

from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.expected import expected_cost
from ablate.study.plan.lanes import device_of, lanes
from ablate.study.plan.layout import lay_out
from ablate.study.plan.music.corpora import PlannedMusic
from ablate.study.plan.plan import make_plan

if TYPE_CHECKING:
    from pathlib import Path

    from ablate.study.file.study_file import StudySpec

STUDY = """
replicates = 1
[program]
command = ["sh", "-c", "sleep 0.{size}; echo '{\\"loss\\": {seed}}' > {out}/m.json"]
metrics = "m.json"
directions = { loss = "lower" }
[parameters]
size = 1
[axes]
parameters.size = [1, 3]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "own.toml"
    file.write_text(STUDY)
    return file


def seconds(spec: StudySpec, bench: Bench, workers: int = 1) -> float:
    layout = lay_out(spec, get_registry(), "cpu")
    with bench.store() as store:
        plan = make_plan(layout, store, bench.home)
        return expected_cost(plan, "cpu", workers, PlannedMusic(get_registry()), store).seconds


def test_each_variant_takes_as_long_as_before(path: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home")
    assert math.isnan(seconds(read_study(str(path)), bench)), "nobody can know it"
    bench.run(read_study(str(path)))
    assert seconds(read_study(str(path)), bench) == 0
    with bench.store() as store:
        every = sum(stage.seconds for stage in store.finished("program"))
    three = read_study(str(path), Overrides(replicates=3))
    assert seconds(three, bench) == pytest.approx(2 * every)
    assert seconds(three, bench, workers=2) == pytest.approx(every)
    path.write_text(STUDY.replace("0.{size}", "0.0{size}"))
    assert seconds(read_study(str(path)), bench) == pytest.approx(every), "an edited program, too"


def test_cores_and_gpus_limit_the_programs_at_once(path: Path) -> None:
    def of(**settings: float) -> StudySpec:
        return read_study(str(path), Overrides(settings=tuple((f"program.{k}", v) for k, v in settings.items())))

    assert lanes(of(), "cuda", 8) == ("cpu", 8)
    assert lanes(of(cores=3), "cpu", 8) == ("cpu", 2)
    assert lanes(of(cores=9), "cpu", 8) == ("cpu", 1)
    assert (device_of(of(), "cuda"), device_of(of(gpus=1), "cpu")) == ("cpu", "cuda")
