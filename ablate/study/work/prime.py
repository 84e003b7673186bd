"""Cut primers: the beginning of a piece, as tokens, for a sample to continue."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ablate.blame import about
from ablate.errors import CorpusError, PrimerError, UnknownName
from ablate.music.corpus.unwritten import find_unwritten
from ablate.music.instruments import Chooser, counts, listed
from ablate.music.midi import LONGEST_PAUSE, parse_midi, read_bytes
from ablate.printable import piece_text, printable
from ablate.study.instruments.refusal import fits
from ablate.study.pause import pause_of
from ablate.study.work.artifacts import npy, write_artifact
from ablate.study.work.components import stage_tokenizer
from ablate.study.work.doing import doing
from ablate.study.work.load import pieces
from ablate.study.work.messages import StageResult
from ablate.study.work.returned import checked_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ablate.arrays import IntArray
    from ablate.interfaces import Tokenizer
    from ablate.music.instruments import Choice
    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.load import Split
    from ablate.study.work.messages import Context


class PrimerFile(NamedTuple):
    """The music of a primer's file.

    Attributes:
        performance: the chosen instruments.
        problems: the oddities of the file, one line each with its name.
        left_out: a line with its name if the choice of instruments leaves out notes; empty otherwise.
    """

    performance: Performance
    problems: tuple[str, ...] = ()
    left_out: str = ""


def prime(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Cut a primer."""
    (stage,) = stages
    tokenizer = stage_tokenizer(stage, context)
    source = _source(stage, context)
    left_out = [source.left_out] if source.left_out else []
    piece, take = source.performance, stage.config["take"]
    primer = cut_primer(piece, tokenizer, take, stage.config["at_most"], left_out.append)
    write_artifact(context.home, stage, {"primer.npy": npy(primer)})
    result = {
        "piece": piece.name,
        "tokens": len(primer),
        "notes": len(tokenizer.decode(primer)),
        "seconds": float(tokenizer.times(primer)[-1]),
        "problems": source.problems,
        "summary": "; ".join(left_out),
    }
    return [StageResult(stage, result, 0.0)]


def _source(stage: Stage, context: Context) -> PrimerFile:
    if "file" in stage.config:
        return read_primer(stage.extra["file"], stage.config.get("instruments", "all"), **pause_of(stage))
    split = pieces(context.home / stage.inputs["corpus"].artifact, stage.config.get("split", {}))
    return PrimerFile(choose_piece(split, stage.config["piece"]))


def read_primer(
    file: str, instruments: Choice, longest_pause: float = LONGEST_PAUSE, pause_option: str = ""
) -> PrimerFile:
    """Read the chosen instruments of a MIDI file.

    Args:
        file: its path.
        instruments: see :class:`ablate.music.instruments.Chooser`; the choice of the corpus.
        longest_pause: in seconds, see :func:`ablate.music.midi.parse_midi`, as the next one.
        pause_option: for the message.

    Raises:
        CorpusError: the file cannot be read.
        PrimerError: it has no note of these instruments.
    """
    path = Path(file)
    name, chooser = printable(path.name), Chooser(instruments)
    reading = parse_midi(read_bytes(path), file, longest_pause=longest_pause, pause_option=pause_option)
    problems = tuple(f"{name}: {problem}" for problem in reading.problems)
    lost, notes = chooser.left_out(reading.performance.notes), len(reading.performance)
    count = sum(lost.values())
    if count == notes:
        raise PrimerError(f"{name}: has no note of the instruments that the corpus chooses, but {listed(lost)}")
    why = f"{name}: {count:,} of {notes:,} notes left out by the instruments that the corpus chooses: {listed(lost)}"
    return PrimerFile(chooser(reading.performance), problems, why if lost else "")


def choose_piece(split: Split, name: str) -> Performance:
    """Return the piece with this name; without a name, the first one to train on.

    Raises:
        CorpusError: no piece has this name, or several.
    """
    if not name:
        return split.train[0]
    name, performances = piece_text(name), [performance for part in split for performance in part]
    candidates = [performance for performance in performances if performance.name == name]
    if not candidates:
        raise CorpusError(str(UnknownName("piece", name, [performance.name for performance in performances])))
    if len(candidates) > 1:
        raise CorpusError(f"primer.piece: {len(candidates)} pieces are named '{name}'; set primer.file instead")
    return candidates[0]


