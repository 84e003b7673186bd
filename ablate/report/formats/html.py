"""The report as a page, which needs only the files next to it: no network, no server."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

from ablate.report.formats import audio, clips, csv
from ablate.report.formats.content import TEMPLATES, template
from ablate.report.formats.rolls import rolls
from ablate.report.text import setup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ablate.registry import Registry
    from ablate.report.data.artifacts import Artifacts
    from ablate.report.formats.clips import Clip, Download
    from ablate.report.statistics.analysis.analysis import Analysis


@dataclasses.dataclass(frozen=True)
class Music:
    """The music of a page.

    Attributes:
        downloads: the MIDI files of each variant.
        clips: the pieces to play.
        silence: why there is no sound; empty if there is.
    """

    downloads: Sequence[Download]
    clips: Sequence[Clip]
    silence: str


def write_music(
    analysis: Analysis, artifacts: Artifacts, folder: Path, variants: Sequence[str], registry: Registry, *, sound: bool
) -> Music:
    """Write the MIDI files and the sound of a page.

    Args:
        analysis: the statistics of the study.
        artifacts: the files of the study.
        folder: of the report.
        variants: the variants with clips.
        registry: the components, for the round trip of the tokenizer.
        sound: whether to render sound, if the renderer is installed.
    """
    downloads = clips.downloads(analysis.study, artifacts, folder)
    writer = clips.ClipWriter(analysis.study, artifacts, folder, downloads, registry, sound=sound)
    pieces = writer.clips(variants)
    return Music(downloads, pieces, "" if any(clip.audio for clip in pieces) else _silence(sound=sound))


def html_page(shared: Mapping[str, Any], analysis: Analysis, music: Music, table_tex: str) -> str:
    """Return the text of ``index.html``.

    Args:
        shared: from :func:`ablate.report.formats.content.report_content`.
        analysis: the statistics of the study.
        music: the music.
        table_tex: the LaTeX table, which the page shows too.
    """
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    drawn = rolls(music.clips)
    return template("page.html.j2").render(
        shared,
        downloads=music.downloads,
        clips=music.clips,
        clips_json=csv.for_script(drawn.clips),
        legend=drawn.legend,
        strip=drawn.strip,
        measurements_json=csv.measurements_json(analysis),
        configurations=setup.configurations(analysis.study),
        table_tex=table_tex,
        silence=music.silence,
        seconds=round(clips.SECONDS),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _silence(*, sound: bool) -> str:
    if not sound:
        return "This report was written without sound (--no-audio)."
    if audio.available():
        return "There is no sound, because no sample of this study could be read."
    return f"To hear them, install the renderer ({audio.INSTALL}) and write the report again."
