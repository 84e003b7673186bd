"""A whole study: ``ablate study run tau_sweep``, and what it asks done the naive way."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from harness import Case, Table, once, threads
from naive import NaiveLSTM, naive_sampling, naive_training

from ablate.engine.devices import cores
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

STUDY = Path(__file__).parents[2] / "studies/tau_sweep.toml"
CORES = cores()
#: The size that has been timed from the start; the shipped study has one training fewer and more samples.
REPLICATES, SAMPLES = 8, 4


def naively() -> float:
    """Each replicate alone in float32, each sample alone; measured by the same metrics, and nothing kept or drawn."""
    study = tomllib.loads(STUDY.read_text(encoding="utf-8"))
    training, generation, model = study["training"], study["generation"], study["model"]["lstm"]
    (piece,) = _built("corpus", "bach-prelude").load()
    tokenizer = _built("tokenizer", "midilike-classic")
    metrics = [_built("metric", name) for name in study["metric"]]
    data = tokenizer.encode(piece)
    runs = 0
    with threads(CORES):
        for replicate in range(REPLICATES):
            torch.manual_seed(replicate)
            network = NaiveLSTM(len(tokenizer.vocabulary), **model)
            sizes = (training["steps"], training["batch"], training["window"], training["learning_rate"])
            naive_training(network, data, *sizes)
            for tau in study["axes"]["sampler"]["temperature"]["tau"]:
                for _ in range(SAMPLES):
                    tokens = np.array(naive_sampling(network, generation["tokens"], tau))
                    sample = tokenizer.decode(tokens)
                    for metric in metrics:
                        metric.measure(sample, [piece])
                runs += 1
    return float(runs)


def _built(kind: str, name: str) -> Any:
    spec = get_registry().spec(kind, name)
    return spec.build(spec.parse({}))


def commanded(*more: str) -> float:
    """The whole command in an empty folder, its floors, statistics and report included."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(Path(sys.executable).with_name("ablate")), "study", "run", "tau_sweep", "--yes", *more]
        words += ["--replicates", str(REPLICATES), "--set", f"generation.samples={SAMPLES}"]
        subprocess.run(words, check=True, capture_output=True, cwd=folder)
    return 40.0


def tables() -> Iterator[Table]:
    """The group's table; it takes a quarter of an hour."""
    cases = [
        Case(f"naive: one model, one row at a time, fp32, {CORES} threads", naively),
        Case("ablate study run tau_sweep --workers 1", lambda: commanded("--workers", "1")),
        Case("ablate study run tau_sweep", commanded, target=3),
    ]
    yield once("tau_sweep with 8 trainings, 40 runs, 160 samples of 2,400 tokens", "runs", cases)
