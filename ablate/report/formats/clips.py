"""The music of a page: clips of the reference and of samples with their notes and sound, and MIDI files."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ablate.building import build_component
from ablate.errors import AblateError
from ablate.files import file_name
from ablate.inside import inside
from ablate.interfaces.played_by import played_by
from ablate.kinds import FIT, LOAD
from ablate.music.instruments import counts, listed
from ablate.report.formats import audio

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ablate.arrays import Array
    from ablate.music.performance import Performance
    from ablate.registry import Registry
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

#: The length of a clip in seconds.
SECONDS = 30.0
#: The most variants with clips; the MIDI files of all variants can be downloaded.
MOST_VARIANTS = 12
#: The samples of each variant, with few and with many variants.
SAMPLES = (2, 1)
#: The most variants that are few.
FEW = 6
#: The most tokenizers whose round trip is a clip.
MOST_TOKENIZERS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Clip:
    """A piece of music to play.

    Attributes:
        id: unique in the page.
        title: for people.
        variant: the variant's name; empty for the reference.
        about: notes and seconds of the whole piece, and its instruments unless it is a piano alone, for people.
        notes: those in the first :data:`SECONDS`, of ``NOTE_DTYPE``, with those of the primer.
        primer_ms: the end of the primer; 0 without one.
        audio: link to its sound, or an empty text.
        midi: link to its MIDI file, or an empty text.
    """

    id: str
    title: str
    variant: str
    about: str
    notes: Array
    primer_ms: int
    audio: str
    midi: str


class _Piece(NamedTuple):
    """The music of a clip, with its id, title, variant and the link to its MIDI file."""

    name: str
    title: str
    variant: str
    music: Performance
    midi: str


@dataclasses.dataclass(frozen=True)
class Download:
    """MIDI files of a variant.

    Attributes:
        variant: the variant's name.
        replicate: the replicate whose files are in the report.
        links: these files, in the report.
        problems: what differs in them from the samples.
        elsewhere: the other replicates with their folders in the home.
    """

    variant: str
    replicate: int
    links: tuple[str, ...]
    problems: tuple[str, ...]
    elsewhere: tuple[tuple[int, str], ...]


def downloads(study: Study, artifacts: Artifacts, folder: Path) -> list[Download]:
    """Copy the MIDI files of every variant's first replicate, and record the folders of the others."""
    (folder / "midi").mkdir()
    rows = []
    for variant in study.names:
        runs = [run for run in study.runs if run.variant == variant]
        stages = [(run.replicate, stage) for run in runs if (stage := study.samples(run))]
        if not stages:
            continue
        (replicate, first), *others = stages
        links = []
        for source in artifacts.midi_files(first):
            copy = f"midi/{file_name(variant)}.{source.name}"
            shutil.copyfile(source, folder / copy)
            links.append(quote(copy))
        elsewhere = tuple((number, stage.artifact) for number, stage in others)
        problems = tuple(map(str, first.result.get("written", ())))
        rows.append(Download(variant, replicate, tuple(links), problems, elsewhere))
    return rows


