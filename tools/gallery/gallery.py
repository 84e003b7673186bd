"""The gallery in docs/gallery: a data file, and the pages, figures and reports that are made with it."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING

from ablate.errors import AblateError
from ablate.registry import get_registry
from gallery import pages
from gallery.commands import ROOT, ablate_command
from gallery.entry import Entry, from_json, read_entry, to_json
from gallery.fingerprint import fingerprint
from gallery.packed import packed_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

#: The folder of the gallery.
FOLDER = ROOT / "docs/gallery"
#: The file with the facts that all pages are written from.
FACTS = "studies.json"


class Gallery:
    """The pages of studies.

    Args:
        files: the study files, by name.
        folder: of the gallery.
    """

    def __init__(self, files: Mapping[str, Path], folder: Path = FOLDER) -> None:
        self._files, self._folder, self._registry = files, folder, get_registry()
        facts = folder / FACTS
        stored = from_json(facts.read_text(encoding="utf-8")) if facts.exists() else {}
        self.entries = {name: stored[name] for name in files if name in stored}

    def renew(self, name: str, home: Path, machine: str = "", *, run: bool) -> None:
        """Write the report and the figure of a study, and take its facts from a home.

        Args:
            name: of the study.
            home: the folder with the results.
            machine: what the study ran on, for people; by default the machine that its page names, or else the
                number of cores of this one.
            run: whether to run what is missing; results of an edited source are then asked about, as always.

        Raises:
            NotReadyError: the study is not finished, and nothing was to be run.
            CommandFailedError: the study or its report failed.
        """
        file = self._files[name]
        if run:
            ablate_command("study", "run", str(file), "--home", str(home), "--yes", "--no-report", shown=True)
        if not machine:
            machine = self.entries[name].machine if name in self.entries else f"{os.cpu_count()} cores"
        entry = read_entry(name, file, home, self._registry, machine)
        report, figure = packed_report(name, home)
        for path, data in zip(self._large_files(name), (report, figure), strict=True):
            _write(path, data)
        self.entries = dict(sorted({**self.entries, name: entry}.items()))

    def write(self) -> None:
        """Write the facts and every Markdown page, and remove the files of studies that no longer exist."""
        _write(self._folder / FACTS, to_json(self.entries.values()).encode())
        for path, text in self._pages():
            _write(path, text.encode())
        for path in self._orphans():
            path.unlink()

    def missing(self) -> list[str]:
        """Return the names of the studies without a page."""
        return [name for name in self._files if name not in self.entries]

    def stale(self) -> dict[str, str]:
        """Return the names of the studies whose page does not show today's study file, each with the reason."""
        reasons = {name: reason for name, entry in self.entries.items() if (reason := self._outdated(entry))}
        for name in self.entries:
            for path in self._large_files(name):
                if not path.exists():
                    reasons.setdefault(name, f"{path.name} is missing")
        return reasons

    def unwritten(self) -> list[str]:
        """Return the names of the files that differ from what :meth:`write` writes, without running anything."""
        texts = dict(self._pages())
        differing = [path for path, text in texts.items() if not path.exists() or path.read_text("utf-8") != text]
        return [path.name for path in (*differing, *self._orphans())]

    def _outdated(self, entry: Entry) -> str:
        """Return why an entry is not that of today's study file; an empty text if it is."""
        try:
            now = fingerprint(str(self._files[entry.name]), self._registry)
        except AblateError as error:
            return f"the study file cannot be read: {error}"
        if now == entry.fingerprint:
            return ""
        return f"the page shows the fingerprint {entry.fingerprint}, and that of the study file is {now}"

    def _large_files(self, name: str) -> tuple[Path, Path]:
        """Return the paths of the report and of the figure of a study."""
        return self._folder / f"reports/{name}.html.gz", self._folder / f"figures/{name}.svg"

    def _orphans(self) -> list[Path]:
        """Return the files of studies without an entry."""
        known = {path for name in self.entries for path in (self._folder / f"{name}.md", *self._large_files(name))}
        written = (
            path for pattern in ("*.md", "reports/*.html.gz", "figures/*.svg") for path in self._folder.glob(pattern)
        )
        return sorted(set(written) - known - {self._folder / "index.md"})

    def _pages(self) -> Iterator[tuple[Path, str]]:
        """Yield the path and the text of every Markdown page."""
        files = {name: tomllib.loads(path.read_text(encoding="utf-8")) for name, path in self._files.items()}
        questions = {name: str(study.get("question", "")) for name, study in files.items()}
        yield self._folder / "index.md", pages.index(self.entries, questions)
        for name, entry in self.entries.items():
            yield self._folder / f"{name}.md", pages.page(entry)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