def cut_primer(
    piece: Performance,
    tokenizer: Tokenizer,
    take: Mapping[str, float],
    at_most: int,
    say: Callable[[str], None] = lambda line: None,
) -> IntArray:
    """Return the first tokens of a piece, int64 [time], at least one.

    The whole piece is encoded and its tokens are cut, so that notes which sound at the cut are open, as they were in
    training.

    Args:
        piece: the piece to cut.
        tokenizer: of the model that continues it.
        take: the length of the primer, as one of ``tokens``, ``notes`` and ``seconds`` above 0.
        at_most: the number of tokens of a sample.
        say: called with a line if the tokenizer leaves out notes: drums, where it merges instruments.

    Raises:
        PrimerError: the piece is shorter, has no notes in the seconds taken, or has pitches or instruments that the
            tokenizer cannot write; or the primer would have more tokens than a sample.
    """
    with doing(about(tokenizer)):
        tokens = checked_tokens(tokenizer.encode(piece), tokenizer)
        decoded = tokenizer.decode(tokens)
    _check_notes(piece, tokenizer, say)
    if not len(decoded):
        raise PrimerError(f"primer '{piece.name}' has no notes that the tokenizer writes; choose another one")
    (unit, amount), *_ = ((unit, amount) for unit, amount in take.items() if amount)
    lengths = {"tokens": len(tokens), "notes": len(decoded), "seconds": float(tokenizer.times(tokens)[-1])}
    if amount > lengths[unit]:
        raise PrimerError(f"primer '{piece.name}' has {lengths[unit]:g} {unit}, fewer than primer.{unit} = {amount:g}")
    length = _length(tokens, tokenizer, unit, amount)
    if unit == "seconds" and not (length and len(tokenizer.decode(tokens[:length]))):
        clock = tokenizer.times(tokens)[_length(tokens, tokenizer, "notes", 1) - 1]
        first = math.ceil(10 * clock) / 10  # rounded up, so that these seconds have the note
        silence = f"the first {amount:g} s of primer '{piece.name}' have no notes"
        raise PrimerError(f"{silence}; its first note is at {first:.1f} s; take more")
    if length > at_most:
        raise PrimerError(
            f"the primer has {length:,} tokens, more than generation.tokens = {at_most:,}; "
            f"take a smaller primer.{unit}, or generate more"
        )
    return tokens[:length]


def _check_notes(piece: Performance, tokenizer: Tokenizer, say: Callable[[str], None]) -> None:
    """Check that a tokenizer can write the notes of a piece, apart from the drums where it merges instruments."""
    notes_of = counts(piece.notes)
    if not fits(tokenizer, notes_of):
        raise PrimerError(
            f"primer '{piece.name}': {len(notes_of)} instruments play its notes ({listed(notes_of)}), but the "
            "tokenizer writes them all as one; choose another piece, or a tokenizer that writes or merges instruments"
        )
    found = find_unwritten([piece], tokenizer)
    if found.pitches:
        listing, lost = ", ".join(map(str, found.pitches)), sum(found.pitches.values())
        raise PrimerError(
            f"primer '{piece.name}': {lost:,} of {found.total:,} notes are outside the tokenizer's vocabulary: "
            f"MIDI pitch {listing}"
        )
    if found.notes:
        drums = f"{found.notes:,} of {found.total:,} notes: {listed(found.instruments)}"
        say(f"{piece.name}: the tokenizer leaves out {drums}")


def _length(tokens: IntArray, tokenizer: Tokenizer, unit: str, amount: float) -> int:
    if unit == "tokens":
        return int(amount)
    if unit == "seconds":
        return int(np.searchsorted(tokenizer.times(tokens), amount, side="right"))
    low, high = 0, len(tokens)  # the fewest tokens that decode to this number of notes
    while low < high:
        middle = (low + high) // 2
        if len(tokenizer.decode(tokens[:middle])) >= amount:
            high = middle
        else:
            low = middle + 1
    return low


def separated(tokens: IntArray, primer: IntArray, tokenizer: Tokenizer) -> Performance:
    """Return a sample with its primer marked, decoded from the primer and the new tokens together.

    Args:
        tokens: the new tokens, int64 [time].
        primer: the tokens before them, int64 [time]; may be empty.
        tokenizer: of both.
    """
    performance = tokenizer.decode(np.concatenate([primer, tokens]))
    if not len(primer):
        return performance
    # notes begin in the order of their tokens, so the primer's are the first ones to start
    count = len(tokenizer.decode(primer))
    notes = performance.notes[np.argsort(performance.notes["start"], kind="stable")]
    end = float(tokenizer.times(primer)[-1])
    return performance.replace(notes=notes[count:], primer=notes[:count], primer_seconds=end)
