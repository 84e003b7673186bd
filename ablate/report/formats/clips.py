"""What there is to listen to and look at: clips of the reference and of samples, with their notes and their sound."""

from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from ablate.errors import AblateError
from ablate.files import file_name
from ablate.kinds import GENERATE
from ablate.registry import get_registry
from ablate.report.formats import audio

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ablate.arrays import Array
    from ablate.music.performance import Performance
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

#: How much of a piece is played and drawn, in seconds.
SECONDS = 30.0
#: Variants with clips of their own; MIDI files of all of them can be downloaded.
MOST_VARIANTS = 12
#: Samples of each variant, where there are few variants and where there are many.
SAMPLES = (2, 1)
FEW = 6


@dataclasses.dataclass(frozen=True)
class Clip:
    """Something to play.

    Attributes:
        id: unique in the page.
        title: for people.
        variant: the variant's name; empty for the reference.
        about: notes and seconds of the whole, for people.
        notes: of the first :data:`SECONDS`: start and duration in ms, MIDI pitch, velocity.
        primer_ms: where a primer ends; 0 without one.
        audio: link to its sound, or an empty text.
        midi: link to its MIDI file, or an empty text.
    """

    id: str
    title: str
    variant: str
    about: str
    notes: list[tuple[int, int, int, int]]
    primer_ms: int
    audio: str
    midi: str


@dataclasses.dataclass(frozen=True)
class Download:
    """MIDI files of a variant: links into the report, and the folders (in the home) of its other replicates."""

    variant: str
    replicate: int
    links: tuple[str, ...]
    elsewhere: tuple[tuple[int, str], ...]


def downloads(study: Study, artifacts: Artifacts, folder: Path) -> list[Download]:
    """Copy the MIDI files of every variant's first replicate, and note where the others are."""
    (folder / "midi").mkdir()
    found = []
    for variant in study.names:
        runs = [run for run in study.runs if run.variant == variant]
        stages = [(run.replicate, stage) for run in runs if (stage := study.stage(run, GENERATE))]
        if not stages:
            continue
        (replicate, first), *others = stages
        links = []
        for source in artifacts.midi_files(first):
            copy = f"midi/{file_name(variant)}.{source.name}"
            shutil.copyfile(source, folder / copy)
            links.append(quote(copy))
        elsewhere = tuple((number, stage.artifact) for number, stage in others)
        found.append(Download(variant, replicate, tuple(links), elsewhere))
    return found


class Listening:
    """Makes the clips of a study.

    Args:
        study: the study.
        artifacts: where performances are read from.
        folder: of the report.
        cache: where sounds are kept between reports.
        midi: the MIDI files that are in the report already.
        sound: whether to render any.
    """

    def __init__(
        self,
        study: Study,
        artifacts: Artifacts,
        folder: Path,
        cache: Path,
        midi: Sequence[Download],
        *,
        sound: bool,
    ) -> None:
        self._study, self._artifacts, self._folder, self._cache = study, artifacts, folder, cache
        self._midi = {each.variant: each.links for each in midi}
        self._sound = sound and audio.available()

    def clips(self, variants: Sequence[str]) -> list[Clip]:
        """The reference, what the tokenizer alone makes of it, and samples of the variants."""
        if self._sound:
            (self._folder / "audio").mkdir()
        return [*self._references(), *self._samples(variants[:MOST_VARIANTS])]

    def _references(self) -> Iterator[Clip]:
        for number, (title, piece) in enumerate(self._artifacts.references(self._study).items()):
            clip = piece.replace(name="reference")
            yield self._clip(f"reference-{number}", title, "", clip, self._written(f"reference-{number}", piece))
            if number == 0:
                yield from self._round_trip(piece)

    def _round_trip(self, piece: Performance) -> Iterator[Clip]:
        """What the baseline's tokenizer makes of the reference: as close as its samples can come."""
        for choice in self._study.configs()[self._study.baseline].get("tokenizer", ()):
            try:
                spec = get_registry().spec("tokenizer", choice["name"])
                tokenizer = spec.build(spec.parse(choice["options"]))
                there_and_back = tokenizer.decode(tokenizer.encode(piece))
            except (AblateError, ValueError):  # of a plugin that is not installed here, or is another version
                return
            title = f"reference, as the tokens of {choice['name']} say it"
            midi = self._written("round-trip", there_and_back)
            yield self._clip("round-trip", title, "", there_and_back, midi)

    def _samples(self, variants: Sequence[str]) -> Iterator[Clip]:
        count = SAMPLES[0] if len(variants) <= FEW else SAMPLES[1]
        first = dict(self._study.first(GENERATE))
        for place, variant in enumerate(variants):
            stage: StageRecord | None = first.get(variant)
            performances = (self._artifacts.performances(stage) or []) if stage else []
            for number, sample in enumerate(performances[:count]):
                midi = dict(enumerate(self._midi.get(variant, ()))).get(number, "")
                yield self._clip(f"sample-{place}-{number}", f"{variant}, sample {number}", variant, sample, midi)

    def _written(self, stem: str, piece: Performance) -> str:
        (self._folder / "midi" / f"{stem}.mid").write_bytes(piece.midi_bytes())
        return f"midi/{stem}.mid"

    def _clip(self, name: str, title: str, variant: str, piece: Performance, midi: str) -> Clip:
        beginning = _beginning(piece)
        sound = ""
        if self._sound and len(beginning.notes) + len(beginning.primer):
            sound = f"audio/{name}.mp3"
            (self._folder / sound).write_bytes(audio.rendered(beginning, self._cache))
        notes = beginning.whole().notes
        about = f"{len(piece):,} notes in {piece.seconds:,.0f} s"
        primer = round(1000 * piece.primer_seconds)
        return Clip(name, title, variant, about, _plain(notes), primer, sound, midi)


def _beginning(piece: Performance) -> Performance:
    """The first :data:`SECONDS`: notes that begin in them, cut where they end, and the pedals."""

    def cut(notes: Array) -> Array:
        kept = notes[notes["start"] < SECONDS].copy()
        kept["end"] = np.minimum(kept["end"], SECONDS)
        return kept

    pedals = piece.pedals[piece.pedals["time"] < SECONDS]
    return piece.replace(notes=cut(piece.notes), primer=cut(piece.primer), pedals=pedals)


def _plain(notes: Array) -> list[tuple[int, int, int, int]]:
    start = np.round(1000 * notes["start"]).astype(int)
    length = np.round(1000 * (notes["end"] - notes["start"])).astype(int)
    columns = (start, length, notes["pitch"].astype(int), notes["velocity"].astype(int))
    return [(int(s), int(d), int(p), int(v)) for s, d, p, v in zip(*columns, strict=True)]
