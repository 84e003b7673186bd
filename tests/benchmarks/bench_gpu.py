"""Fused models on a GPU, against one model after another; without a CUDA device nothing is measured.

It is laid out for five minutes on an H200; the seconds are counted, not measured:

======================================================  ===
torch, CUDA and the first compiled function              20
networks and windows of 246 models                       15
compiling the gates of seven shapes                      50
one model after another, seven tables                    19
fused and recorded, seven tables                         25
launched one by one, 20 models                           24
gates not compiled, 20 models                            14
branches of one graph, 20 models, two processes          30
a profile                                                13
generation: three tables, their code included            40
======================================================  ===

That is 250 seconds, and 270 if both processes of branches are ended at their limit.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from gpu_branches import elsewhere
from gpu_timing import Way, by_length, one_by_one, repeated
from gpu_ways import Fused, HalfLSTM, Loop, build, eager_rows
from limits import copy_rate
from naive import NaiveLSTM

from ablate.engine.devices import Compute, product_rate
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness import Table

VOCABULARY = 240
MODELS = (1, 20, 100)
#: The number of models for which ways that are not kept are timed, too, and which the targets are for.
MAIN = 20
#: More models than these are not trained one after another: the rate would be the same.
ALONE = 4
#: Tokens of each row in generation, twice: their difference is timed.
LENGTHS, SHORT = (100, 1100), (50, 150)


@dataclasses.dataclass(frozen=True)
class Size:
    """What a step of one model is: layers of so many hidden units, and windows of so many tokens."""

    hidden: int
    layers: int
    rows: int
    window: int

    def __str__(self) -> str:
        return f"{self.layers} x {self.hidden}, {self.rows} window{'s' * (self.rows > 1)} of {self.window}"

    @property
    def weights(self) -> int:
        """Numbers that every token is multiplied with, the first layer's input being a table."""
        return 4 * self.hidden * self.hidden * (2 * self.layers - 1) + self.hidden * VOCABULARY


KEPT = "fused, recorded (kept)"
SINGLE_LAYERS = "one after another, single layers in fp16 (cuDNN, persistent where it can)"
GENERATED = "one recorded step for all rows, bf16 (kept)"
ORIGINAL, LARGE = Size(256, 3, 1, 200), Size(512, 2, 64, 200)
#: So narrow that cuDNN keeps its recurrent weights on the chip: few such models may be faster one after another.
NARROW = Size(128, 2, 1, 200)


def tables(device: str = "cuda") -> Iterator[Table]:
    """Training for each size and number of models, a profile of one step, and generation."""
    if device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: the group 'gpu' measures nothing")
        return
    for size in (ORIGINAL, LARGE):
        for models in MODELS:
            yield training(size, models, device)
    yield training(NARROW, ALONE, device)
    yield profile(LARGE, 20, device)
    for rows in (64, 960, 10_000):
        yield sampling(LARGE, 20, rows, device)


def training(size: Size, models: int, device: str, rounds: int = 3) -> Table:
    """Each way of training that number of models, in tokens a second of all of them."""
    alone, large = min(models, ALONE), size == LARGE
    memory: list[int] = []

    def naive() -> NaiveLSTM:
        return NaiveLSTM(VOCABULARY, size.hidden, size.hidden, size.layers)

    def fused(**how: bool) -> Callable[[], float]:
        trainer = Fused(size, models, device, **how)
        memory[:] = [trainer.memory]
        return trainer.steps

    def plain() -> Callable[[], float]:
        with torch.compiler.set_stance("force_eager"):
            return fused()  # recorded in here, and replayed out there

    def each(build: Callable[[], Any], **how: bool) -> Callable[[], Callable[[], float]]:
        def built() -> Callable[[], float]:
            loops = [Loop(build(), size, device, **how) for _ in range(alone)]
            return lambda: sum(loop.steps() for loop in loops)

        return built

    ways = [
        Way("one after another, nn.LSTM in fp32 (TF32, as is usual)", repeated(each(naive), rounds)),
        Way("one after another, nn.LSTM in bf16", repeated(each(naive, bf16=True), rounds)),
        Way(
            SINGLE_LAYERS,
            repeated(each(lambda: HalfLSTM(VOCABULARY, size.hidden, size.layers)), rounds),
        ),
    ]
    if models == MAIN:
        ways += [
            Way("fused, kernels launched one by one", repeated(lambda: fused(recorded=False), 1)),
            Way("fused, recorded, gates not compiled", repeated(plain, 1)),
        ]
    target = (4.0 if large else 8.0) if models == MAIN else 0.0
    ways.append(Way(KEPT, repeated(fused, rounds), target))
    if models == MAIN and device == "cuda":  # only a GPU has graphs
        name = "single layers in fp16, a branch of one CUDA graph each"
        ways.append(Way(name, lambda clock: elsewhere(size, models)))
    table = one_by_one(f"Training {models} LSTM{'s' * (models > 1)} of {size}", "tokens", ways, device)
    table.notes += _limits(size, table, device, large=large)
    if memory:
        table.notes.append(f"memory of the fused models: {memory[0] / 2**30:.2f} GiB")
    return table


