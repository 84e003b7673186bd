"""Where the checkout is; a module of its own, because every folder of tests may have a conftest."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
