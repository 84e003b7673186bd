"""Compare two results of one fingerprint, which have to be equal but for what depends on the machine and the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.errors import listed_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ablate.store.records import FinishedStage, HistogramRecord, MeasurementRecord

#: The facts of a result that say how fast, where and with how much energy it was computed, and beside which others.
_OF_THE_MACHINE = ("together", "product_rate", "tokens_per_second", "joules", "program_seconds", "gpus")
#: The file with what a program has printed: times and folders, which no stage reads.
_PRINTED = "log.txt"
#: The most names that a phrase lists.
_MOST_NAMES = 3


def differences(here: FinishedStage, there: FinishedStage) -> list[str]:
    """Return a phrase for everything in which two results of one fingerprint differ; empty if they are equal.

    Devices, times, versions of packages and sources are no part of a result. Files count where both have a digest of
    them: a bundle may have left some out. What a program has written for itself, in folders, is read by nobody.
    """
    if here.stage.kind != there.stage.kind:
        return [f"its kind ({here.stage.kind} here, {there.stage.kind} there)"]
    parts = {
        "result": _differing(_result(here), _result(there)),
        "file": _differing(*_common(here.stage.files, there.stage.files)),
        "measurement": _differing(_rows(here.measurements), _rows(there.measurements)),
        "histogram": _differing(_rows(here.histograms), _rows(there.histograms)),
    }
    return [_phrase(part, names) for part, names in parts.items() if names]


def _result(finished: FinishedStage) -> dict[str, Any]:
    return {key: value for key, value in finished.stage.result.items() if key not in _OF_THE_MACHINE}


def _common(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield the digests of the files that both have, without what a program has printed."""
    names = [name for name in here.keys() & there.keys() if not name.endswith("/") and name != _PRINTED]
    yield from ({name: digests[name] for name in names} for digests in (here, there))


def _rows(records: Iterable[MeasurementRecord | HistogramRecord]) -> dict[str, list[Any]]:
    """Return the numbers by the names of what they measure."""
    rows: dict[str, list[Any]] = {}
    for record in records:
        floor = f" of the floor {record.floor}" if record.floor else ""
        name = f"{record.metric} {record.feature}, sample {record.sample}{floor}"
        rows.setdefault(name, []).append(vars(record))
    return rows


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys([*one, *other])
    return [name for name in names if name not in one or name not in other or one[name] != other[name]]


def _phrase(part: str, names: list[str]) -> str:
    plural = "s" if len(names) > 1 else ""
    return f"{part}{plural} {listed_names(names, _MOST_NAMES)}"
