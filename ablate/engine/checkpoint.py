"""Save weights and checkpoints as safetensors with JSON, whole or not at all; nothing is pickled."""

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
    """Save named tensors and facts as a safetensors file, whole or not at all."""
    write_whole(path, pack_tensors(tensors, facts))


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file that :func:`save_tensors` saved.

    Raises:
        StageError: the file is missing, damaged, or of another program.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118 - no dict
    except (safetensors.SafetensorError, FileNotFoundError, KeyError, ValueError) as error:
        raise StageError(
            f"{path} is damaged or missing ({error}); delete its folder and run the study again to recreate it"
        ) from error
