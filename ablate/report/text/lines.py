"""Sentences with their verdicts, in blocks: the elements of an answer."""

from __future__ import annotations

import dataclasses

from ablate.report.statistics import verdicts


@dataclasses.dataclass(frozen=True)
class Line:
    """One sentence, and its verdict or an empty text."""

    verdict: str
    text: str

    @property
    def words(self) -> str:
        """The verdict in words for people."""
        return verdicts.WORDS[self.verdict] if self.verdict else ""


@dataclasses.dataclass(frozen=True)
class Block:
    """Sentences about one subject, under a heading."""

    heading: str
    lines: tuple[Line, ...]
