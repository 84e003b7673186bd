"""Generation: rows that share the steps of a network, against one sequence at a time."""

from __future__ import annotations

import concurrent.futures as cf
import functools
import multiprocessing
from typing import TYPE_CHECKING, Any

import torch
from harness import Case, Table, compare, threads
from limits import gemm_rate
from naive import NaiveLSTM, naive_sampling, naive_steps

from ablate.engine.devices import Compute, cores
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

CORES = cores()
SIZE = {"embedding": 512, "hidden": 512, "layers": 2}
NAIVE_TOKENS = 300


@functools.cache
def _parts(model: str, seed: int) -> tuple[Any, Any, Any]:
    registry = get_registry()
    tokenizer = _built("tokenizer", "midilike-classic")
    spec = registry.spec("model", model)
    torch.manual_seed(seed)
    options = SIZE if model != "transformer" else {"embedding": 512, "layers": 2}
    network = spec.build(spec.parse(options), len(tokenizer.vocabulary), []).eval()
    return network, tokenizer, registry.spec("sampler", "temperature")


def _built(kind: str, name: str) -> Any:
    spec = get_registry().spec(kind, name)
    return spec.build(spec.parse({}))


def sample(model: str, models: int, rows: int, tokens: int, precision: str, first: int = 0, count: int = 1) -> float:
    """Generate with one thread, as a study's worker does, or several for one alone; returns the tokens made."""
    made = 0
    with threads(1):
        for seed in range(first, first + models):
            network, tokenizer, temperature = _parts(model, seed)
            chain = ((temperature, temperature.parse({"tau": 1.0})),)
            each = [Row(0, chain, tokens, index) for index in range(rows)]
            compute = Compute(precision=precision, threads=count)
            tokens_of = generate([network], each, tokenizer=tokenizer, conditioners=[], compute=compute)
            made += sum(map(len, tokens_of or []))
    return float(made)


def _spread(pool: cf.ProcessPoolExecutor, model: str, models: int, rows: int, tokens: int) -> float:
    """Models, or the rows of a single one, over processes of one thread."""
    if models == 1:
        jobs = [pool.submit(sample, model, 1, rows // CORES, tokens, "bf16") for _ in range(CORES)]
    else:
        jobs = [pool.submit(sample, model, 1, rows, tokens, "bf16", seed) for seed in range(models)]
    return sum(job.result() for job in jobs)


def tables() -> Iterator[Table]:
    """The group's tables."""
    torch.manual_seed(0)
    naive = NaiveLSTM(240, **SIZE)

    def loop() -> float:
        return float(len(naive_sampling(naive, NAIVE_TOKENS)))

    def naively(count: int) -> float:
        with threads(count):
            return loop()

    spawn = multiprocessing.get_context("spawn")
    with cf.ProcessPoolExecutor(CORES, spawn) as pool:
        lstm = functools.partial(sample, "lstm", 1)
        cases = [
            Case(f"naive loop, fp32, {CORES} threads", lambda: naively(CORES)),
            Case("naive loop, fp32, 1 thread", lambda: naively(1)),
            Case(f"1 row, bf16, {CORES} threads", lambda: lstm(1, 2000, "bf16", count=CORES), target=12),
            Case("1 row, bf16, 1 thread", lambda: lstm(1, 2000, "bf16")),
            Case(f"1 row, fp32, {CORES} threads", lambda: lstm(1, 2000, "fp32", count=CORES)),
            Case("8 rows, bf16, 1 process", lambda: lstm(8, 200, "bf16")),
            Case("64 rows, bf16, 1 process", lambda: lstm(64, 100, "bf16")),
            Case("64 rows, fp32, 1 process", lambda: lstm(64, 100, "fp32")),
            Case("256 rows, bf16, 1 process", lambda: lstm(256, 60, "bf16")),
            Case(f"256 rows, bf16, {CORES} processes", lambda: _spread(pool, "lstm", 1, 256, 100), target=85),
            Case(f"4 models x 12 rows, bf16, {CORES} processes", lambda: _spread(pool, "lstm", 4, 12, 200), target=40),
            Case(f"4 models x 48 rows, bf16, {CORES} processes", lambda: _spread(pool, "lstm", 4, 48, 100)),
        ]
        flops = 2 * (4 * 512 * 512 * 3 + 512 * 240)
        limits = [
            f"limit, {count} thread(s): {gemm_rate('bf16', count) / flops:,.0f} tokens/s "
            f"({flops / 1e6:.1f} MFLOP a token, {gemm_rate('bf16', count) / 1e9:,.0f} GFLOP/s measured in bf16)"
            for count in (1, CORES)
        ]
        yield compare("Sampling from an LSTM of 2 x 512, tokens a second", "tokens", cases, notes=limits)
        yield _by("tokens of a row", [(1, 32, tokens) for tokens in (250, 1000, 4000)])
        yield _by("rows", [(1, rows, 8000 // rows) for rows in (1, 4, 16, 64, 256)])
        yield _by("models", [(models, 12, 100) for models in (1, 2, 4, 8)])
    yield _others()


def _by(what: str, sizes: list[tuple[int, int, int]]) -> Table:
    """How the cost grows: models, rows and tokens of each case."""
    cases = [
        Case(
            f"{models} x {rows} rows x {tokens} tokens",
            lambda m=models, r=rows, t=tokens: sample("lstm", m, r, t, "bf16"),
        )
        for models, rows, tokens in sizes
    ]
    return compare(f"The same network in one process, by {what}", "tokens", cases, rounds=3)


def _others() -> Table:
    """Other networks: one with a stepper of its own, and one that is stepped as it is."""
    cases = []
    for model, count in (("transformer", 100), ("gru", 200)):
        network, _, _ = _parts(model, 0)

        def loop(own: Any = network, tokens: int = count) -> float:
            with threads(CORES):
                return float(naive_steps(own, tokens))

        cases.append(Case(f"{model}, naive loop, fp32, {CORES} threads", loop))
        cases += [
            Case(f"{model}, {rows} rows, 1 process", functools.partial(sample, model, 1, rows, 60, "bf16"))
            for rows in (8, 32, 256)
        ]
    return compare("Other networks; ratios are to the transformer's naive loop", "tokens", cases, rounds=3)