class ClipWriter:
    """A writer of the clips of a study.

    Args:
        study: the study.
        artifacts: the files of the study; sounds are kept in the same home between reports.
        folder: of the report.
        downloads: the MIDI files that are in the report already.
        registry: the components.
        sound: whether to render sound, if the renderer is installed.
    """

    def __init__(
        self,
        study: Study,
        artifacts: Artifacts,
        folder: Path,
        downloads: Sequence[Download],
        registry: Registry,
        *,
        sound: bool,
    ) -> None:
        self._study, self._artifacts, self._folder, self._registry = study, artifacts, folder, registry
        self._midi = {download.variant: download.links for download in downloads}
        self._sound = sound and audio.available()

    def clips(self, variants: Sequence[str]) -> list[Clip]:
        """Return the reference, the reference after the round trip of each tokenizer, and samples of the variants."""
        if self._sound:
            (self._folder / "audio").mkdir()
        pieces = [*self._references(), *self._samples(variants[:MOST_VARIANTS])]
        ensemble = any(each.music.whole().notes["instrument"].any() for each in pieces)
        return [self._clip(each, ensemble=ensemble) for each in pieces]

    def _references(self) -> Iterator[_Piece]:
        for number, (title, piece) in enumerate(self._artifacts.references(self._study).items()):
            clip = piece.replace(name="reference")
            yield _Piece(f"reference-{number}", title, "", clip, self._write_midi(f"reference-{number}", piece))
            if number == 0:
                yield from self._round_trips(piece)

    def _round_trips(self, piece: Performance) -> Iterator[_Piece]:
        """Yield the reference after the round trip of each tokenizer, the baseline's first.

        With several, the title names the first variant that has the tokenizer.
        """
        configs = self._study.configs()
        first: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for variant in sorted(configs, key=lambda name: name != self._study.baseline):
            for choice in configs[variant].get("tokenizer", ()):
                first.setdefault(json.dumps(choice, sort_keys=True), (variant, choice))
        for number, (variant, choice) in enumerate([*first.values()][:MOST_TOKENIZERS]):
            round_trip = self._round_trip(piece, variant, choice)
            if round_trip is not None:
                of = f" (variant {variant})" if len(first) > 1 else ""
                name = f"round-trip-{number}" if number else "round-trip"
                title = f"reference, encoded and decoded by {choice['name']}{of}"
                yield _Piece(name, title, "", round_trip, self._write_midi(name, round_trip))

    def _round_trip(self, piece: Performance, variant: str, choice: Mapping[str, Any]) -> Performance | None:
        """Return a piece after the round trip of a variant's tokenizer; None if the tokenizer cannot be made here."""
        fit = dict(self._study.first(FIT)).get(variant)
        learned = self._artifacts.learned(fit) if fit else None
        if fit and learned is None:
            return None
        try:
            spec = self._registry.spec("tokenizer", choice["name"])
            tokenizer = build_component(spec, choice["options"])
            if learned is not None:
                tokenizer.load(learned)
            load = dict(self._study.first(LOAD)).get(variant)
            instrument = self._artifacts.instrument(load) if load else 0
            if instrument is None:
                return None
            return played_by(tokenizer, instrument).decode(tokenizer.encode(piece))
        except (AblateError, ValueError):  # the plugin is not installed here, or in another version
            return None

    def _samples(self, variants: Sequence[str]) -> Iterator[_Piece]:
        count = SAMPLES[0] if len(variants) <= FEW else SAMPLES[1]
        first = dict(self._study.first_samples())
        for index, variant in enumerate(variants):
            stage: StageRecord | None = first.get(variant)
            performances = (self._artifacts.performances(stage) or []) if stage else []
            for number, sample in enumerate(performances[:count]):
                midi = dict(enumerate(self._midi.get(variant, ()))).get(number, "")
                yield _Piece(f"sample-{index}-{number}", f"{variant}, sample {number}", variant, sample, midi)

    def _write_midi(self, stem: str, piece: Performance) -> str:
        (self._folder / "midi" / f"{stem}.mid").write_bytes(piece.midi_bytes())
        return f"midi/{stem}.mid"

    def _clip(self, each: _Piece, *, ensemble: bool) -> Clip:
        name, title, variant, piece, midi = each
        beginning = piece.beginning(SECONDS)
        sound = ""
        if self._sound and len(beginning.notes) + len(beginning.primer):
            sound = f"audio/{name}.mp3"
            cache = inside(self._artifacts.home, "audio")
            (self._folder / sound).write_bytes(audio.render(beginning, cache, ensemble=ensemble))
        notes = beginning.whole().notes
        about = f"{len(piece):,} notes in {piece.seconds:,.0f} s"
        played = counts(piece.notes)
        about += f" ({listed(played)})" if ensemble and played else ""
        primer = round(1000 * piece.primer_seconds)
        return Clip(name, title, variant, about, notes, primer, sound, midi)
