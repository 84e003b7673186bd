"""Lines and bars of ``study run`` name the variant, as wide as there is room."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from ablate.cli.study.running import progress
from ablate.cli.study.running.progress import LiveProgress, PlainProgress, shortened
from ablate.study.stage import Stage
from ablate.study.work.messages import News, StageFailure, StageResult

LONG = "conditioner=performer, augmenter=[transpose], sampler.temperature.tau=0.8, primer=none"


def plan(**shared: list[tuple[str, int]]) -> Any:
    """A plan of trainings by name, each with the runs that share it; and the stages by name."""
    stages = {name: Stage("train", {"name": name}) for name in shared}
    runs = [
        SimpleNamespace(
            variant=SimpleNamespace(name=variant),
            replicate=replicate,
            stages=SimpleNamespace(fingerprints=lambda name=name: {"train": stages[name].fingerprint}),
        )
        for name, pairs in shared.items()
        for variant, replicate in pairs
    ]
    missing = {stage.fingerprint: stage for stage in stages.values()}
    return SimpleNamespace(layout=SimpleNamespace(plain=dict, current=runs, only=""), missing=missing), stages


LAYOUT: Any = SimpleNamespace(spec=SimpleNamespace(name="mine"))


def test_plain_lines_name_the_variant(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    planned, stages = plan(alone=[("tau=0.8", 3)], shared=[(LONG, 0), ("base", 0), ("other", 0)])
    monkeypatch.setattr("ablate.cli.study.running.progress.INTERVAL", 0.0)
    lines = PlainProgress(LAYOUT)
    lines.begun(planned)
    for stage in stages.values():
        lines.news(News(stage.fingerprint, "train", 0.5, 2.5, 1234.0))
    lines.news(News(stages["alone"].fingerprint, "train", 0.5, 2.5, 1234.0, together=24))
    lines.done(StageResult(stages["alone"], {}, 12.0))
    lines.failed(StageFailure(stages["shared"], "TrainingDiverged", "the loss is nan"))
    assert capsys.readouterr().err.splitlines() == [
        "mine: stages to run: 2 train",
        "train tau=0.8, replicate 3: 50%, loss 2.500, 1,234 tokens/s",
        f"train {LONG} and 2 others, replicate 0: 50%, loss 2.500, 1,234 tokens/s",
        "train 24 as one: 50%, loss 2.500, 1,234 tokens/s",
        "train tau=0.8, replicate 3: 1 of 2 done (12 s)",
        f"train {LONG} and 2 others, replicate 0: failed: TrainingDiverged: the loss is nan",
    ]


def test_what_stages_left_out_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    planned, stages = plan(one=[("a", 0)], two=[("b", 0)])
    lines = PlainProgress(LAYOUT, failures=False)
    lines.begun(planned)
    capsys.readouterr()
    many = [f"{number}.mid: odd" for number in range(12)]
    first = Stage("load", {})
    lines.done(StageResult(first, {"summary": "1 of 9 notes left out", "problems": many, "notes": 9000}, 1.0))
    for replicate in range(2):
        lines.done(StageResult(Stage("prepare", {"replicate": replicate}), {"problems": ["no token"]}, 1.0))
    lines.failed(StageFailure(stages["two"], "TrainingDiverged", "the loss is nan"))
    listed = [f"load corpus: {line}" for line in ("1 of 9 notes left out", *many[:10])]
    assert capsys.readouterr().err.splitlines() == [
        *listed,
        "load corpus: and 2 more; the report lists all",
        "prepare: no token",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
def test_bars_fit_the_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    for name, value in {"COLUMNS": str(width), "LINES": "40", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    planned, stages = plan(**{f"run{n}": [(f"{LONG} {n}", n), ("base", n)] for n in range(12)})
    bars = LiveProgress(LAYOUT)
    bars.begun(planned)
    for stage in stages.values():
        bars.news(News(stage.fingerprint, "train", 0.25, 12.345, 1_234_567.0))
    shown = io.StringIO()
    bars._bars.console.file = shown
    bars.say(f"observer 'mine' [of] {LONG} failed")
    assert shown.getvalue() == f"observer 'mine' [of] {LONG} failed\n"
    shown.truncate(shown.seek(0))
    bars._bars.console.print(bars._bars.get_renderable())
    lines = shown.getvalue().splitlines()
    assert len(lines) == 13
    for number, line in enumerate(lines[1:]):
        assert len(line.rstrip()) <= width
        end = rf"{number} and 1 other, replicate {number} " if width >= 80 else rf"replicate {number} "
        assert re.match(rf"  train .*…?.*{end}", line)
        assert "loss 12.345" in line
        assert ("tokens/s" in line) == (width >= 120)


def test_a_study_that_takes_long_names_the_page_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    planned, stages = plan(one=[("base", 0)])
    bars = LiveProgress(LAYOUT, hint="to follow it: ablate watch")
    shown = bars._bars.console.file = io.StringIO()
    bars.begun(planned)
    news = News(stages["one"].fingerprint, "train", 0.25, 12.345, 1_234_567.0)
    bars.news(news)
    assert "ablate watch" not in shown.getvalue()
    monkeypatch.setattr(progress, "HINT_AFTER", 0.0)
    for _ in range(3):
        bars.news(news)
    assert shown.getvalue().count("to follow it: ablate watch\n") == 1


def test_a_name_loses_its_middle() -> None:
    assert shortened("abcdefghijkl", None) == shortened("abcdefghijkl", 12) == "abcdefghijkl"
    assert shortened("abcdefghijkl", 9) == "abcd…ijkl"
    assert shortened("abcdefghijkl", 1) == "abcd…jkl"
