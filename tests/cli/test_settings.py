"""``--set KEY=VALUE``: TOML, or text without quotes; anything else is one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.cli.settings import parse_setting
from ablate.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from support.commands import Command


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b=1", ("a.b", 1)),
        (" a = [1, 2] ", ("a", [1, 2])),
        ("a=lstm", ("a", "lstm")),
        ("a={b = {c = 1}}", ("a", {"b": {"c": 1}})),
        ("a=", ("a", "")),
        ("a=x=y", ("a", "x=y")),
        ("a=1\nb = 2", ("a", "1\nb = 2")),
        ("a=1 # why", ("a", 1)),
    ],
)
def test_key_and_value(text: str, expected: tuple[str, Any]) -> None:
    assert parse_setting(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training.steps", "--set training.steps: write it as key.path=value"),
        ("=1", "--set =1: write it as key.path=value"),
        ("a\nb=1", r"--set: the key 'a\x0ab' has the character \x0a; leave it out"),
        (r'a.file="x\u0000"', r'--set a.file: the text "x\u0000" has the character \x00; leave it out'),
        (r'a=[1, {b = "\u007f"}]', r'--set a[1].b: the text "\x7f" has the character \x7f; leave it out'),
        (
            "a=" + "x" * 300 + "\udcff",
            f"--set a: '{'x' * 200}…' is not valid UTF-8; rename the file or folder, because names are stored as text",
        ),
        ("a=-inf", "--set a: must be a finite number, not -inf"),
        ("x" * 600, f"--set {'x' * 500}…: write it as key.path=value"),
        (f"{'x' * 600}=1", f"--set {'x' * 500}…: the key has more than 500 characters"),
        ("a=" + "[" * 2000, "--set a: lists and tables may be nested at most 32 deep"),
        ("a={" + "b." * 20_000, "--set a: b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.…: a key may have at most 32 parts"),
    ],
)
def test_what_is_refused(text: str, expected: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_setting(text)
    assert str(refusal.value) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--set", f"seed={'9' * 5000}"], "--set seed: must be a whole number up to 2^63 - 1, not 999"),
        (["--seed", str(2**127)], f"'--seed': {2**127} is not in the range 0<=x<=9223372036854775807."),
        (["--set", "model.lstm.dropout=nan"], "--set model.lstm.dropout: must be a finite number, not nan"),
        (
            ["--set", "training.steps=2020-01-01"],
            "training.steps: must be text, a number, or true or false, not a date",
        ),
        (["--corpus", "x" * 5000], "no such file or folder, and no corpus of that name"),
        (["--corpus", "\x1b[31m", "--set", 'axes.corpus=["bach-prelude"]'], r"--corpus \x1b[31m: no such file"),
        (["--profile", "a\nb"], r"tau_sweep.toml: no profile 'a\x0ab'. Offered: default, original, smoke"),
    ],
)
def test_values_that_no_study_can_have(ablate: Command, words: list[str], expected: str) -> None:
    outcome = ablate("study", "plan", "tau_sweep", *words)
    assert outcome.code in (1, 2)
    last = outcome.err.splitlines()[-1]
    assert expected in last, outcome.err
    assert "Traceback" not in outcome.err


def test_a_study_file_that_is_too_much_hides_no_other_study(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/deep.toml").write_text("x = " + "[" * 5000)
    (tmp_path / "studies/date.toml").write_text("question = 2020-01-01")
    outcome = ablate("study", "list")
    assert outcome.code == 0, outcome.err
    assert "studies/deep.toml cannot be read" in outcome.out
    assert "tau_sweep" in outcome.out
    refusal = ablate("study", "run", "deep")
    assert refusal.err == "error: studies/deep.toml: line 1: x: lists and tables may be nested at most 32 deep\n"
