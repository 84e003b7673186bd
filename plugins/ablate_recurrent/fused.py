"""Recurrent networks of equal shape run as one: every product covers all of them, [models, ...]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

import ablate
from ablate.product import DTYPES
from ablate_recurrent.kernels import gru_step, lstm_step
from ablate_recurrent.steps import GRUSteps, LSTMSteps

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate_recurrent.options import RecurrentOptions

    Weights = Mapping[str, torch.Tensor]
    State = tuple[torch.Tensor, torch.Tensor]


class FusedRecurrent(ablate.FusedModels):
    """Recurrent networks as one, see :class:`ablate.FusedModels`. Each has its own dropout and initial states.

    Args:
        cell: of the layers, ``"lstm"`` or ``"gru"``.
        options: of each network; equal but for dropout and initial state.
        modules: of each network, its conditioners' modules.
        precision: ``"bf16"`` or ``"fp32"``, of the products.
    """

    def __init__(
        self,
        cell: str,
        options: Sequence[RecurrentOptions],
        modules: Iterable[Iterable[torch.nn.Module]],
        precision: str,
    ) -> None:
        self.cell, self.layers, self.hidden = cell, options[0].layers, options[0].hidden
        self.modules = list(zip(*modules, strict=True))
        self.dtype = DTYPES[precision]
        self._dropouts = [each.dropout for each in options]
        self._scales = [float(each.initial_state == "random") for each in options]

    def __call__(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return logits [models, rows, time, vocabulary]; numbers are drawn in the order of a single network."""
        models, rows, time = tokens.shape
        shape = (self.layers, rows, self.hidden)
        hidden_mlrh = random.normal(shape, self._scales)
        memory_mlrh = random.normal(shape, self._scales) if self.cell == "lstm" else hidden_mlrh
        sums_mng = self._first_sums(weights, tokens, conditions, random)
        for layer in range(self.layers):
            state = hidden_mlrh[:, layer], memory_mlrh[:, layer]
            sequence_mtrh = random.dropout(self._steps(weights, layer, sums_mng, state), self._dropouts)
            if layer + 1 < self.layers:
                sums_mng = self.sums(weights, layer + 1, sequence_mtrh.flatten(1, 2))
        weight_mvh, bias_m1v = weights["projection.weight"].to(self.dtype), weights["projection.bias"][:, None]
        logits_mnv = _product(sequence_mtrh.flatten(1, 2), weight_mvh, bias_m1v)
        return logits_mnv.view(models, time, rows, -1).transpose(1, 2)

    def _first_sums(
        self, weights: Weights, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], random: ablate.RandomStreams
    ) -> torch.Tensor:
        """Return the contribution of tokens and conditions to the first layer's gates, [models, time * rows, gates]."""
        embedding_mve = weights["embedding.weight"]
        if not conditions and not any(self._dropouts):
            # the same numbers as below, computed once for each token id: every token is a row of a table
            return ablate.embed_each(self.sums(weights, 0, embedding_mve), tokens.transpose(1, 2)).flatten(1, 2)
        embedding_mrte = ablate.embed_each(embedding_mve, tokens)
        for index, (modules, condition_mrtf) in enumerate(zip(self.modules, conditions, strict=True)):
            embedding_mrte = embedding_mrte + ablate.apply_each(
                modules, weights, f"conditioners.{index}.", condition_mrtf
            )
        embedding_mrte = random.dropout(embedding_mrte, self._dropouts)
        return self.sums(weights, 0, embedding_mrte.transpose(1, 2).flatten(1, 2))

    def sums(self, weights: Weights, layer: int, inputs_mni: torch.Tensor) -> torch.Tensor:
        """Return the contribution of a layer's inputs and biases to its gates, [models, n, gates]."""
        weight_mgi = weights[f"{self.cell}.weight_ih_l{layer}"].to(self.dtype)
        return _product(inputs_mni, weight_mgi, self.bias(weights, layer))

    def bias(self, weights: Weights, layer: int) -> torch.Tensor:
        """Return the bias of the product with a layer's input, [models, 1, gates]; an LSTM's two are one."""
        bias_mg = weights[f"{self.cell}.bias_ih_l{layer}"]
        if self.cell == "lstm":
            bias_mg = bias_mg + weights[f"lstm.bias_hh_l{layer}"]
        return bias_mg[:, None]

    def _steps(self, weights: Weights, layer: int, sums_mng: torch.Tensor, state: State) -> torch.Tensor:
        weight_mgh = weights[f"{self.cell}.weight_hh_l{layer}"].to(self.dtype)
        if self.cell == "lstm":
            result = LSTMSteps.apply(sums_mng, weight_mgh, *state)  # type: ignore[no-untyped-call]
        else:
            bias_m1g = weights[f"gru.bias_hh_l{layer}"][:, None].to(self.dtype)
            result = GRUSteps.apply(sums_mng, weight_mgh, bias_m1g, state[0])  # type: ignore[no-untyped-call]
        sequence_mtrh: torch.Tensor = result
        return sequence_mtrh

    def stepper(self, weights: Weights) -> FusedSteps:
        """Return a stepper that generates a token of every row of every model at a time."""
        return FusedSteps(self, weights)


