"""The contract of optimizers."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.interfaces import Optimizer
from ablate.specs import OptimizerSpec
from ablate.testing.base import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from ablate.engine.training.updates import Updates

_VOCABULARY, _WIDTH = 11, 6


class OptimizerContract(Contract):
    """An optimizer learns, updates each weight at the engine's learning rate, and continues from a saved state.

    Attributes:
        learning_rate: with which it learns a small problem in :attr:`steps` steps.
        steps: of the small problem.
    """

    record = OptimizerSpec
    learning_rate: float = 0.02
    steps: int = 40

    def build(self, settings: Mapping[str, Any]) -> Optimizer:
        """Return the optimizer."""
        optimizer = self.spec.build(self.spec.parse(settings))
        kind = type(optimizer).__name__
        assert isinstance(optimizer, Optimizer), f"build returns a {kind}, not an ablate.Optimizer"
        return optimizer

    def _network(self) -> torch.nn.Sequential:
        """Return a network with every kind of weight: an embedding, matrices, a norm, biases."""
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return torch.nn.Sequential(
                torch.nn.Embedding(_VOCABULARY, _WIDTH),
                torch.nn.Linear(_WIDTH, _WIDTH),
                torch.nn.LayerNorm(_WIDTH),
                torch.nn.Linear(_WIDTH, _VOCABULARY),
            )

    def _updates(self, network: torch.nn.Module, settings: Mapping[str, Any], rate: float | torch.Tensor) -> Updates:
        from ablate.engine.training.updates import Updates
        from ablate.engine.training.weights import weight_groups

        weights = dict(network.named_parameters())
        return Updates(self.build(settings), weight_groups(network, weights, rate, 0.01, _VOCABULARY))

    def _train(self, network: torch.nn.Module, updates: Updates, steps: range, rate: float) -> float:
        """Learn that the next token is the token after this one; return the last loss."""
        import torch

        loss = torch.tensor(0.0)
        for step in steps:
            tokens = torch.arange(_VOCABULARY).roll(step)
            updates.set_rate(rate)
            loss = torch.nn.functional.cross_entropy(network(tokens), (tokens + 1) % _VOCABULARY)
            updates.zero_gradients()
            loss.backward()  # type: ignore[no-untyped-call]
            updates.step()
        return float(loss.detach())

    def test_learns(self, settings: Mapping[str, Any]) -> None:
        """Check that every weight moves, stays finite, and that the loss falls."""
        network, before = self._network(), self._network().state_dict()
        updates = self._updates(network, settings, self.learning_rate)
        first = self._train(network, updates, range(1), self.learning_rate)
        last = self._train(network, updates, range(1, self.steps), self.learning_rate)
        for name, weight in network.state_dict().items():
            assert bool(weight.isfinite().all()), f"{name} is no longer finite"
            assert not weight.equal(before[name]), f"{name} does not move"
        assert last < first, f"the loss rose from {first:.3g} to {last:.3g} in {self.steps} steps"

    def test_rate_decides(self, settings: Mapping[str, Any]) -> None:
        """Check that nothing moves while the learning rate of the schedule is 0."""
        network = self._network()
        updates = self._updates(network, settings, self.learning_rate)
        self._train(network, updates, range(3), 0.0)
        before = self._network().state_dict()
        moved = [name for name, weight in network.state_dict().items() if not weight.equal(before[name])]
        assert not moved, f"at a learning rate of 0, {', '.join(moved)} moves"

    def test_state_continues(self, settings: Mapping[str, Any]) -> None:
        """Check that a training that is resumed from its saved state equals one in a single go, to the bit."""
        from ablate.engine.training.updates import packed_state, unpacked_state

        whole, first, second = self._network(), self._network(), self._network()
        self._train(whole, self._updates(whole, settings, self.learning_rate), range(6), self.learning_rate)
        updates = self._updates(first, settings, self.learning_rate)
        self._train(first, updates, range(3), self.learning_rate)
        states = unpacked_state(*packed_state(updates.state(list(first.parameters()))))
        second.load_state_dict(first.state_dict())
        resumed, weights = self._updates(second, settings, self.learning_rate), list(second.parameters())
        resumed.load({weights[index]: state for index, state in states.items()})
        self._train(second, resumed, range(3, 6), self.learning_rate)
        expected = whole.state_dict()
        wrong = [name for name, weight in second.state_dict().items() if not weight.equal(expected[name])]
        assert not wrong, f"after a resumed training, other numbers are in {', '.join(wrong)}"

    def test_fusible(self, settings: Mapping[str, Any]) -> None:
        """Check, of a fusible optimizer, that a tensor as learning rate gives the same weights as a number."""
        import torch

        if not self.build(settings).fusible:
            return
        one, other = self._network(), self._network()
        rate = torch.tensor(self.learning_rate, dtype=torch.float64)
        self._train(one, self._updates(one, settings, self.learning_rate), range(6), self.learning_rate / 2)
        self._train(other, self._updates(other, settings, rate), range(6), self.learning_rate / 2)
        expected = one.state_dict()
        for name, weight in other.state_dict().items():
            error = float((weight - expected[name]).abs().max())
            assert error < 1e-5, f"with a tensor as learning rate, {name} is off by {error:.2g}"
