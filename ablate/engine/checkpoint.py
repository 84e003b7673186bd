"""Save weights and checkpoints as safetensors with JSON, whole or not at all; nothing is pickled."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import safetensors
import safetensors.torch

from ablate.errors import StageError
from ablate.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

#: The digits of a digest, and where it is in a header: quotes inside a text are escaped there.
_LENGTH = 64
_DIGEST = re.compile(rb'"digest":"([0-9a-f]{64})"')
#: The fact that is the name of the file.
_NAME = "file"


def pack_tensors(tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> bytes:
    """Return named tensors as the bytes of a safetensors file, with JSON-ready facts in its header."""
    return _packed(tensors, {"facts": json.dumps(facts)})


def _packed(tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    # safetensors refuses tensors that share memory, as tied weights do: each name gets a copy
    ready = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    return safetensors.torch.save(ready, metadata)


def save_checked(path: Path, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
    """Save named tensors and facts as a safetensors file with its own digest, whole or not at all.

    The digest is the SHA-256 of the whole file with zeros in its place, so that it covers the header too. The name of
    the file is one of the facts: a file that was renamed is not taken for another one.
    """
    data = bytearray(_packed(tensors, {"facts": json.dumps({**facts, _NAME: path.name}), "digest": "0" * _LENGTH}))
    place = _place_of_digest(data[: _size_of_header(data)])
    if place is None:
        raise RuntimeError("safetensors has written its metadata in another form")
    data[place : place + _LENGTH] = hashlib.sha256(data).hexdigest().encode()
    write_whole(path, bytes(data))


def load_checked(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Return the tensors and facts of a file that :func:`save_checked` saved, after all of it has been checked.

    Raises:
        StageError: the file is missing, damaged, without a digest, or was saved under another name.
    """
    try:
        with path.open("rb") as file:
            size = _size_of_header(file.read(8))
            if size > path.stat().st_size:
                raise StageError(f"{path} is damaged: it is shorter than its header")
            file.seek(0)
            header = bytearray(file.read(size))
            place = _place_of_digest(header)
            if place is None:
                raise StageError(f"{path} has no digest: it is damaged, or an older ablate has written it")
            expected = header[place : place + _LENGTH].decode()
            header[place : place + _LENGTH] = b"0" * _LENGTH
            digest = hashlib.sha256(header)
            while portion := file.read(2**20):
                digest.update(portion)
    except OSError as error:
        raise StageError(f"{path} cannot be read ({error.strerror})") from error
    if digest.hexdigest() != expected:
        raise StageError(f"{path} is damaged: its digest differs")
    tensors, facts = load_tensors(path)
    if facts.pop(_NAME, None) != path.name:
        raise StageError(f"{path} was saved under another name")
    return tensors, facts


def _size_of_header(start: bytes | bytearray) -> int:
    """Return the number of bytes before the tensors of a safetensors file, from its first eight bytes."""
    return 8 + int.from_bytes(start[:8], "little")


def _place_of_digest(header: bytes | bytearray) -> int | None:
    match = _DIGEST.search(header)
    return match.start(1) if match else None


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
