"""Sentences with their verdicts, in blocks: the elements of an answer."""

from __future__ import annotations

import dataclasses
import re

from ablate.report.statistics import verdicts

#: The place where the claim of a sentence ends: at its numbers in parentheses, or where the next sentence starts.
_EVIDENCE = re.compile(r" \(|(?<=[.:]) (?=[A-Z])")
#: The end of an item of a list.
_AFTER_ITEM = re.compile(r"(?<=;)")


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

    @property
    def claim_and_evidence(self) -> tuple[str, list[str]]:
        """The sentence in parts that add up to :attr:`after_words`: its claim, and the numbers or reasons behind it."""
        found = _EVIDENCE.search(self.after_words)
        at = found.start() if found else len(self.after_words)
        return self.after_words[:at], _AFTER_ITEM.split(self.after_words[at:]) if found else []


@dataclasses.dataclass(frozen=True)
class Block:
    """Sentences about one subject, under a heading."""

    heading: str
    lines: tuple[Line, ...]
