"""What a section works with: its device, and the results that it prints and writes."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import traceback
from typing import TYPE_CHECKING, Any

from ablate.errors import named_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Check:
    """Prints each result of a section, and writes all so far as JSON: they remain if the process is ended.

    Args:
        name: of the section.
        folder: for its files.
        device: ``"cuda"`` or ``"cpu"``.
        tiny: whether to use the smallest sizes.

    Attributes:
        failed: whether any result was a fault.
    """

    def __init__(self, name: str, folder: Path, device: str, *, tiny: bool) -> None:
        self.name, self.folder, self.device, self.tiny = name, folder, device, tiny
        self.failed = False
        self._results: list[dict[str, Any]] = []

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU."""
        return self.device == "cuda"

    def report(self, what: str, value: Any, *, ok: bool | None = None) -> None:
        """Report a result.

        Args:
            what: was checked or measured.
            value: its result, for JSON.
            ok: whether the result is as it should be; None if the check cannot decide it.
        """
        self.failed |= ok is False
        self._results.append({"what": what, "value": value, "ok": ok})
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps(self._results, indent=1) + "\n", encoding="utf-8")
        mark = {True: "ok", False: "FAULT", None: ""}[ok]
        print(f"{mark:<6}{what:<70} {value}", flush=True)  # noqa: T201

    def command(self, name: str, words: Sequence[str]) -> tuple[int, list[str]]:
        """Run a command, write what it prints to a file of this name, and return its exit code and its lines."""
        path = self.folder / f"{name}.txt"
        with path.open("w", encoding="utf-8") as file:
            code = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, check=False).returncode  # noqa: S603
        return code, path.read_text(encoding="utf-8", errors="replace").splitlines()

    @contextlib.contextmanager
    def errors_kept(self) -> Iterator[None]:
        """Report an error as a fault, with its traceback below it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - whatever it is, the report has to name it
            self.report("ended early", named_line(error), ok=False)
            traceback.print_exc()


@contextlib.contextmanager
def warnings_of_ablate() -> Iterator[list[str]]:
    """Collect the warnings that ablate and its plugins log inside the context."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(lambda record: record.name.startswith("ablate"))
    logger = logging.getLogger()
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
