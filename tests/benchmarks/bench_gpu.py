"""Fused models on a GPU, against one model after another; without a CUDA device nothing is measured."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from gpu_ways import Branches, Fused, HalfLSTM, Loop, build, eager_rows
from harness import Case, Table, compare
from limits import copy_rate
from naive import NaiveLSTM

from ablate.engine.devices import Compute, product_rate
from ablate.engine.generation.generate import generate
from ablate.engine.generation.row import Row
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VOCABULARY = 240
MODELS = (1, 4, 20, 100)
#: More models than these are not trained one after another: the rate would be the same.
ALONE = 4
SAMPLED = 200


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


ORIGINAL, LARGE = Size(256, 3, 1, 200), Size(512, 2, 64, 200)


def tables(device: str = "cuda") -> Iterator[Table]:
    """Training for each size and number of models, a profile of one step, and generation."""
    if device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device here: the group 'gpu' measures nothing")
        return
    for size in (ORIGINAL, LARGE):
        for models in MODELS:
            yield training(size, models, device)
    yield profile(LARGE, 20, device)
    for rows in (64, 960, 10_000):
        yield sampling(LARGE, 20, rows, device)


def training(size: Size, models: int, device: str, rounds: int = 3) -> Table:
    """Each way of training so many models, in tokens a second of all of them."""
    alone = min(models, ALONE)
    naive = [Loop(NaiveLSTM(VOCABULARY, size.hidden, size.hidden, size.layers), size, device) for _ in range(alone)]
    autocast = [Loop(loop.model, size, device, bf16=True) for loop in naive]
    half = [Loop(HalfLSTM(VOCABULARY, size.hidden, size.layers), size, device) for _ in range(alone)]
    large = size == LARGE
    kept = Fused(size, models, device)
    cases = [
        Case("one after another, nn.LSTM in fp32", lambda: _each(naive)),
        Case("one after another, nn.LSTM in bf16", lambda: _each(autocast)),
        Case("one after another, single layers in fp16 (cuDNN, persistent where it can)", lambda: _each(half)),
        *_tried(models, size, device),
    ]
    wanted = {20: 4.0 if large else 8.0}.get(models, 0.0)
    cases.append(Case("fused, recorded (kept)", kept.steps, target=wanted))
    table = compare(f"Training {models} LSTM{'s' * (models > 1)} of {size}", "tokens", cases, rounds=rounds)
    rate, flops = product_rate(device, "bf16"), 6 * size.weights
    fp16, fused = table.rows[2].rate, table.rows[-1].rate
    table.notes += [
        (
            f"limit by arithmetic in bf16: {rate / flops:,.0f} tokens/s ({rate / 1e12:,.1f} TFLOP/s measured, "
            f"{flops / 1e6:.1f} MFLOP a token); the fused models reach {fused * flops / rate:.1%} of it"
        ),
        f"fused models: {fused / fp16:.2f} times single layers in fp16{' (target 1.5)' if large and wanted else ''}",
        f"memory of the fused models: {kept.memory / 2**30:.2f} GiB",
    ]
    return table


def _tried(models: int, size: Size, device: str) -> Iterator[Case]:
    """Ways that are not kept, those of them that fit into the memory beside the others."""
    if device == "cuda":  # only a GPU has graphs
        with contextlib.suppress(RuntimeError):
            yield Case("single layers in fp16, a branch of one CUDA graph each", Branches(size, models, device).steps)
    with contextlib.suppress(torch.OutOfMemoryError):
        yield Case("fused, kernels launched one by one", Fused(size, models, device, recorded=False).steps)
    with contextlib.suppress(torch.OutOfMemoryError), torch.compiler.set_stance("force_eager"):
        # recorded in here, and played out there
        yield Case("fused, recorded, gates not compiled", Fused(size, models, device).steps)


def _each(loops: list[Loop]) -> float:
    return sum(loop.steps() for loop in loops)


def profile(size: Size, models: int, device: str) -> Table:
    """Where the time of one training step goes, by kind of kernel."""
    trainer = Fused(size, models, device, recorded=False)
    trainer.steps()
    activity = torch.profiler.ProfilerActivity.CUDA if device == "cuda" else torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity]) as seen:
        trainer.step()
    spent: dict[str, float] = {}
    for event in seen.key_averages():
        took = event.self_device_time_total if device == "cuda" else event.self_cpu_time_total
        spent[_kind(event.key)] = spent.get(_kind(event.key), 0.0) + took
    total = sum(spent.values())
    parts = [f"{kind}: {took / total:.0%}" for kind, took in sorted(spent.items(), key=lambda each: -each[1])]
    case = Case("a training step, kernels launched one by one", trainer.steps)
    return compare(f"One step of {models} LSTMs of {size}", "tokens", [case], rounds=2, notes=parts)


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


def sampling(size: Size, models: int, rows: int, device: str, tokens: int = SAMPLED, rounds: int = 3) -> Table:
    """Rows of all models, spread evenly over them."""
    networks = [build(size, seed).to(device).eval() for seed in range(models)]
    temperature = get_registry().spec("sampler", "temperature")
    tokenizer = _built_tokenizer()
    each = [
        Row(i % models, ((temperature, temperature.parse({"tau": 0.8 + i % 5 / 10})),), tokens, i) for i in range(rows)
    ]

    def made(precision: str, *, fused: bool) -> Callable[[], float]:
        compute = Compute(device, precision, fused=fused)
        return lambda: float(
            sum(map(len, generate(networks, each, tokenizer=tokenizer, conditioners=[], compute=compute) or []))
        )

    few = min(models, ALONE)
    cases = [
        Case(
            "eager, model by model: nn.LSTM in bf16, multinomial",
            lambda: eager_rows(networks[:few], -(-rows // models), tokens, device),
        ),
        Case("rows of each model by itself, fp32", made("fp32", fused=False)),
        Case("one recorded step for all rows, fp32", made("fp32", fused=True)),
        Case("one recorded step for all rows, bf16 (kept)", made("bf16", fused=True), target=20.0 * (rows == 960)),
    ]
    if rows > 2000:
        del cases[1]  # minutes
    table = compare(f"Generating {rows:,} rows of {models} LSTMs of {size}", "tokens", cases, rounds=rounds)
    read = 2 * models * size.weights + rows * size.layers * size.hidden * 2 * (2 + 4)
    traffic = copy_rate(device, 256 if device == "cuda" else 8)
    limit = traffic / read * rows
    table.notes.append(
        f"limit by traffic: {limit:,.0f} tokens/s (weights and states {read / 2**20:,.0f} MiB a step, "
        f"{traffic / 1e9:,.0f} GB/s measured); reached {table.rows[-1].rate / limit:.1%}; "
        f"target at 960 rows: 5 million tokens/s"
    )
    return table


def _built_tokenizer() -> Any:
    spec = get_registry().spec("tokenizer", "midilike-classic")
    return spec.build(spec.parse({}))
