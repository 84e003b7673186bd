"""The longest pause that a corpus allows, in the other files of its study: primers, programs and judged music."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.bench import Bench
from support.midi_bytes import midi, off, on, track

from ablate.errors import CorpusError
from ablate.registry import get_registry
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.pause import pause_of
from ablate.study.plan.layout import lay_out
from ablate.study.work.prime import read_primer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commands import Command

    from ablate.study.file.study_file import StudySpec
    from ablate.study.stage import Stage

HOURS = midi(track([(0, on(60)), (480, off(60)), (2**23, on(62)), (480, off(62))]))
REFUSED = (
    "has a pause of 2.4 hours after 0.5 s, longer than 1 hour: it may be damaged; if it is not, "
    "raise corpus.midi.longest_pause"
)
PROGRAM = """
replicates = 1
[program]
command = ["sh", "-c", "cp hours.mid {out}/$0-$1.mid", "{size}", "{seed}"]
midi = "*.mid"
[parameters]
size = 1
[corpus.midi]
path = "music"
[metric."distance.pitch"]
[axes]
parameters.size = [1, 2]
"""
JUDGE = ("judge", "--midi", "judged", "--reference", "hours.mid", "--metric", "distance.pitch", "--baseline", "a")


@pytest.fixture
def hours(tmp_path: Path) -> Path:
    path = tmp_path / "hours.mid"
    path.write_bytes(HOURS)
    return path


def test_a_primer(load: Callable[..., StudySpec], folder: Path, hours: Path) -> None:
    def prime(settings: dict[str, Any], corpus: str) -> Stage:
        primer = {"primer.file": str(hours), "primer.notes": 1}
        stages = lay_out(load({**primer, **settings}, corpus=corpus), get_registry(), "cpu").stages().values()
        (stage,) = (stage for stage in stages if stage.kind == "prime")
        return stage

    usual = prime({}, str(folder))
    assert "longest_pause" not in usual.config, "primers of older homes are reused"
    with pytest.raises(CorpusError, match=REFUSED):
        read_primer(str(hours), "all", **pause_of(usual))
    raised = prime({"corpus.midi.longest_pause": 9e3}, str(folder))
    assert len(read_primer(str(hours), "all", **pause_of(raised)).performance) == 2
    assert raised.fingerprint != usual.fingerprint
    with pytest.raises(CorpusError, match=r"longer than 1 hour: it may be damaged$"):
        read_primer(str(hours), "all", **pause_of(prime({}, "bach-prelude")))


def test_the_music_of_a_program(folder: Path, hours: Path, tmp_path: Path) -> None:
    assert folder.parent == hours.parent
    bench = Bench(tmp_path / "home")
    (tmp_path / "own.toml").write_text(PROGRAM, encoding="utf-8")
    refused = bench.run(read_study(str(tmp_path / "own.toml"), Overrides(name="refused")))
    assert REFUSED in refused.failures[0].error
    settings = (("corpus.midi.longest_pause", 9e3),)
    accepted = bench.run(read_study(str(tmp_path / "own.toml"), Overrides(settings=settings, name="accepted")))
    assert (accepted.failures, accepted.ran["program"]) == ((), 2)


def test_judged_music(ablate: Command, hours: Path, tmp_path: Path) -> None:
    for place in ("a/1", "b/1"):
        (tmp_path / "judged" / place).mkdir(parents=True)
        (tmp_path / "judged" / place / "x.mid").write_bytes(HOURS)
    words = (*JUDGE, "--workers", "1", "--no-report")
    accepted = ablate(*words, "--set", "corpus.midi.longest_pause=9000")
    assert accepted.code == 0, accepted.err
    hours.write_bytes(midi(track([(0, on(60)), (480, off(60))])))
    refused = ablate(*words, "--name", "refused")
    assert refused.code == 1
    assert REFUSED in refused.err
