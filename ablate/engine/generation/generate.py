"""Generation on rows: many samples of many variants share each step of the network.

Each row has its own stream of uniform numbers, drawn ahead. On a CPU its tokens do not depend, to the bit, on which
rows it was batched with: see :mod:`ablate.engine.generation.batching`. On a GPU the rows of all members that can be
fused share a step (:mod:`ablate.engine.fusion.generation`), and products of other sizes may round differently; the
same rows of the same members give the same tokens.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ablate.engine.devices import Compute, on_device, torch_threads
from ablate.engine.fusion.generation import Group, fused_groups
from ablate.engine.generation.batching import BLOCK, LARGEST, has_stepper, make_stepper, rows_may_vary
from ablate.engine.seeding import numpy_stream
from ablate.errors import NoTokenPossible

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

    from ablate.arrays import IntArray
    from ablate.interfaces import Conditioner, Sampler, Stepper, Tokenizer
    from ablate.specs import SamplerSpec

_ALONE = Compute()
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

    @property
    def samplers(self) -> tuple[str, ...]:
        """Names of the samplers in its chain; rows with the same ones share a call of each."""
        return tuple(spec.name for spec, _ in self.chain)


def generate(
    models: Sequence[Any],
    rows: Sequence[Row],
    *,
    tokenizer: Tokenizer,
    conditioners: Sequence[Conditioner],
    compute: Compute = _ALONE,
    tell: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[IntArray] | None:
    """Generate the new tokens of each row, in the order of ``rows``; None if stopped before the end.

    The primer is read once, the first new token is drawn from the prediction after its last token, and the tokens
    returned (int64 [row.tokens]) do not include it.

    Args:
        models: one for each member, on the device and in evaluation mode.
        rows: what to generate.
        tokenizer: of the models' vocabulary.
        conditioners: in the order that the models were built with.
        compute: where, how precisely, and with how many threads.
        tell: called now and then with the steps done and the steps of all.
        should_stop: asked before every step.

    Raises:
        NoTokenPossible: the model's or a sampler's logits leave no token possible.
    """
    results: dict[int, IntArray] = {}
    words, widths = len(tokenizer.vocabulary), [conditioner.width for conditioner in conditioners]
    fused = fused_groups(models, rows, compute, widths) if compute.fuses else []
    parts = [part for group in fused for part in _fused_parts(group, rows, compute)]
    by_itself = set(range(len(rows))) - {index for part in parts for index in part.indices}
    parts += _parts(models, rows, by_itself, compute, lambda stepper, n, k: rows_may_vary(stepper, n, words, widths, k))
    done, total = 0, sum(part.steps for part in parts)
    while parts:
        part = parts.pop(0)  # with its stepper, which may hold a recording
        with torch.inference_mode(), on_device(compute.device), torch_threads(part.threads):
            block = _Block(part, tokenizer, conditioners, compute.device)
            for step in range(part.steps):
                if should_stop():
                    return None
                block.advance(step)
                done += 1
                if done % TELL_EVERY == 0 or done == total:
                    block.check()
                    tell(done, total)
            block.check()
            results.update(zip(part.indices, block.tokens(), strict=True))
    return [results[index] for index in range(len(rows))]


@dataclasses.dataclass(frozen=True)
class _Part:
    """Rows that step together, of one member or of a stack.

    Attributes:
        stepper: of the member's model, or of the stack's for just these rows.
        indices: where the rows stand among all.
        rows: the rows, those with the same samplers side by side.
        size: how many rows the stepper gets: as many, or idle ones beside them.
        threads: for torch.
    """

    stepper: Stepper
    indices: Sequence[int]
    rows: Sequence[Row]
    size: int
    threads: int

    @property
    def steps(self) -> int:
        return max(row.given + row.tokens for row in self.rows) - 1


def _fused_parts(group: Group, rows: Sequence[Row], compute: Compute) -> list[_Part]:
    """The rows of a stack's members in parts."""
    parts = []
    for some in group.shares(rows):
        indices = sorted(some, key=lambda index: rows[index].samplers)
        stepper = group.stepper([rows[index].member for index in indices], torch.device(compute.device))
        parts.append(_Part(stepper, indices, [rows[i] for i in indices], len(indices), compute.threads))
    return parts


