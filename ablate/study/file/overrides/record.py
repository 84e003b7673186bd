"""The changes of the command line to a study file, and the name of the study that results."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from ablate.files import led_to
from ablate.names import level_name
from ablate.printable import printable

DEFAULT_PROFILE = "default"


@dataclasses.dataclass(frozen=True)
class Overrides:
    """The changes of the command line to a study file.

    Attributes:
        profile: a profile of the file; empty is the file as it stands.
        corpus: a component's name, or a path that a corpus can read; empty keeps the file's.
        replicates: how many replicates; None keeps the file's.
        n_variants: how many variants a search tries; None keeps the file's.
        seed: the study seed; None keeps the file's.
        settings: ``(dotted path, value)`` pairs, applied last.
        skip_bad: skip the files that a corpus cannot read.
        name: the study's name in the store; empty for a name made from what was changed.
        elsewhere: whether ``corpus`` is a path that may be absent here, because the study is from a bundle.
    """

    profile: str = ""
    corpus: str = ""
    replicates: int | None = None
    n_variants: int | None = None
    seed: int | None = None
    settings: tuple[tuple[str, Any], ...] = ()
    skip_bad: bool = False
    name: str = ""
    elsewhere: bool = False

    def options(self) -> list[str]:
        """Return the overrides as command line options, without those that extend a study: replicates, variants."""
        options = [f"--profile {self.profile}"] if self.profile else []
        options += [f"--corpus {self.corpus}"] if self.corpus else []
        options += ["--skip-bad"] if self.skip_bad else []
        options += [f"--seed {self.seed}"] if self.seed is not None else []
        texts = [(path, value if isinstance(value, str) else level_name(value)) for path, value in self.settings]
        return options + [f"--set {path}={text}" for path, text in texts]


def study_name(path: Path, overrides: Overrides) -> str:
    """Return the study's name in the store: other settings make another study, so that numbers never mix."""
    if overrides.name:
        return overrides.name
    parts = []
    if overrides.profile and overrides.profile != DEFAULT_PROFILE:
        parts.append(overrides.profile)
    if overrides.corpus:
        parts.append(_corpus_name(Path(overrides.corpus)))
    if overrides.seed is not None:
        parts.append(f"seed{overrides.seed}")
    if overrides.settings:
        text = json.dumps(overrides.settings, sort_keys=True)
        parts.append(f"set-{hashlib.sha256(text.encode()).hexdigest()[:6]}")
    stem = printable(path.stem)
    return "+".join([f"{stem}@{parts[0]}", *parts[1:]]) if parts else stem


def _corpus_name(corpus: Path) -> str:
    """Return the name of a corpus, or of the file or folder that a path leads to (``.``, a link)."""
    real = led_to(corpus)
    return printable(real.name if real.is_dir() else real.stem)
