"""Training on a CPU: one process a core in bf16, against one model after another in float32."""

from __future__ import annotations

import concurrent.futures as cf
import functools
import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from harness import Case, Table, compare, threads
from limits import gemm_rate
from material import recipe
from naive import NaiveLSTM, naive_training

from ablate.engine.devices import cores
from ablate.engine.training.job import TrainingJob, TrainingSeeds
from ablate.engine.training.train import train
from ablate.engine.training.windows import Example
from ablate.registry import get_registry
from ablate.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES = cores()
VOCABULARY, TOKENS = 240, 20_000
BATCH, WINDOW = 16, 128


def _data() -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, VOCABULARY, TOKENS)


def _build(size: tuple[int, int, int]) -> Any:
    spec = get_registry().spec("model", "lstm")
    embedding, hidden, layers = size
    options = {"embedding": embedding, "hidden": hidden, "layers": layers}
    return spec.build(spec.parse(options), VOCABULARY, [])


def naively(size: tuple[int, int, int], models: int, steps: int, count: int) -> float:
    """One model after another; returns the tokens seen."""
    with threads(count):
        for seed in range(models):
            torch.manual_seed(seed)
            naive_training(NaiveLSTM(VOCABULARY, *size), _data(), steps, BATCH, WINDOW)
    return float(models * steps * BATCH * WINDOW)


def engine(size: tuple[int, int, int], seed: int, steps: int, precision: str, count: int = 1) -> float:
    """One model, as a study's worker trains it."""
    settings = TrainingSettings(steps=steps, batch=BATCH, window=WINDOW, precision=precision)  # type: ignore[arg-type]
    seeds = TrainingSeeds(seed, seed, seed, seed)
    with threads(count):
        train([TrainingJob(functools.partial(_build, size), [Example(_data())], [], settings, seeds, recipe())])
    return float(steps * BATCH * WINDOW)


def _pooled(pool: cf.ProcessPoolExecutor, size: tuple[int, int, int], steps: int, precision: str) -> float:
    jobs = [pool.submit(engine, size, seed, steps, precision) for seed in range(CORES)]
    return sum(job.result() for job in jobs)


def tables() -> Iterator[Table]:
    """A table for each size of network."""
    spawn = multiprocessing.get_context("spawn")
    with cf.ProcessPoolExecutor(CORES, spawn) as pool:
        for size, steps in (((128, 256, 1), 30), ((256, 256, 2), 20), ((512, 512, 2), 8)):
            embedding, hidden, layers = size
            cases = [
                Case(f"naive loop, fp32, {CORES} threads", lambda s=size, n=steps: naively(s, 1, n, CORES)),
                Case("naive loop, fp32, 1 thread", lambda s=size, n=steps: naively(s, 1, n, 1)),
                Case(f"engine, fp32, {CORES} threads", lambda s=size, n=steps: engine(s, 0, n, "fp32", CORES)),
                Case("engine, fp32, 1 thread", lambda s=size, n=steps: engine(s, 0, n, "fp32")),
                Case("engine, bf16, 1 thread", lambda s=size, n=steps: engine(s, 0, n, "bf16")),
                Case(f"{CORES} processes, fp32", lambda s=size, n=steps: _pooled(pool, s, n, "fp32")),
                Case(f"{CORES} processes, bf16", lambda s=size, n=steps: _pooled(pool, s, n, "bf16"), target=1.5),
            ]
            inputs = embedding + (layers - 1) * hidden
            products = 4 * hidden * (inputs + layers * hidden) + hidden * VOCABULARY
            flops = 3 * 2 * products  # forward, and twice as much backward
            notes = [
                f"limit in {p}, {CORES} threads: {gemm_rate(p, CORES) / flops:,.0f} tokens/s "
                f"({flops / 1e6:.1f} MFLOP a token, {gemm_rate(p, CORES) / 1e9:,.0f} GFLOP/s measured)"
                for p in ("fp32", "bf16")
            ]
            title = f"Training an LSTM of {layers} x {hidden} (embedding {embedding}), {BATCH} windows of {WINDOW}"
            yield compare(title, "tokens", cases, notes=notes)
