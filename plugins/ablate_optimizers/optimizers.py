"""Adam, AdamW and SGD, as torch has them, with its fused kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate_optimizers.options import AdamOptions, SgdOptions


class Adam(ablate.Optimizer):
    """Adam (Kingma and Ba, 2015). Weight decay is added to the gradients, as in L2 regularization."""

    fusible = True

    def __init__(self, options: AdamOptions) -> None:
        self._options = options

    def build(self, groups: Sequence[ablate.WeightGroup]) -> torch.optim.Optimizer:
        """Return torch's Adam."""
        settings = adam_settings(self._options)
        return torch.optim.Adam(as_dicts(groups), fused=True, capturable=is_recorded(groups), **settings)


class AdamW(Adam):
    """AdamW (Loshchilov and Hutter, 2019): each weight shrinks by the learning rate times the weight decay."""

    def build(self, groups: Sequence[ablate.WeightGroup]) -> torch.optim.Optimizer:
        """Return torch's AdamW."""
        settings = adam_settings(self._options)
        return torch.optim.AdamW(as_dicts(groups), fused=True, capturable=is_recorded(groups), **settings)


class Sgd(ablate.Optimizer):
    """Gradient descent with momentum (Polyak, 1964) or Nesterov's (Sutskever et al., 2013).

    Weight decay is added to the gradients. The momentum is not damped: the first step moves by the whole gradient.
    """

    fusible = True

    def __init__(self, options: SgdOptions) -> None:
        self._options = options

    def build(self, groups: Sequence[ablate.WeightGroup]) -> torch.optim.Optimizer:
        """Return torch's SGD."""
        options = self._options
        return torch.optim.SGD(as_dicts(groups), momentum=options.momentum, nesterov=options.nesterov, fused=True)


def adam_settings(options: AdamOptions) -> dict[str, Any]:
    """Return the arguments of torch's Adam and AdamW."""
    return {"betas": (options.beta1, options.beta2), "eps": options.eps}


def as_dicts(groups: Sequence[ablate.WeightGroup]) -> list[dict[str, Any]]:
    """Return groups as torch takes them."""
    return [dict(group) for group in groups]


def is_recorded(groups: Sequence[ablate.WeightGroup]) -> bool:
    """Check whether the steps of these weights are recorded as a CUDA graph."""
    return any(isinstance(group["lr"], torch.Tensor) and group["lr"].is_cuda for group in groups)
