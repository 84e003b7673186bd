"""A gallery of a small study."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from gallery.gallery import Gallery

if TYPE_CHECKING:
    from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Shown:
    """A gallery of one study that has been run, and another one that has not."""

    files: dict[str, Path]
    folder: Path
    home: Path

    def gallery(self) -> Gallery:
        return Gallery(self.files, self.folder)

    def change(self, old: str, new: str) -> None:
        text = self.files["small"].read_text(encoding="utf-8")
        assert old in text
        self.files["small"].write_text(text.replace(old, new), encoding="utf-8")
