"""The surroundings that plugins share: the folder, the environment, signals, streams, settings of libraries."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from ablate.interrupts import is_blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


@contextlib.contextmanager
def kept_while_loading() -> Iterator[None]:
    """Restore the working folder, the signal handlers and the standard streams at the end of the block.

    A library may well set environment variables and filters of warnings when it is imported; these stay.
    """
    with _folder(), _signals(), _streams():
        yield


@contextlib.contextmanager
def kept_surroundings() -> Iterator[None]:
    """Restore what a component may have changed for others at the end of the block.

    These are the working folder, the environment, the signal handlers, the standard streams, the filters of warnings,
    the limit of recursion, NumPy's treatment of floating-point errors, and torch's default type, device, threads,
    gradients, determinism and precision of products. Random streams need none of this: each is seeded before its use.
    """
    environment, recursion = dict(os.environ), sys.getrecursionlimit()
    settings = [*_settings()]
    with _folder(), _signals(only_if_blocked=True), _streams(), warnings.catch_warnings():
        try:
            yield
        finally:
            for restore, current, value in settings:
                if current() != value:
                    restore(value)
            sys.setrecursionlimit(recursion)
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)


def _settings() -> Iterator[tuple[Callable[[Any], object], Callable[[], Any], Any]]:
    """Yield the settings of libraries that are loaded already: how each is restored and read, and its value."""
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy:
        yield (lambda errors: numpy.seterr(**errors)), numpy.geterr, numpy.geterr()
    if torch:
        for restore, current in (
            (torch.set_default_dtype, torch.get_default_dtype),
            (torch.set_grad_enabled, torch.is_grad_enabled),
            (torch.use_deterministic_algorithms, torch.are_deterministic_algorithms_enabled),
            (torch.set_float32_matmul_precision, torch.get_float32_matmul_precision),
            (torch.set_num_threads, torch.get_num_threads),
            (torch.set_default_device, torch.get_default_device),
        ):
            yield restore, current, current()


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    if not hasattr(os, "fchdir"):  # Windows
        yield
        return
    try:
        folder = os.open(".", os.O_RDONLY)
    except OSError:  # it is gone, or may not be read
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.fchdir(folder)
        with contextlib.suppress(OSError):
            os.close(folder)


@contextlib.contextmanager
def _signals(*, only_if_blocked: bool = False) -> Iterator[None]:
    # where a Ctrl-C arrives, its handler may change the handler meanwhile
    idle = only_if_blocked and not is_blocked()
    if idle or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


@contextlib.contextmanager
def _streams() -> Iterator[None]:
    before = {name: getattr(sys, name) for name in _STREAMS}
    try:
        yield
    finally:
        for name, stream in before.items():
            closed = stream is not None and getattr(stream, "closed", False)
            setattr(sys, name, _reopened(_STREAMS[name]) if closed else stream)


def _reopened(number: int) -> Any:
    """Return a new stream on a descriptor; one that was closed too leads nowhere."""
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
    return open(number, "w" if number else "r", encoding="utf-8", errors="replace", closefd=False)
