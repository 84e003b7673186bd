"""Fit tokenizers on the training pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.blame import about
from ablate.errors import StageError
from ablate.interfaces import FittedTokenizer
from ablate.study.work.artifacts import write_artifact
from ablate.study.work.components import LEARNED, build, component_error
from ablate.study.work.doing import doing
from ablate.study.work.load import pieces
from ablate.study.work.messages import StageResult
from ablate.study.work.returned import total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ablate.music.performance import Performance
    from ablate.study.stage import Stage
    from ablate.study.work.messages import Context


def fit(stages: tuple[Stage, ...], context: Context) -> list[StageResult]:
    """Fit a tokenizer on the training pieces, before any augmenter; it never sees pieces that are held out."""
    (stage,) = stages
    train = pieces(context.home / stage.inputs["corpus"].artifact, stage.config.get("split", {})).train
    name = stage.config["tokenizer"]["name"]
    tokenizer = build("tokenizer", stage.config["tokenizer"], context.registry)
    if not isinstance(tokenizer, FittedTokenizer):
        raise StageError(f"tokenizer '{name}' is not fitted, but its record has fitted=True")
    words = len(tokenizer.vocabulary)
    state = fitted(tokenizer, train, name)
    write_artifact(context.home, stage, {LEARNED: state})
    problems, unused = [], total(("unused",), {"unused": tokenizer.unused}, about(tokenizer))["unused"]
    if unused:
        problems.append(
            f"tokenizer '{name}': {unused:,} of its {words:,} words stay unused: "
            f"the {len(train):,} training piece(s) offer too little to learn; choose a smaller vocabulary"
        )
    result = {"pieces": len(train), "words": words, "unused": unused, "problems": problems}
    return [StageResult(stage, result, 0.0)]


def fitted(tokenizer: FittedTokenizer, performances: Sequence[Performance], name: str) -> bytes:
    """Fit a tokenizer, load what it has learned, and return that.

    Raises:
        StageError: it cannot be fitted on these pieces, or the number of its words has changed.
    """
    words = len(tokenizer.vocabulary)
    try:
        with doing(about(tokenizer)):
            state = tokenizer.fit(performances)
            tokenizer.load(state)
    except ValueError as error:
        raise component_error(error, f"tokenizer '{name}' cannot be fitted on these pieces") from error
    if not isinstance(state, bytes):
        raise StageError(f"{about(tokenizer)}: fit must return bytes, not {type(state).__name__}")
    if len(tokenizer.vocabulary) != words:
        raise StageError(
            f"tokenizer '{name}' has {len(tokenizer.vocabulary):,} words after learning and {words:,} before; "
            "its options alone must decide the number (see ablate.FittedTokenizer)"
        )
    return state
