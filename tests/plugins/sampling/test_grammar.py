from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from ablate.errors import InvalidOptions
from ablate.testing import SamplerContract, performances
from ablate.testing.material import PitchTokenizer
from ablate_midilike import ablate_tokenizers
from ablate_sampling import ablate_samplers
from ablate_sampling.options import GrammarOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import ablate
    from ablate.arrays import BoolArray, IntArray

SPEC = {spec.name: spec for spec in ablate_samplers()}["grammar"]
GRID, CLASSIC = (spec.build(spec.parse({})) for spec in ablate_tokenizers() if not spec.fitted)
INF = float("inf")


class TestGrid(SamplerContract):
    spec = SPEC
    options = ({}, {"enabled": False})
    identity: dict[str, Any] = {"enabled": False}  # noqa: RUF012
    tokenizer = GRID


class TestClassic(TestGrid):
    tokenizer = CLASSIC


def grammar(tokenizer: ablate.Tokenizer, *enabled: bool) -> ablate.Sampler:
    sampler: ablate.Sampler = SPEC.build([GrammarOptions(each) for each in enabled], tokenizer)
    return sampler


def drawn(sampler: ablate.Sampler, tokenizer: ablate.Tokenizer, rows: int, steps: int) -> torch.Tensor:
    """Tokens [rows, steps] drawn from random logits, without the start token."""
    generator = torch.Generator().manual_seed(0)
    history = torch.full((rows, 1), tokenizer.start_token)
    for _ in range(steps):
        logits = sampler(torch.randn(rows, len(tokenizer.vocabulary), generator=generator), history)
        following = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        history = torch.cat([history, following], dim=1)
    return history[:, 1:]


def faults(words: Sequence[str]) -> int:
    """How many note-offs end nothing, and how many note-ons have no velocity of their own."""
    sounding: Counter[str] = Counter()
    count = 0
    for before, word in zip(["", *words[:-1]], words, strict=True):
        event, pitch = word.split()[:2]
        if event == "note_on":
            count += not before.startswith("velocity")
            sounding[pitch] += 1
        elif event == "note_off":
            count += sounding[pitch] == 0
            sounding[pitch] = max(sounding[pitch] - 1, 0)
    return count


@pytest.mark.parametrize("tokenizer", [GRID, CLASSIC], ids=["midilike", "midilike-classic"])
def test_every_note_off_ends_a_sounding_note_where_the_grammar_holds(tokenizer: ablate.Tokenizer) -> None:
    enabled = [True] * 6 + [False]
    tokens_rt = drawn(grammar(tokenizer, *enabled), tokenizer, rows=7, steps=250).tolist()
    words_rt = [[tokenizer.vocabulary[token] for token in row] for row in tokens_rt]
    assert [faults(words) == 0 for words in words_rt] == enabled
    assert all(sum(word.startswith("note_off") for word in words) > 20 for words in words_rt)


class Watched(PitchTokenizer):
    """Says what its grammar is fed; after a token, all but that one are possible."""

    def __init__(self) -> None:
        self.fed: list[list[int]] = []

    def grammar(self, rows: int) -> Callable[[IntArray], BoolArray]:
        def follow(latest: IntArray) -> BoolArray:
            self.fed.append(latest.tolist())
            return np.arange(128) != latest[:, None]

        return follow


def test_every_column_of_the_history_is_fed_once() -> None:
    tokenizer = Watched()
    sampler = grammar(tokenizer, True, True)
    logits, history = torch.randn(2, 128), torch.tensor([[5, 6, 7, 8], [1, 2, 3, 4]])
    assert sampler(logits, history[:, :0]).equal(logits)
    for length in (1, 2, 2, 4):
        result = sampler(logits, history[:, :length])
        assert result.isneginf().nonzero().tolist() == [[row, int(history[row, length - 1])] for row in range(2)]
    assert tokenizer.fed == [[5, 1], [6, 2], [7, 3], [8, 4]]


def test_a_primer_is_read_before_it_is_continued() -> None:
    (piece,) = (piece for piece in performances() if piece.name == "overlapping")
    primer = GRID.encode(piece)[:2]
    sampler = grammar(GRID, True)
    for length in (1, 2):
        result = sampler(torch.zeros(1, len(GRID.vocabulary)), torch.from_numpy(primer[None, :length]))
    offs = [word for word, logit in zip(GRID.vocabulary, result[0].tolist(), strict=True) if logit > -INF]
    assert [word for word in offs if word.startswith("note_off")] == ["note_off 60"]


def test_a_disabled_row_is_left_alone_beside_others() -> None:
    logits, history = torch.randn(2, len(GRID.vocabulary)), torch.full((2, 1), GRID.start_token)
    result = grammar(GRID, False, True)(logits, history)
    assert result[0].equal(logits[0])
    assert result[1].isneginf().sum() == 2 * 88


def test_nothing_is_left_where_only_impossible_tokens_were() -> None:
    logits = torch.full((1, len(GRID.vocabulary)), -INF)
    logits[0, 0] = 1.0
    assert grammar(GRID, True)(logits, torch.tensor([[GRID.start_token]])).isneginf().all()


@pytest.mark.parametrize("enabled", [True, False])
def test_a_tokenizer_without_a_grammar_is_refused(enabled: bool) -> None:  # noqa: FBT001
    with pytest.raises(ValueError, match=r"no grammar \(it offers no Tokenizer\.grammar\); remove sampler 'grammar'"):
        grammar(PitchTokenizer(), enabled)


def test_options_of_another_type_are_refused() -> None:
    with pytest.raises(InvalidOptions, match="enabled: must be true or false, not 1"):
        SPEC.parse({"enabled": 1})
