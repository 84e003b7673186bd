"""Results whose source was edited, or whose files were replaced, under an equal version: never reused in silence."""

from __future__ import annotations

import io
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from support.own_plugin import own_plugin

from ablate.cli.output import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.commands import Command, Outcome
    from support.own_plugin import OwnPlugin

STUDY = """
question = "Does it notice?"
replicates = 2
[corpus.bach-prelude]
[tokenizer.mine-tokens]
vocabulary = "words.txt"
[model.mine]
[training]
steps = 3
batch = 2
window = 16
precision = "fp32"
[generation]
samples = 1
tokens = 60
[sampler.temperature]
[metric."mine.count"]
[floors]
draws = 0
shuffles = 1
pieces = 1
[axes]
sampler.temperature.tau = [0.8, 1.0]
[baseline]
sampler.temperature.tau = 1.0
"""
REFUSED = (
    "error: results would be reused although their source has changed; give --recompute CHANGED to compute them "
    "again, or --keep-results to reuse them as they are"
)
FASTER = ("return self.output(self.embedding(tokens))", "return 2 * self.output(self.embedding(tokens))")


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPlugin]:
    yield from own_plugin(tmp_path / "plugin", monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for a home in which the study has run once, which the first test makes."""
    return tmp_path_factory.mktemp("finished") / ".ablate"


@pytest.fixture
def run(ablate: Command, plugin: OwnPlugin, finished: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Return a function that runs the study, which has run once."""
    (tmp_path / "words.txt").write_text("first")
    (tmp_path / "study.toml").write_text(STUDY)

    def call(*words: str) -> Outcome:
        return ablate("study", "run", "study.toml", "--workers", "1", "--no-report", *words)

    if finished.exists():
        shutil.copytree(finished, tmp_path / ".ablate")
    else:
        first = call()
        assert first.code == 0, first.err
        assert "changed" not in first.err
        shutil.copytree(tmp_path / ".ablate", finished)
    return call


def ran(outcome: Outcome) -> str:
    """What was trained, generated and measured; empty for nothing."""
    assert outcome.code == 0, outcome.err
    return "" if "nothing to run" in outcome.out else re.search(r"ran (.*) in ", outcome.out)[1]  # type: ignore[index]


def counted(trainings: int, generations: int, measurements: int, floors: int) -> str:
    """The text of :func:`ran`."""
    numbers = {"training": trainings, "generation": generations, "measurement": measurements, "floor": floors}
    return ", ".join(plural(number, noun) for noun, number in numbers.items() if number)


def test_an_edited_model_is_not_reused_in_silence(
    run: Callable[..., Outcome], ablate: Command, plugin: OwnPlugin
) -> None:
    # only comments, docstrings and formatting
    plugin.edit("mine/network.py", "# one token at a time", "# something else\n")
    plugin.edit("mine/network.py", '"""A model of one layer."""', "'A text.'")
    same = run()
    assert (ran(same), "changed" in same.err) == ("", False)

    plugin.edit("mine/network.py", *FASTER)
    refused = run("--replicates", "4")
    assert refused.code == 2
    assert refused.err.splitlines()[-1] == REFUSED
    assert re.search(
        r"since 10 finished stages \([\d.]+ s of work\) came from them:\n  model 'mine'.*: mine/network.py\n",
        refused.err,
    )

    planned = ablate("study", "plan", "study.toml", "--replicates", "4")
    assert planned.code == 0
    assert "model 'mine' (6 stages): mine/network.py" in planned.out
    assert re.search(r"train +2 +2\n", planned.out)
    again = ablate("study", "plan", "study.toml", "--replicates", "4", "--recompute", "CHANGED")
    assert re.search(r"train +4 +0\n", again.out)

    # replicates 0 and 1 from old code, 2 and 3 from new
    kept = run("--replicates", "4", "--keep-results")
    assert ran(kept) == counted(2, 4, 4, 0)
    mixed = (
        "Results come from 2 versions of the source of model 'mine' (mine/network.py): one in train and generate of "
        "replicates 0, 1; one in train and generate of replicates 2, 3. A difference between them is no effect of "
        "what this study varies. To compute them again: study run with --recompute mine."
    )
    assert mixed in kept.out
    assert REFUSED in run("--replicates", "4").err  # each command that would reuse them asks

    generated = ablate("generate", "study", "--out", "music")
    assert generated.code == 2
    assert "since 'tau=1.0', replicate 0, was trained:\n  model 'mine': mine/network.py" in generated.err
    assert ablate("generate", "study", "--out", "music", "--keep-results").code == 0
    assert ablate("generate", "study", "--out", "more", "--replicate", "3").code == 0

    changed = run("--replicates", "4", "--recompute", "CHANGED")
    assert ran(changed) == counted(2, 4, 4, 0)
    assert "versions of the source" not in changed.out
    last = run("--replicates", "4")
    assert (ran(last), "changed" in last.err) == ("", False)


def test_a_file_replaced_at_its_path_is_not_reused_in_silence(
    run: Callable[..., Outcome], plugin: OwnPlugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "words.txt").write_text("other")
    refused = run()
    assert refused.code == 2
    assert "tokenizer 'mine-tokens' (8 stages): words.txt (its option vocabulary)" in refused.err
    assert ran(run("--recompute", "mine-tokens")) == counted(2, 4, 4, 1)

    # a helper of the metric, and a question at a terminal
    plugin.edit("mine/helper.py", "return number", "return number + 0")
    assert "changed" not in run().err  # of a function that nothing uses
    plugin.edit("mine/helper.py", "1.0 * number", "2.0 * number")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("stop\n"))
    stopped = run()
    assert stopped.code == 130
    assert "metric 'mine.count' (5 stages): mine/helper.py" in stopped.err
    monkeypatch.setattr("sys.stdin", Terminal("recompute\n"))
    assert ran(run()) == counted(0, 0, 4, 1)


