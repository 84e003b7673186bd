"""Signs that a mean over few replicates says little: values that lean to one side, and replicates far from the others.

If two variants have one mean but one of them is sometimes much worse, few replicates often miss that, and the sign-flip
test then calls it better. Neither this nor another test can find it in the differences, because they look
harmless just when the rare replicates are missing. The values of all variants together show it more often; the rates
are in docs/explanation/simulations.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats as sps

if TYPE_CHECKING:
    from ablate.arrays import FloatArray


#: Fewer replicates of a variant show no skewness.
FEWEST = 4
#: A replicate is far from the others from this number of typical distances from their median on.
FAR = 10.0
#: The median distance from the median of normal values is the standard deviation over this number.
_NORMAL = 1.4826
#: The share of studies with normal values for which a lean is reported.
_FALSE_ALARMS = 0.05


def leans(values: FloatArray, *, independent: bool = False) -> bool:
    """Return whether the values lean to one side: a long tail there, in several variants or strongly in one.

    The mean of the variants' sample skewnesses, compared with its standard error for normal values. What variants share
    in a replicate makes their skewnesses alike; the skewnesses of two normal variables are correlated as the cube of
    their own correlation, which is estimated.

    Args:
        values: [variants, replicates], NaN where there is none. Replicates that miss a variant are left out.
        independent: whether replicates of variants do not belong together: then each variant keeps all of its own, and
            their skewnesses are independent.
    """
    if independent:
        return _independent_lean(values)
    complete = values[:, ~np.isnan(values).any(axis=0)]
    n = complete.shape[1]
    if n < FEWEST:
        return False
    varied = complete[np.ptp(complete, axis=1) > 1e-12 * np.abs(complete).max(axis=1)]
    if not len(varied):
        return False
    shared = np.clip(np.corrcoef(varied).reshape(len(varied), -1), 0.0, 1.0) ** 3
    error = np.sqrt(6 * (n - 2) / ((n + 1) * (n + 3)) * shared.mean())
    return bool(abs(sps.skew(varied, axis=1).mean()) > sps.norm.ppf(1 - _FALSE_ALARMS / 2) * error)


def _independent_lean(values: FloatArray) -> bool:
    found, variances = [], []
    for row in values:
        known, n = row[~np.isnan(row)], int((~np.isnan(row)).sum())
        if n >= FEWEST and np.ptp(known) > 1e-12 * np.abs(known).max():
            found.append(float(sps.skew(known)))
            variances.append(6 * (n - 2) / ((n + 1) * (n + 3)))
    if not found:
        return False
    error = np.sqrt(np.sum(variances)) / len(found)
    return bool(abs(np.mean(found)) > sps.norm.ppf(1 - _FALSE_ALARMS / 2) * error)


def outlying(values: FloatArray) -> FloatArray:
    """Return which variants have a replicate far from their others, [variants], as booleans.

    Far is more than :data:`FAR` times the median distance from the median (scaled to the standard deviation of normal
    values). Where more than half of a variant's values are equal, any other one is far.

    Args:
        values: [variants, replicates], NaN where there is none.
    """
    found = np.zeros(len(values), bool)
    for variant, row in enumerate(values):
        known = row[~np.isnan(row)]
        if len(known) >= FEWEST:
            distances = np.abs(known - np.median(known))
            rounding = 1e-12 * np.abs(known).max()
            found[variant] = distances.max() > max(FAR * _NORMAL * float(np.median(distances)), rounding)
    return found
