"""The end of a command, also where a plugin has left a thread that never ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from typing import NoReturn

#: Seconds that the threads of plugins have to end, together.
PATIENCE = 2.0


def leave(code: int) -> NoReturn:
    """End this process with an exit code; at its end, Python would wait for threads of plugins for ever."""
    end = time.monotonic() + PATIENCE
    for thread in _others():
        thread.join(max(0.0, end - time.monotonic()))
    if not _others():
        sys.exit(code)
    # what Python does at exit, but without waiting
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to run them before os._exit
    for stream in (sys.stdout, sys.__stdout__, sys.stderr):
        with contextlib.suppress(Exception):  # closed, full, or one of a plugin
            if stream is not None:
                stream.flush()
    os._exit(code)


def _others() -> list[threading.Thread]:
    own = (threading.current_thread(), threading.main_thread())
    return [thread for thread in threading.enumerate() if thread not in own and not thread.daemon]
