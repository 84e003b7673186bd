"""Recurrent networks of equal shape as one: every product goes over all of them, [members, ...]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

import ablate
from ablate_recurrent.cells import GRUSteps, LSTMSteps, gru_step, lstm_step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate_recurrent.network import Recurrent

    Weights = Mapping[str, torch.Tensor]
    State = tuple[torch.Tensor, torch.Tensor]

_DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class StackedRecurrent:
    """See :class:`ablate.Stacked`. Dropout and initial states are each member's own.

    Args:
        models: networks of one cell, and of equal shape.
        precision: ``"bf16"`` or ``"fp32"``, of the products.
    """

    def __init__(self, models: Sequence[Recurrent], precision: str) -> None:
        first = models[0]
        self.cell, self.layers, self.hidden = first.cell, first.options.layers, first.options.hidden
        self.modules = list(zip(*(model.conditioners for model in models), strict=True))
        self.dtype = _DTYPES[precision]
        self._dropped = [model.options.dropout for model in models]
        self._scales = [float(model.options.initial_state == "random") for model in models]

    def __call__(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], draws: ablate.Draws
    ) -> torch.Tensor:
        """Logits [members, rows, time, vocabulary]; numbers are drawn in the order in which a network alone does."""
        members, rows, time = tokens.shape
        shape = (self.layers, rows, self.hidden)
        hidden_vlrh = draws.normal(shape, self._scales)
        memory_vlrh = draws.normal(shape, self._scales) if self.cell == "lstm" else hidden_vlrh
        sums_vng = self._first_sums(weights, tokens, conditions, draws)
        for layer in range(self.layers):
            state = hidden_vlrh[:, layer], memory_vlrh[:, layer]
            sequence_vtrh = draws.dropout(self._steps(weights, layer, sums_vng, state), self._dropped)
            if layer + 1 < self.layers:
                sums_vng = self.sums(weights, layer + 1, sequence_vtrh.flatten(1, 2))
        weight_vwh, bias_v1w = weights["projection.weight"].to(self.dtype), weights["projection.bias"][:, None]
        logits_vnw = _product(sequence_vtrh.flatten(1, 2), weight_vwh, bias_v1w)
        return logits_vnw.view(members, time, rows, -1).transpose(1, 2)

    def _first_sums(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], draws: ablate.Draws
    ) -> torch.Tensor:
        """What tokens and conditions add to the first layer's gates, [members, time * rows, gates]."""
        embedding_vwe = weights["embedding.weight"]
        if not conditions and not any(self._dropped):
            # the same numbers as below, for each word once: a row of a table for every token
            return ablate.each_embedding(self.sums(weights, 0, embedding_vwe), tokens.transpose(1, 2)).flatten(1, 2)
        embedded_vrte = ablate.each_embedding(embedding_vwe, tokens)
        for index, (modules, condition_vrtf) in enumerate(zip(self.modules, conditions, strict=True)):
            embedded_vrte = embedded_vrte + ablate.each_member(
                modules, weights, f"conditioners.{index}.", condition_vrtf
            )
        embedded_vrte = draws.dropout(embedded_vrte, self._dropped)
        return self.sums(weights, 0, embedded_vrte.transpose(1, 2).flatten(1, 2))

    def sums(self, weights: Weights, layer: int, inputs_vni: torch.Tensor) -> torch.Tensor:
        """What a layer's inputs and biases add to its gates, [members, n, gates] of [members, n, inputs]."""
        weight_vgi = weights[f"{self.cell}.weight_ih_l{layer}"].to(self.dtype)
        return _product(inputs_vni, weight_vgi, self.bias(weights, layer))

    def bias(self, weights: Weights, layer: int) -> torch.Tensor:
        """What is added to the product with a layer's input, [members, 1, gates]; an LSTM's two are one."""
        bias_vg = weights[f"{self.cell}.bias_ih_l{layer}"]
        if self.cell == "lstm":
            bias_vg = bias_vg + weights[f"lstm.bias_hh_l{layer}"]
        return bias_vg[:, None]

    def _steps(self, weights: Weights, layer: int, sums_vng: torch.Tensor, state: State) -> torch.Tensor:
        weight_vgh = weights[f"{self.cell}.weight_hh_l{layer}"].to(self.dtype)
        if self.cell == "lstm":
            result = LSTMSteps.apply(sums_vng, weight_vgh, *state)  # type: ignore[no-untyped-call]
        else:
            bias_v1g = weights[f"gru.bias_hh_l{layer}"][:, None].to(self.dtype)
            result = GRUSteps.apply(sums_vng, weight_vgh, bias_v1g, state[0])  # type: ignore[no-untyped-call]
        found: torch.Tensor = result
        return found

    def stepper(self, weights: Weights) -> StackedSteps:
        """Ready to generate, a token of every row of every member at a time."""
        return StackedSteps(self, weights)


