"""The contract of augmenters."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.specs import AugmenterSpec
from ablate.testing.base import Contract
from ablate.testing.material import ensembles, equal_performances, performances

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.music.performance import Performance


class AugmenterContract(Contract):
    """An augmenter returns valid, labelled performances, does not change its input, and draws only from ``rng``."""

    record = AugmenterSpec

    def augmented(self, settings: Mapping[str, Any], performance: Performance) -> list[Performance]:
        """Return the results of a new augmenter for the performance, with a fixed seed."""
        return list(self.build(settings).augment(performance, np.random.default_rng(1)))

    def test_results_are_valid(self, settings: Mapping[str, Any]) -> None:
        """Check that there are results, that each is valid and has notes, and that labels are finite numbers."""
        for performance in (*performances(), *ensembles()):
            results = self.augmented(settings, performance)
            assert results, f"there is no result for '{performance.name}'"
            for result in results:
                result.check()
                assert len(result), f"a result for '{performance.name}' has no notes"
                for label, value in result.labels.items():
                    assert isinstance(value, numbers.Real), f"label {label} is not a number: {value!r}"
                    assert math.isfinite(value), f"label {label} is {value}"

    def test_input_is_unchanged(self, settings: Mapping[str, Any]) -> None:
        """Check that the input performance is not changed."""
        pieces, copies = (*performances(), *ensembles()), (*performances(), *ensembles())
        for performance, original in zip(pieces, copies, strict=True):
            self.augmented(settings, performance)
            assert equal_performances(performance, original), f"'{performance.name}' was changed in place"

    def test_seed_decides(self, settings: Mapping[str, Any]) -> None:
        """Check that the same generator state gives the same results."""
        for performance in (*performances(), *ensembles()):
            one, other = self.augmented(settings, performance), self.augmented(settings, performance)
            assert len(one) == len(other), "the same seed gave another number of results"
            assert all(map(equal_performances, one, other)), "the same seed gave other results"
