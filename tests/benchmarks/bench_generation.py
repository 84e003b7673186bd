"""Generation: rows that share the steps of a network, against one sequence at a time."""

from __future__ import annotations

import concurrent.futures as cf
import functools
import multiprocessing
import time
from typing import TYPE_CHECKING, Any

import torch
from harness import Case, Table, compare, threads
from limits import bandwidth, gemm_rate
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
#: Tokens of a row of the other networks: most of them attend to the whole context.
OTHER_TOKENS = 300


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
    """Other networks.

    The naive loops have one thread. With two, each of the hundred small operations of a token waits for both of them,
    and where anything else runs on one core, a wait lasts until the scheduler comes back: the same loop then makes a
    tenth of the tokens, or not, from one round to the next.
    """
    cases = []
    for model in ("transformer", "gru"):
        network, _, _ = _parts(model, 0)

        def loop(own: Any = network) -> float:
            with threads(1):
                return float(naive_steps(own, NAIVE_TOKENS))

        cases.append(Case(f"{model}, naive loop, fp32, 1 thread", loop))
        cases += [
            Case(f"{model}, {rows} rows, 1 process", functools.partial(sample, model, 1, rows, OTHER_TOKENS, "bf16"))
            for rows in (8, 32, 128)
        ]
    notes = [_transformer_limit(rows) for rows in (8, 32, 128)]
    title = "Other networks, one thread, in CPU seconds; ratios are to the transformer's naive loop"
    return compare(title, "tokens", cases, notes=notes, clock=time.process_time)


def _transformer_limit(rows: int) -> str:
    """The limit of a step of the transformer: its arithmetic, or weights read once, and then keys and values read."""
    options = _parts("transformer", 0)[0].options
    width, layers = options.embedding, options.layers
    products = layers * (4 + 2 * options.feedforward) * width**2 + 240 * width
    attended = sum(min(token + 1, options.context) for token in range(OTHER_TOKENS)) / OTHER_TOKENS
    weight_bytes, cache_bytes = 2 * products, 2 * 2 * layers * width * attended * rows
    seconds = max(2 * products * rows / gemm_rate("bf16", 1), weight_bytes / bandwidth(weight_bytes / 2**20))
    reading = cache_bytes / bandwidth(cache_bytes / 2**20)
    return (
        f"limit of the transformer, {rows} rows: {rows / (seconds + reading):,.0f} tokens/s "
        f"({2 * products / 1e6:.1f} MFLOP a token, {weight_bytes / 1e6:.0f} MB of weights, "
        f"{cache_bytes / 1e6:.0f} MB of keys and values a step at {cache_bytes / reading / 1e9:.0f} GB/s)"
    )
