"""Write event files of TensorBoard, with its own records: one folder for each run, below its variant and study."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ablate
from ablate_observers.common import flat, folder_name, key, library, results, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate_observers.common import Key
    from ablate_observers.options import TensorBoardOptions

#: Marks the folder of a run that is complete, so that it is not written again when the run is reused.
_COMPLETE = "complete.json"


class _EventFile:
    """An event file to which records are appended; it is open only while one is written.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._event = library("tensorboard.compat.proto.event_pb2", "tensorboard").Event
        self._writer = library("tensorboard.summary.writer.record_writer", "tensorboard").RecordWriter
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"events.out.tfevents.{time.time_ns()}.ablate"
        self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))

    def add(self, *summaries: Any, step: int = 0) -> None:
        """Append summaries."""
        for summary in summaries:
            self._write(self._event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Any) -> None:
        with self._path.open("ab") as file:
            self._writer(file).write(event.SerializeToString())


class TensorBoardWriter:
    """Writes scalars while a run trains, and its configuration, levels and metrics.

    Args:
        options: a folder, or none.
        folder: that of the observer in the home.

    Raises:
        AblateError: tensorboard is not installed.
    """

    def __init__(self, options: TensorBoardOptions, folder: Path) -> None:
        library("tensorboard", "tensorboard")
        self._summary = library("torch.utils.tensorboard.summary", "tensorboard")
        self._folder = Path(options.folder).resolve() if options.folder else folder
        self._runs: dict[Key, tuple[Path, _EventFile, ablate.RunStarted]] = {}
        self._validated: dict[Key, tuple[int, float]] = {}

    @ablate.hookimpl
    def ablate_run_started(self, event: ablate.RunStarted) -> None:
        """Begin an event file, in a folder with a part of the fingerprint, so that no other results mix with it."""
        name = f"replicate-{event.replicate}-{event.fingerprint[:8]}"
        folder = self._folder / folder_name(event.study) / folder_name(event.variant) / name
        if event.reused and (folder / _COMPLETE).exists():
            return
        file = _EventFile(folder)
        rows = "".join(f"| {path} | {value} |\n" for path, value in flat(event.config).items())
        file.add(self._summary.text("configuration", f"| option | value |\n|---|---|\n{rows}"))
        self._runs[key(event)] = (folder, file, event)

    @ablate.hookimpl
    def ablate_step_logged(self, event: ablate.StepLogged) -> None:
        """Write the loss of a step, and a validation that is new."""
        _, file, _ = self._runs[key(event)]
        file.add(self._summary.scalar("loss", event.loss), step=event.step)
        if event.validation and self._validated.get(key(event)) != event.validation:
            self._validated[key(event)] = event.validation
            step, loss = event.validation
            file.add(self._summary.scalar("validation_loss", loss), step=step)

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        """Write the results of a run, beside the levels of its variant."""
        if key(event) not in self._runs:
            return
        folder, file, started = self._runs.pop(key(event))
        values = results(event) if event.state == "done" else {}
        file.add(*(self._summary.scalar(name, value) for name, value in values.items()), step=1)
        if event.state == "done":
            file.add(*self._summary.hparams(_levels(started.levels), dict.fromkeys(values, 0.0)))
            (folder / _COMPLETE).write_text(json.dumps({"study": event.study, "variant": event.variant}))
        elif event.error:
            file.add(self._summary.text("error", event.error))

    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        """Write the verdicts."""
        folder, text = self._folder / folder_name(event.study), "\n".join(f"- {each}" for each in event.verdicts)
        known = folder / "verdicts.md"
        if text and not (known.exists() and known.read_text(encoding="utf-8") == text):
            _EventFile(folder).add(self._summary.text("verdicts", text))
            known.write_text(text, encoding="utf-8")
        return f"to see {event.study}: tensorboard --logdir {shown(self._folder)}"


def _levels(levels: Mapping[str, Any]) -> dict[str, Any]:
    """Return levels as numbers, texts or truth values."""
    return {path: each if isinstance(each, int | float | str) else json.dumps(each) for path, each in levels.items()}