def test_what_to_compute_again_is_named(run: Callable[..., Outcome], plugin: OwnPlugin) -> None:
    assert ran(run("--recompute", "metric")) == counted(0, 0, 4, 1)
    wrong = run("--recompute", "metrik")
    assert wrong.code == 2
    assert (
        "--recompute metrik: nothing in this study is called so; did you mean 'metric'? Offered: CHANGED," in wrong.err
    )
    both = run("--recompute", "CHANGED", "--keep-results")
    assert "contradict each other" in both.err

    # an option that is added with its default changes nothing, a default that changes is found
    option = 'hidden: int = ablate.option(8, ge=1, doc="Width.")'
    plugin.edit("mine/options.py", option, f'{option}\n    more: float = ablate.option(0.5, doc="Another one.")')
    added = run()
    assert (ran(added), "changed" in added.err) == ("", False)
    plugin.edit("mine/options.py", "option(1.0, doc", "option(2.0, doc")
    assert "metric 'mine.count' (5 stages): default of scale, 1.0 before and 2.0 now" in run().err


def test_results_of_other_studies_that_came_from_edited_source_are_dropped_too(
    run: Callable[..., Outcome], ablate: Command, plugin: OwnPlugin, tmp_path: Path
) -> None:
    """Another study has measured the same samples with another option of the metric."""
    other = (tmp_path / "study.toml").read_text().replace('[metric."mine.count"]', '[metric."mine.count"]\nscale = 3.0')
    (tmp_path / "other.toml").write_text(other)
    words = ("study", "run", "other.toml", "--workers", "1", "--no-report")
    assert ran(ablate(*words)) == counted(0, 0, 4, 1)
    plugin.edit("mine/network.py", *FASTER)
    changed = run("--recompute", "CHANGED")
    assert ran(changed) == counted(2, 4, 4, 0)
    assert "study 'other' loses 4 results that came from what is computed again; run it again" in changed.err
    assert "pending" in ablate("study", "show", "other").out
    assert ran(ablate(*words)) == counted(0, 0, 4, 0)
