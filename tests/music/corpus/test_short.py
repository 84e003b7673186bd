"""Warn about a corpus that is too short for any verdict about music."""

from __future__ import annotations

import pytest

from ablate.music.corpus.short import FEWEST_NOTES, few_notes, few_notes_warning


@pytest.mark.parametrize(("notes", "words"), [(1, "only 1 note"), (FEWEST_NOTES - 1, "only 31 notes")])
def test_a_phrase_gets_a_warning(notes: int, words: str) -> None:
    assert few_notes(notes).endswith(words)
    assert few_notes_warning(notes).startswith(f"{few_notes(notes)}: the study can run, but no verdict")


def test_more_music_gets_none() -> None:
    assert few_notes(FEWEST_NOTES) == few_notes_warning(FEWEST_NOTES) == ""
