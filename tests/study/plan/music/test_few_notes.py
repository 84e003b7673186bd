"""Warn about a corpus that is too short for any verdict about music."""

from __future__ import annotations

import pytest

from ablate.study.plan.music.corpora import FEWEST_NOTES, few_notes


@pytest.mark.parametrize(("notes", "words"), [(1, "only 1 note:"), (FEWEST_NOTES - 1, "only 31 notes:")])
def test_a_phrase_gets_a_warning(notes: int, words: str) -> None:
    assert words in few_notes(notes)


def test_more_music_gets_none() -> None:
    assert few_notes(FEWEST_NOTES) == ""