def _limits(size: Size, table: Table, device: str, *, large: bool) -> Iterator[str]:
    """Yield what the fused models reach of what is possible; nothing where they could not be measured."""
    rates = {row.name: row.rate for row in table.rows}
    if KEPT not in rates:
        return
    rate, flops = product_rate(device, "bf16"), 6 * size.weights
    yield (
        f"limit by arithmetic in bf16: {rate / flops:,.0f} tokens/s ({rate / 1e12:,.1f} TFLOP/s measured, "
        f"{flops / 1e6:.1f} MFLOP a token); the fused models reach {rates[KEPT] * flops / rate:.1%} of it"
    )
    if SINGLE_LAYERS in rates:
        ratio = rates[KEPT] / rates[SINGLE_LAYERS]
        yield f"fused models: {ratio:.2f} times single layers in fp16{' (target 1.5)' if large else ''}"


def profile(size: Size, models: int, device: str) -> Table:
    """Where the time of one training step goes, by kind of kernel."""
    trainer = Fused(size, models, device, recorded=False)
    activity = torch.profiler.ProfilerActivity.CUDA if device == "cuda" else torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity]) as seen:
        trainer.step()
    spent: dict[str, float] = {}
    for event in seen.key_averages():
        took = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
        spent[_kind(event.key)] = spent.get(_kind(event.key), 0.0) + took
    total = sum(spent.values())
    parts = [f"{kind}: {took / total:.0%}" for kind, took in sorted(spent.items(), key=lambda each: -each[1])]
    way = Way("a training step, kernels launched one by one", repeated(lambda: trainer.steps, 1))
    table = one_by_one(f"One step of {models} LSTMs of {size}", "tokens", [way], device)
    table.notes += parts
    return table


def _kind(kernel: str) -> str:
    name = kernel.lower()
    kinds = {
        "products": ("gemm", "cutlass", "bmm", "xmma", "sgemm", "nvjet", "addmm", "::mm"),
        "gates": ("triton", "sigmoid", "tanh"),
        "softmax and loss": ("softmax", "nll"),
        "adam and clipping": ("adam", "norm", "foreach"),
        "copies and casts": ("copy", "memcpy", "cat", "memset", "fill"),
    }
    return next((kind for kind, parts in kinds.items() if any(part in name for part in parts)), "the rest")


def sampling(
    size: Size,
    models: int,
    rows: int,
    device: str,
    lengths: tuple[int, int] = LENGTHS,
    short: tuple[int, int] = SHORT,
    rounds: int = 3,
) -> Table:
    """Rows of all models, spread evenly over them; the slower ways generate fewer tokens."""
    networks = [build(size, seed).to(device).eval() for seed in range(models)]
    temperature = get_registry().spec("sampler", "temperature")
    tokenizer = _built_tokenizer()

    def made(precision: str, *, fused: bool) -> Callable[[int], float]:
        compute = Compute(device, precision, fused=fused)

        def run(tokens: int) -> float:
            chains = [((temperature, temperature.parse({"tau": 0.8 + i / 10})),) for i in range(5)]
            each = [Row(i % models, chains[i % 5], tokens, i) for i in range(rows)]
            found = generate(networks, each, tokenizer=tokenizer, conditioners=[], compute=compute)
            return float(sum(map(len, found or [])))

        return run

    few = networks[:ALONE]
    ways = [
        Way(
            "eager, model by model: nn.LSTM in bf16, multinomial",
            by_length(lambda tokens: eager_rows(few, -(-rows // models), tokens, device), *short, rounds=1),
        ),
        Way("rows of each model by itself, fp32", by_length(made("fp32", fused=False), *short, rounds=1)),
        Way("one recorded step for all rows, fp32", by_length(made("fp32", fused=True), *lengths, rounds=rounds)),
        Way(GENERATED, by_length(made("bf16", fused=True), *lengths, rounds=rounds), target=20.0 * (rows == 960)),
    ]
    table = one_by_one(f"Generating {rows:,} rows of {models} LSTMs of {size}", "tokens", ways, device)
    read = 2 * models * size.weights + rows * size.layers * size.hidden * 2 * (2 + 4)
    traffic = copy_rate(device, 256 if device == "cuda" else 8)
    limit = traffic / read * rows
    reached = [f"; reached {row.rate / limit:.1%}" for row in table.rows if row.name == GENERATED]
    table.notes.append(
        f"limit by traffic: {limit:,.0f} tokens/s (weights and states {read / 2**20:,.0f} MiB a step, "
        f"{traffic / 1e9:,.0f} GB/s measured){''.join(reached)}; target at 960 rows: 5 million tokens/s"
    )
    table.notes.append(
        "with conditioners or the sampler grammar every step also waits for the host, counted as 0.15 to 0.3 ms"
    )
    return table


def _built_tokenizer() -> Any:
    spec = get_registry().spec("tokenizer", "midilike-classic")
    return spec.build(spec.parse({}))
