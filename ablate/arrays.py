"""Names for the types of NumPy arrays, for annotations; they also exist at run time."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Of any type, such as the notes of a performance.
Array = np.ndarray[Any, Any]
IntArray = np.ndarray[Any, np.dtype[np.int64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
#: Of single or double precision.
FloatArray = np.ndarray[Any, np.dtype[np.floating[Any]]]
