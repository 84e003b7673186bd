"""The stage that cuts the primer of a run, from a piece of its corpus or from a MIDI file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.kinds import PRIME
from ablate.music.instruments import Chooser
from ablate.music.midi import READER_VERSION
from ablate.options import validate
from ablate.settings import PrimerSettings
from ablate.study.pause import pause_config, pause_extra
from ablate.study.plan.elsewhere import file_digest
from ablate.study.plan.identity import make_stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.file.configuration import Configuration
    from ablate.study.stage import Stage


def prime_stage(
    configuration: Configuration,
    load: Stage,
    fit: Mapping[str, Stage],
    of_split: Mapping[str, Any],
    inputs: Mapping[str, str],
) -> Stage | None:
    """Return the stage that cuts the primer of a run; None for a run without a primer.

    Args:
        configuration: of the run's variant.
        load: the stage that loads its corpus.
        fit: the stage in which its tokenizer learns, by its role; empty if it does not learn.
        of_split: the run's split, as a part of a stage's configuration; empty without one.
        inputs: identities of files that may be absent here, see :mod:`ablate.study.plan.elsewhere`.

    Raises:
        CorpusError: the primer's file cannot be read.
    """
    options = validate(PrimerSettings, configuration.settings["primer"])
    if not options.asked:
        return None
    config: dict[str, Any] = {
        "tokenizer": configuration.one("tokenizer").plain(),
        "take": options.take,
        "at_most": configuration.settings["generation"]["tokens"],
    }
    if options.file:
        # like a corpus, a file is identified by its contents
        corpus = configuration.one("corpus")
        config |= {"file": file_digest(options.file, inputs), "reader": READER_VERSION, **pause_config(corpus)}
        config |= {"instruments": Chooser(corpus.instruments).identity} if corpus.instruments != "all" else {}
        extra = {"file": options.file, **pause_extra(corpus)}
        return make_stage(configuration, PRIME, config, fit, extra=extra)
    # a piece with a name is the same one in every split
    config |= {"piece": options.piece} if options.piece else {"piece": "", **of_split}
    return make_stage(configuration, PRIME, config, {"corpus": load, **fit})
