"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent

# A first call may import torch or compile a table; how long an example takes is no property of ours.
settings.register_profile("ablate", deadline=None)
settings.load_profile("ablate")


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} not found at {folder}; set {variable} to its folder")
    return folder


@pytest.fixture(scope="session")
def smd_dir() -> Path:
    """The 50 MIDI files of the Saarland Music Data, which the project may not ship."""
    return _folder("ABLATE_SMD_DIR", ROOT.parent / "shared/data/smd", "Saarland Music Data (SMD)")


@pytest.fixture(scope="session")
def reference_dir() -> Path:
    """Golden tokens made with public code, and the values that the original report printed."""
    return _folder("ABLATE_REFERENCE_DIR", ROOT.parent / "shared/reference", "reference values")
