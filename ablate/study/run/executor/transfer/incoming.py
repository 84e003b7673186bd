"""The driver's side of files that travel: what a job reads is put, what it has written is checked and comes home."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.digests import digest, digests, is_file_name, require
from ablate.errors import StageError
from ablate.files import UNFINISHED, replaced_folder, sync_tree
from ablate.inside import inside, without_links
from ablate.kinds import KINDS, TRAIN
from ablate.sealed import seal_problem
from ablate.study.run.executor.transfer.away import FilePart, Inputs
from ablate.study.stage import checkpoint_path

if TYPE_CHECKING:
    from ablate.interfaces.executor import Executor
    from ablate.study.work.messages import Job, StageResult


def put_inputs(executor: Executor, job: Job, home: Path) -> Inputs:
    """Put what a job reads into an executor, after a check.

    Raises:
        DamagedFile: a file is missing, or is not what was written.
    """
    files = {}
    for source in {s.fingerprint: s for stage in job.stages for s in stage.inputs.values()}.values():
        recorded = job.files.get(source.fingerprint) or digests(inside(home, source.artifact))
        require(home, source.artifact, recorded)
        # nothing reads the folders inside the folder of a stage, which programs write
        files[source.artifact] = {name: each for name, each in recorded.items() if not name.endswith("/")}
        for name, each in files[source.artifact].items():
            executor.put(each, home / source.artifact / name)
    checkpoints = {}
    for stage in job.stages:
        path = home / checkpoint_path(stage.fingerprint)
        if stage.kind == TRAIN and path.is_file():
            checkpoints[stage.fingerprint] = digest(path)
            executor.put(checkpoints[stage.fingerprint], path)
    return Inputs(files, checkpoints)


class Incoming:
    """Takes the files of a job as they arrive.

    Nothing that a worker sends decides a path: stages are those of the job, and names are those of plain files.

    Args:
        job: that a worker has.
        home: the driver's.
    """

    def __init__(self, job: Job, home: Path) -> None:
        self._stages, self._home = {stage.fingerprint: stage for stage in job.stages}, home
        self._folder: Path | None = None

    def take(self, part: FilePart) -> None:
        """Take a part of a file; a checkpoint that is whole is kept.

        Raises:
            StageError: it belongs to no stage of the job, or is damaged.
            OSError: it cannot be written.
        """
        stage = self._stages.get(part.fingerprint)
        if stage is None or (not part.name and stage.kind != TRAIN):
            raise StageError("of another job")
        checkpoint = checkpoint_path(stage.fingerprint)
        path = self._place(part.fingerprint, part.name or f"{Path(checkpoint).name}.part")
        with path.open("ab") as file:
            file.write(part.data)
        if part.last and not part.name:
            self._keep_checkpoint(path, checkpoint)

    def _keep_checkpoint(self, path: Path, checkpoint: str) -> None:
        whole = path.with_suffix("")
        path.rename(whole)
        problem = seal_problem(whole)
        if problem:
            whole.unlink()
            raise StageError(f"a checkpoint that {problem}")
        sync_tree(whole.parent)
        target = without_links(self._home, checkpoint)
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.replace(target)

    def finish(self, result: StageResult) -> StageResult:
        """Bring the files of a result home, and return it with the driver's own stage.

        Raises:
            StageError: the files are not those that the worker has written.
            OSError: they cannot be written.
        """
        stage = self._stages.get(result.stage.fingerprint)
        if stage is None:
            raise StageError("of another job")
        if KINDS[stage.kind].keeps_files:
            folder = self._place(stage.fingerprint, "x").parent
            if digests(folder) != dict(result.files):
                raise StageError(f"{stage.kind}, whose files are not what was written")
            with replaced_folder(without_links(self._home, stage.artifact)) as target:
                for path in folder.iterdir():
                    shutil.move(path, target / path.name)
        if stage.kind == TRAIN:
            without_links(self._home, checkpoint_path(stage.fingerprint)).unlink(missing_ok=True)
        return dataclasses.replace(result, stage=stage)

    def _place(self, fingerprint: str, name: str) -> Path:
        """Return the place of a file that is not whole."""
        if not is_file_name(name) or name.startswith(UNFINISHED):
            raise StageError("with a name that no file of a stage has")
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self._home))
        kind = "checkpoints" if name.endswith(".safetensors.part") else "files"
        place = inside(self._folder, f"{kind}/{fingerprint}/{name}")
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def close(self) -> None:
        """Remove what did not become whole."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
