"""Sign-flip permutation tests of paired differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats as sps

from ablate.report.statistics.inference.intervals import estimator

if TYPE_CHECKING:
    from collections.abc import Callable

    from ablate.arrays import FloatArray
    from ablate.report.statistics.inference.intervals import Estimate


#: Up to this number of replicates all assignments of signs are tried; beyond, :data:`RESAMPLES` random ones.
EXACT_UP_TO = 14
#: Number of random assignments of signs.
RESAMPLES = 9999
#: How many numbers the sign-flip test has in memory at once: about the size of a processor's cache.
_AT_ONCE = 500_000


def sign_flip(differences: FloatArray, estimate: Estimate = "mean") -> FloatArray:
    """Return the two-sided p of the sign-flip permutation test that paired differences are symmetric about 0.

    If two variants do not differ, each replicate's difference is as likely to be positive as negative, whatever its
    distribution (R. A. Fisher, "The design of experiments", 1935, section 21). Exact up to :data:`EXACT_UP_TO`
    replicates: the share of all 2**n assignments of signs whose mean is at least as extreme, doubled for two sides.
    Beyond that, the share among :data:`RESAMPLES` random assignments and the observed one.

    Args:
        differences: [..., replicates], no NaN.
        estimate: the test's statistic.

    Returns:
        p in (0, 1], [...]; NaN for a single replicate.
    """
    n = differences.shape[-1]
    if n < 2:
        return np.full(differences.shape[:-1], np.nan)
    exact = n <= EXACT_UP_TO
    result = sps.permutation_test(
        (_whole_numbers(differences),),
        _to_eight_digits(estimator(estimate)),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf if exact else RESAMPLES,
        batch=max(1, _AT_ONCE // max(differences.size, 1)),
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return np.asarray(np.minimum(result.pvalue, 1.0), float)


def _to_eight_digits(statistic: Callable[..., Any]) -> Callable[..., Any]:
    """Return a statistic of whole numbers of ten digits that drops their last two digits.

    If one difference is a third of another, their rounded values are not, and sums that should be equal differ by 1.
    The offset moves round numbers, which are frequent among differences, away from the points where rounding changes.
    """

    def rounded(values: FloatArray, axis: int = -1) -> Any:
        result = statistic(values, axis=axis)
        return np.sign(result) * np.rint(np.abs(result) / 100 + 0.123)

    return rounded


def _whole_numbers(values: FloatArray) -> FloatArray:
    """Return whole numbers, ten digits for the largest of each row, so that equal sums are equal in any order.

    Otherwise the last bit of a sum decides whether an assignment of signs is as extreme as the observed one.
    """
    largest = np.maximum(np.abs(values).max(axis=-1, keepdims=True), 1e-290)
    return np.asarray(np.rint(values / 10.0 ** (np.floor(np.log10(largest)) - 9.0)))


def smallest_p(n: int) -> float:
    """Return the smallest p that :func:`sign_flip` can give: all differences have the same sign."""
    return 2.0 / 2**n if n <= EXACT_UP_TO else 2.0 / (RESAMPLES + 1)
