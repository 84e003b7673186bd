"""TOML that takes too much memory, and values that no key can have, are refused in one line."""

from __future__ import annotations

import os
import time
import tomllib
from pathlib import Path

import pytest

from ablate.errors import StudyFileError
from ablate.study.file.study_file import read_study
from ablate.study.file.text.toml import DEEPEST, LARGEST, UnsafeToml, loads, read_text
from ablate.study.file.text.values import MOST_VALUES, value_problems

CASES = Path(os.environ.get("ABLATE_CASES_DIR", "")) / "toml"
EXPECTED = {
    "bigint.toml": "seed: must be a whole number up to 2^63 - 1, not 9999",
    "date-level.toml": "axes.sampler.temperature.tau[0]: must be text, a number, or true or false, not a date",
    "deep.toml": "line 1: x: lists and tables may be nested at most 32 deep",
    "dots.toml": "line 1: x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.x.…: a key may have at most 32 parts",
    "range-text.toml": 'axes.sampler.temperature.tau.low: must be a number, not "a"',
    "section-is-text.toml": 'training: must be a table of settings, not "x"',
}


@pytest.mark.skipif(not CASES.is_dir(), reason="ABLATE_CASES_DIR is not set")
@pytest.mark.parametrize("name", EXPECTED)
def test_the_cases(name: str) -> None:
    with pytest.raises(StudyFileError) as refusal:
        read_study(str(CASES / name))
    assert any(problem.startswith(EXPECTED[name]) for problem in refusal.value.problems), refusal.value.problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps = 2\n[a]\n" + "b = {" * 40, "line 3: b: lists and tables may be nested at most 32 deep"),
        ("x = 1 # [[[[[\ny =\\\n [\n" + "[" * DEEPEST, "line 3"),
        (f"[{'.'.join('a' * 40)}]", "line 1: a.a."),
        ("'a'" + '."b c"' * 40 + " = 1", "line 1: "),
        (f"a{' . a' * 40} = 1", "line 1: a . a"),
    ],
    ids=["tables", "lists", "a header", "names in quotes", "dots with spaces"],
)
def test_what_is_nested_too_deeply(text: str, expected: str) -> None:
    with pytest.raises(UnsafeToml) as refusal:
        loads(text)
    assert str(refusal.value).startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        f'x = "{"[" * 99}"\ny = """\n{"[" * 99}"""" # {"{" * 99}\n',
        f"x = '{'a.' * 99}'\ny = '''\n\\'''\n",
        'x = "\\"[[" # " a\ny = [0.1, 0.2, [[1.5]]]',
        f"x = [{'0.5, ' * 500}]",
        "x = 0.1000000000000000055511151231257827021181583404541015625" + "1" * 200,
        f'x = "{"9" * 5000}"\n"{"9" * 500}" = 3',
    ],
)
def test_what_is_read_as_it_is(text: str) -> None:
    assert loads(text) == tomllib.loads(text)


def test_a_long_number_stays_too_large() -> None:
    for digits in ("9" * 5000, "-" + "1_0" * 2000, "+" + "9" * 101):
        assert abs(loads(f"a = [1, {digits}]")["a"][1]) > 2**63
    assert value_problems(loads(f"a = 0x{'f' * 9999}")) == [
        ("a", "must be a whole number up to 2^63 - 1, not one of 39,996 bits")
    ]


@pytest.mark.parametrize("text", ["[" * LARGEST, "x=" + "9" * LARGEST, '"' * LARGEST, "a." * (LARGEST // 2), "'''" * 3])
def test_any_text_is_read_or_refused_in_seconds(text: str) -> None:
    start, outcome = time.process_time(), ""
    try:
        loads(text)
    except ValueError as error:
        outcome = str(error)
    assert len(outcome) < 300
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("seed = 340282366920938463463374607431768211455", "seed: must be a whole number up to 2^63 - 1, not 34028"),
        ("seed = -9223372036854775808", "seed: must be a whole number from -(2^63 - 1), not -92"),
        ("a.b = [1, {c = nan}]", "a.b[1].c: must be a finite number, not nan"),
        ("a = -inf", "a: must be a finite number, not -inf"),
        ("a = 07:32:00", 'a: must be text, a number, or true or false, not a date or time; write text in quotes: "07:'),
        ('a = "x\\u0000"', r'a: the text "x\u0000" has the character \x00; leave it out'),
        ('a = "\\u001b[31m"', r'a: the text "\u001b[31m" has the character \x1b; leave it out'),
    ],
)
def test_values_that_no_key_can_have(toml: str, expected: str) -> None:
    ((key, text),) = value_problems(tomllib.loads(toml))
    assert f"{key}: {text}".startswith(expected)


def test_values_that_keys_can_have() -> None:
    assert value_problems({"a": "two\n\tlines", "b": 2**63 - 1, "c": [True, 1.5, -(2**63 - 1)], "d": {"é": "月"}}) == []


def test_many_values_and_deep_ones() -> None:
    ((key, text),) = value_problems({"a": [0] * MOST_VALUES})
    assert (key, text.split(";")[0]) == ("", "has more than 50,000 keys and items of lists")
    deep: dict[str, object] = {}
    for _ in range(5000):
        deep = {"a": deep}
    ((key, text),) = value_problems(deep)
    assert text == "is nested more than 32 deep"
    assert len(value_problems({"a": [float("nan")] * 1000})) == 10


def test_marks_and_line_breaks_of_other_systems(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b'\xef\xbb\xbfquestion = "why?"\r\nseed = 1\r\n')
    assert read_text(path) == 'question = "why?"\nseed = 1\n'
    path.write_bytes(b"\xff\xfeq\0")
    with pytest.raises(StudyFileError, match="is not a text file in UTF-8"):
        read_text(path)
    path.write_bytes(b"#" * (LARGEST + 1))
    with pytest.raises(StudyFileError, match="is larger than 1 MiB"):
        read_text(path)


def test_a_key_that_cannot_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("a\0b = " + "[" * 40, encoding="utf-8")
    with pytest.raises(StudyFileError) as refusal:
        read_study(str(path))
    assert refusal.value.problems == [r"line 1: a\x00b: lists and tables may be nested at most 32 deep"]
