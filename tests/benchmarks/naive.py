"""What people do today, in small: the baselines of the benchmarks. Faithful, and nothing in them is slow on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

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


class NaiveGRU(torch.nn.Module):
    """The same with ``nn.GRU``."""

    def __init__(self, vocabulary: int, embedding: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.gru = torch.nn.GRU(embedding, hidden, layers, batch_first=True)
        self.projection = torch.nn.Linear(hidden, vocabulary)

    def forward(self, tokens: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        output, state = self.gru(self.embedding(tokens), state)
        return self.projection(output), state


class NaiveGPT(torch.nn.Module):
    """A small GPT-2 with rotary positions around torch's own attention."""

    def __init__(self, vocabulary: int, embedding: int, layers: int, heads: int) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.layers = torch.nn.ModuleList(NaiveLayer(embedding, heads, layers) for _ in range(layers))
        self.norm = torch.nn.LayerNorm(embedding)
        self.projection = torch.nn.Linear(embedding, vocabulary)
        torch.nn.init.normal_(self.projection.weight, std=0.02)
        torch.nn.init.zeros_(self.projection.bias)

    def forward(self, tokens: torch.Tensor) -> tuple[torch.Tensor, None]:
        hidden = 0.02 * self.embedding(tokens)  # as small as in GPT-2
        for layer in self.layers:
            hidden = layer(hidden)
        return self.projection(self.norm(hidden)), None


class NaiveLayer(torch.nn.Module):
    """Attention and a feedforward network, norms before both."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.feedforward_norm = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.spread, self.gather = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.widen, self.narrow = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)
        for part, std in ((self.spread, 1), (self.widen, 1), (self.gather, 2 * layers), (self.narrow, 2 * layers)):
            torch.nn.init.normal_(part.weight, std=0.02 / std**0.5)
            torch.nn.init.zeros_(part.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        parts = self.spread(self.attention_norm(hidden)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts
        mixed = functional.scaled_dot_product_attention(turned(query), turned(key), value, is_causal=True)
        hidden = hidden + self.gather(mixed.transpose(1, 2).flatten(2))
        return hidden + self.narrow(functional.gelu(self.widen(self.feedforward_norm(hidden))))


def turned(heads: torch.Tensor) -> torch.Tensor:
    """Return queries or keys [rows, heads, time, size] with their pairs rotated by their positions."""
    time, size = heads.shape[-2:]
    angle = torch.arange(time)[:, None] * 10_000.0 ** (-torch.arange(0, size, 2) / size)
    x, y = heads.chunk(2, dim=-1)
    return torch.cat([x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos()], dim=-1)


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


class Recipe(NamedTuple):
    """The numbers of :func:`naive_recipe`, named as in a study file."""

    steps: int
    batch: int
    window: int
    learning_rate: float
    warmup: int
    weight_decay: float
    validate_every: int
    patience: int


def naive_recipe(
    model: Any, training: list[torch.Tensor], validation: list[torch.Tensor], recipe: Recipe
) -> tuple[float, int, int]:
    """AdamW, linear warm-up, cosine, validation, early stopping; the best weights are kept.

    ``training`` and ``validation`` are the tokens of each piece, int64 [time].

    Returns:
        The smallest validation loss in nats per token, its step, and the steps trained.
    """
    steps, batch, window, learning_rate, warmup, weight_decay, validate_every, patience = recipe
    decayed = [p for n, p in model.named_parameters() if p.dim() > 1 and "embedding" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() == 1 or "embedding" in n]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}], learning_rate
    )
    rise = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])
    lengths = torch.tensor([max(len(tokens) - window, 1) for tokens in training], dtype=torch.float)
    best, best_step, kept, worse = float("inf"), 0, {}, 0
    for step in range(1, steps + 1):
        rows = []
        for piece in torch.multinomial(lengths, batch, replacement=True).tolist():
            start = int(torch.randint(len(training[piece]) - window, ()))
            rows.append(training[piece][start : start + window + 1])
        tokens = torch.stack(rows)
        logits, _ = model(tokens[:, :-1])
        loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % validate_every == 0:
            now = naive_validation(model, validation, window)
            if now < best:
                best, best_step, worse = now, step, 0
                kept = {name: weight.clone() for name, weight in model.state_dict().items()}
            else:
                worse += 1
            if worse == patience:
                break
    model.load_state_dict(kept)
    return best, best_step, step


def naive_validation(model: Any, pieces: list[torch.Tensor], window: int, rows: int = 32) -> float:
    """Return the mean cross entropy over all tokens of the pieces, read in windows, ``rows`` at once."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for tokens in pieces:
            whole = (len(tokens) - 1) // window * window
            inputs, targets = tokens[:whole].view(-1, window), tokens[1 : whole + 1].view(-1, window)
            batches = [
                *zip(inputs.split(rows), targets.split(rows), strict=True),
                (tokens[None, whole:-1], tokens[None, whole + 1 :]),
            ]
            for read, wanted in batches:
                if wanted.numel():
                    logits, _ = model(read)
                    total += functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), reduction="sum").item()
                    count += wanted.numel()
    model.train()
    return total / count


_SHIFTS = [1.15**i / 65 for i in range(32)]
_VELOCITIES = list(np.arange(21, 109, 88 / 31))


def naive_tokens(performance: Performance) -> list[int]:
    """The 240-token encoding, note by note in Python, as public implementations have it."""
    events: list[tuple[float, int, int]] = []
    for note in sorted(performance.notes.tolist(), key=lambda each: each[2]):
        pitch, velocity, start, end, *_ = note
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
