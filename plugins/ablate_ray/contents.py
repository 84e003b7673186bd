"""Contents of files in the object store of the cluster: each is put once, by its digest, when a task needs it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ray

#: Bytes that are kept in the object store for the tasks to come.
_MOST = 2**30


class Contents:
    """The contents that were put, in the order of their last use."""

    def __init__(self) -> None:
        self._paths: dict[str, str] = {}
        self._kept: dict[str, tuple[ray.ObjectRef[bytes], int]] = {}

    def add(self, digest: str, path: str) -> None:
        """Note the file that has a content."""
        self._paths[digest] = path

    async def references(self, digests: Iterable[str]) -> dict[str, ray.ObjectRef[bytes]]:
        """Return the contents as objects of Ray, which keeps them as long as somebody has the reference.

        Raises:
            OSError: a file cannot be read.
        """
        found = {}
        for digest in digests:
            if digest in self._kept:
                self._kept[digest] = self._kept.pop(digest)
            else:
                self._kept[digest] = await asyncio.to_thread(_put, self._paths[digest])
            found[digest] = self._kept[digest][0]
        while len(self._kept) > len(found) and sum(size for _, size in self._kept.values()) > _MOST:
            del self._kept[next(iter(self._kept))]
        return found


def _put(path: str) -> tuple[ray.ObjectRef[bytes], int]:
    import ray

    data = Path(path).read_bytes()
    return ray.put(data), len(data)
