"""A check that fused models compute on their device only."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def only_on_meta() -> AbstractContextManager[Any]:
    """Fail at an operation on a tensor of the host; single numbers are passed to a kernel by value.

    On torch's device ``meta`` there are shapes and no numbers, so whatever asks for a number fails too.
    """
    import torch
    from torch.utils import _pytree as pytree
    from torch.utils._python_dispatch import TorchDispatchMode

    class OnlyOnMeta(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            del types
            result = func(*args, **(kwargs or {}))
            for value in pytree.tree_leaves((args, kwargs, result)):
                if isinstance(value, torch.Tensor) and value.dim():
                    assert value.device.type == "meta", f"{func} touches a tensor on the {value.device.type}"
            return result

    return OnlyOnMeta()  # type: ignore[no-untyped-call]
