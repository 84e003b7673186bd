"""Call a function in several threads at the same moment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def errors_at_once(call: Callable[[], object], count: int = 4) -> list[BaseException]:
    """Return what ``count`` calls at the same moment have raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        try:
            barrier.wait()
            call()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test wants to see it
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
