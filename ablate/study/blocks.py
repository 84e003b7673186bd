"""Blocks: axes whose levels (corpora, pieces, splits) are not compared; every variant exists in each block.

Two variants are compared inside each block, so a difference between blocks is in no comparison. The blocks have
random streams of their own, so the same replicate of two blocks shares nothing and its differences are independent.
"""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

from ablate.names import block_name, block_paths, short_names
from ablate.study.design import DESIGNS, Variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ablate.study.design import Axis

#: The designs that repeat their variants in every block.
BLOCKED = ("factorial", "one_at_a_time", "leave_one_out", "add_one_in", "fractional")


def compared(axes: Iterable[Axis]) -> list[Axis]:
    """Return the axes that are not blocks."""
    return [axis for axis in axes if not axis.block]


def variants_of(design: str, axes: Sequence[Axis], baseline: Mapping[str, Any]) -> list[Variant]:
    """Return the variants of a design, in every block if the study has blocks.

    The baseline exists in every block. A variant's name begins with the levels of its block
    (``"path=etude, tau=0.8"``).

    Args:
        design: a key of :data:`ablate.study.design.DESIGNS`.
        axes: all axes, blocks among them.
        baseline: a level for each axis that is not a block.
    """
    variants = DESIGNS[design](compared(axes), baseline)
    return [
        Variant(f"{name}, {variant.name}", {**levels, **variant.levels}, variant.baseline) if name else variant
        for name, levels in _blocks(axes)
        for variant in variants
    ]


def _blocks(axes: Sequence[Axis]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the levels of every block; one block without a name where no axis is a block."""
    labels = short_names([axis.path for axis in axes])
    blocks = [axis for axis in axes if axis.block]
    for combination in itertools.product(*(axis.levels for axis in blocks)):
        levels = {axis.path: level for axis, level in zip(blocks, combination, strict=True)}
        yield block_name(levels, levels, labels), levels


def seed_of(seed: int, block: str) -> int:
    """Return the seed of a block, at least 0 and less than 2**63; the study's own seed without blocks.

    It depends on the name of the block and on nothing else, so another block changes no result of this one.
    """
    if not block:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}/block/{block}".encode()).digest()[:8], "big") >> 1


def stored_seed(spec: Mapping[str, Any], seed: int, levels: Mapping[str, Any]) -> int:
    """Return the seed that a variant of a stored study had; see :func:`seed_of`."""
    return seed_of(seed, block_name(levels, block_paths(spec), short_names(list(spec.get("axes") or {}))))
