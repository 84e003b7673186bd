"""The study file as it was run: its text and what the command line changed, enough to run the study elsewhere."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.files import exists
from ablate.names import shell_override
from ablate.study.file.locate import known_studies
from ablate.study.file.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.store.records import StudyRecord

#: The key of the facts of results (:class:`Elsewhere`) of a study that came from a bundle.
UNBUNDLED = "unbundled"


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """Facts of the results of a stored study that fingerprints depend on, and that may differ here.

    Attributes:
        inputs: the identity of each corpus by the digest of its name, version and options, and the digest of each
            primer's file by its path, and the files of each program.
        device: the kind of device of its trainings (``"cuda"``); empty without any training.
        torch: the minor version of torch (``"2.13"``); empty without any training.
        precision: the precision that ``auto`` meant (``"bf16"``).
    """

    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    device: str = ""
    torch: str = ""
    precision: str = ""


def as_run(text: str, folder: Path, overrides: Overrides) -> dict[str, Any]:
    """Return the text of a study file, its folder, from which its relative paths start, and the overrides, as data.

    Numbers of replicates and variants, which extend a study, are left out: the study itself has them.
    """
    return {
        "text": text,
        "folder": str(folder.resolve()),
        "overrides": {
            "profile": overrides.profile,
            "corpus": _absolute(overrides.corpus),
            "seed": overrides.seed,
            "settings": [list(pair) for pair in overrides.settings],
            "skip_bad": overrides.skip_bad,
        },
    }


def _absolute(corpus: str) -> str:
    """Return ``--corpus`` as it is understood from every folder: a path as an absolute one, or a name."""
    return str(Path(corpus).resolve()) if corpus and exists(Path(corpus)) else corpus


def overrides_as_run(spec: Mapping[str, Any], name: str) -> Overrides:
    """Return the overrides that a stored study was run with, and that lead to its name, replicates and variants."""
    stored = dict(spec["file"]["overrides"])
    settings = tuple((path, value) for path, value in stored.pop("settings"))
    searched = (spec.get("search") or {}).get("n_variants")
    return Overrides(
        **stored, settings=settings, name=name, elsewhere=True, replicates=spec["replicates"], n_variants=searched
    )


def command_as_run(record: StudyRecord, *, here: bool) -> str:
    """Return the command that runs a stored study again from its file; empty for one without a file.

    Args:
        record: the study.
        here: name the file as it is found on this machine, instead of by its name alone.
    """
    spec = record.spec
    if "file" not in spec:
        return ""
    name = Path(spec["source"]).name
    words = [
        "ablate study run",
        shlex.quote(_found(Path(spec["file"]["folder"], name)) if here else name),
        *map(shell_override, spec["overrides"]),
    ]
    if "looks" not in spec:
        words.append(f"--replicates {spec['replicates']}")
    return " ".join(words)


def _found(file: Path) -> str:
    """Return how the command line finds a study file: by its name where it has one, else by its path."""
    known = known_studies().get(file.stem)
    return file.stem if known and known.resolve() == file.resolve() else str(file)
