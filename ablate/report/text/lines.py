"""Sentences with their verdicts, in blocks: the elements of an answer."""

from __future__ import annotations

import dataclasses

from ablate.report.statistics import verdicts


@dataclasses.dataclass(frozen=True)
class Line:
    """One sentence.

    Attributes:
        verdict: the verdict, the answer to a prediction, or an empty text.
        text: the sentence.
        best: whether it is about the best variant.
    """

    verdict: str
    text: str
    best: bool = False

    @property
    def words(self) -> str:
        """The verdict in words for people."""
        return verdicts.WORDS.get(self.verdict, self.verdict) if self.verdict else ""

    @property
    def after_words(self) -> str:
        """The sentence for a place where the words already stand before it, without repeating them."""
        start = f"{self.words.capitalize()}: "
        return self.text.removeprefix(start) if self.words else self.text


@dataclasses.dataclass(frozen=True)
class Block:
    """Sentences about one subject, under a heading."""

    heading: str
    lines: tuple[Line, ...]
