"""Ways of training and sampling many models on a GPU, those that are kept and those that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from material import recipe
from torch.nn import functional

from ablate.engine.fusion.cuda_graph import WARMUP_RUNS, graph_recorder
from ablate.engine.fusion.trainer import FusedTrainer
from ablate.engine.training.job import CHECK_EVERY, TrainingJob, TrainingSeeds
from ablate.engine.training.start import load_start
from ablate.engine.training.windows import Example
from ablate.registry import get_registry
from ablate.settings import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench_gpu import Size

VOCABULARY = 240
#: Optimiser steps of one round, one after another.
STEPS = 5
#: Of a whole training, of which a few steps are timed; windows and learning rates are computed before the first.
LENGTH = 1000


def random_tokens(count: int = 20_000) -> np.ndarray[Any, Any]:
    """Something to learn."""
    return np.random.default_rng(0).integers(0, VOCABULARY, count)


def build(size: Size, seed: int) -> Any:
    """Our LSTM of that size."""
    spec = get_registry().spec("model", "lstm")
    torch.manual_seed(seed)
    options = {"embedding": size.hidden, "hidden": size.hidden, "layers": size.layers}
    return spec.build(spec.parse(options), VOCABULARY, [])


class HalfLSTM(torch.nn.Module):
    """Embedding, single layers in float16, which is what cuDNN has a persistent kernel for, linear projection."""

    def __init__(self, vocabulary: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, hidden)
        self.layers = torch.nn.ModuleList(torch.nn.LSTM(hidden, hidden, batch_first=True) for _ in range(layers))
        self.projection = torch.nn.Linear(hidden, vocabulary)
        self.half()

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Logits [rows, time, vocabulary]."""
        hidden = self.embedding(tokens)
        for layer in self.layers:
            hidden, _ = layer(hidden)
        return self.projection(hidden), None


class Loop:
    """The usual loop around one model, its windows cut on the device, its loss read once a round."""

    def __init__(self, model: Any, size: Size, device: str, *, bf16: bool = False) -> None:
        self.model, self._size, self._bf16 = model.to(device), size, bf16
        self._data = torch.from_numpy(random_tokens()).to(device)
        self._reach = torch.arange(size.window + 1, device=device)
        self._adam = torch.optim.Adam(self.model.parameters(), 1e-4, fused=True, capturable=device == "cuda")
        self._device = device
        self.loss = torch.zeros((), device=device)

    def step(self) -> None:
        """One optimiser step."""
        starts = torch.randint(len(self._data) - self._size.window, (self._size.rows, 1), device=self._device)
        windows = self._data[starts + self._reach]
        with torch.autocast(self._device, torch.bfloat16, enabled=self._bf16, cache_enabled=False):
            logits, _ = self.model(windows[:, :-1])
        loss = functional.cross_entropy(logits.float().flatten(0, 1), windows[:, 1:].flatten())
        self._adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self._adam.step()
        self.loss = loss.detach()

    def steps(self) -> float:
        """Some steps; returns the tokens seen."""
        for _ in range(STEPS):
            self.step()
        float(self.loss)  # waits for the device
        return float(STEPS * self._size.rows * self._size.window)


class Branches:
    """Many models of single fp16 layers, each on a stream of its own, all in one CUDA graph."""

    def __init__(self, size: Size, models: int, device: str) -> None:
        self._loops = [Loop(HalfLSTM(VOCABULARY, size.hidden, size.layers), size, device) for _ in range(models)]
        self._streams = [torch.cuda.Stream() for _ in range(models)]
        self._tokens = STEPS * models * size.rows * size.window
        recorder = graph_recorder(torch.device(device))
        for _ in range(WARMUP_RUNS):
            recorder.run(self._all)
        self._replay = recorder.record(self._all, ())

    def _all(self) -> None:
        main = torch.cuda.current_stream()
        for loop, stream in zip(self._loops, self._streams, strict=True):
            stream.wait_stream(main)
            with torch.cuda.stream(stream):
                loop.step()
        for stream in self._streams:
            main.wait_stream(stream)

    def steps(self) -> float:
        """Some steps of all of them."""
        for _ in range(STEPS):
            self._replay()
        torch.cuda.synchronize()
        return float(self._tokens)


def jobs(size: Size, models: int) -> list[TrainingJob]:
    """Trainings of that number of models of that size, in bf16."""
    training = TrainingSettings(LENGTH, batch=size.rows, window=size.window, precision="bf16")
    example = [Example(random_tokens())]
    adam = recipe()
    return [
        TrainingJob(lambda seed=seed: build(size, seed), example, [], training, TrainingSeeds(seed, 1, 2, 3), adam)
        for seed in range(models)
    ]


class Fused:
    """Models trained as one by the engine."""

    def __init__(self, size: Size, models: int, device: str, *, recorded: bool = True) -> None:
        self._size, self._models = size, models
        gpu = device == "cuda"
        before = torch.cuda.memory_allocated() if gpu else 0
        if gpu:
            torch.cuda.reset_peak_memory_stats()
        self._trainer = FusedTrainer([load_start(job) for job in jobs(size, models)], torch.device(device))
        if not recorded:
            self._trainer._steps._recorded_step = lambda step, streams: step()
        self.steps()
        self.memory = torch.cuda.max_memory_allocated() - before if gpu else 0

    def step(self) -> None:
        """One step, its kernels launched one by one."""
        self._trainer._steps._windows.load(0, 1)
        self._trainer._steps._train_step()

    def steps(self) -> float:
        """The steps between two checks of the losses."""
        since = self._trainer._step
        self._trainer._step += self._trainer._steps.run(since, CHECK_EVERY, lambda: False)
        self._trainer._check_losses(since)
        return float(CHECK_EVERY * self._models * self._size.rows * self._size.window)


def eager_rows(models: Sequence[Any], rows: int, tokens: int, device: str) -> float:
    """The usual way to sample a batch: one call of the network a token, ``torch.multinomial``, model after model."""
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
        for model in models:
            state, token = None, torch.zeros(rows, 1, dtype=torch.int64, device=device)
            for _ in range(tokens):
                logits, state = model(token, [], state)
                token = torch.multinomial(torch.softmax(logits[:, -1].float(), -1), 1)
            float(token.sum())  # waits for the device
    return float(len(models) * rows * tokens)
