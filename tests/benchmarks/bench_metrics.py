"""Metrics: all distances of a large study, and how much of its samples is copied."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from harness import Case, Table, compare, threads
from material import made_piece
from torch.nn import functional

from ablate.engine.score import negative_log_likelihoods
from ablate.engine.training.windows import Example
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.music.performance import Performance

DISTANCES = ("distance.pitch", "distance.duration", "distance.velocity", "distance.average")
#: Notes in 4,000 tokens of midilike-classic, of which a note takes three and a shift or two.
NOTES_IN_SAMPLE = 900
VOCABULARY = 240


def _metric(name: str) -> Any:
    spec = get_registry().spec("metric", name)
    return spec.build(spec.parse({}))


def _measured(name: str, samples: Sequence[Performance], reference: Sequence[Performance]) -> float:
    metric = _metric(name)
    for sample in samples:
        metric.measure(sample, reference)
    return float(len(samples))


def naive_distance(samples: Sequence[Performance], reference: Sequence[Performance]) -> float:
    """L1 of pitch, note by note: what a script does that counts in a dictionary."""
    for sample in samples:
        counts: list[dict[int, int]] = [{}, {}]
        for count, pieces in zip(counts, ([sample], reference), strict=True):
            for piece in pieces:
                for note in piece.notes.tolist():
                    count[note[0]] = count.get(note[0], 0) + 1
        totals = [sum(count.values()) for count in counts]
        sum(abs(counts[0].get(p, 0) / totals[0] - counts[1].get(p, 0) / totals[1]) for p in range(128))
    return float(len(samples))


def naive_copies(samples: Sequence[Performance], reference: Sequence[Performance], n: int = 8) -> float:
    """The longest exact common run of pitches, by trying every pair of places: quadratic."""
    pitches = np.concatenate([piece.notes["pitch"] for piece in reference])
    for sample in samples:
        best, before = 0, np.zeros(len(pitches) + 1, np.int64)
        for pitch in sample.notes["pitch"]:
            now = np.zeros_like(before)
            now[1:] = np.where(pitches == pitch, before[:-1] + 1, 0)
            best, before = max(best, int(now.max())), now
    return float(len(samples))


def copying(seed: int, source: Performance, notes: int) -> Performance:
    """A sample that copies stretches of the source and varies others, as a model that overfits does."""
    rng = np.random.default_rng(seed)
    parts, clock = [], 0.0
    while sum(map(len, parts)) < notes:
        start = int(rng.integers(0, len(source) - 60))
        part = source.notes[start : start + int(rng.integers(5, 60))].copy()
        if rng.random() < 0.3:
            part["pitch"] = rng.integers(36, 96, len(part))
        shift = clock - part["start"][0]
        part["start"] += shift
        part["end"] += shift
        clock = float(part["start"][-1]) + 0.1
        parts.append(part)
    return source.replace(notes=np.concatenate(parts)[:notes], name=f"sample-{seed}").canonical()


def naive_likelihood(model: Any, pieces: Sequence[Example]) -> float:
    """One piece at a time, in float32, 512 tokens at once."""
    with torch.inference_mode():
        for piece in pieces:
            state, tokens = None, torch.from_numpy(piece.tokens)
            for begin in range(0, len(tokens) - 1, 512):
                targets = tokens[begin + 1 : begin + 513]
                logits, state = model(tokens[None, begin : begin + len(targets)], [], state)
                functional.cross_entropy(logits[0].double(), targets, reduction="none")
    return float(sum(len(piece.tokens) for piece in pieces))


def likelihoods() -> Table:
    """Scoring pieces of 1,000 to 16,000 tokens with networks of the default size."""
    rng = np.random.default_rng(0)
    pieces = [Example(rng.integers(0, VOCABULARY, size)) for size in np.geomspace(1000, 16_000, 14).astype(int)]
    cases = []
    for name in ("lstm", "gru", "transformer"):
        spec = get_registry().spec("model", name)
        torch.manual_seed(0)
        model = spec.build(spec.parse({}), VOCABULARY, []).eval()

        def scored(precision: str, own: Any = model) -> float:
            with threads(1):
                negative_log_likelihoods(own, pieces, precision=precision)
            return float(sum(len(piece.tokens) for piece in pieces))

        def naively(own: Any = model) -> float:
            with threads(1):
                return naive_likelihood(own, pieces)

        cases.append(Case(f"{name}, piece by piece, fp32", naively))
        cases += [Case(f"{name}, ablate, {p}", functools.partial(scored, p)) for p in ("fp32", "bf16")]
    title = "Likelihood of 14 pieces, one thread, in CPU seconds; ratios are to the lstm piece by piece"
    return compare(title, "tokens", cases, rounds=3, clock=time.process_time)


def tables() -> Iterator[Table]:
    """The group's tables."""
    source = made_piece(0, 700, 36, 96)
    samples = [copying(seed, source, NOTES_IN_SAMPLE) for seed in range(1000)]
    few = samples[:20]

    def distances() -> float:
        return float(sum(_measured(name, samples, [source]) for name in DISTANCES) / len(DISTANCES))

    cases = [
        Case("dictionary of counts, pitch alone, 20 samples", lambda: naive_distance(few, [source])),
        Case("ablate, pitch alone, 20 samples", lambda: _measured("distance.pitch", few, [source])),
        Case("ablate, all four metrics, 1,000 samples", distances, most=2),
    ]
    yield compare("Histogram distances, samples a second", "samples", cases)
    cases = [
        Case("longest common run of pitches, exact, 20 samples", lambda: naive_copies(few, [source])),
        Case(
            "ablate, memorization.longest, 1,000 samples",
            lambda: _measured("memorization.longest", samples, [source]),
            most=10,
        ),
    ]
    yield compare(f"Copied passages, samples of {NOTES_IN_SAMPLE} notes", "samples", cases, rounds=3)
    cases = []
    for notes in (450, 900, 1800, 3600):
        own = [copying(seed, source, notes) for seed in range(20)]
        cases.append(Case(f"{notes} notes a sample", lambda o=own: notes_of(o, [source])))
    yield compare("Copied passages, by the notes of a sample", "notes", cases, rounds=3)
    cases = []
    for pieces in (1, 10, 50):
        reference = [made_piece(seed, 3000, 36, 96) for seed in range(pieces)]
        own = [copying(seed, reference[0], NOTES_IN_SAMPLE) for seed in range(20)]
        cases.append(Case(f"{3000 * pieces:,} notes of reference", lambda o=own, r=reference: notes_of(o, r)))
    yield compare("Copied passages, by the notes of the reference (index and 20 samples)", "notes", cases, rounds=3)
    yield likelihoods()


def notes_of(samples: Sequence[Performance], reference: Sequence[Performance]) -> float:
    """Measure, and count notes instead of samples."""
    _measured("memorization.longest", samples, reference)
    return float(sum(map(len, samples)))
