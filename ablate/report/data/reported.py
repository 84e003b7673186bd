"""Values that were published elsewhere, of the same music."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Apart:
    """Published values that cannot be compared with a study's, because they are of other music.

    Attributes:
        variants: the variants that have such values, in order.
        published: the names of the pieces that they were measured on; empty if the study file does not state them.
        own: the names of the pieces of these variants, each once; empty if they were not recorded.
    """

    variants: tuple[str, ...]
    published: tuple[str, ...]
    own: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.variants)


def reported_frame(spec: Mapping[str, Any], pieces: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the values that were published elsewhere for the same variants and the same pieces.

    Args:
        spec: the plain data of a study file; its ``reported`` may be missing or empty.
        pieces: by variant of the study, the names of the pieces of its corpus; values of other variants are ignored.

    Returns:
        Columns ``variant``, ``metric``, ``feature``, ``value``.
    """
    rows = [
        (variant, metric, feature, float(value))
        for variant, metrics in _values(spec).items()
        if variant in pieces and _same(spec, pieces[variant])
        for metric, features in metrics.items()
        for feature, value in features.items()
    ]
    order = {variant: place for place, variant in enumerate(pieces)}
    rows.sort(key=lambda row: order[row[0]])
    return pd.DataFrame(rows, columns=["variant", "metric", "feature", "value"])


def reported_apart(spec: Mapping[str, Any], pieces: Mapping[str, Sequence[str]]) -> Apart:
    """Return the published values that :func:`reported_frame` leaves out although the study has their variants."""
    values = _values(spec)
    variants = tuple(name for name, own in pieces.items() if values.get(name) and not _same(spec, own))
    own = dict.fromkeys(piece for name in variants for piece in pieces[name])
    return Apart(variants, _pieces(spec), tuple(own))


def _values(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return (spec.get("reported") or {}).get("values") or {}


def _pieces(spec: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple((spec.get("reported") or {}).get("pieces") or ())


def _same(spec: Mapping[str, Any], own: Sequence[str]) -> bool:
    """Check whether the published values are of these pieces and of no others; unknown pieces are never the same."""
    return bool(own) and set(_pieces(spec)) == set(own)
