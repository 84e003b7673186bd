"""The contract of samplers."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import Sampler
from ablate.specs import SamplerSpec
from ablate.testing.base import Contract
from ablate.testing.material import PitchTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import torch

    from ablate.interfaces import Tokenizer


class SamplerContract(Contract):
    """A sampler changes each row independently and leaves some token possible.

    Attributes:
        identity: settings with which it changes nothing, to the bit; None if there are none.
        tokenizer: the argument of ``prepare``.
    """

    record = SamplerSpec
    identity: Mapping[str, Any] | None = None
    tokenizer: Tokenizer = PitchTokenizer()

    def sampler(self, rows: Sequence[Mapping[str, Any]]) -> Sampler:
        """Return a sampler of rows with these settings."""
        sampler = self.spec.build_rows([self.spec.parse(row) for row in rows])
        kind = type(sampler).__name__
        assert isinstance(sampler, Sampler), f"build_rows returns a {kind}, not an ablate.Sampler"
        sampler.prepare(self.tokenizer)
        return sampler

    def build(self, settings: Mapping[str, Any]) -> Sampler:
        """Return a sampler of four rows with the same settings."""
        return self.sampler([settings] * 4)

    def steps(self, rows: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield logits [rows, vocabulary] and history [rows, time] of a few steps, with ties and forbidden tokens."""
        import torch

        generator, vocabulary = torch.Generator().manual_seed(0), len(self.tokenizer.vocabulary)
        history = torch.randint(vocabulary, (rows, 5), generator=generator)
        for step in range(history.shape[1] + 1):
            logits = 5 * torch.randn(rows, vocabulary, generator=generator)
            logits[:, 3] = logits[:, 1] = logits.amax(-1)
            logits[:, 2] = float("-inf")
            yield logits, history[:, :step]

    def test_something_is_possible(self, settings: Mapping[str, Any]) -> None:
        """Check that shape and type stay, that every row has a possible token, and forbidden tokens stay forbidden."""
        import torch

        sampler = self.build(settings)
        for logits, history in self.steps(4):
            result = sampler(logits.clone(), history)
            shapes = tuple(logits.shape), tuple(result.shape)
            assert result.shape == logits.shape, f"the shape of the logits changed from {shapes[0]} to {shapes[1]}"
            assert result.dtype == torch.float32, f"logits are {result.dtype}, not float32"
            assert not bool(result.isnan().any() or result.isposinf().any()), "a logit is NaN or infinite"
            assert bool(result.isfinite().any(-1).all()), "a row has no possible token"
            assert bool(result[logits.isneginf()].isneginf().all()), "a forbidden token became possible"

    def test_input_is_unchanged(self, settings: Mapping[str, Any]) -> None:
        """Check that the input logits and the history are not changed."""
        sampler = self.build(settings)
        for logits, history in self.steps(4):
            before = logits.clone(), history.clone()
            sampler(logits, history)
            assert before[0].equal(logits), "the logits were changed in place"
            assert before[1].equal(history), "the history was changed in place"

    def test_rows_are_independent(self) -> None:
        """Check that a row's logits are the same, to the bit, with any other rows."""
        rows = [*self.options, *self.options]
        together, alone = self.sampler(rows), [self.sampler([row]) for row in rows]
        for logits, history in self.steps(len(rows)):
            result = together(logits.clone(), history)
            for i, sampler in enumerate(alone):
                single = sampler(logits[i : i + 1].clone(), history[i : i + 1])
                assert single[0].equal(result[i]), f"row {i} depends on the other rows"

    def test_identity(self) -> None:
        """Check that the settings in ``identity`` change nothing."""
        if self.identity is None:
            return
        sampler = self.build(self.identity)
        for logits, history in self.steps(4):
            assert sampler(logits.clone(), history).equal(logits), "the identity settings change the logits"