def _parts(
    models: Sequence[Any],
    rows: Sequence[Row],
    wanted: Container[int],
    compute: Compute,
    may_vary: Callable[[Stepper, int, int], bool],
) -> list[_Part]:
    """The wanted rows of each member in parts; ``may_vary`` tells of a stepper, numbers of rows and of threads."""
    by_member: dict[int, list[int]] = {}
    for index, row in sorted(enumerate(rows), key=lambda each: each[1].samplers):
        if index in wanted:
            by_member.setdefault(row.member, []).append(index)
    parts = []
    for member, indices in by_member.items():
        stepper, threads = make_stepper(models[member], compute), 0
        if has_stepper(models[member], compute.device):
            tried = (n for n in dict.fromkeys((compute.threads, 1)))
            good = (n for n in tried if all(may_vary(stepper, rows_, n) for rows_ in _lengths(len(indices))))
            threads = next(good, 0)
        most = LARGEST if threads else BLOCK
        for some in (indices[i : i + most] for i in range(0, len(indices), most)):
            size = len(some) if threads else BLOCK
            parts.append(_Part(stepper, some, [rows[i] for i in some], size, threads or 1))
    return parts


def _lengths(rows: int) -> set[int]:
    """How many rows the parts have that so many rows are cut into."""
    return {min(LARGEST, rows - start) for start in range(0, rows, LARGEST)}


class _Block:
    """The rows of a part, stepped together.

    ``known_bt`` holds the tokens of all rows from column 0 on, idle rows last; column t of ``uniforms_rt`` draws the
    token of column t.
    """

    def __init__(self, part: _Part, tokenizer: Tokenizer, conditioners: Sequence[Conditioner], device: str) -> None:
        rows = self.rows = part.rows
        self.step, self.size, self.device = part.stepper, part.size, torch.device(device)
        columns = part.steps + 1
        known_bt = np.zeros((part.size, columns), np.int64)
        uniforms_rt = np.zeros((len(rows), columns))
        new_rt = np.zeros((len(rows), columns), bool)
        for index, row in enumerate(rows):
            known_bt[index, : row.given] = row.primer if len(row.primer) else tokenizer.start_token
            new = slice(row.given, row.given + row.tokens)
            new_rt[index, new] = True
            uniforms_rt[index, new] = numpy_stream(row.seed).random(row.tokens)
        self.all_new_t = [bool(new_rt[:, column].all()) for column in range(columns)]
        self.known_bt = torch.from_numpy(known_bt).to(self.device)
        # a view for every step, made at once: making them one by one takes as long as drawing does
        self.read_tb, self.write_tr = self.known_bt.unbind(1), self.known_bt[: len(rows)].unbind(1)
        self.uniforms_tr1 = torch.from_numpy(uniforms_rt).to(self.device)[..., None].unbind(1)
        self.new_tr = torch.from_numpy(new_rt).to(self.device).unbind(1)
        self.chains = [(some, chain, self.known_bt[some]) for some, chain in _chains(rows, tokenizer)]
        self.clock = tokenizer.clock(len(rows)) if conditioners else None
        self.asked = [
            each.from_labels_batched([{**each.labels, **row.labels} for row in rows]) for each in conditioners
        ]
        self.state: Any = None
        # a GPU need not be waited for at every step: what went wrong meanwhile is still seen later
        self.sum = torch.zeros((), dtype=torch.float64, device=self.device) if self.device.type == "cuda" else None

    def advance(self, step: int) -> None:
        """Read column ``step`` of every row and write column ``step + 1`` where a new token belongs."""
        logits_bv, self.state = self.step(self.read_tb[step], self._conditions(step), self.state)
        logits_rv = self._reshaped(logits_bv if self.size == len(self.rows) else logits_bv[: len(self.rows)], step)
        column_r, uniforms_r1 = self.write_tr[step + 1], self.uniforms_tr1[step + 1]
        new_r = None if self.all_new_t[step + 1] else self.new_tr[step + 1]
        drawn_r = draw(logits_rv, uniforms_r1, new_r, self.sum)
        column_r.copy_(drawn_r if new_r is None else torch.where(new_r, drawn_r, column_r))

    def check(self) -> None:
        """Raise NoTokenPossible if a step on a GPU had none."""
        if self.sum is not None and not math.isfinite(float(self.sum)):
            raise _no_token()

    def _reshaped(self, logits_rv: torch.Tensor, step: int) -> torch.Tensor:
        """The logits after each row's samplers. They see every step, for they may keep count of them."""
        parts = []
        for some, chain, known_rt in self.chains:
            part_rv = logits_rv if len(self.chains) == 1 else logits_rv[some]
            history_rt = known_rt.narrow(1, 0, step + 1)
            for sampler in chain:
                part_rv = sampler(part_rv, history_rt)
            parts.append(part_rv)
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _conditions(self, step: int) -> list[torch.Tensor]:
        if self.clock is None:
            return []
        times = self.clock(self.known_bt[: len(self.rows), step].cpu().numpy())
        conditions = []
        for asked in self.asked:
            values_rf = asked(times)
            idle_rf = np.repeat(values_rf[:1], self.size - len(values_rf), axis=0)
            conditions.append(torch.from_numpy(np.concatenate([values_rf, idle_rf])).float().to(self.device))
        return conditions

    def tokens(self) -> list[IntArray]:
        """The new tokens of each row."""
        known_bt = self.known_bt.cpu().numpy()
        return [known_bt[index, row.given : row.given + row.tokens].copy() for index, row in enumerate(self.rows)]


