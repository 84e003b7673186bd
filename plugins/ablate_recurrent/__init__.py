"""Models: recurrent networks, the LSTM of the original experiments and a GRU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ablate
from ablate_recurrent.options import RecurrentOptions
from ablate_recurrent.sources import CHO_2014, GERS_2000, HOCHREITER_1997, SIMON_2017

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def _lstm(options: RecurrentOptions, vocabulary: int, conditioners: Sequence[ablate.Conditioner]) -> Any:
    from ablate_recurrent.network import Recurrent

    return Recurrent("lstm", options, vocabulary, conditioners)


def _gru(options: RecurrentOptions, vocabulary: int, conditioners: Sequence[ablate.Conditioner]) -> Any:
    from ablate_recurrent.network import Recurrent

    return Recurrent("gru", options, vocabulary, conditioners)


@ablate.hookimpl
def ablate_models() -> Iterator[ablate.ModelSpec]:
    """Offer both models."""
    yield ablate.ModelSpec(
        name="lstm",
        summary="Embedding, LSTM layers, linear projection, as in PerformanceRNN.",
        version="2",  # large ones train with a custom backward pass
        options=RecurrentOptions,
        build=_lstm,
        cite=(SIMON_2017, HOCHREITER_1997, GERS_2000),
    )
    yield ablate.ModelSpec(
        name="gru",
        summary="Embedding, GRU layers, linear projection: like lstm, with gated recurrent units.",
        options=RecurrentOptions,
        build=_gru,
        cite=(CHO_2014,),
    )
