"""Run the reader on one input and judge the result, for the fuzzer and its short version in the suite."""

from __future__ import annotations

import resource
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ablate.errors import CorpusError
from ablate.music.midi import parse_midi
from support.comparing import DIFFERENT, compare_reading
from support.fuzzing import repaired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: CPU seconds that reading one input may take.
SECONDS = 5.0
#: Bytes by which reading one input may increase the memory of a process.
MEMORY = 2**30


class HangError(BaseException):
    """Reading took longer than SECONDS; no Exception, so that no handler stops it."""


class Result(NamedTuple):
    """Result of one execution.

    Attributes:
        kind: "read", "refused", or a failure: "hang", "memory", "exception", "different".
        reason: of a refusal or failure.
        seconds: of CPU, the comparison included.
    """

    kind: str
    reason: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether the reader is at fault."""
        return self.kind not in {"read", "refused"}


def attack(data: bytes, *, compared: bool) -> Result:
    """Read an input, and compare with the independent reader if ``compared`` is set."""
    start = time.process_time()
    try:
        with limited(SECONDS):
            kind, reason = _judged(data, compared=compared)
    except HangError:
        kind, reason = "hang", f"over {SECONDS:g} s"
    except MemoryError as error:
        kind, reason = "memory", str(error) or "out of memory"
    except Exception as error:  # noqa: BLE001 - any other is a fault
        kind, reason = "exception", f"{type(error).__name__}: {error}"
    return Result(kind, reason, time.process_time() - start)


def _judged(data: bytes, *, compared: bool) -> tuple[str, str]:
    try:
        reading = parse_midi(data, "x.mid")
        reading.performance.check()
    except CorpusError as error:
        line = str(error)
        return ("exception", f"not one line: {line}") if "\n" in line else ("refused", line.removeprefix("x.mid: "))
    verdict = compare_reading(reading, data) if compared else None
    return ("different", verdict.reason) if verdict and verdict.kind == DIFFERENT else ("read", "")


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise HangError in the block after ``seconds`` of CPU time; only in the main thread."""

    def stop(*_: object) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    """Let this process have MEMORY bytes more than it has now; beyond them, allocations raise MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def peak_memory() -> int:
    """Return the most bytes that this process has had in memory."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def minimise(data: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Return a shorter input that fails as well: parts are removed while it does, ever smaller ones."""
    size = len(data) // 2
    while size:
        start = 0
        while start < len(data):
            shorter = data[:start] + data[start + size :]
            failing = next((tried for tried in (repaired(shorter), shorter) if fails(tried)), None)
            if failing is None:
                start += size
            else:
                data = failing
        size //= 2
    return data
