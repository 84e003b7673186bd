"""The loop over rows that share the steps of a network."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.blame import about, blame
from ablate.building import built
from ablate.engine.conditions import asked
from ablate.engine.generation.draw import draw_tokens, no_token_possible
from ablate.engine.seeding import numpy_stream
from ablate.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ablate.arrays import IntArray
    from ablate.engine.generation.row import Row
    from ablate.interfaces import Conditioner, Sampler, Stepper, Tokenizer


@dataclasses.dataclass(frozen=True)
class BlockPlan:
    """Rows that will share steps, of one model or of fused models.

    Attributes:
        make_stepper: returns the stepper of the rows' model, or of these rows of fused models.
        indices: of the rows among all rows of the generation.
        rows: the rows; rows with the same samplers are neighbours.
        size: how many rows the stepper gets: these, and idle rows after them.
        threads: of torch.
        fused: whether the rows are of fused models.
    """

    make_stepper: Callable[[Sequence[Row]], Stepper]
    indices: Sequence[int]
    rows: Sequence[Row]
    size: int
    threads: int
    fused: bool = False

    @property
    def steps(self) -> int:
        """Steps until the last token of the longest row."""
        return max(row.start + row.tokens for row in self.rows) - 1


class Block:
    """Rows in generation, which share each step.

    ``tokens_bt`` has the tokens of all rows, idle rows last; column t of ``uniforms_rt`` decides the token of column t.

    Args:
        plan: the rows.
        tokenizer: of the models' vocabulary.
        conditioners: in the order in which the models were built with them.
        device: a torch device.
    """

    def __init__(self, plan: BlockPlan, tokenizer: Tokenizer, conditioners: Sequence[Conditioner], device: str) -> None:
        rows = self.rows = plan.rows
        self.step, self.size, self.device = plan.make_stepper(rows), plan.size, torch.device(device)
        columns = plan.steps + 1
        tokens_bt = np.zeros((plan.size, columns), np.int64)
        uniforms_rt = np.zeros((len(rows), columns))
        new_rt = np.zeros((len(rows), columns), bool)
        for index, row in enumerate(rows):
            tokens_bt[index, : row.start] = row.primer if len(row.primer) else tokenizer.start_token
            new = slice(row.start, row.start + row.tokens)
            new_rt[index, new] = True
            uniforms_rt[index, new] = numpy_stream(row.seed).random(row.tokens)
        self.all_new_t = [bool(new_rt[:, column].all()) for column in range(columns)]
        self.tokens_bt = torch.from_numpy(tokens_bt).to(self.device)
        # views for all steps, made at once: making them one by one takes as long as drawing does
        self.inputs_tb, self.outputs_tr = self.tokens_bt.unbind(1), self.tokens_bt[: len(rows)].unbind(1)
        self.uniforms_tr1 = torch.from_numpy(uniforms_rt).to(self.device)[..., None].unbind(1)
        self.new_tr = torch.from_numpy(new_rt).to(self.device).unbind(1)
        self.chains = [(part, chain, self.tokens_bt[part]) for part, chain in _chains(rows, tokenizer)]
        self.clock = tokenizer.clock(len(rows)) if conditioners else None
        self.conditions_of = [asked(conditioner, [row.labels for row in rows]) for conditioner in conditioners]
        self.state: Any = None
        # on a GPU no step waits for a check: errors are found later
        self.deferred_check = (
            torch.zeros((), dtype=torch.float64, device=self.device) if self.device.type == "cuda" else None
        )

    def advance(self, step: int) -> None:
        """Read column ``step`` of every row, and write column ``step + 1`` of the rows that have a new token there."""
        logits_bv, self.state = self.step(self.inputs_tb[step], self._conditions(step), self.state)
        logits_rv = self._sampled(logits_bv if self.size == len(self.rows) else logits_bv[: len(self.rows)], step)
        output_r, uniforms_r1 = self.outputs_tr[step + 1], self.uniforms_tr1[step + 1]
        new_r = None if self.all_new_t[step + 1] else self.new_tr[step + 1]
        try:
            drawn_r = draw_tokens(logits_rv, uniforms_r1, new_r, self.deferred_check)
        except StageError as error:
            if torch.isfinite(logits_bv).all():  # so it is no fault of the network
                blame(error, ", ".join(dict.fromkeys(about(s) for _, chain, _ in self.chains for s in chain)))
            raise
        output_r.copy_(drawn_r if new_r is None else torch.where(new_r, drawn_r, output_r))

    def check(self) -> None:
        """Raise NoTokenPossible if a row had no possible token in an earlier step on a GPU."""
        if self.deferred_check is not None and not math.isfinite(float(self.deferred_check)):
            raise no_token_possible()

    def _sampled(self, logits_rv: torch.Tensor, step: int) -> torch.Tensor:
        """Return the logits after each row's samplers; they are called at every step, because they may have a state."""
        parts = []
        for part, chain, tokens_rt in self.chains:
            part_rv = logits_rv if len(self.chains) == 1 else logits_rv[part]
            history_rt = tokens_rt.narrow(1, 0, step + 1)
            for sampler in chain:
                part_rv = _changed(sampler, part_rv, history_rt)
            parts.append(part_rv)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _conditions(self, step: int) -> list[torch.Tensor]:
        if self.clock is None:
            return []
        times_r = self.clock(self.tokens_bt[: len(self.rows), step].cpu().numpy())
        conditions = []
        for conditions_of in self.conditions_of:
            values_rf = conditions_of(times_r)
            idle_rf = np.repeat(values_rf[:1], self.size - len(values_rf), axis=0)
            conditions.append(torch.from_numpy(np.concatenate([values_rf, idle_rf])).float().to(self.device))
        return conditions

    def new_tokens(self) -> list[IntArray]:
        """Return the new tokens of each row, int64 [row.tokens]."""
        tokens_bt = self.tokens_bt.cpu().numpy()
        return [tokens_bt[index, row.start : row.start + row.tokens].copy() for index, row in enumerate(self.rows)]


def _changed(sampler: Sampler, logits_rv: torch.Tensor, history_rt: torch.Tensor) -> torch.Tensor:
    """Return the logits that a sampler makes of others, after a check of their shape."""
    try:
        changed_rv = sampler(logits_rv, history_rt)
        if changed_rv.shape == logits_rv.shape:
            return changed_rv
    except BaseException as error:
        blame(error, about(sampler))
        raise
    raise StageError(f"{about(sampler)} returned logits of shape {[*changed_rv.shape]}, not {[*logits_rv.shape]}")


def _chains(rows: Sequence[Row], tokenizer: Tokenizer) -> list[tuple[slice, list[Sampler]]]:
    """Return the slices of neighbouring rows with the same samplers, each with its samplers, built for these rows."""
    chains, start = [], 0
    for _, group in itertools.groupby(rows, key=lambda row: row.samplers):
        part = list(group)
        specs = [spec for spec, _ in part[0].chain]
        samplers = [
            built(spec, functools.partial(spec.build, [row.chain[index][1] for row in part], tokenizer))
            for index, spec in enumerate(specs)
        ]
        chains.append((slice(start, start + len(part)), samplers))
        start += len(part)
    return chains
