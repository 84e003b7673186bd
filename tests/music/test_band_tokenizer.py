"""A tokenizer of instruments keeps its contract, and so its tests show what a plugin's tokenizer must do."""

from __future__ import annotations

from support.band_tokenizer import SPEC

from ablate.testing import TokenizerContract


class TestBand(TokenizerContract):
    spec = SPEC
    options = ({}, {"instruments": "merge"}, {"instruments": "all"})
