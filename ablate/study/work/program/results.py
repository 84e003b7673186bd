"""Read the metrics file that a program writes, and check it.

{"loss": 0.31,
 "pitch": {"accuracy": 0.9, "recall": 0.8, "unit": "share", "direction": "higher"},
 "time": {"median": {"value": 0.2, "unit": "s", "direction": "lower"}}}
"""

from __future__ import annotations

import dataclasses
import json
import math
from typing import TYPE_CHECKING, Any, get_args

from ablate.errors import ProgramFailed, did_you_mean
from ablate.interfaces import Direction, Value
from ablate.options import abridged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: Keys of a metric, or of a feature, that are no features.
_WORDS = ("unit", "direction")
#: The feature of a metric that is a plain number.
ONLY = "value"


@dataclasses.dataclass(frozen=True)
class ProgramValue:
    """A number that a program has written; unit and direction are empty where it has not written them."""

    value: float
    unit: str = ""
    direction: str = ""


#: Values by metric and feature.
ProgramMetrics = dict[str, dict[str, ProgramValue]]


def read_metrics(path: Path, name: str) -> ProgramMetrics:
    """Return the content of a metrics file.

    Args:
        path: of the file.
        name: the file's name, for messages.

    Raises:
        ProgramFailed: it is missing, is not JSON, or has something that is not a finite number where one belongs.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ProgramFailed(f"the program ended without writing {name}{_other_file(path, name)}") from None
    except OSError as error:
        raise ProgramFailed(f"{name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ProgramFailed(f"{name} is not valid JSON: {error}") from None
    if not isinstance(content, dict) or not content:
        raise ProgramFailed(f"{name} must be a JSON object of metric: number, not {_shown(content)}")
    return {str(metric): dict(_features(name, str(metric), value)) for metric, value in content.items()}


def _other_file(path: Path, name: str) -> str:
    """Return the suggestion for a file of another name."""
    others = [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else []
    return did_you_mean(path.name, others) or f", which belongs into the folder that {{out}} names ({name})"


def _features(name: str, metric: str, value: Any) -> Iterator[tuple[str, ProgramValue]]:
    """Yield the features of a metric."""
    where = f"{name}: {metric}"
    if not isinstance(value, dict):
        yield ONLY, ProgramValue(_number(where, value))
        return
    unit, direction = _words(where, value)
    features = {key: inner for key, inner in value.items() if key not in _WORDS}
    if not features:
        raise ProgramFailed(f"{where} has no value; write a number, or an object of feature: number")
    for feature, inner in features.items():
        here = f"{where}: {feature}"
        if not isinstance(inner, dict):
            yield feature, ProgramValue(_number(here, inner), unit, direction)
            continue
        unknown = [key for key in inner if key not in ("value", *_WORDS)]
        if unknown or "value" not in inner:
            raise ProgramFailed(f"{here} must have value, and may have unit and direction, not {_shown(inner)}")
        own = _words(here, inner)
        yield feature, ProgramValue(_number(here, inner["value"]), own[0] or unit, own[1] or direction)


def _words(where: str, table: Mapping[str, Any]) -> tuple[str, str]:
    unit, direction = table.get("unit", ""), table.get("direction", "")
    if not isinstance(unit, str):
        raise ProgramFailed(f"{where}: unit must be a text, not {_shown(unit)}")
    if direction and direction not in get_args(Direction):
        listing = ", ".join(get_args(Direction))
        raise ProgramFailed(f"{where}: direction must be one of {listing}, not {_shown(direction)}")
    return unit, direction


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProgramFailed(f"{where} must be a number, not {_shown(value)}")
    if not math.isfinite(value):
        raise ProgramFailed(f"{where} is {value}; a run whose result is not a finite number has no result")
    return float(value)


def _shown(value: Any) -> str:
    return abridged(json.dumps(value) if isinstance(value, list | dict) else value)


def plain_metrics(metrics: ProgramMetrics) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the metrics as JSON-ready data."""
    return {
        metric: {feature: dataclasses.asdict(value) for feature, value in features.items()}
        for metric, features in metrics.items()
    }


def declared_values(metrics: Mapping[str, Any], choice: Mapping[str, str]) -> list[Value]:
    """Return the values of one metric, with units and directions.

    Args:
        metrics: in the form of :func:`plain_metrics`.
        choice: the metric's name, and the direction and unit that the study file declares for it.

    Raises:
        ProgramFailed: the program has not written the metric, or its direction is not the study's.
    """
    metric, declared = choice["name"], choice["direction"]
    if metric not in metrics:
        raise ProgramFailed(f"no metric '{metric}'{did_you_mean(metric, metrics)} (it has: {', '.join(metrics)})")
    values = []
    for feature, one in metrics[metric].items():
        if declared == "given" and not one["direction"]:
            raise ProgramFailed(f"{metric}: {feature} has no direction; write one, or declare it in the study file")
        if declared != "given" and one["direction"] not in ("", declared):
            text = f"{metric}: {feature} has the direction {one['direction']}, but the study file declares {declared}"
            raise ProgramFailed(text)
        direction: Direction = one["direction"] if declared == "given" else declared  # type: ignore[assignment]
        unit = one["unit"] or choice["unit"] or "1"
        values.append(Value(one["value"], n=1, feature=feature, unit=unit, direction=direction))
    return values
