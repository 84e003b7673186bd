"""Bring a bundle into a home: everything is checked first, and the study is there as a whole or not at all."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.digests import damages
from ablate.errors import BundleError, HomeError
from ablate.files import UNFINISHED, files_in, sync_tree
from ablate.inside import inside, without_links
from ablate.names import shell_name
from ablate.store.store import Store
from ablate.study.bundle import manifest, records
from ablate.study.bundle.archive import Archive
from ablate.study.file.as_run import UNBUNDLED
from ablate.study.plan.elsewhere import KINDS, elsewhere
from ablate.study.records import StudyRecords
from ablate.study.run.home import only_command
from ablate.study.trials.storage import delete_trials
from ablate.study.trials.transfer import put_trials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.store.records import StageRecord, StudyRecord

_ARTIFACT = re.compile(r"results/(artifacts/[a-z]+/[0-9a-f]{2}/[0-9a-f]{64})/.+")
#: Stages are recorded this many at a time, so that the measurements of a large study are never all in memory.
_TOGETHER = 100


@dataclasses.dataclass(frozen=True)
class Unpacked:
    """A study that has been brought into a home.

    Attributes:
        study: its record.
        manifest: that of the bundle.
        runs: the number of its runs.
        stages: the number of its finished stages.
        new: whether the home did not have it before.
        added: the number of folders of results that the home lacked.
    """

    study: StudyRecord
    manifest: manifest.Manifest
    runs: int
    stages: int
    new: bool
    added: int


def unpack(path: Path, home: Path, url: str, name: str = "") -> Unpacked:
    """Bring the study in a bundle into a home.

    Args:
        path: the bundle.
        home: the folder for its files; it exists.
        url: the database.
        name: another name for the study; default its own.

    Returns:
        The study. Where the home has it already with the same results, only files that the home lacks are added.

    Raises:
        BundleError: the bundle is damaged, unsafe or too new, or the home has another study of this name. Nothing is
            changed.
        HomeError: the home is in use by another command, or the disk is full.
        StoreError: the database cannot be written.
    """
    with Archive(path) as archive, contextlib.ExitStack() as stack:
        about = manifest.read_manifest(archive)
        needed = sum(size for each, size in archive.sizes.items() if each.startswith("results/"))
        if needed > shutil.disk_usage(home).free:
            raise HomeError(f"{path} needs {needed:,} bytes in {home}, which has less space; choose another --home")
        stack.enter_context(only_command(home, url, name or about.study))
        try:
            # in the home, so that its folders can be moved to their places
            temporary = tempfile.mkdtemp(prefix=f"{UNFINISHED}bundle-", dir=home)
            stack.callback(shutil.rmtree, temporary, ignore_errors=True)
            folder = Path(temporary)
            _unpack_files(archive, about, folder)
        except OSError as error:
            raise HomeError(
                f"cannot unpack {path} in {home} ({error.strerror or error}); choose another --home"
            ) from error
        store = stack.enter_context(Store(url))
        return _Import(path, about, folder, home, store).run(name)


def _unpack_files(archive: Archive, about: manifest.Manifest, folder: Path) -> None:
    """Write the results to a folder; of all other files only the digests are checked."""
    for name in about.files:
        portions = manifest.verified(archive, about, name)
        if not name.startswith("results/"):
            for _ in portions:
                pass
            continue
        if name not in (records.STUDY, records.RUNS, records.STAGES, records.TRIALS) and not _ARTIFACT.fullmatch(name):
            raise BundleError(f"{archive.path}: {name[:100]} is no file of a stage; nothing was unpacked")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            for portion in portions:
                file.write(portion)
    for name in (records.STUDY, records.RUNS, records.STAGES):
        if name not in about.files:
            raise BundleError(f"{archive.path}: has no {name}, so it is not a bundle of ablate")


class _Import:
    """A bundle that was unpacked next to the results of a home, and is to become one of its studies."""

    def __init__(self, path: Path, about: manifest.Manifest, folder: Path, home: Path, store: Store) -> None:
        self._path, self._about, self._folder, self._home, self._store = path, about, folder, home, store
        self._completed = 0
        self._files: dict[str, tuple[str, Mapping[str, str]]] = {}

    def run(self, name: str) -> Unpacked:
        """Check the records, then move the files and write the records."""
        shown = str(self._path)
        found = records.read_records(self._folder, shown)
        stages, facts = {}, {}
        for each in records.read_stages(self._folder, shown, found.fingerprints):
            self._check_files(each.stage)
            stages[each.stage.fingerprint] = each.stage.artifact
            self._files[each.stage.artifact] = each.stage.fingerprint, each.stage.files
            if each.stage.kind in KINDS:
                facts[each.stage.fingerprint] = each.stage
        folders = self._folders(set(stages.values()))
        try:
            study = _renamed(found, name, facts)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            reason = f"a stage has a configuration that is not valid ({error!r})"
            raise BundleError(f"{shown}: {records.STAGES}: {reason}; nothing was unpacked") from error
        found = dataclasses.replace(found, study=study)
        new = self._is_new(found, set(stages))
        added: list[Path] = []
        try:
            sync_tree(self._folder)
            self._move(folders, added)
            if new:
                self._put(found)
        except BaseException as error:
            if new:
                self._undo(found.study.name, added)
            if isinstance(error, OSError):
                raise HomeError(
                    f"cannot write to {self._home} ({error.strerror or error}); nothing was added"
                ) from error
            raise
        return Unpacked(found.study, self._about, len(found.runs), len(stages), new, len(added) + self._completed)

    def _check_files(self, stage: StageRecord) -> None:
        """Check that the files of a stage in the bundle are those that were recorded with it."""
        for name, digest in stage.files.items():
            packed = self._about.files.get(f"results/{stage.artifact}/{name}", {})
            if digest != f"{packed.get('bytes')}:{packed.get('sha256')}":
                raise BundleError(
                    f"{self._path}: {stage.artifact}/{name} is not the file that was recorded with its stage; nothing "
                    "was unpacked, get it again"
                )

    def _folders(self, artifacts: set[str]) -> list[str]:
        """Return the folders of the stages in the bundle, relative to it and to the home."""
        root = self._folder / "results"
        folders = sorted(each.relative_to(root).as_posix() for each in root.glob("artifacts/*/*/*"))
        stray = set(folders) - artifacts
        if stray:
            raise BundleError(f"{self._path}: {min(stray)} belongs to no stage; nothing was unpacked")
        return folders

    def _is_new(self, found: StudyRecords, stages: set[str]) -> bool:
        """Return whether the home lacks the study; refuse one that has the same name and other results."""
        name = found.study.name
        if all(study.name != name for study in self._store.studies()):
            return True
        here = StudyRecords.read(self._store, name)
        if _comparable(here) == _comparable(found) and stages <= self._store.stages(here.fingerprints).keys():
            return False
        raise BundleError(
            f"{self._home} has another study '{name}'; give the one in {self._path} a name of its own with --name, or "
            f"delete the other: ablate study delete {shell_name(name)}"
        )

    def _move(self, folders: list[str], added: list[Path]) -> None:
        """Move the folders of stages to their places in the home, and add them to a list; complete ones there stay."""
        for folder in folders:
            source, target = self._folder / "results" / folder, without_links(self._home, folder)
            fingerprint, files = self._files[folder]
            if target.is_symlink():  # damage, wherever it leads
                target.unlink()
            lacking = self._lacking(folder, source, target)
            if target.is_dir() and not lacking:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():  # files are missing: the study came from a bundle without weights
                for name in lacking:
                    if (target / name).is_symlink():  # damage, wherever it leads
                        (target / name).unlink()
                    place = inside(target, name)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    (source / name).replace(place)
                self._completed += 1
                added_files = {name: files[name] for name in lacking if name in files}
                self._store.add_files(fingerprint, added_files, whole=False)
            else:
                source.replace(target)
                added.append(target)
                self._store.add_files(fingerprint, files, whole=True)

    def _lacking(self, folder: str, source: Path, target: Path) -> set[str]:
        """Return the files of a stage that the home lacks, or has damaged where the bundle has the right ones."""
        lacking = files_in(source) - files_in(target)
        fingerprint, files = self._files[folder]
        known = self._store.stages([fingerprint])
        here = known[fingerprint].files if fingerprint in known else {}
        same = {name: digest for name, digest in here.items() if files.get(name) == digest}
        return lacking | {damage.file.removeprefix(f"{folder}/") for damage in damages(self._home, folder, same)}

    def _put(self, found: StudyRecords) -> None:
        study = found.study
        trials = self._folder / records.TRIALS
        if trials.is_file():
            try:
                put_trials(self._store.url, study.name, json.loads(trials.read_bytes()))
            except (ValueError, RecursionError) as error:
                raise BundleError(f"{self._path}: {records.TRIALS}: {error}; nothing was unpacked") from error
        # the last step: before it, nothing in the database refers to what was moved
        with self._store.transaction():
            waiting = []
            for finished in records.read_stages(self._folder, str(self._path), found.fingerprints):
                waiting.append(finished)
                if len(waiting) == _TOGETHER:
                    self._store.put_stages(waiting)
                    waiting = []
            self._store.put_stages(waiting)
            self._store.put_study(study, found.variants, found.runs)
            for look in found.looks:
                self._store.put_look(study.name, look)

    def _undo(self, name: str, added: list[Path]) -> None:
        for folder in added:
            shutil.rmtree(folder, ignore_errors=True)
        if (self._folder / records.TRIALS).is_file():
            delete_trials(self._store.url, name)


def _renamed(found: StudyRecords, name: str, stages: Mapping[str, StageRecord]) -> StudyRecord:
    """Return the record of the study as one from a bundle, under another name if one is given.

    It keeps the facts of its results: a stage that has them is forgotten when it has to run again.
    """
    study, spec = found.study, dict(found.study.spec)
    if isinstance(spec.get("file"), dict):
        spec["file"] = {**spec["file"], UNBUNDLED: dataclasses.asdict(elsewhere(found.runs, stages))}
    return dataclasses.replace(study, spec=spec, name=name or study.name)


def _comparable(found: StudyRecords) -> tuple[object, ...]:
    """Return what two studies have in common if they are the same one, whenever and from which file it was run."""
    study = found.study
    spec = {key: value for key, value in study.spec.items() if key not in ("source", "file", "overrides", "profile")}
    runs = sorted((run.variant, run.replicate, run.state, sorted(run.stages.items())) for run in found.runs)
    return spec, study.seed, found.variants, runs, [dataclasses.replace(look, made=None) for look in found.looks]