class StackedSteps:
    """See :class:`ablate.StackedStepper`. Everything that does not depend on a row is worked out once.

    Its state is the hidden states as the products read them and, in float32, what is remembered:
    [members, layers, rows, hidden] both.
    """

    @torch.no_grad()
    def __init__(self, network: StackedRecurrent, weights: Weights) -> None:
        self._network, self._weights = network, weights
        self._table_vwg = network.sums(weights, 0, weights["embedding.weight"])
        name, dtype = network.cell, network.dtype
        self._inputs = [self._turned(f"{name}.weight_ih_l{layer}") for layer in range(network.layers)]
        self._known = [self._turned(f"{name}.weight_hh_l{layer}") for layer in range(network.layers)]
        self._biases = [network.bias(weights, layer).to(dtype) for layer in range(network.layers)]
        if name == "gru":
            self._of_known = [weights[f"gru.bias_hh_l{i}"][:, None].to(dtype) for i in range(network.layers)]
        self._projection, self._last = self._turned("projection.weight"), weights["projection.bias"][:, None].to(dtype)

    def _turned(self, name: str) -> torch.Tensor:
        """Weights as a product from the left wants them, [members, inputs, outputs]."""
        return self._weights[name].to(self._network.dtype).transpose(1, 2).contiguous()

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, State]:
        """Logits float32 [members, rows, vocabulary], and the state."""
        network, (members, rows) = self._network, tokens.shape
        if state is None:
            shape = (members, network.layers, rows, network.hidden)
            state = self._table_vwg.new_zeros(shape), self._table_vwg.new_zeros(shape, dtype=torch.float32)
        after = torch.empty_like(state[0]), torch.empty_like(state[1])
        sums_vrg = self._first_sums(tokens, conditions)
        for layer in range(network.layers):
            if layer:
                sums_vrg = torch.baddbmm(self._biases[layer], after[0][:, layer - 1], self._inputs[layer])
            self._step(layer, sums_vrg, state, after)
        logits_vrw = torch.baddbmm(self._last, after[0][:, -1], self._projection)
        return logits_vrw.float(), after

    def _first_sums(self, tokens_vr: torch.Tensor, conditions: Sequence[torch.Tensor]) -> torch.Tensor:
        sums_vrg = ablate.each_embedding(self._table_vwg, tokens_vr)
        for index, (modules, condition_vrf) in enumerate(zip(self._network.modules, conditions, strict=True)):
            prefix = f"conditioners.{index}."
            told_vre = ablate.each_member(modules, self._weights, prefix, condition_vrf[:, :, None])[:, :, 0]
            sums_vrg = torch.baddbmm(sums_vrg, told_vre.to(sums_vrg.dtype), self._inputs[0])
        return sums_vrg

    def _step(self, layer: int, sums_vrg: torch.Tensor, before: State, after: State) -> None:
        """Go one step further in one layer, from the states before to those after."""
        hidden_vrh, memory_vrh = (each[:, layer] for each in before)
        fresh_vrh, next_vrh = (each[:, layer] for each in after)
        known_vrg = torch.bmm(hidden_vrh, self._known[layer])
        if self._network.cell == "lstm":
            lstm_step(sums_vrg, known_vrg, memory_vrh, next_vrh, fresh_vrh)
        else:
            gru_step(sums_vrg, known_vrg, self._of_known[layer], memory_vrh, next_vrh, fresh_vrh)


def _product(inputs_vni: torch.Tensor, weight_vgi: torch.Tensor, bias_v1g: torch.Tensor) -> torch.Tensor:
    """``inputs @ weight.T + bias`` of every member, [members, n, g], in the type of the weights."""
    inputs_vni = inputs_vni.to(weight_vgi.dtype)
    return torch.baddbmm(bias_v1g.to(weight_vgi.dtype), inputs_vni, weight_vgi.transpose(1, 2))
