"""Weights and checkpoints as files: safetensors plus JSON, written completely or not at all, nothing pickled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch

from ablate.errors import StageError
from ablate.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch


def pack_tensors(tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> bytes:
    """Return named tensors as the bytes of a safetensors file, with JSON-ready facts in its header."""
    # safetensors refuses tensors that share memory, as tied weights do: each name gets a copy
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return safetensors.torch.save(ready, {"facts": json.dumps(facts)})


def save_tensors(path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    """Write the bytes of :func:`pack_tensors` to a file, completely or not at all."""
    write_whole(path, pack_tensors(tensors, facts))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file that :func:`save_tensors` wrote.

    Raises:
        StageError: the file is missing, damaged, or of another kind.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 - no dict
    except (safetensors.SafetensorError, FileNotFoundError, KeyError, ValueError) as error:
        raise StageError(
            f"{path} is damaged or missing ({error}); delete its folder and run the study again to recreate it"
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return an optimiser's state as named tensors (``"0.exp_avg"``), in the order of its parameters."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, values in state.items() for key, value in values.items()}


def optimizer_state(tensors: Mapping[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    """Return the tensors of :func:`optimizer_tensors` by the indices of the parameters.

    Raises:
        ValueError: a name does not begin with an index.
    """
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    return state
