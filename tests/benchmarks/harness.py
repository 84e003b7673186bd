"""Times things side by side: one round of every candidate after another, again and again, then a table and a file.

Machines drift, so nothing is compared with a number from another run: every table has its baseline, measured in the
same rounds, and the ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import json
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich.console
import rich.table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PACKAGES = ("ablate-music", "numpy", "torch", "symusic", "pretty_midi", "sqlalchemy", "pandas", "scipy")


@dataclasses.dataclass(frozen=True)
class Case:
    """Something to time.

    Attributes:
        name: for people.
        run: does the work once; what it returns is how much of it there was, in the table's unit.
        target: the least ratio to the baseline that it should reach, or 0.
        most: the longest that it should take in seconds, or 0.
    """

    name: str
    run: Callable[[], float]
    target: float = 0.0
    most: float = 0.0


@dataclasses.dataclass(frozen=True)
class Row:
    """What came of a case: medians over the rounds, and their spread as (highest - lowest) / median."""

    name: str
    seconds: float
    spread: float
    rate: float
    ratio: float
    target: float = 0.0
    most: float = 0.0

    @property
    def verdict(self) -> str:
        """Whether the targets are met; empty without any."""
        if not self.target and not self.most:
            return ""
        met = self.ratio >= self.target and (not self.most or self.seconds <= self.most)
        return "met" if met else "missed"


@dataclasses.dataclass
class Table:
    """Cases against a baseline.

    Attributes:
        title: what is measured.
        unit: of the work (``"tokens"``).
        rows: the baseline first.
        notes: the theoretical limit, and whatever else helps to read it.
    """

    title: str
    unit: str
    rows: list[Row]
    notes: list[str] = dataclasses.field(default_factory=list)


@contextlib.contextmanager
def _little_to_collect() -> Iterator[None]:
    """Let the garbage collector pass over what exists now: all that was imported takes a large part of a second."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def compare(
    title: str,
    unit: str,
    cases: Sequence[Case],
    rounds: int = 5,
    notes: Sequence[str] = (),
    clock: Callable[[], float] = time.perf_counter,
) -> Table:
    """Time all cases, interleaved; the first is the baseline. One round before them warms up and is not counted.

    With ``time.process_time`` as the clock, other work on the machine changes little; only for cases of one process
    and one thread.
    """
    seconds: list[list[float]] = [[] for _ in cases]
    amounts = [0.0] * len(cases)
    with _little_to_collect():
        for round_ in range(rounds + 1):
            for index, case in enumerate(cases):
                gc.collect()
                begun = clock()
                amounts[index] = case.run()
                if round_:
                    seconds[index].append(clock() - begun)
    rows = []
    for case, amount, own in zip(cases, amounts, seconds, strict=True):
        # a rate, for the baseline often does less of the work: a whole round of it would take minutes
        ratios = [(amount / mine) / (amounts[0] / base) for mine, base in zip(own, seconds[0], strict=True)]
        middle = statistics.median(own)
        rows.append(
            Row(
                case.name,
                middle,
                (max(own) - min(own)) / middle,
                amount / middle,
                statistics.median(ratios),
                case.target,
                case.most,
            )
        )
    return Table(title, unit, rows, list(notes))


def once(title: str, unit: str, cases: Sequence[Case], notes: Sequence[str] = ()) -> Table:
    """Time each case a single time: for what takes minutes, whose start is a part of it."""
    rows: list[Row] = []
    for case in cases:
        begun = time.perf_counter()
        amount = case.run()
        seconds = time.perf_counter() - begun
        rate = amount / seconds
        rows.append(Row(case.name, seconds, 0.0, rate, rate / rows[0].rate if rows else 1.0, case.target, case.most))
    return Table(title, unit, rows, list(notes))


def show(table: Table) -> None:
    """Print a table."""
    printed = rich.table.Table(title=table.title, title_justify="left", title_style="bold")
    printed.add_column("case", overflow="fold")
    for name in ("median s", "spread", f"{table.unit}/s", "ratio", "target", ""):
        printed.add_column(name, justify="right")
    for row in table.rows:
        printed.add_row(*cells(row))
    console = rich.console.Console(width=None if os.isatty(1) else 120)
    console.print(printed)
    for note in table.notes:
        console.print(f"  {note}", highlight=False)


def cells(row: Row) -> list[str]:
    """A row as text."""
    wanted = [f">= {row.target:g} x"] if row.target else []
    wanted += [f"<= {row.most:g} s"] if row.most else []
    return [
        row.name,
        f"{row.seconds:.4g}",
        f"{row.spread:.0%}",
        f"{row.rate:,.0f}" if row.rate >= 10 else f"{row.rate:.3g}",
        f"{row.ratio:.2f}" if row.ratio < 10 else f"{row.ratio:.1f}",
        ", ".join(wanted),
        row.verdict,
    ]


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "packages": {name: _version(name) for name in PACKAGES},
        **({"gpu": gpu} if (gpu := _gpu()) else {}),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # on a machine with only what one group needs
        return "not installed"


def _gpu() -> str:
    """The GPU's name, and the driver's CUDA; empty without one."""
    import torch

    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}" if torch.cuda.is_available() else ""


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def write(path: Path, group: str, tables: Sequence[Table]) -> None:
    """Keep a group's tables as JSON, with the machine."""
    path.mkdir(parents=True, exist_ok=True)
    data = {"group": group, "machine": machine(), "tables": [dataclasses.asdict(table) for table in tables]}
    (path / f"{group}.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use so many threads meanwhile."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
