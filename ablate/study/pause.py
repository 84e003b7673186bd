"""The longest pause in MIDI files: the option of a corpus applies to all files of its study.

These are a primer's file, and music that a program or somebody else has generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.music.midi import LONGEST_PAUSE

if TYPE_CHECKING:
    from ablate.study.file.configuration import Choice
    from ablate.study.stage import Stage


def longest_pause(corpus: Choice | None) -> float:
    """Return the longest pause, in seconds, that a corpus allows; without a corpus or its option, the usual one."""
    return float(corpus.options[corpus.pause_option]) if corpus and corpus.pause_option else LONGEST_PAUSE


def pause_config(corpus: Choice | None) -> dict[str, float]:
    """Return the part of a stage's configuration; of the usual pause nothing, so that its fingerprint stays."""
    seconds = longest_pause(corpus)
    return {} if seconds == LONGEST_PAUSE else {"longest_pause": seconds}


def pause_extra(corpus: Choice | None) -> dict[str, str]:
    """Return what messages of a stage need beside its configuration."""
    return {"pause_option": f"corpus.{corpus.name}.{corpus.pause_option}"} if corpus and corpus.pause_option else {}


def pause_of(stage: Stage) -> dict[str, Any]:
    """Return the arguments for :func:`ablate.music.midi.parse_midi` of a stage with these two."""
    option = {"pause_option": stage.extra["pause_option"]} if "pause_option" in stage.extra else {}
    return {"longest_pause": stage.config.get("longest_pause", LONGEST_PAUSE), **option}
