"""What people do today, in small: the baselines of the benchmarks. Faithful, and nothing in them is slow on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

if TYPE_CHECKING:
    from ablate.music.performance import Performance


class NaiveLSTM(torch.nn.Module):
    """Embedding, ``nn.LSTM``, linear projection."""

    def __init__(self, vocabulary: int, embedding: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.lstm = torch.nn.LSTM(embedding, hidden, layers, batch_first=True)
        self.projection = torch.nn.Linear(hidden, vocabulary)

    def forward(self, tokens: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        output, state = self.lstm(self.embedding(tokens), state)
        return self.projection(output), state


def naive_sampling(model: NaiveLSTM, tokens: int, temperature: float = 1.0) -> list[int]:
    """The usual loop: one sequence, one token a step, ``torch.multinomial`` and ``.item()``."""
    model.eval()
    made, state = [], None
    token = torch.zeros(1, 1, dtype=torch.int64)
    with torch.no_grad():
        for _ in range(tokens):
            logits, state = model(token, state)
            probabilities = torch.softmax(logits[0, -1] / temperature, dim=-1)
            token = torch.multinomial(probabilities, 1)[None]
            made.append(int(token.item()))
    return made


def naive_steps(model: Any, tokens: int) -> int:
    """The same loop around any ``LanguageModel``, its state handed on."""
    state, made = None, 0
    token = torch.zeros(1, 1, dtype=torch.int64)
    with torch.no_grad():
        for _ in range(tokens):
            logits, state = model(token, [], state)
            token = torch.multinomial(torch.softmax(logits[0, -1], dim=-1), 1)[None]
            made += int(token.item()) >= 0
    return made


def naive_training(
    model: NaiveLSTM, data: np.ndarray[Any, Any], steps: int, batch: int, window: int, learning_rate: float = 3e-3
) -> float:
    """The usual loop: float32, a batch of random windows cut one by one, Adam, gradients clipped, ``loss.item()``."""
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    loss_now = 0.0
    for _ in range(steps):
        starts = np.random.default_rng().integers(0, len(data) - window - 1, batch)
        inputs = torch.stack([torch.from_numpy(data[i : i + window]).long() for i in starts])
        targets = torch.stack([torch.from_numpy(data[i + 1 : i + window + 1]).long() for i in starts])
        logits, _ = model(inputs)
        loss = functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss_now = float(loss.item())
    return loss_now


_SHIFTS = [1.15**i / 65 for i in range(32)]
_VELOCITIES = list(np.arange(21, 109, 88 / 31))


def naive_tokens(performance: Performance) -> list[int]:
    """The 240-token encoding, note by note in Python, as public implementations have it."""
    events: list[tuple[float, int, int]] = []
    for note in sorted(performance.notes.tolist(), key=lambda each: each[2]):
        pitch, velocity, start, end = note
        if 21 <= pitch <= 108:
            events.append((start, 1, min(max(velocity, 21), 108)))
            events.append((start, 2, pitch - 21))
            events.append((end, 3, pitch - 21))
    events.sort(key=lambda each: each[0])
    tokens = []
    for i, (when, kind, value) in enumerate(events):
        if kind == 1:
            tokens.append(176 + int(np.searchsorted(_VELOCITIES, value)))
        else:
            tokens.append(value if kind == 2 else 88 + value)
        if i + 1 < len(events):
            interval, shifted = events[i + 1][0] - when, 0.0
            while interval - shifted >= _SHIFTS[0]:
                place = int(np.searchsorted(_SHIFTS, interval - shifted, side="right")) - 1
                tokens.append(208 + place)
                shifted += _SHIFTS[place]
    return tokens
