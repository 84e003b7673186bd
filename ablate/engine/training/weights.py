"""Divide the weights of a network into those that decay and those that do not, for its optimizer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.interfaces import WeightGroup

#: Modules whose weights never decay. RMSNorm and the others count by their names, so that a plugin's own count too.
_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
_NORM = "norm"


def decaying(model: nn.Module) -> set[str]:
    """Return the names of the weights that ``training.weight_decay`` applies to.

    These are all weights of two or more dimensions, conditioners' modules included, except those of embeddings
    (``torch.nn.Embedding``) and of norms (modules whose class has ``Norm`` in its name). Biases have one dimension. A
    weight that an embedding shares with another layer does not decay.
    """
    spared = {
        id(weight)
        for module in model.modules()
        if isinstance(module, _EMBEDDINGS) or _NORM in type(module).__name__.lower()
        for weight in module.parameters(recurse=False)
    }
    return {name for name, weight in model.named_parameters() if weight.dim() > 1 and id(weight) not in spared}


def hidden_matrices(model: nn.Module, vocabulary: int) -> set[str]:
    """Return the names of the weights of two or more dimensions between hidden layers.

    These are the weights that decay, without those of the layer that predicts the token: matrices with one row for each
    token id.

    Args:
        model: the network.
        vocabulary: the number of token ids.
    """
    weights = dict(model.named_parameters())
    return {name for name in decaying(model) if len(weights[name]) != vocabulary}


def weight_groups(
    model: nn.Module, weights: Mapping[str, torch.Tensor], rate: float | torch.Tensor, decay: float, vocabulary: int
) -> list[WeightGroup]:
    """Return the weights as groups for :meth:`ablate.Optimizer.build`: one, or with weight decay two.

    Args:
        model: the network, for the kinds of its weights.
        weights: the tensors to update, by their names in the network; those that are not trained are left out.
        rate: the learning rate, or a tensor of it.
        decay: ``training.weight_decay``.
        vocabulary: the number of token ids.
    """
    hidden, decays = hidden_matrices(model, vocabulary), decaying(model)
    named = dict(model.named_parameters())
    groups: dict[float, WeightGroup] = {}
    for name, weight in weights.items():
        if named[name].requires_grad:
            own = decay if name in decays else 0.0
            group = groups.setdefault(own, {"params": [], "lr": rate, "weight_decay": own, "hidden": []})
            group["params"].append(weight)
            group["hidden"].append(name in hidden)
    return list(groups.values())
