"""The overrides of the command line: what they are, and how they change a study file.

- :mod:`ablate.study.file.overrides.record`: the overrides, and the name of the study that results;
- :mod:`ablate.study.file.overrides.apply`: the file with a profile and the overrides;
- :mod:`ablate.study.file.overrides.corpus`: the corpus that ``--corpus`` names;
- :mod:`ablate.study.file.overrides.anchor`: relative paths, which start from a folder.
"""

from __future__ import annotations

from ablate.study.file.overrides.record import DEFAULT_PROFILE, Overrides, study_name

__all__ = ["DEFAULT_PROFILE", "Overrides", "study_name"]
