"""Write a bundle: one zip file with a study, for people who open it and for another home."""

from __future__ import annotations

import collections
import csv
import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING

import ablate
from ablate.digests import require
from ablate.errors import HomeError
from ablate.files import file_name, files_in, write_whole
from ablate.kinds import LOAD, PREPARE, SAMPLES, TRAIN, WEIGHTS
from ablate.store.folders import stage_file, stage_folder
from ablate.study.bundle import manifest, records, versions
from ablate.study.bundle.archive import ArchiveWriter, name_problem, within_limit
from ablate.study.file.as_run import command_as_run
from ablate.study.records import StudyRecords
from ablate.study.trials.transfer import trials_to_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import IO

    from ablate.registry import Registry
    from ablate.store.records import StageRecord
    from ablate.store.store import Store

#: The parts that can be left out, with what then needs them.
PARTS = {
    "weights": "ablate generate, and more samples of the same trainings, need them",
    "corpus": "more trainings and new metrics need it, from its own files",
    "audio": "the page has MIDI instead",
}
#: The stages whose files are the corpus again: its notes, and its tokens.
_OF_CORPUS = (LOAD, PREPARE)


@dataclasses.dataclass(frozen=True)
class Packed:
    """A bundle that was written.

    Attributes:
        sizes: bytes of each part of it before compression.
        missing: folders of results that are gone from the home, and files with names that no bundle may have.
    """

    sizes: dict[str, int]
    missing: tuple[str, ...]


def pack(
    store: Store, home: Path, name: str, out: Path, *, page: Path, without: Collection[str], registry: Registry
) -> Packed:
    """Write the bundle of a study, complete or not at all; equal contents give equal bytes.

    Args:
        store: the database with the study.
        home: the folder with its files.
        name: the study.
        out: the file to write; one that exists is replaced.
        page: the folder of its report.
        without: parts to leave out, of :data:`PARTS`; sound is not in the page then.
        registry: the components.

    Raises:
        UnknownName: no such study.
        HomeError: the file cannot be written, or the database names files outside the home.
        DamagedFile: a file of the study is missing, or is not what was written.
    """
    bundle = _Bundle(store, home, name, page, without, registry)
    try:
        for compress in (True, False):
            write_whole(out, lambda file, compress=compress: bundle.write(file, compress=compress))  # type: ignore[misc]
            if within_limit(sum(bundle.sizes.values()), out.stat().st_size):
                break  # otherwise unpacking would refuse it, as it refuses an archive made to fill a disk
    except OSError as error:
        raise HomeError(f"cannot write {out} ({error.strerror or error}); choose another file with --output") from error
    return Packed(dict(bundle.sizes), tuple(bundle.missing))


