"""Music that is too short for any verdict about music."""

from __future__ import annotations

#: Music with fewer notes is a phrase at most: a model can only repeat it.
FEWEST_NOTES = 32


def few_notes(notes: float) -> str:
    """Return the beginning of a warning if a corpus has fewer notes than :data:`FEWEST_NOTES`, or an empty text."""
    if notes >= FEWEST_NOTES:
        return ""
    return f"the corpus has only {'1 note' if notes == 1 else f'{notes:g} notes'}"


def few_notes_warning(notes: float) -> str:
    """Return a warning for those who start a study, or an empty text."""
    fact = few_notes(notes)
    return fact and f"{fact}: the study can run, but no verdict about music is possible; give more music"
