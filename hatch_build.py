"""Build hook that adds the shipped studies to the wheel; an editable install reads them from the checkout."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudiesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hook that adds ``studies/`` as ``ablate/studies/`` to a standard wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folder; hatchling calls this before it builds a wheel."""
        if version == "standard":
            build_data["force_include"]["studies"] = "ablate/studies"
