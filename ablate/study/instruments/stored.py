"""The instrument of a corpus that one instrument plays, for the notes that a tokenizer without instruments decodes.

A metric of instruments would see a difference otherwise. The stages that encode and decode get it from the folder of
what they read: a bundle may have the weights without the corpus.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.errors import StageError, one_line
from ablate.kinds import INSTRUMENT
from ablate.music.storage import read_instrument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ablate.music.instruments import Choice
    from ablate.registry import Registry
    from ablate.study.stage import Stage

#: The inputs of a stage whose folder may have that file.
_SOURCES = ("weights", "examples", "corpus", "reference")


def instrument_files(number: int) -> dict[str, bytes]:
    """Return the file of an instrument by its name; of the piano, 0, none."""
    return {INSTRUMENT: str(number).encode()} if number else {}


def instrument_of(stage: Stage, home: Path) -> int:
    """Return the instrument of the music that a stage works with, or 0.

    Raises:
        StageError: its file cannot be read, or is damaged.
    """
    source = next((stage.inputs[role] for role in _SOURCES if role in stage.inputs), None)
    return stored_instrument(home / source.artifact) if source else 0


def stored_instrument(folder: Path) -> int:
    """Return the instrument in the folder of a stage; 0 without a file.

    Raises:
        StageError: the file cannot be read, or is damaged.
    """
    try:
        return read_instrument(folder / INSTRUMENT)
    except (OSError, ValueError) as error:
        raise StageError(f"{one_line(error)}; remove the folder {folder} and run the study again") from error


def instruments_choice(corpus: Mapping[str, Any], registry: Registry) -> Choice:
    """Return the choice of instruments in the options of a corpus, in plain form; ``"all"`` where it has none."""
    option = registry.spec("corpus", corpus["name"]).instruments_option
    value = corpus["options"].get(option, "all")
    return tuple(value) if isinstance(value, list) else value
