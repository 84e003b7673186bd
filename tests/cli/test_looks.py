"""Looks that a study file declares, and looks that it does not; real studies in real databases."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.killed import run_and_kill

if TYPE_CHECKING:
    from support.commands import Command

#: A study of some seconds. With a temperature of 0.1 a model repeats itself, which a metric of distance sees at once.
STUDY = """
question = "Does tau matter?"
replicates = {replicates}
seed = 1
corpus = "bach-prelude"
tokenizer = "midilike-classic"
floors = {{ draws = 0, shuffles = 0, pieces = 1 }}
metric = ["{metric}"]
[model.lstm]
hidden = 8
[training]
steps = {steps}
window = 16
batch = 2
precision = "fp32"
[generation]
samples = {samples}
tokens = {tokens}
[sampler.temperature]
{more}
[axes]
sampler.temperature.tau = [{levels}]
[baseline]
sampler.temperature.tau = 1.0
"""
LOOKS = "{ first = 6, most = 9, looks = [6, 8, 9], futility = 0.0 }"


def write(replicates: str = LOOKS, levels: str = "1.0, 1.1", **sizes: Any) -> Path:
    """Write a study into the current folder; with these levels nothing is decided."""
    values = {"steps": 2, "samples": 1, "tokens": 60, "more": "", "metric": "distance.pitch"} | sizes
    path = Path("looks.toml")
    path.write_text(STUDY.format(replicates=replicates, levels=levels, **values), encoding="utf-8")
    return path


def run(ablate: Command, *more: str) -> Any:
    return ablate("study", "run", "looks.toml", "--workers", "1", "--no-report", *more)


def looks(home: Path = Path(".ablate")) -> list[tuple[int, float | None, dict[str, str], dict[str, float]]]:
    connection = sqlite3.connect(home / "ablate.db")
    rows = connection.execute("SELECT replicates, share, states, p FROM ablate_looks ORDER BY id").fetchall()
    connection.close()
    return [(n, share, json.loads(states), json.loads(p)) for n, share, states, p in rows]


def test_the_plan_names_looks_that_are_too_early_for_any_claim(ablate: Command) -> None:
    write("{ first = 6, most = 12 }")  # half of alpha, and the smallest p of six replicates is 0.031
    planned = ablate("study", "plan", "looks.toml", "--workers", "1")
    assert "looks at 6, 9, 12 replicates" in planned.out
    assert "the looks at 6 replicates are too early for any claim" in planned.out
    write("{ first = 8, most = 12 }")
    assert "too early" not in ablate("study", "plan", "looks.toml", "--workers", "1").out


def test_goes_on_to_the_last_look_where_nothing_is_decided(ablate: Command) -> None:
    write()
    done = run(ablate, "--until-decided")
    assert done.code == 0, done.err
    assert [(n, share) for n, share, _, _ in looks()] == [(6, pytest.approx(6 / 9)), (8, pytest.approx(8 / 9)), (9, 1)]
    assert "look at 6 of at most 9 replicates: 1 open; continuing" in done.err
    assert "look at 9 of at most 9 replicates: 1 open; stopping: the largest number of replicates is reached" in (
        done.err
    )
    assert "ran 9 trainings" in done.out
    assert "looks after 6, 8 and 9 of at most 9 replicates; chance of a false claim up to each: " in done.out
    assert "stopped after 9 replicates, because the largest number of replicates is reached: 1 open" in done.out

    again = run(ablate, "--until-decided")
    assert "nothing to run" in again.out
    assert len(looks()) == 3

    facts = json.loads(run(ablate, "--until-decided", "--json").out)
    (effect,) = [e for e in facts["effects"] if e["role"] == "primary" and e["kind"] == "variant"]
    assert effect["p_adjusted"] == pytest.approx(looks()[-1][3]["variant tau=1.1: distance.pitch average"])


def test_stops_at_the_first_look_that_decides(ablate: Command) -> None:
    write("{ first = 6, most = 24 }", "1.0, 0.05", steps=20, samples=2, tokens=150, metric="memorization.longest")
    done = run(ablate, "--until-decided")
    assert done.code == 0, done.err
    numbers = [n for n, _, _, _ in looks()]
    assert numbers[-1] < 24
    assert set(looks()[-1][2].values()) == {"different"}
    assert "stopping: every primary comparison is decided" in done.err
    assert "stopped after" in done.out
    page = ablate("study", "report", "looks", "--no-audio")
    assert page.code == 0, page.err
    text = Path(page.out.removeprefix("report: ").strip()).read_text(encoding="utf-8")
    assert "because every primary comparison is decided: 1 with a difference" in text
    assert [n for n, _, _, _ in looks()] == numbers, "a report of what was seen is no new look"


def test_gives_up_what_most_replicates_would_hardly_decide(ablate: Command) -> None:
    write("{ first = 6, most = 9, futility = 0.4 }")
    done = run(ablate, "--until-decided")
    assert "1 given up; stopping: every primary comparison is decided, or the largest number of replicates would" in (
        done.err
    )
    assert len(looks()) == 1


def test_without_the_option_the_first_look_is_made(ablate: Command) -> None:
    write()
    done = run(ablate)
    assert done.code == 0, done.err
    assert "these are 6 replicates of at most 9; to continue until every primary comparison is decided" in done.err
    assert [n for n, _, _, _ in looks()] == [6]
    # a look between those of the file is one more, under the same rule
    run(ablate, "--replicates", "7")
    assert [(n, share) for n, share, _, _ in looks()] == [(6, pytest.approx(6 / 9)), (7, pytest.approx(7 / 9))]


@pytest.mark.parametrize(
    ("replicates", "more", "words", "expected"),
    [
        ("6", {}, ["--until-decided"], "instead of replicates = 6 write replicates = { first = 6, most = 18 }"),
        (LOOKS, {}, ["--until-decided", "--replicates", "8"], "leave out --replicates"),
        ("{ most = 24 }", {}, [], "replicates.first: is required; write for example: replicates = { first = 8, most"),
        ("{ first = 8, most = 8 }", {}, [], "most: must be above first, 8, not 8"),
        ("{ first = 8, most = 24, loks = [8] }", {}, [], "replicates.loks: unknown key; did you mean 'looks'?"),
        ("{ first = 8, most = 12, looks = [8, 16] }", {}, [], "looks: must rise from first to most: [8, …, 12], not"),
        ("{ first = 8, most = 12, spending = 'none' }", {}, [], "replicates.spending: must be "),
    ],
)
def test_what_does_not_fit_is_refused(
    ablate: Command, replicates: str, more: dict[str, Any], words: list[str], expected: str
) -> None:
    write(replicates, **more)
    done = run(ablate, *words)
    assert done.code in (1, 2)
    assert expected in done.err
    assert "Traceback" not in done.err


def test_a_search_is_refused(ablate: Command) -> None:
    path = write(levels="0.5, 1.0")
    path.write_text(f'design = "search"\n{path.read_text(encoding="utf-8")}', encoding="utf-8")
    expected = 'replicates: design = "search" chooses its variants while it runs'
    assert expected in run(ablate).err
    path.write_text(path.read_text(encoding="utf-8").replace(LOOKS, "2"), encoding="utf-8")
    assert 'has design = "search", which chooses its variants' in run(ablate, "--until-decided").err


class TestUndeclared:
    """The number of a study file is plain, and a person adds replicates."""

    def test_adding_replicates_is_corrected_and_kept(self, ablate: Command) -> None:
        write("8")
        run(ablate)
        more = run(ablate, "--replicates", "10")
        assert "Looks that the study file does not declare: after 10 replicates." in more.out
        assert "replicates = { first = 8, most = 24 }" in more.out
        assert [(n, share) for n, share, _, _ in looks()] == [(8, 1.0), (10, None)]

        plain = run(ablate)
        assert "earlier commands completed 10 replicates of this study, and all of them are used" in plain.err
        assert "give --replicates 8" in plain.err
        assert "(n=10)" in plain.out
        assert len(looks()) == 2

        fewer = run(ablate, "--replicates", "7")
        assert "An earlier command looked at 10 replicates of this study." in fewer.out
        assert "(n=7)" in fewer.out

    def test_other_settings_begin_anew(self, ablate: Command) -> None:
        write("2")
        run(ablate, "--replicates", "3")
        write("2", steps=3)
        done = run(ablate)
        assert "earlier commands" not in done.err
        assert "does not declare" not in done.out


@pytest.mark.slow
def test_killed_after_a_look(ablate: Command) -> None:
    write("{ first = 2, most = 3, looks = [2, 3], futility = 0.0 }", steps=20, tokens=200)
    words = ["study", "run", "looks.toml", "--workers", "1", "--no-report", "--until-decided"]
    words += ["--checkpoint-seconds", "0", "--home"]
    whole = ablate(*words, "whole")
    assert whole.code == 0, whole.err

    # before the replicates of the second look
    run_and_kill([*words, "killed"], lambda: _recorded(Path("killed"), 1))
    assert len(looks(Path("killed"))) == 1
    again = ablate(*words, "killed")
    assert again.code == 0, again.err
    assert looks(Path("killed")) == looks(Path("whole"))
    assert _numbers(Path("killed")) == _numbers(Path("whole"))


def _recorded(home: Path, count: int) -> bool:
    try:
        return len(looks(home)) >= count
    except sqlite3.OperationalError:
        return False


def _numbers(home: Path) -> list[Any]:
    connection = sqlite3.connect(home / "ablate.db")
    query = "SELECT variant, replicate, sample, metric, feature, value FROM ablate_results ORDER BY 1, 2, 3, 4, 5"
    rows = connection.execute(query).fetchall()
    connection.close()
    return rows
