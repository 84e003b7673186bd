"""Check that a worker sees the driver's home, where its executor states it: a file with a random text has to be there.

Each worker checks it before its first stage, so that none writes its files into a folder of another machine that has
the same name.
"""

from __future__ import annotations

import contextlib
import functools
import secrets
import socket
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import HomeError
from ablate.files import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Proof(NamedTuple):
    """The file that shows a home: its name there, and its text."""

    name: str
    text: str


def new_proof() -> Proof:
    """Return one that no other home has; its name is that of a file that is not finished, which are cleaned up."""
    return Proof(f"{UNFINISHED}{secrets.token_hex(4)}-seen", secrets.token_hex(16))


@contextlib.contextmanager
def shown(proof: Proof, home: Path) -> Iterator[None]:
    """Keep the file in a home inside the block.

    Raises:
        HomeError: it cannot be written.
    """
    path = home / proof.name
    try:
        path.write_text(proof.text, encoding="utf-8")
    except OSError as error:
        raise HomeError(f"{home}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@functools.lru_cache(maxsize=1)
def unseen(home: Path | None, proof: Proof | None) -> str:
    """Return, as a sentence, that this worker does not see the home of its driver; empty if it does.

    Args:
        home: as the executor states it.
        proof: the file there; None where nobody can doubt it.
    """
    if home and proof:
        try:
            if (home / proof.name).read_text(encoding="utf-8", errors="replace") == proof.text:
                return ""
            found = "has another file"
        except OSError as error:
            found = f"does not find the file ({error.strerror})"
        problem = f"{found} that was just written into {home}"
    elif home:
        return ""
    else:
        problem = "knows no path of it"
    return (
        f"the worker on {socket.gethostname()} does not see this home, although its executor states it: it {problem}; "
        "use a --home that all machines share, or let the executor send the files"
    )