class FusedSteps:
    """The steps of a generation, see :class:`ablate.FusedStepper`; what does not depend on a row is computed once.

    The state is the hidden states as the products read them and, in float32, the memories:
    [models, layers, rows, hidden] both.
    """

    @torch.no_grad()
    def __init__(self, network: FusedRecurrent, weights: Weights) -> None:
        self._network, self._weights = network, weights
        self._table_mvg = network.sums(weights, 0, weights["embedding.weight"])
        name, dtype = network.cell, network.dtype
        self._inputs = [self._transposed(f"{name}.weight_ih_l{layer}") for layer in range(network.layers)]
        self._states = [self._transposed(f"{name}.weight_hh_l{layer}") for layer in range(network.layers)]
        self._biases = [network.bias(weights, layer).to(dtype) for layer in range(network.layers)]
        if name == "gru":
            self._state_biases = [weights[f"gru.bias_hh_l{i}"][:, None].to(dtype) for i in range(network.layers)]
        self._projection = self._transposed("projection.weight")
        self._projection_bias = weights["projection.bias"][:, None].to(dtype)

    def _transposed(self, name: str) -> torch.Tensor:
        """Return weights as a product from the left needs them, [models, inputs, outputs]."""
        return self._weights[name].to(self._network.dtype).transpose(1, 2).contiguous()

    def __call__(
        self, tokens: torch.Tensor, conditions: Sequence[torch.Tensor], state: Any = None
    ) -> tuple[torch.Tensor, State]:
        """Return logits, float32 [models, rows, vocabulary], and the state."""
        network, (models, rows) = self._network, tokens.shape
        if state is None:
            shape = (models, network.layers, rows, network.hidden)
            state = self._table_mvg.new_zeros(shape), self._table_mvg.new_zeros(shape, dtype=torch.float32)
        after = torch.empty_like(state[0]), torch.empty_like(state[1])
        sums_mrg = self._first_sums(tokens, conditions)
        for layer in range(network.layers):
            if layer:
                sums_mrg = torch.baddbmm(self._biases[layer], after[0][:, layer - 1], self._inputs[layer])
            self._step(layer, sums_mrg, state, after)
        logits_mrv = torch.baddbmm(self._projection_bias, after[0][:, -1], self._projection)
        return logits_mrv.float(), after

    def _first_sums(self, tokens_mr: torch.Tensor, conditions: Sequence[torch.Tensor]) -> torch.Tensor:
        sums_mrg = ablate.embed_each(self._table_mvg, tokens_mr)
        for index, (modules, condition_mrf) in enumerate(zip(self._network.modules, conditions, strict=True)):
            prefix = f"conditioners.{index}."
            embedding_mre = ablate.apply_each(modules, self._weights, prefix, condition_mrf[:, :, None])[:, :, 0]
            sums_mrg = torch.baddbmm(sums_mrg, embedding_mre.to(sums_mrg.dtype), self._inputs[0])
        return sums_mrg

    def _step(self, layer: int, sums_mrg: torch.Tensor, before: State, after: State) -> None:
        """Do one step in one layer, from the states before to those after."""
        hidden_mrh, memory_mrh = (each[:, layer] for each in before)
        next_hidden_mrh, next_memory_mrh = (each[:, layer] for each in after)
        state_sums_mrg = torch.bmm(hidden_mrh, self._states[layer])
        if self._network.cell == "lstm":
            lstm_step(sums_mrg, state_sums_mrg, memory_mrh, next_memory_mrh, next_hidden_mrh)
        else:
            bias_m1g = self._state_biases[layer]
            gru_step(sums_mrg, state_sums_mrg, bias_m1g, memory_mrh, next_memory_mrh, next_hidden_mrh)


def _product(inputs_mni: torch.Tensor, weight_mgi: torch.Tensor, bias_m1g: torch.Tensor) -> torch.Tensor:
    """Return ``inputs @ weight.T + bias`` of every model, [models, n, g], in the type of the weights."""
    inputs_mni = inputs_mni.to(weight_mgi.dtype)
    return torch.baddbmm(bias_m1g.to(weight_mgi.dtype), inputs_mni, weight_mgi.transpose(1, 2))
