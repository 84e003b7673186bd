"""Check what a metric returns: nothing else than plain, finite numbers with printable names reaches the database."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, get_args

from ablate.errors import StageError, named_line
from ablate.interfaces import Direction, Histogram, Measurements, Value, Within
from ablate.options import abridged
from ablate.printable import name_problem, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A share may be as much below 0 or above 1.
ROUNDING = 1e-6
#: Limits that no metric has a reason to exceed: of a value, of a count of a histogram, of the observations behind a
#: value, of the characters of a name, and of the features and bins of a metric.
LARGEST, MOST_COUNTED, MOST_OBSERVATIONS = 1e100, 1e15, 2**63 - 1
LONGEST_NAME, MOST_FEATURES, MOST_BINS = 200, 10_000, 100_000


def checked(measured: Any, about: str) -> Measurements:
    """Return the measurements of a metric as plain numbers.

    Args:
        measured: what it returned.
        about: the metric, for messages (``"metric 'x' of plugin 'y'"``).

    Raises:
        StageError: they are not valid measurements.
    """
    if not isinstance(measured, Measurements):
        raise StageError(f"{about} returned {type(measured).__name__}, not ablate.Measurements")
    try:
        values = tuple(_value(each, about) for each in _listed(measured.values, Value, MOST_FEATURES, about))
        histograms = tuple(_histogram(h, about) for h in _listed(measured.histograms, Histogram, MOST_FEATURES, about))
    except StageError:
        raise
    except Exception as error:  # an attribute may be any object, which need not be a number or comparable
        raise StageError(f"{about} returned numbers that cannot be used: {named_line(error)}") from error
    features = [value.feature for value in values]
    if not features or len(set(features)) < len(features):
        raise StageError(
            f"{about} must give each feature once, and at least one; it gave {str(features)[:LONGEST_NAME]}"
        )
    for feature in _twice(histogram.feature for histogram in histograms):
        raise StageError(f"{about} gave two histograms of '{feature}'")
    return Measurements(values, histograms)


def check_alike(first: Measurements, other: Measurements, about: str) -> None:
    """Check that a feature has the same unit, direction and bins in two samples.

    Raises:
        StageError: it has not, so that no mean over the samples exists.
    """
    units = {value.feature: (value.unit, value.direction) for value in first.values}
    for value in other.values:
        if units.get(value.feature, (value.unit, value.direction)) != (value.unit, value.direction):
            raise StageError(f"{about} gave '{value.feature}' with another unit or direction for another sample")
    edges = {histogram.feature: (histogram.unit, histogram.edges) for histogram in first.histograms}
    for each in other.histograms:
        if edges.get(each.feature, (each.unit, each.edges)) != (each.unit, each.edges):
            raise StageError(f"{about} gave the histogram of '{each.feature}' with other bins for another sample")


def _listed(items: Any, kind: type, most: int, about: str) -> list[Any]:
    if not isinstance(items, tuple | list):
        raise StageError(f"{about} returned {type(items).__name__} in place of a tuple of ablate.{kind.__name__}")
    if len(items) > most:
        raise StageError(f"{about} returned {len(items):,} of ablate.{kind.__name__}, more than {most:,}")
    for item in items:
        if not isinstance(item, kind):
            raise StageError(f"{about} returned {type(item).__name__} in place of ablate.{kind.__name__}")
    return list(items)


def _value(value: Value, about: str) -> Value:
    feature = _name(value.feature, "feature", about)
    gave = f"{about} gave {_shown(value.value)} for '{feature}'"
    number = _number(value.value)
    if number is None:
        raise StageError(f"{gave}, which is not a finite number")
    if abs(number) > LARGEST:
        raise StageError(f"{gave}; the limit is {LARGEST:g}")
    count = _number(value.n)
    if count is None or count != int(count) or not 0 <= int(value.n) <= MOST_OBSERVATIONS:
        raise StageError(f"{about}: n of '{feature}' must be a whole number from 0 to 2^63 - 1, not {_shown(value.n)}")
    if not isinstance(value.direction, str) or value.direction not in get_args(Direction):
        listing = ", ".join(get_args(Direction))
        raise StageError(f"{about}, '{feature}': direction {_shown(value.direction)} is none of {listing}")
    if not isinstance(value.within, str) or value.within not in get_args(Within):
        raise StageError(f"{about}, '{feature}': within {_shown(value.within)} is neither empty nor 'tokenizer'")
    if value.share and not -ROUNDING <= number <= 1 + ROUNDING:
        raise StageError(f"{gave}, which it declares to be a share (0 to 1)")
    return Value(
        number,
        n=int(value.n),
        feature=feature,
        unit=_name(value.unit, f"unit of '{feature}'", about),
        direction=value.direction,
        within=value.within,
        detail=bool(value.detail),
        share=bool(value.share),
    )


def _histogram(histogram: Histogram, about: str) -> Histogram:
    feature = _name(histogram.feature, "feature of a histogram", about)
    gave = f"{about}: the histogram of '{feature}'"
    edges, reference, generated = (
        _numbers(getattr(histogram, name), f"{gave}: {name}") for name in ("edges", "reference", "generated")
    )
    bins = len(edges) - 1
    if bins < 1 or bins > MOST_BINS:
        raise StageError(f"{gave} must have 1 to {MOST_BINS:,} bins, not {bins:,}")
    if len(reference) != bins or len(generated) != bins:
        raise StageError(f"{gave} has {bins:,} bins, but {len(reference):,} and {len(generated):,} counts")
    if not all(map(operator.lt, edges, edges[1:])):
        raise StageError(f"{gave}: edges must increase")
    if min(*reference, *generated) < 0 or max(*reference, *generated) > MOST_COUNTED:
        raise StageError(f"{gave}: counts must be numbers from 0 to {MOST_COUNTED:g}")
    return Histogram(
        feature, _name(histogram.unit, f"unit of the histogram of '{feature}'", about), edges, reference, generated
    )


def _name(text: Any, what: str, about: str) -> str:
    """Return a name or unit as plain text, after a check that it can be stored and printed."""
    if not isinstance(text, str):
        raise StageError(f"{about}: {what} must be text, not {type(text).__name__}")
    name: str = "".join(text)  # of a class of its own, it could print anything
    if len(name) > LONGEST_NAME:
        raise StageError(f"{about}: {what} has {len(name):,} characters, more than {LONGEST_NAME}")
    if not name.strip() or name != name.strip():
        raise StageError(f"{about}: {what} must be text without spaces around it, not '{printable(name)}'")
    problem = name_problem(name)
    if problem:
        raise StageError(f"{about}: {what} {problem}")
    return name


def _number(value: Any) -> float | None:
    """Return a finite number; None for anything else, also for text, and for an array of several numbers."""
    if isinstance(value, str | bytes | complex):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # RuntimeError: a tensor that needs a gradient
        return None
    return number if math.isfinite(number) else None


def _numbers(values: Any, where: str) -> tuple[float, ...]:
    if type(values) is tuple and set(map(type, values)) == {float} and all(map(math.isfinite, values)):
        return values  # as usual; to look at one after another takes longer than a metric takes to count
    numbers = [_number(value) for value in values]
    wrong = [value for value, number in zip(values, numbers, strict=True) if number is None]
    if wrong:
        raise StageError(f"{where} must be finite numbers, not {_shown(wrong[0])}")
    return tuple(number for number in numbers if number is not None)


def _shown(value: Any) -> str:
    """Return a value for a message; nothing that a plugin returns can fail here."""
    try:
        return f"'{printable(value[:80])}'" if isinstance(value, str) else printable(abridged(value))
    except Exception:  # noqa: BLE001 - an object may do anything to become text
        return f"an object of type {type(value).__name__}"


def _twice(names: Iterable[str]) -> Iterator[str]:
    known: set[str] = set()
    for name in names:
        if name in known:
            yield name
        known.add(name)
