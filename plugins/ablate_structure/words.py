"""One sentence for each feature, for the glossary of a report."""

from __future__ import annotations

_GROOVE = {
    "consistency": "The agreement of the onsets of each bar with those of the next bar: 1 for equal bars.",
    "similarity": "The agreement of the onsets of each bar with those of every other bar: 1 for equal bars.",
    "periodicity": "The strength of the strongest period of the onsets.",
}
_REPETITION = {
    "short": "How well one segment of 3 to 8 seconds, with its repetitions, explains the whole sample.",
    "middle": "How well one segment of 8 to 15 seconds, with its repetitions, explains the whole sample.",
    "long": "How well one segment of 15 seconds or more, with its repetitions, explains the whole sample.",
}


def _with_differences(words: dict[str, str]) -> dict[str, str]:
    """Return sentences for the numbers, and for the difference of each from the reference."""
    difference = "The distance of {} from its mean over the reference pieces."
    return words | {f"{name}_difference": difference.format(name) for name in words}


GROOVE = _with_differences(_GROOVE)
REPETITION = _with_differences(_REPETITION)
