"""Generation on rows: many samples of many variants share each step of the network.

Rows are stepped in blocks of exactly :data:`BLOCK` rows (the last one filled up with idle rows), because a matrix
product may round differently for another number of rows. So a row's tokens do not depend, to the bit, on which rows
it was batched with; this holds on a CPU with one thread, where a row's result does not depend on its place in a
product of fixed shape (a test asserts it for our models). Each row has its own stream of uniform numbers.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.interfaces import Conditioner, IntArray, Sampler, Tokenizer
    from ablate.specs import SamplerSpec

BLOCK = 32


@dataclasses.dataclass(frozen=True)
class Row:
    """One sample to generate.

    Attributes:
        member: which of the models it belongs to.
        chain: the samplers in order, each with this row's options.
        tokens: how many new tokens to generate.
        seed: of the row's own stream of uniform numbers.
        primer: tokens to continue, int64 [time]; empty starts from the tokenizer's start token.
        labels: what the row asks of the conditioners; labels not named take the conditioner's default.
    """

    member: int
    chain: tuple[tuple[SamplerSpec, Any], ...]
    tokens: int
    seed: int
    primer: IntArray = dataclasses.field(default_factory=lambda: np.empty(0, np.int64))
    labels: Mapping[str, float] = dataclasses.field(default_factory=dict)


def generate(
    models: Sequence[Any],
    rows: Sequence[Row],
    *,
    tokenizer: Tokenizer,
    conditioners: Sequence[Conditioner],
    device: str = "cpu",
    tell: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[IntArray] | None:
    """Generate the new tokens of each row, in the order of ``rows``; None if stopped before the end.

    The primer is read once, the first new token is drawn from the prediction after its last token, and the tokens
    returned (int64 [row.tokens]) do not include it.

    Raises:
        StageError: the model's or a sampler's logits leave no token possible.
    """
    results: list[IntArray | None] = [None] * len(rows)
    blocks = _blocks(rows)
    for number, block in enumerate(blocks):
        run = _Block(models[rows[block[0]].member], [rows[i] for i in block], tokenizer, conditioners, device)
        for step in range(run.length):
            if should_stop():
                return None
            run.advance(step)
            if step % 100 == 0:
                tell(number * run.length + step, len(blocks) * run.length)
        for index, tokens in zip(block, run.tokens(), strict=True):
            results[index] = tokens
    return [tokens for tokens in results if tokens is not None]


def _blocks(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of rows in blocks of one member each."""
    by_member: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        by_member.setdefault(row.member, []).append(index)
    return [indices[i : i + BLOCK] for indices in by_member.values() for i in range(0, len(indices), BLOCK)]


class _Block:
    """Up to :data:`BLOCK` rows of one model, stepped together."""

    def __init__(
        self,
        model: Any,
        rows: Sequence[Row],
        tokenizer: Tokenizer,
        conditioners: Sequence[Conditioner],
        device: str,
    ) -> None:
        self.model, self.rows, self.tokenizer = model, rows, tokenizer
        self.conditioners, self.device = conditioners, torch.device(device)
        prompts = [row.primer if len(row.primer) else np.array([tokenizer.start_token]) for row in rows]
        self.starts = np.array([len(prompt) for prompt in prompts])
        self.length = max(len(prompt) + row.tokens for prompt, row in zip(prompts, rows, strict=True)) - 1
        known = np.zeros((BLOCK, self.length + 1), np.int64)
        for index, prompt in enumerate(prompts):
            known[index, : len(prompt)] = prompt
        self.known = torch.from_numpy(known).to(self.device)
        uniforms = np.zeros((len(rows), self.length + 1))  # column t draws the token of column t
        for index, row in enumerate(rows):
            start = self.starts[index]
            uniforms[index, start : start + row.tokens] = numpy_stream(row.seed).random(row.tokens)
        self.uniforms = torch.from_numpy(uniforms).to(self.device)
        self.starts_on_device = torch.from_numpy(self.starts).to(self.device)
        self.chains = _chains(rows, tokenizer)
        self.state: Any = None
        self.asked = [
            {label: row.labels.get(label, default) for c in conditioners for label, default in c.labels.items()}
            for row in rows
        ]

    def advance(self, step: int) -> None:
        """Read column ``step`` of every row and write column ``step + 1`` where the primer does not say it."""
        with torch.inference_mode():
            logits_rtv, self.state = self.model(self.known[:, step : step + 1], self._conditions(step), self.state)
            logits_rv = logits_rtv[: len(self.rows), -1].float()
            for indices, chain in self.chains:
                part = logits_rv[indices]
                for sampler in chain:
                    part = sampler(part, self.known[indices, : step + 1])
                logits_rv[indices] = part
            drawn = _draw(logits_rv, self.uniforms[:, step + 1, None])
            given = step + 1 < self.starts_on_device
            column = self.known[: len(self.rows), step + 1]
            column.copy_(torch.where(given, column, drawn))

    def _conditions(self, step: int) -> list[torch.Tensor]:
        if not self.conditioners:
            return []
        known = self.known[: len(self.rows), : step + 1].cpu().numpy()
        times = [self.tokenizer.times(row)[-1:] for row in known]
        conditions = []
        for conditioner in self.conditioners:
            values = np.stack([conditioner.ask(a, t) for a, t in zip(self.asked, times, strict=True)])
            idle = np.repeat(values[:1], BLOCK - len(values), axis=0)
            conditions.append(torch.from_numpy(np.concatenate([values, idle])).float().to(self.device))
        return conditions

    def tokens(self) -> list[IntArray]:
        """The new tokens of each row."""
        known = self.known.cpu().numpy()
        return [
            known[index, start : start + row.tokens].copy()
            for index, (row, start) in enumerate(zip(self.rows, self.starts, strict=True))
        ]


def _chains(rows: Sequence[Row], tokenizer: Tokenizer) -> list[tuple[torch.Tensor, list[Sampler]]]:
    """The rows of each chain of samplers, and the chain built for all of them at once."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(tuple(spec.name for spec, _ in row.chain), []).append(index)
    built = []
    for indices in groups.values():
        specs = [spec for spec, _ in rows[indices[0]].chain]
        chain = [spec.build([rows[i].chain[place][1] for i in indices], tokenizer) for place, spec in enumerate(specs)]
        built.append((torch.tensor(indices), chain))
    return built


def _draw(logits_rv: torch.Tensor, uniforms_r1: torch.Tensor) -> torch.Tensor:
    """One token a row by inverse CDF, in double precision: the first whose cumulated probability exceeds u."""
    cumulated_rv = torch.softmax(logits_rv.double(), -1).cumsum(-1)
    total_r1 = cumulated_rv[:, -1:]
    if not bool(torch.isfinite(total_r1).all()):
        raise StageError("no token is possible: the logits are not numbers, or a sampler forbids every token")
    return (cumulated_rv <= uniforms_r1 * total_r1).sum(-1).clamp(max=logits_rv.shape[1] - 1)
