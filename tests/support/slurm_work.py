"""The work of tasks in tests of single workers of SLURM."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ablate.interfaces.executor import Channel

_kept = []


def perform(data: bytes, channel: Channel) -> None:
    """Send 8 messages of a megabyte, or, for ``b"keep"``, make a folder that the end of this process removes."""
    if data == b"keep":
        _kept.append(tempfile.TemporaryDirectory())
        channel.send(_kept[-1].name.encode())
        return
    for number in range(8):
        channel.send(bytes([number]) * 1_000_000)
