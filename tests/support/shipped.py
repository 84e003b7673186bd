"""The studies that come with ablate, read as a command would read them."""

from __future__ import annotations

import tomllib

from ablate.study.file.locate import shipped_studies
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import StudySpec, read_study
from support.checkout import ROOT


def read_shipped(name: str, profile: str = "") -> StudySpec:
    """Read a study that comes with ablate; one of a folder of pieces gets any folder, without music."""
    raw = tomllib.loads(shipped_studies()[name].read_text(encoding="utf-8"))
    needs_folder = raw["corpus"].get("midi") == {}
    return read_study(name, Overrides(profile=profile, corpus=str(ROOT / "tests") if needs_folder else ""))