def _chains(rows: Sequence[Row], tokenizer: Tokenizer) -> list[tuple[slice, list[Sampler]]]:
    """The rows of each chain of samplers, which stand side by side, and the chain built for all of them at once."""
    built, start = [], 0
    for _, group in itertools.groupby(rows, key=lambda row: row.samplers):
        some = list(group)
        specs = [spec for spec, _ in some[0].chain]
        chain = [spec.build([row.chain[place][1] for row in some], tokenizer) for place, spec in enumerate(specs)]
        built.append((slice(start, start + len(some)), chain))
        start += len(some)
    return built


def draw(
    logits_rv: torch.Tensor,
    uniforms_r1: torch.Tensor,
    wanted_r: torch.Tensor | None = None,
    later: torch.Tensor | None = None,
) -> torch.Tensor:
    """One token a row by inverse CDF, in double precision: the first whose cumulated probability exceeds u.

    Args:
        logits_rv: what the samplers made of the model's prediction.
        uniforms_r1: u of each row, float64, at least 0 and less than 1.
        wanted_r: the rows whose token is used; the others (still in their primer, or finished) get any. None is all.
        later: a sum, float64 of shape [], that is no finite number any more once a wanted row had no possible token,
            for whoever looks at it later; then nothing waits for the device here, and such a row gets any token.

    Returns:
        int64 [rows].

    Raises:
        NoTokenPossible: a wanted row has no possible token, and nobody looks later.
    """
    cumulated_rv = torch.softmax(logits_rv.double(), -1).cumsum(-1)
    total_r1 = cumulated_rv[:, -1:]
    # one number tells of all: without a possible token a total is NaN, and so is a sum with it
    if later is not None:
        later += (total_r1 if wanted_r is None else torch.where(wanted_r[:, None], total_r1, 0.0)).sum()
    elif not math.isfinite(float((total_r1 if wanted_r is None else total_r1[wanted_r]).sum())):
        raise _no_token()
    # u * total is less than total, so the token found has raised the sum: one of probability 0 never does
    found_r1 = torch.searchsorted(cumulated_rv, uniforms_r1 * total_r1, right=True)
    some_invalid = wanted_r is not None or later is not None
    return found_r1[:, 0].clamp(max=logits_rv.shape[1] - 1) if some_invalid else found_r1[:, 0]


def _no_token() -> NoTokenPossible:
    return NoTokenPossible("no token is possible: the logits are not numbers, or a sampler forbids every token")
