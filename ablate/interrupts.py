"""Tell a Ctrl-C of the person from a KeyboardInterrupt that a plugin raises."""

from __future__ import annotations

import signal
import threading
from typing import NoReturn


class CtrlC(KeyboardInterrupt):
    """A Ctrl-C of the person at the terminal."""


def mark_ctrl_c() -> None:
    """Raise :class:`CtrlC` at a Ctrl-C from now on, so that it can be told from a plugin's own exception."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _raise)


def _raise(*_: object) -> NoReturn:
    raise CtrlC


def is_ctrl_c(error: BaseException) -> bool:
    """Return whether an exception stops the program: a Ctrl-C; in a worker, which gets none, nothing is.

    Without :func:`mark_ctrl_c`, as in a notebook, every KeyboardInterrupt of the main thread is one.
    """
    if not isinstance(error, KeyboardInterrupt):
        return False
    if isinstance(error, CtrlC):
        return True
    if threading.current_thread() is not threading.main_thread() or is_blocked():
        return False
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler


def is_blocked() -> bool:
    """Return whether no Ctrl-C can arrive in this thread for now."""
    return hasattr(signal, "pthread_sigmask") and signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
