"""Finished studies with values that a test chooses, written straight to a store, and a parser of pages."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.store.records import FinishedStage, MeasurementRecord, RunRecord, StageRecord, StudyRecord, VariantRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.store.store import Store

    Floats = np.ndarray[Any, np.dtype[np.float64]]

Quantity = tuple[str, str]
PITCH, L1, RATE = ("distance.pitch", "average"), ("distance.pitch", "l1"), ("notes.rate", "value")
#: Unit and direction by metric; other metrics have no unit, and lower is better.
ABOUT = {"notes.rate": ("notes/s", "none")}


def component(name: str, /, **options: Any) -> dict[str, Any]:
    """Return a component in the form of a resolved configuration."""
    return {"name": name, "version": "1", "options": options}


def drawn(seed: int, means: Mapping[str, float], quantities: Sequence[Quantity] = (PITCH,), size: Any = (8, 2)) -> Any:
    """Draw values around the means of variants: arrays [replicate, sample], by variant and quantity."""
    rng = np.random.default_rng(seed)
    return {name: {q: mean + rng.normal(0, 0.01, size) for q in quantities} for name, mean in means.items()}


def put(
    store: Store,
    name: str,
    values: Mapping[str, Mapping[Quantity, Floats]],
    *,
    configs: Mapping[str, Mapping[str, Any]] | None = None,
    floors: Mapping[Quantity, Sequence[float]] | None = None,
    seed: int = 1,
    **spec: Any,
) -> None:
    """Store a finished study of variants with these values, [replicate, sample]; the first variant is the baseline.

    Args:
        store: where to put it.
        name: the study's.
        values: by variant and quantity.
        configs: by variant, what its configuration has beside that of all.
        floors: by quantity, what resampling gave in each draw.
        seed: the study's.
        spec: what its study file has beside a question.
    """
    metrics = list(dict.fromkeys(metric for each in values.values() for metric, _ in each))
    common = {
        "corpus": [component("bach-prelude")],
        "tokenizer": [component("midilike-classic")],
        "model": [component("lstm", hidden=8)],
        "sampler": [component("temperature", tau=1.0)],
        "metric": [component(metric) for metric in metrics],
        "split": {"validation": 0.0, "test": 0.0},
        "training": {"steps": 40},
        "measure": {"primer": False},
        "labels": {},
    }
    spec = {"question": "Does it matter?", "metric": {metric: {} for metric in metrics}, **spec}
    variants, runs = [], []
    finished = [FinishedStage(_stage(f"{name} floors", "resample"), tuple(_resampled(floors or {})))]
    for place, (variant, measured) in enumerate(values.items()):
        config = {**common, "sampler": [component("temperature", tau=1.0 + place)], **(configs or {}).get(variant, {})}
        variants.append(VariantRecord(variant, f"{name} {variant}", {"tau": 1.0 + place}, baseline=place == 0))
        for replicate in range(max(map(len, measured.values()))):
            own = f"{name} {variant} {replicate}"
            stages = {"measure": own, "resample": f"{name} floors"}
            runs.append(RunRecord(variant, replicate, stages, config, "done"))
            finished.append(FinishedStage(_stage(own, "measure"), tuple(_measurements(measured, replicate))))
    store.put_stages(finished)
    spec.setdefault("replicates", len(runs) // len(variants))
    store.put_study(StudyRecord(name, spec, "default", "bach-prelude", seed), variants, runs)


def _stage(fingerprint: str, kind: str) -> StageRecord:
    return StageRecord(fingerprint, kind, {}, {}, "", "cpu", 0.1, {"python": "3.11.7"})


def _measurements(measured: Mapping[Quantity, Floats], replicate: int) -> list[MeasurementRecord]:
    return [
        MeasurementRecord(sample, metric, feature, float(value), *ABOUT.get(metric, ("1", "lower")), 50)
        for (metric, feature), values in measured.items()
        if replicate < len(values)
        for sample, value in enumerate(values[replicate])
    ]


def _resampled(floors: Mapping[Quantity, Sequence[float]]) -> list[MeasurementRecord]:
    return [
        MeasurementRecord(draw, metric, feature, value, *ABOUT.get(metric, ("1", "lower")), 50, "resampling")
        for (metric, feature), values in floors.items()
        for draw, value in enumerate(values)
    ]


class Parsed(HTMLParser):
    """The elements of a page, its text outside of scripts and styles, and the contents of each script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.words: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        self._inside = tag if tag in ("script", "style") else self._inside

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif not self._inside:
            self.words.append(data)

    @property
    def text(self) -> str:
        """Return the visible text, with single spaces."""
        return " ".join("".join(self.words).split())

    @property
    def tags(self) -> set[str]:
        """Return the names of the elements."""
        return {tag for tag, _ in self.elements}
