"""What every kind of component may do wrong."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import torch

import ablate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class OwnError(BaseException):
    """An exception that is no Exception."""


class SilentError(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise SystemExit(3)


def _raise(error: type[BaseException], *args: object) -> Callable[[], NoReturn]:
    def work() -> NoReturn:
        raise error(*args)

    return work


_ALWAYS_THE_SAME = RuntimeError("the same")


def _raise_the_same() -> NoReturn:
    raise _ALWAYS_THE_SAME


def _needs_a_package() -> None:
    import a_package_that_nobody_has  # noqa: F401


#: Ways to raise, by name.
RAISING: dict[str, Callable[[], Any]] = {
    "raises": _raise(RuntimeError, "wild"),
    "raises-in-bytes": _raise(OSError, b"\xff", "caf\udce9 \x1b[31mred"),
    "raises-base-exception": _raise(OwnError, "wild"),
    "raises-keyboard-interrupt": _raise(KeyboardInterrupt),
    "raises-generator-exit": _raise(GeneratorExit),
    "raises-silently": _raise(SilentError),
    "raises-much": _raise(RuntimeError, "much " * 100_000),
    "raises-the-same": _raise_the_same,
    "exits-0": lambda: sys.exit(0),
    "exits-1": lambda: sys.exit(1),
    "exits-with-text": lambda: sys.exit("wild"),
    "lacks-a-package": _needs_a_package,
}
#: Some of them, for methods that are called in the same way as others.
FEW = {name: RAISING[name] for name in ("raises", "raises-base-exception", "raises-keyboard-interrupt", "exits-1")}


def disturb() -> None:
    """Change everything that a component shares with others."""
    print("a print")  # noqa: T201 - on purpose
    os.chdir("/")
    os.environ.clear()
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - on purpose
    np.seterr(all="raise")
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    warnings.simplefilter("error")
    sys.setrecursionlimit(300)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout = sys.stderr = sys.stdin = None  # type: ignore[assignment]


class Unprintable:
    """An object that can be neither printed nor compared nor counted."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison")

    __hash__ = None  # type: ignore[assignment]


def hook(name: str, offer: Callable[[], Iterator[Any]]) -> Any:
    """Return the implementation of a hook."""

    def implementation() -> Iterator[Any]:
        return offer()

    implementation.__name__ = name
    return ablate.hookimpl(implementation)
