"""Save weights and checkpoints as safetensors with JSON, whole or not at all; nothing is pickled."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch

from ablate.errors import StageError
from ablate.files import write_whole
from ablate.sealed import own_facts, seal, seal_problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch


def pack_tensors(tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> bytes:
    """Return named tensors as the bytes of a safetensors file, with JSON-ready facts in its header."""
    return _packed(tensors, {"facts": json.dumps(facts)})


def _packed(tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    # safetensors refuses tensors that share memory, as tied weights do: each name gets a copy
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return safetensors.torch.save(ready, metadata)


def save_checked(path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    """Save named tensors and facts as a safetensors file with its own digest and name, whole or not at all."""
    write_whole(path, seal(path.name, facts, functools.partial(_packed, tensors)))


def load_checked(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file that :func:`save_checked` saved, after all of it has been checked.

    Raises:
        StageError: the file is missing, damaged, without a digest, or was saved under another name.
    """
    problem = seal_problem(path)
    if problem:
        raise StageError(f"{path} {problem}")
    tensors, facts = load_tensors(path)
    return tensors, own_facts(facts)


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file of tensors.

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
