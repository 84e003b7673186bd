"""The contract of corpora."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.specs import CorpusSpec
from ablate.testing.base import Contract
from ablate.testing.material import equal_performances

if TYPE_CHECKING:
    from collections.abc import Mapping


class CorpusContract(Contract):
    """A corpus loads valid music, and its identity stands for this music."""

    record = CorpusSpec

    def test_identity(self, settings: Mapping[str, Any]) -> None:
        """Check that the same corpus has the same identity each time it is built."""
        identity = self.build(settings).identity()
        assert isinstance(identity, str), f"identity() returns a {type(identity).__name__}, not a string"
        assert identity.strip(), "the identity is empty"
        assert self.build(settings).identity() == identity, "the identity of an unchanged corpus changed"

    def test_load(self, settings: Mapping[str, Any]) -> None:
        """Check that there are performances, that each is valid and has notes, and that they are always the same."""
        corpus = list(self.build(settings).load())
        assert corpus, "the corpus has no performance"
        for performance in corpus:
            performance.check()
            assert len(performance), f"{performance.name or 'a performance'} has no notes"
        again = list(self.build(settings).load())
        assert len(again) == len(corpus), "a second load returned another number of performances"
        assert all(map(equal_performances, corpus, again)), "a second load returned other music"
