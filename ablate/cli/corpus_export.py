"""``ablate corpus export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ablate.building import built, calling
from ablate.cli.destination import free_place
from ablate.cli.echo import echo_sentence, note
from ablate.cli.output import plural
from ablate.cli.settings import parse_setting
from ablate.errors import AblateError, CorpusError, InvalidOptions, UsageError, first_problems
from ablate.files import file_name, write_whole
from ablate.printable import printable
from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ablate.music.performance import Performance


@click.command("export")
@click.argument("name")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), callback=free_place)
@click.option(
    "--option", "settings", multiple=True, metavar="KEY=VALUE", help="Set an option of the corpus (repeatable)."
)
def export(name: str, folder: Path, settings: tuple[str, ...]) -> None:
    """Write the pieces of a corpus as MIDI files into a new or empty folder.

    Reading the folder gives the same pieces, with times rounded to half a millisecond. Whatever else MIDI cannot
    hold is listed on stderr.

    Example: ablate corpus export folk-piano tunes
    """
    pieces = _pieces(name, settings)
    paths = piece_paths(pieces, name)
    _check_empty(folder)
    lost: list[str] = []
    for piece, path in paths.items():
        lost += [f"{path}: {problem}" for problem in _write(pieces[piece], folder / path)]
    for line in (*unwritten_lines(pieces, paths), *first_problems(lost, "")):
        note(line)
    notes = sum(len(pieces[piece]) for piece in paths)
    count = "1 note" if notes == 1 else f"{notes:,} notes"
    echo_sentence(f"wrote {plural(len(paths), 'MIDI file')} with {count} to {folder}")


def _pieces(name: str, settings: tuple[str, ...]) -> dict[str, Performance]:
    """Load a corpus, and return its pieces by name.

    Raises:
        UnknownName: no such corpus.
        UsageError: a setting does not fit.
        CorpusError: two pieces have one name, or there is none.
    """
    spec = get_registry().spec("corpus", name)
    try:
        options = spec.parse(dict(parse_setting(text, "--option") for text in settings))
    except InvalidOptions as error:
        raise UsageError("\n".join(f"--option {line}" for line in str(error).splitlines())) from error
    corpus = built(spec, lambda: spec.build(options))
    with calling(spec, "loading it"):
        loaded = list(corpus.load())
    pieces = {piece.name: piece for piece in loaded}
    if len(pieces) < len(loaded):
        twice = next(one.name for one in loaded if sum(one.name == other.name for other in loaded) > 1)
        raise CorpusError(
            f"{spec.about} has two pieces of the name '{printable(twice)}', so one file would replace the other"
        )
    if not any(map(len, loaded)):
        raise CorpusError(f"{spec.about} has no notes to write")
    return pieces


def piece_paths(pieces: dict[str, Performance], corpus: str) -> dict[str, Path]:
    """Return the path of each piece with notes in the folder: its name, where files can have it."""
    names = {
        piece: [file_name(part) for part in (piece or corpus).split("/")] for piece in pieces if len(pieces[piece])
    }
    return {piece: Path(*parts[:-1], f"{parts[-1]}.mid") for piece, parts in names.items()}


def _check_empty(folder: Path) -> None:
    try:
        first = min(folder.iterdir(), default=None) if folder.exists() else None
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror}); name another folder") from error
    if first is not None:
        raise UsageError(
            f"{folder}: contains files already, such as {printable(first.name)}; name a new or empty folder"
        )


def _write(piece: Performance, path: Path) -> Sequence[str]:
    """Write one file, and return what MIDI cannot hold of the piece."""
    file = piece.midi_file()
    try:
        write_whole(path, file.data(), flush=False)
    except OSError as error:
        raise AblateError(f"cannot write {path}: {error.strerror or error}; name another folder") from error
    return file.problems


def unwritten_lines(pieces: dict[str, Performance], paths: dict[str, Path]) -> Iterator[str]:
    """Yield what no file has: pieces without notes, labels, pedals without notes, primers, and names of pieces."""
    empty = len(pieces) - len(paths)
    if empty:
        yield f"{plural(empty, 'piece')} without notes: no file is written"
    labels = sorted({label for piece in pieces.values() for label in piece.labels})
    if labels:
        yield f"the labels of pieces are not written, because MIDI has no place for them: {', '.join(labels)}"
    silent = sum(_silent_pedals(pieces[piece]) for piece in paths)
    if silent:
        yield f"{plural(silent, 'pedal event')} of instruments without notes: not written"
    primers = sum(len(pieces[piece].primer) > 0 for piece in paths)
    if primers:
        yield f"{plural(primers, 'piece')} with a primer: its notes are ordinary notes in the file"
    renamed = [
        f"{printable(name)}: written as {path}, a name that files have on every system"
        for name, path in paths.items()
        if path.as_posix() != f"{name}.mid"
    ]
    yield from first_problems(renamed, "")


def _silent_pedals(piece: Performance) -> int:
    played = {*piece.notes["instrument"].tolist(), *piece.primer["instrument"].tolist()}
    return sum(instrument not in played for instrument in piece.pedals["instrument"].tolist())
