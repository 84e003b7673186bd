"""The number of jobs that work side by side, and their device; a program has a device and resources of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.engine.devices import gpu_names
from ablate.errors import StudyFileError

if TYPE_CHECKING:
    from ablate.study.file.study_file import StudySpec


def lanes(spec: StudySpec, device: str, workers: int) -> tuple[str, int]:
    """Return the device of the workers and their number.

    Args:
        spec: the study. Of one that runs programs, the workers compute on the CPU, and their number is limited by the
            cores and GPUs of a program.
        device: resolved.
        workers: the number of cores to use.

    Raises:
        StudyFileError: a program needs more GPUs than this machine has.
    """
    program = spec.program
    if not program:
        return device, workers
    count = max(1, workers // program.cores)
    if program.gpus:
        gpus = len(gpu_names())
        if gpus < program.gpus:
            text = f"program.gpus: {program.gpus:g} for each run, but this machine has {gpus}; try --set program.gpus=0"
            raise StudyFileError(spec.source, [text])
        count = min(count, int(gpus / program.gpus + 1e-6))
    return "cpu", count


def device_of(spec: StudySpec, device: str) -> str:
    """Return the device that a study computes on: the resolved one, or that of its programs."""
    if not spec.program:
        return device
    return "cuda" if spec.program.gpus else "cpu"
