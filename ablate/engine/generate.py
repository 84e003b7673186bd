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
from ablate.errors import NoTokenPossible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.interfaces import Conditioner, IntArray, Sampler, Tokenizer
    from ablate.specs import SamplerSpec

#: Rows that step together. More share a step better, fewer waste less on idle rows.
BLOCK = 32
#: Steps between two pieces of news.
TELL_EVERY = 100


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

    @property
    def given(self) -> int:
        """How many tokens stand before the first new one: the primer, or the start token."""
        return max(len(self.primer), 1)


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

    Args:
        models: one for each member, on ``device`` and in evaluation mode.
        rows: what to generate.
        tokenizer: of the models' vocabulary.
        conditioners: in the order that the models were built with.
        device: a torch device.
        tell: called now and then with the steps done and the steps of all.
        should_stop: asked before every step.

    Raises:
        NoTokenPossible: the model's or a sampler's logits leave no token possible.
    """
    results: dict[int, IntArray] = {}
    blocks = _blocks(rows)
    steps = [max(rows[i].given + rows[i].tokens for i in block) - 1 for block in blocks]
    done = 0
    for block, length in zip(blocks, steps, strict=True):
        run = _Block(models[rows[block[0]].member], [rows[i] for i in block], tokenizer, conditioners, device)
        for step in range(length):
            if should_stop():
                return None
            run.advance(step)
            done += 1
            if done % TELL_EVERY == 0 or done == sum(steps):
                tell(done, sum(steps))
        results.update(zip(block, run.tokens(), strict=True))
    return [results[index] for index in range(len(rows))]


def _blocks(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of rows in blocks of one member each."""
    by_member: dict[int, list[int]] = {}
    for index, row in enumerate(rows):
        by_member.setdefault(row.member, []).append(index)
    return [indices[i : i + BLOCK] for indices in by_member.values() for i in range(0, len(indices), BLOCK)]


class _Block:
    """Up to :data:`BLOCK` rows of one model, stepped together.

    ``known_bt`` holds the tokens of all rows of the block from column 0 on, idle rows last; column t of
    ``uniforms_rt`` draws the token of column t.
    """

    def __init__(
        self,
        model: Any,
        rows: Sequence[Row],
        tokenizer: Tokenizer,
        conditioners: Sequence[Conditioner],
        device: str,
    ) -> None:
        self.model, self.rows = model, rows
        self.conditioners, self.device = conditioners, torch.device(device)
        columns = max(row.given + row.tokens for row in rows)
        known_bt = np.zeros((BLOCK, columns), np.int64)
        uniforms_rt = np.zeros((len(rows), columns))
        new_rt = np.zeros((len(rows), columns), bool)
        for index, row in enumerate(rows):
            known_bt[index, : row.given] = row.primer if len(row.primer) else tokenizer.start_token
            new = slice(row.given, row.given + row.tokens)
            new_rt[index, new] = True
            uniforms_rt[index, new] = numpy_stream(row.seed).random(row.tokens)
        self.known_bt = torch.from_numpy(known_bt).to(self.device)
        self.uniforms_rt = torch.from_numpy(uniforms_rt).to(self.device)
        self.new_rt = torch.from_numpy(new_rt).to(self.device)
        self.chains = _chains(rows, tokenizer, self.device)
        self.clock = tokenizer.clock(len(rows)) if conditioners else None
        self.asked = [[{**conditioner.labels, **row.labels} for row in rows] for conditioner in conditioners]
        self.state: Any = None

    @torch.inference_mode()
    def advance(self, step: int) -> None:
        """Read column ``step`` of every row and write column ``step + 1`` where a new token belongs."""
        logits_btv, self.state = self.model(self.known_bt[:, step : step + 1], self._conditions(step), self.state)
        logits_rv = self._reshaped(logits_btv[: len(self.rows), -1].float(), step)
        new_r = self.new_rt[:, step + 1]
        drawn_r = draw(logits_rv, self.uniforms_rt[:, step + 1], new_r)
        column_r = self.known_bt[: len(self.rows), step + 1]
        column_r.copy_(torch.where(new_r, drawn_r, column_r))

    def _reshaped(self, logits_rv: torch.Tensor, step: int) -> torch.Tensor:
        """The logits after each row's samplers. They see every step, for they may keep count of them."""
        reshaped_rv = torch.empty_like(logits_rv)
        for indices, chain in self.chains:
            part_rv, history_rt = logits_rv[indices], self.known_bt[indices, : step + 1]
            for sampler in chain:
                part_rv = sampler(part_rv, history_rt)
            reshaped_rv[indices] = part_rv
        return reshaped_rv

    def _conditions(self, step: int) -> list[torch.Tensor]:
        if self.clock is None:
            return []
        times = self.clock(self.known_bt[: len(self.rows), step].cpu().numpy())
        conditions = []
        for conditioner, asked in zip(self.conditioners, self.asked, strict=True):
            values_rtf = np.stack([conditioner.ask(labels, times[i : i + 1]) for i, labels in enumerate(asked)])
            idle_rtf = np.repeat(values_rtf[:1], BLOCK - len(values_rtf), axis=0)
            conditions.append(torch.from_numpy(np.concatenate([values_rtf, idle_rtf])).float().to(self.device))
        return conditions

    def tokens(self) -> list[IntArray]:
        """The new tokens of each row."""
        known_bt = self.known_bt.cpu().numpy()
        return [known_bt[index, row.given : row.given + row.tokens].copy() for index, row in enumerate(self.rows)]


def _chains(
    rows: Sequence[Row], tokenizer: Tokenizer, device: torch.device
) -> list[tuple[torch.Tensor, list[Sampler]]]:
    """The rows of each chain of samplers, and the chain built for all of them at once."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(tuple(spec.name for spec, _ in row.chain), []).append(index)
    built = []
    for indices in groups.values():
        specs = [spec for spec, _ in rows[indices[0]].chain]
        chain = [spec.build([rows[i].chain[place][1] for i in indices], tokenizer) for place, spec in enumerate(specs)]
        built.append((torch.tensor(indices, device=device), chain))
    return built


def draw(logits_rv: torch.Tensor, uniforms_r: torch.Tensor, wanted_r: torch.Tensor) -> torch.Tensor:
    """One token a row by inverse CDF, in double precision: the first whose cumulated probability exceeds u.

    Args:
        logits_rv: what the samplers made of the model's prediction.
        uniforms_r: u of each row, at least 0 and less than 1.
        wanted_r: the rows whose token is used; the others (still in their primer, or finished) get any.

    Raises:
        NoTokenPossible: a wanted row has no possible token.
    """
    cumulated_rv = torch.softmax(logits_rv.double(), -1).cumsum(-1)
    total_r = cumulated_rv[:, -1]
    if not bool((torch.isfinite(total_r) | ~wanted_r).all()):
        raise NoTokenPossible("no token is possible: the logits are not numbers, or a sampler forbids every token")
    # u * total is less than total, so the token found has raised the sum: one of probability 0 never does
    return (cumulated_rv <= (uniforms_r * total_r)[:, None]).sum(-1).clamp(max=logits_rv.shape[1] - 1)
