"""Matrix products with weights that are packed once, for small batches on a CPU: a helper for steppers of models."""

from __future__ import annotations

import functools
from typing import Literal

import torch
from torch.nn import functional

#: The type of weights, inputs and results of a product, by precision.
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Product:
    """``activation(x @ weight.T + bias)`` with the weights packed once, for any number of rows.

    Where torch has its oneDNN kernels, a row's result does not depend on the number of rows, to the bit.

    Args:
        weight: [out, in].
        bias: [out], or None.
        precision: ``"bf16"`` or ``"fp32"``, of weights, bias, ``x`` and the result; sums are float32.
        activation: applied to the sums before they are rounded; ``"gelu"`` is the exact one.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        precision: str,
        activation: Literal["none", "gelu"] = "none",
    ) -> None:
        dtype = DTYPES[precision]
        self._bias = None if bias is None else bias.to(dtype).contiguous()
        self._weight = weight.to(dtype).contiguous()
        self._activation = activation
        self._is_packed = _can_pack(dtype)
        if self._is_packed:
            # what torch.compile uses when it freezes a linear layer; plain calls pack the weights again at each step
            self._weight = torch.ops.mkldnn._reorder_linear_weight(self._weight, None)  # noqa: SLF001

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return [rows, out] for ``x`` of shape [rows, in]."""
        if self._is_packed:
            result: torch.Tensor = torch.ops.mkldnn._linear_pointwise.default(  # noqa: SLF001
                x, self._weight, self._bias, self._activation, [], "none"
            )
            return result
        result = functional.linear(x, self._weight, self._bias)
        return functional.gelu(result) if self._activation == "gelu" else result


@functools.cache
def _can_pack(dtype: torch.dtype) -> bool:
    """Check, by trying, whether this build of torch on this processor multiplies packed weights of that type."""
    try:
        weight = torch.ops.mkldnn._reorder_linear_weight(torch.zeros(8, 8, dtype=dtype), None)  # noqa: SLF001
        torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            torch.zeros(2, 8, dtype=dtype), weight, None, "gelu", [], "none"
        )
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return True
