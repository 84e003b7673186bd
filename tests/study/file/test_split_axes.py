"""What of a split can be varied: nothing that changes the pieces on which variants are compared, except in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ablate.errors import StudyFileError
from ablate.study.file.study_file import read_study

if TYPE_CHECKING:
    from pathlib import Path

OTHER = "variants that are measured on other pieces cannot be compared; make it a block: "


def read(tiny: Path, axis: str, tables: str = "") -> None:
    text = tiny.read_text().replace("[axes]", f"[axes]\n{axis}")
    tiny.write_text(f"{text}\n{tables}", encoding="utf-8")
    read_study(str(tiny))


@pytest.mark.parametrize(
    ("axis", "tables"),
    [
        ("split.test = [0.1, 0.3]", ""),
        ("split.seed = [1, 2]", "[split]\ntest = 0.2"),
        ('split.by = ["piece", "folder"]', "[split]\ntest = 0.2"),
        ("split.folds = [2, 3]", ""),
        ("split.per_replicate = [false, true]", "[split]\ntest = 0.2"),
        # the only pieces that are held out
        ("split.validation = [0.1, 0.3]", ""),
        ("split.validation = [0.1, 0.3]", '[split]\ntest = 0.2\n[measure]\nreference = "validation"'),
        # the share for the test is drawn from the others
        ('split.validation = [["a"], ["b"]]', "[split]\ntest = 0.2"),
    ],
)
def test_variants_on_other_pieces_are_refused(tiny: Path, axis: str, tables: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        read(tiny, axis, tables)
    path = axis.partition(" ")[0]
    assert f"axes.{path}: {OTHER}{path} = {{ levels = […], block = true }}" in str(caught.value)


@pytest.mark.parametrize(
    ("axis", "tables"),
    [
        ("split.validation = [0.1, 0.3]", "[split]\ntest = 0.2"),
        ("split.validation = [0.1, 0.3]", "[split]\nfolds = 3"),
        ('split.validation = [["a"], ["b"]]', '[split]\ntest = ["c"]'),
        ("split.seed = { levels = [1, 2], block = true }", "[split]\ntest = 0.2"),
    ],
)
def test_more_or_fewer_training_pieces_and_blocks_are_not(tiny: Path, axis: str, tables: str) -> None:
    read(tiny, axis, tables)


def test_a_named_variant_has_the_same_test_too(tiny: Path) -> None:
    variants = '[split]\ntest = 0.2\n[variants.one]\n[variants.other]\n"split.test" = 0.3\n'
    with pytest.raises(StudyFileError) as caught:
        read(tiny, "", variants)
    assert f"variants.other.split.test: {OTHER}" in str(caught.value)
