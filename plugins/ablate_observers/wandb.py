"""Write runs of Weights & Biases; offline unless a person asks otherwise."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ablate
from ablate_observers.common import flat, key, library, results, shown, title

if TYPE_CHECKING:
    from ablate_observers.common import Key
    from ablate_observers.options import WandbOptions


class WandbWriter:
    """Writes each run as a run of W&B, grouped by variant, in a project with the study's name.

    The identifier of a run is derived from its fingerprint: W&B joins the parts of a run that was interrupted when they
    are uploaded, and a run that is reused and complete is not written twice.

    Args:
        options: folder, project and mode.
        folder: that of the observer in the home.

    Raises:
        AblateError: wandb is not installed.
    """

    def __init__(self, options: WandbOptions, folder: Path) -> None:
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # read at the import
        self._wandb = library("wandb", "wandb")
        self._options, self._folder = options, Path(options.folder).resolve() if options.folder else folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._runs: dict[Key, Any] = {}
        self._validated: dict[Key, tuple[int, float]] = {}

    @ablate.hookimpl
    def ablate_run_started(self, event: ablate.RunStarted) -> None:
        """Begin a run with its configuration."""
        number = _identifier(event.study, event.variant, str(event.replicate), event.fingerprint)
        if event.reused and self._complete(number).exists():
            return
        self._runs[key(event)] = self._begin(
            event.study,
            id=number,
            name=title(event),
            group=event.variant,
            config={**flat(event.config), "levels": dict(event.levels), "replicate": event.replicate},
        )

    @ablate.hookimpl
    def ablate_step_logged(self, event: ablate.StepLogged) -> None:
        """Write the loss of a step, and a validation that is new."""
        values = {"loss": event.loss}
        if event.validation and self._validated.get(key(event)) != event.validation:
            self._validated[key(event)] = event.validation
            values |= {"validation_loss": event.validation[1], "validation_step": event.validation[0]}
        self._runs[key(event)].log(values, step=event.step)

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        """Write the results of a run into its summary, and end it."""
        run = self._runs.pop(key(event), None)
        if run is None:
            return
        run.summary.update({"state": event.state, "error": event.error})
        if event.state == "done":
            run.summary.update(results(event))
        run.finish(exit_code=int(event.state != "done"))
        if event.state == "done":
            self._complete(run.id).touch()

    @ablate.hookimpl
    def ablate_study_finished(self, event: ablate.StudyFinished) -> str:
        """Write the verdicts as the notes of a run of their own."""
        number = _identifier(event.study, *event.verdicts)
        if event.verdicts and not self._complete(number).exists():
            notes = "\n".join(f"- {sentence}" for sentence in event.verdicts)
            self._begin(event.study, id=number, name="verdicts", job_type="verdicts", notes=notes).finish()
            self._complete(number).touch()
        if self._options.mode == "online":
            return f"uploaded {event.study}"
        return f"to upload {event.study}: wandb sync {shown(self._folder)}/wandb/offline-run-*"

    def _complete(self, number: str) -> Path:
        """Return the path of the empty file that marks a run as complete."""
        return self._folder / f"{number}.complete"

    def _begin(self, study: str, **facts: Any) -> Any:
        settings = {"silent": True, "console": "off", "disable_git": True, "disable_code": True}
        return self._wandb.init(
            project=self._options.project or study.replace("@", "-"),
            dir=str(self._folder),
            mode=self._options.mode,
            reinit="create_new",  # several runs are open at the same time
            settings=self._wandb.Settings(**settings, x_disable_stats=True),
            **facts,
        )


def _identifier(*texts: str) -> str:
    """Return the identifier of a run of W&B that these texts decide."""
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]
