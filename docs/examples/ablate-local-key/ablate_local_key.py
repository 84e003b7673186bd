"""The key around each token: a conditioner that gives it to the network, and a metric of keys that were asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import ablate
import numpy as np

if TYPE_CHECKING:
    from collections import abc

    import torch

KRUMHANSL_1982 = """\
@article{krumhansl1982,
  author = {Carol L. Krumhansl and Edward J. Kessler},
  title = {Tracing the dynamic changes in perceived tonal organization in a spatial representation of musical keys},
  journal = {Psychological Review}, year = {1982}, volume = {89}, number = {4}, pages = {334--368}
}"""
KRUMHANSL_1990 = """\
@book{krumhansl1990,
  author = {Carol L. Krumhansl},
  title = {Cognitive foundations of musical pitch},
  publisher = {Oxford University Press}, year = {1990}
}"""

TONICS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
#: The names of the keys; the position of a key is its number.
KEYS = tuple(f"{tonic} {mode}" for mode in ("major", "minor") for tonic in TONICS)
#: The instrument of drums, whose pitch is the number of a sound.
DRUMS = 128
#: The label of generated music: the number of the key that it should be in.
LABEL = "key"
#: How well each pitch class fits a key of C, as listeners rated it (Krumhansl and Kessler 1982).
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
#: The ratings for each key, float64 [24, 12].
PROFILES = np.array([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)])


def keys_around(performance: ablate.Performance, times: ablate.FloatArray, window: float) -> ablate.IntArray:
    """Return the number of the key around each time, int64 [time]; -1 where nothing starts or no key fits better.

    It is the key whose ratings correlate best with the durations of the twelve pitch classes (Krumhansl 1990), of the
    notes that start within half a window. Drums do not count.

    Args:
        performance: the music.
        times: in seconds, [time].
        window: in seconds.
    """
    notes = np.sort(_pitched(performance), order="start")
    durations = np.zeros((len(notes) + 1, 12))
    durations[np.arange(1, len(notes) + 1), notes["pitch"] % 12] = notes["end"] - notes["start"]
    total = durations.cumsum(0)
    first = np.searchsorted(notes["start"], times - window / 2)
    last = np.searchsorted(notes["start"], times + window / 2)
    heard = total[last] - total[first]
    scores = _standardised(heard) @ _standardised(PROFILES).T
    return np.where(np.ptp(heard, axis=1) > 0, scores.argmax(1), -1)


def _pitched(performance: ablate.Performance) -> np.ndarray:
    return performance.notes[performance.notes["instrument"] != DRUMS]


def _standardised(rows: ablate.FloatArray) -> ablate.FloatArray:
    """Return rows with mean 0 and norm 1, whose products are correlations; a constant row becomes 0."""
    centred = rows - rows.mean(1, keepdims=True)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(norms > 0, norms, 1)


@dataclass(frozen=True)
class LocalKeyOptions:
    """Options of the conditioner ``local-key`` in a study file."""

    window: float = ablate.option(8.0, gt=0, doc="Length of the window around a token, in seconds.")
    source: Literal["music", "shuffled"] = ablate.option(
        "music", doc="Key in training: that of the music, or as a control that of another window, drawn at random."
    )


class LocalKey(ablate.Conditioner):
    """The key of the music around each token, as one of 24 numbers that is 1; without a key, all are 0."""

    width = len(KEYS)

    def __init__(self, options: LocalKeyOptions) -> None:
        self.options = options
        self.labels = {LABEL: 0.0}
        self.categories = {LABEL: KEYS}  # a study file writes labels.key = "D major"

    def check_labels(self, labels: abc.Mapping[str, float]) -> None:
        """Raise ValueError for a number that belongs to no key."""
        if labels[LABEL] not in range(len(KEYS)):
            raise ValueError(f"{LABEL} must be a whole number from 0 to {len(KEYS) - 1}, not {labels[LABEL]:g}")

    def from_performance(self, performance: ablate.Performance, times: ablate.FloatArray) -> ablate.FloatArray:
        """Return the key around each token, float32 [time, 24]."""
        keys = keys_around(performance, times, self.options.window)
        return np.asarray(keys[:, None] == np.arange(len(KEYS)), np.float32)

    def from_labels(self, labels: abc.Mapping[str, float], times: ablate.FloatArray) -> ablate.FloatArray:
        """Return the key that is asked for, at each token, float32 [time, 24]."""
        return np.tile(np.float32(np.arange(len(KEYS)) == labels[LABEL]), (len(times), 1))

    def perturb(
        self, values: ablate.FloatArray, others: ablate.FloatArray, rng: np.random.Generator
    ) -> ablate.FloatArray:
        """Return the keys of the training windows, or as a control those of other windows."""
        return others if self.options.source == "shuffled" else values

    def module(self, embedding: int) -> torch.nn.Module:
        """Return a linear map, from [rows, time, 24] to [rows, time, embedding]."""
        import torch  # late, so that listing the plugin stays fast

        return torch.nn.Linear(self.width, embedding)


@dataclass(frozen=True)
class KeyShareOptions:
    """Options of the metric ``key-share`` in a study file."""

    window: float = ablate.option(8.0, gt=0, doc="Length of the window around each note, in seconds.")


class KeyShare(ablate.Metric):
    """How much of the music is in the key that was asked for."""

    def __init__(self, options: KeyShareOptions) -> None:
        self.window = options.window

    def measure(
        self, generated: ablate.Performance, reference: abc.Sequence[ablate.Performance]
    ) -> ablate.Measurements:
        """Return the share of a sample's notes around which its key is the one of its label ``key``, from 0 to 1.

        Raises:
            ValueError: no key was asked for, as in pieces of the corpus, or the sample has drums only.
        """
        if LABEL not in generated.labels:
            raise ValueError(f"no key was asked for: the sample has no label '{LABEL}'")
        starts = _pitched(generated)["start"]
        if not len(starts):
            raise ValueError("the sample has drums only, which are in no key")
        keys = keys_around(generated, starts, self.window)
        share = float(np.mean(keys == generated.labels[LABEL]))
        return ablate.Measurements((ablate.Value(share, feature="share", direction="higher", share=True, n=len(keys)),))


@ablate.hookimpl
def ablate_conditioners() -> abc.Iterator[ablate.ConditionerSpec]:
    """Offer the conditioner."""
    yield ablate.ConditionerSpec(
        name="local-key",
        summary="The key of the music around each token.",
        version="1",
        options=LocalKeyOptions,
        build=LocalKey,
        cite=(KRUMHANSL_1982, KRUMHANSL_1990),
    )


@ablate.hookimpl
def ablate_metrics() -> abc.Iterator[ablate.MetricSpec]:
    """Offer the metric."""
    yield ablate.MetricSpec(
        name="key-share",
        summary="Share of the music that is in the key that was asked for.",
        version="1",
        options=KeyShareOptions,
        build=KeyShare,
        features={"share": "The share of the notes around which the music is in the key that was asked for."},
        cite=(KRUMHANSL_1982, KRUMHANSL_1990),
    )
