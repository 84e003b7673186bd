"""Safetensors files that carry their own digest: the SHA-256 of the whole file with zeros in the place of the digest.

The digest covers the header too. The name of the file is one of the facts in it, so that a file that was renamed is not
taken for another one.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: The digits of a digest, and where it is in a header: quotes inside a text are escaped there.
_LENGTH = 64
_DIGEST = re.compile(rb'"digest":"([0-9a-f]{64})"')
#: The key of the digest, and of the facts, in the metadata of a file.
_KEY, _FACTS = "digest", "facts"
#: The fact that is the name of the file.
_NAME = "file"


def seal(name: str, facts: Mapping[str, Any], pack: Callable[[dict[str, str]], bytes]) -> bytes:
    """Return the bytes of a file with its own digest.

    Args:
        name: of the file.
        facts: JSON-ready data for its header.
        pack: makes the bytes of a safetensors file with this metadata.
    """
    data = bytearray(pack({_FACTS: json.dumps({**facts, _NAME: name}), _KEY: "0" * _LENGTH}))
    place = _place(data[: _header_size(data)])
    if place is None:
        raise RuntimeError("safetensors has written its metadata in another form")
    data[place : place + _LENGTH] = hashlib.sha256(data).hexdigest().encode()
    return bytes(data)


def seal_problem(path: Path) -> str:
    """Return what is wrong with a file that should carry its own digest, as the end of a sentence; empty if nothing is.

    All of it is read.
    """
    try:
        with path.open("rb") as file:
            size = _header_size(file.read(8))
            if size > path.stat().st_size:
                return "is damaged: it is shorter than its header"
            file.seek(0)
            header = bytearray(file.read(size))
            place = _place(header)
            if place is None:
                return "has no digest: it is damaged, or an older ablate has written it"
            expected = header[place : place + _LENGTH].decode()
            header[place : place + _LENGTH] = b"0" * _LENGTH
            digest = hashlib.sha256(header)
            while portion := file.read(2**20):
                digest.update(portion)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if digest.hexdigest() != expected:
        return "is damaged: its digest differs"
    # the header is what was written, so it can be parsed
    facts = json.loads(json.loads(header[8:])["__metadata__"][_FACTS])
    return "" if facts.get(_NAME) == path.name else "was saved under another name"


def own_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that were given to :func:`seal`."""
    return {key: value for key, value in facts.items() if key != _NAME}


def _header_size(start: bytes | bytearray) -> int:
    """Return the number of bytes before the tensors of a safetensors file, from its first eight bytes."""
    return 8 + int.from_bytes(start[:8], "little")


def _place(header: bytes | bytearray) -> int | None:
    match = _DIGEST.search(header)
    return match.start(1) if match else None