class _Bundle:
    """The contents of a bundle, in the order in which they are written."""

    def __init__(
        self, store: Store, home: Path, name: str, page: Path, without: Collection[str], registry: Registry
    ) -> None:
        self._store, self._home, self._page, self._without = store, home, page, without
        self._records = records.as_run_here(StudyRecords.read(store, name))
        self._stages = store.stages(self._records.fingerprints)
        self._trials = trials_to_plain(store.url, name)
        self._components = versions.components(self._records.runs, registry)
        self._packages = versions.packages(self._stages.values(), registry)
        self.sizes: collections.Counter[str] = collections.Counter()
        self.missing: list[str] = []

    def write(self, file: IO[bytes], *, compress: bool) -> None:
        """Write everything."""
        self.sizes.clear()
        self.missing.clear()
        with ArchiveWriter(file, compress=compress) as archive:
            archive.add("README.txt", [self._readme().encode()])
            for path in sorted(each for each in self._page.rglob("*") if each.is_file()):
                archive.add_file(path.relative_to(self._page).as_posix(), path)
            archive.add("samples.csv", [self._samples().encode()])
            self._write_texts(archive)
            self._write_results(archive)
            facts = manifest.Manifest(
                self._records.study.name,
                ablate.__version__,
                tuple(sorted(self._without)),
                self._packages,
                tuple(self._components),
                archive.digests,
            )
            for name, about in archive.digests.items():
                self.sizes[_part(name)] += int(about["bytes"])
            archive.add(manifest.NAME, [facts.to_bytes()])

    def _write_texts(self, archive: ArchiveWriter) -> None:
        if self._study_file():
            archive.add(self._study_file(), [self._records.study.spec["file"]["text"].encode()])
        archive.add("requirements.txt", [versions.requirements(self._packages, self._components).encode()])

    def _study_file(self) -> str:
        """Return the name of the study file; empty for a study without one, as of results from elsewhere."""
        if "file" not in self._records.study.spec:
            return ""
        return f"{file_name(Path(self._records.study.spec['source']).stem)}.toml"

    def _write_results(self, archive: ArchiveWriter) -> None:
        archive.add(records.STUDY, records.lines(records.facts(self._records)))
        archive.add(records.RUNS, records.run_lines(self._records))
        archive.add(records.STAGES, records.stage_lines(self._store, self._records, self._packed))
        if self._trials:
            archive.add(records.TRIALS, records.lines([self._trials]))
        for _, stage in sorted(self._stages.items()):
            for name in self._files(stage):
                require(self._home, stage.artifact, stage.files, [name])
                archive.add_file(f"results/{stage.artifact}/{name}", stage_file(self._home, stage, name))

    def _packed(self, stage: StageRecord) -> dict[str, str]:
        """Return the recorded digests of the files of a stage to pack."""
        if "corpus" in self._without and stage.kind in _OF_CORPUS:
            return {}
        left_out = [WEIGHTS] if "weights" in self._without and stage.kind == TRAIN else []
        return {name: found for name, found in stage.files.items() if "/" not in name and name not in left_out}

    def _files(self, stage: StageRecord) -> Iterator[str]:
        """Yield the files of a stage to pack, relative to its folder."""
        if not stage.artifact or ("corpus" in self._without and stage.kind in _OF_CORPUS):
            return
        folder = stage_folder(self._home, stage)
        if stage.files:
            yield from self._packed(stage)
            return
        # what a program has written for itself is in a folder of its own, which no stage reads
        files = sorted(name for name in files_in(folder) if "/" not in name)
        if not files:
            self.missing.append(stage.artifact)
        for name in files:
            if name_problem(name):  # a program may name its files in any way
                self.missing.append(f"{stage.artifact}/{name}")
            elif not ("weights" in self._without and stage.kind == TRAIN and name == WEIGHTS):
                yield name

    def _samples(self) -> str:
        """Return the table of all samples with the path of each in the bundle."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["variant", "replicate", "sample", "file"])
        for run in self._records.runs:
            stages = [self._stages[f] for f in run.stages.values() if f in self._stages]
            samples = [stage for stage in stages if stage.kind in SAMPLES and stage.artifact]
            files = (path for stage in samples for path in sorted(stage_folder(self._home, stage).glob("*.mid")))
            for number, path in enumerate(path for path in files if not path.is_symlink()):
                file = f"results/{path.relative_to(self._home).as_posix()}"
                table.writerow([run.variant, run.replicate, number, file])
        return text.getvalue()

    def _readme(self) -> str:
        study = self._records.study
        command = command_as_run(study, here=False)
        again = f"How it was run:\n\n    {command}\n\n" if command else ""
        file = f"{self._study_file():<17} the study file\n" if command else ""
        left_out = "".join(f"Left out: {part}; {PARTS[part]}.\n" for part in sorted(self._without))
        return (
            f"{study.name}\n{study.spec.get('question', '')}\n\n"
            "Open index.html for the report: it needs no network and nothing installed.\n\n"
            f"{again}"
            "data/             every number as CSV\n"
            "midi/, audio/     the music of the page\n"
            "samples.csv       where the MIDI file of each sample is\n"
            "paper/            LaTeX table and BibTeX\n"
            f"{file}"
            "requirements.txt  the packages: pip install -r requirements.txt\n"
            "results/          records as JSON lines; files of each stage: weights, losses, all samples as MIDI\n"
            "manifest.json     versions of components and packages; size and SHA-256 of each file\n\n"
            f"{left_out}"
            "To bring it into ablate, where its results are reused and nothing runs again:\n\n"
            "    ablate study unbundle BUNDLE.zip\n"
        )


def _part(name: str) -> str:
    """Return the part of a bundle that a file belongs to."""
    if not name.startswith("results/"):
        return "audio" if name.startswith("audio/") else "page"
    if name.endswith(WEIGHTS):
        return "weights"
    return "corpus" if name.startswith(tuple(f"results/artifacts/{kind}/" for kind in _OF_CORPUS)) else "results"
