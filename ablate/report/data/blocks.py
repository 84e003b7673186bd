"""The blocks of a study (corpora, pieces, splits): each contains every variant, and variants are compared inside it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablate.names import block_name, block_paths, short_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.store.records import VariantRecord


@dataclasses.dataclass(frozen=True)
class Blocks:
    """The blocks of a study; it is false for a study without blocks.

    Attributes:
        names: of the blocks, in order; a single empty name without blocks.
        axes: the short names of the axes that are blocks.
        of: variant -> the index of its block, and its name in the block.
    """

    names: tuple[str, ...]
    axes: tuple[str, ...]
    of: Mapping[str, tuple[int, str]]

    @classmethod
    def read(cls, spec: Mapping[str, Any], variants: Sequence[VariantRecord]) -> Blocks:
        """Return the blocks of a study's variants.

        Args:
            spec: the study file as plain data.
            variants: in order.
        """
        paths = block_paths(spec)
        labels = short_names(list(spec.get("axes") or {}))
        blocks = {variant.name: block_name(variant.levels, paths, labels) for variant in variants}
        names = tuple(dict.fromkeys(blocks.values()))
        return cls(
            names,
            tuple(labels[path] for path in paths),
            {name: (names.index(block), name.removeprefix(f"{block}, ")) for name, block in blocks.items()},
        )

    def __bool__(self) -> bool:
        return bool(self.axes)

    @property
    def label(self) -> str:
        """The number of the blocks and the axes that they are levels of, for sentences: ``4 blocks (path)``."""
        return f"{len(self.names)} blocks ({', '.join(self.axes)})"

    def joined(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame in which a replicate of a block is a replicate, and a variant has its name in the block.

        Args:
            frame: with the columns ``variant`` and ``replicate``.

        Returns:
            The frame with the column ``block`` (its index) too. The first replicates of all blocks come first. Without
            blocks, names and replicates stay as they are.
        """
        places = [self.of[str(name)] for name in frame["variant"]]
        block = pd.Series([index for index, _ in places], frame.index, dtype="int64")
        if not self:
            return frame.assign(block=block)
        replicate = frame["replicate"] * len(self.names) + block
        return frame.assign(variant=[name for _, name in places], replicate=replicate, block=block)
