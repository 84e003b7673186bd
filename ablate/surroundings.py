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
_TIMERS = [getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF") if hasattr(signal, name)]
_LIBRARIES = ("numpy", "torch")
#: The values that these have when they are loaded; the threads of torch, which come last, depend on the machine.
_DEFAULTS: dict[str, Callable[[Any], list[Any]]] = {
    "numpy": lambda _: [{"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}],
    "torch": lambda torch: [torch.float32, True, False, "highest", torch.device("cpu")],
}
_STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


@contextlib.contextmanager
def kept_while_loading() -> Iterator[None]:
    """Restore the working folder, signal handlers, timers, streams and settings of libraries at the end of the block.

    A library may well set environment variables and filters of warnings when it is imported; these stay.
    """
    with _folder(), _signals(), _streams(), stopped_timers(), _settings_of_libraries():
        yield


@contextlib.contextmanager
def kept_surroundings() -> Iterator[None]:
    """Restore what a component may have changed for others at the end of the block.

    These are the working folder, the environment, the signal handlers, the standard streams, the filters of warnings,
    the limit of recursion, NumPy's treatment of floating-point errors, and torch's default type, device, threads,
    gradients, determinism and precision of products. Random streams need none of this: each is seeded before its use.
    """
    environment, recursion = dict(os.environ), sys.getrecursionlimit()
    with _folder(), _signals(only_if_blocked=True), _streams(), warnings.catch_warnings(), _settings_of_libraries():
        try:
            yield
        finally:
            sys.setrecursionlimit(recursion)
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)


@contextlib.contextmanager
def stopped_timers() -> Iterator[None]:
    """Stop the timers that are started in the block: their signals would end the process in another component."""
    timers = [number for number in _TIMERS if signal.getitimer(number) == (0.0, 0.0)]
    try:
        yield
    finally:
        for number in timers:
            signal.setitimer(number, 0)


@contextlib.contextmanager
def _settings_of_libraries() -> Iterator[None]:
    """Restore the settings of NumPy and torch; those of one that is loaded in the block become its defaults."""
    before = {name: _settings(name) for name in _LIBRARIES if name in sys.modules}
    try:
        yield
    finally:
        for name in _LIBRARIES:
            library = sys.modules.get(name)
            if library and hasattr(library, "__version__"):  # it may be half loaded
                defaults = [each[2] for each in before[name]] if name in before else _DEFAULTS[name](library)
                for (restore, current, _), value in zip(_settings(name), defaults, strict=False):
                    if current() != value:
                        restore(value)


def _settings(name: str) -> list[tuple[Callable[[Any], object], Callable[[], Any], Any]]:
    """Return the settings of a library that is loaded: how each is restored and read, and its value."""
    library = sys.modules[name]
    if name == "numpy":
        return [(lambda errors: library.seterr(**errors), library.geterr, library.geterr())]
    names = (
        (library.set_default_dtype, library.get_default_dtype),
        (library.set_grad_enabled, library.is_grad_enabled),
        (library.use_deterministic_algorithms, library.are_deterministic_algorithms_enabled),
        (library.set_float32_matmul_precision, library.get_float32_matmul_precision),
        (library.set_default_device, library.get_default_device),
        (library.set_num_threads, library.get_num_threads),
    )
    return [(restore, current, current()) for restore, current in names]


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
