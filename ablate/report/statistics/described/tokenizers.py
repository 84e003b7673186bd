"""A warning about variants whose tokenizers keep different parts of the music."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ablate.report.data.study import Study

_COMMAND = "(ablate corpus inspect PATH --tokenizer NAME)"


def warnings(study: Study, quantities: Iterable[tuple[str, str]]) -> list[str]:
    """Return a warning if variants of other tokenizers are compared by the likelihood of what these keep.

    A metric measures such likelihoods if some of its values can be compared within a tokenizer only. Its other values,
    such as nats per note, have one unit for all tokenizers; but a tokenizer that rounds times and velocities, or leaves
    them out, has less to predict.

    Args:
        study: with its variants.
        quantities: those that are judged, as (metric, feature).
    """
    of_tokens = {metric for metric, _ in study.within_tokenizer}
    judged = [f"{m} {f}" for m, f in quantities if m in of_tokens and (m, f) not in study.within_tokenizer]
    if not judged or study.equal_tokenizers(study.variant_levels.levels):
        return []
    verb = "counts" if len(judged) == 1 else "count"
    names = ", ".join(judged)
    sentence = (
        f"The tokenizers differ, and {names} {verb} only what a tokenizer keeps: one that rounds times and velocities, "
        f"or leaves them out, has less to predict. Compare what they lose {_COMMAND} before you trust a difference."
    )
    return [sentence]
