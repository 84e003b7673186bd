"""Refusals of overrides are one line, whatever characters the names have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ablate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.study.file.study_file import StudySpec


@pytest.mark.parametrize(
    ("settings", "corpus", "expected"),
    [
        (
            {"conditioner": "one\ntwo\x1b", "conditioner.density.window": 2.0},
            "",
            r"this study has no conditioner 'density' (it has: one two\x1b)",
        ),
        ({"training.steps\x1b": 1}, "", r"[training] has no setting 'steps\x1b'; did you mean 'steps'?"),
        ({}, "\x1b[31m", r"--corpus \x1b[31m: no such file or folder"),
        ({"model": "x" * 9000, "model.gru.hidden": 1}, "", "this study has no model 'gru' (it has: xxx"),
    ],
)
def test_a_refusal_is_one_line(
    load: Callable[..., StudySpec], settings: dict[str, Any], corpus: str, expected: str
) -> None:
    with pytest.raises(UsageError) as refused:
        load(settings, corpus=corpus)
    assert expected in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 2100
