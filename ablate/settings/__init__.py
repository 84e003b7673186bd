"""The settings of a study file that belong to no component. Imports no torch."""

from __future__ import annotations

from ablate.settings.program import ProgramSettings
from ablate.settings.run import (
    FloorSettings,
    GenerationSettings,
    MeasureSettings,
    PrimerSettings,
    SplitSettings,
    TrainingSettings,
)
from ablate.settings.study import (
    MOST_REPLICATES,
    LookSettings,
    PathSettings,
    SearchSettings,
    StatisticsSettings,
    share_of,
)

__all__ = [
    "MOST_REPLICATES",
    "FloorSettings",
    "GenerationSettings",
    "LookSettings",
    "MeasureSettings",
    "PathSettings",
    "PrimerSettings",
    "ProgramSettings",
    "SearchSettings",
    "SplitSettings",
    "StatisticsSettings",
    "TrainingSettings",
    "share_of",
]
