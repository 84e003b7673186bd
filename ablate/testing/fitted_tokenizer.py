"""The contract of tokenizers that are fitted."""

# ruff: noqa: S101 - these are tests, though a plugin's author imports them

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.testing.material import performances
from ablate.testing.tokenizer import TokenizerContract

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Learns in a process of its own: reads the import path, a record and settings, and writes what was learned.
_LEARN = """
import os, pickle, sys
answer = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # what libraries print is no part of the answer
sys.path[:] = pickle.load(sys.stdin.buffer)
spec, settings = pickle.load(sys.stdin.buffer)
from ablate.testing.material import performances
answer.write(spec.build(spec.parse(settings)).fit(performances()))
"""


class FittedTokenizerContract(TokenizerContract):
    """A tokenizer that is fitted on equal pieces always becomes the same, and is complete before that.

    The checks of :class:`TokenizerContract` are of the tokenizer after it has been fitted on
    :func:`ablate.testing.performances`. ``build`` must be a function or class of a module, not a lambda, because other
    processes build the tokenizer too.
    """

    learns = True

    def build(self, settings: Mapping[str, Any]) -> Any:
        """Return the tokenizer with these settings, after it has learned."""
        tokenizer = super().build(settings)
        tokenizer.load(tokenizer.fit(performances()))
        return tokenizer

    def before(self, settings: Mapping[str, Any]) -> Any:
        """Return the tokenizer with these settings, before it has learned."""
        return super().build(settings)

    def test_learning_keeps_the_number_of_words(self, settings: Mapping[str, Any]) -> None:
        """Check that the options alone decide the number of words, and that learning uses some that were unused."""
        before, after = self.before(settings), self.build(settings)
        words = len(before.vocabulary)
        assert len(after.vocabulary) == words, f"there were {words} words, now there are {len(after.vocabulary)}"
        for tokenizer in (before, after):
            assert 0 <= tokenizer.unused < words, f"unused is {tokenizer.unused}, of {words} words"
        assert after.unused <= before.unused, "there are more unused words after learning than before"

    def test_it_is_complete_before_it_learns(self, settings: Mapping[str, Any]) -> None:
        """Check that it encodes and decodes before ``load``: plans build and time models with it."""
        tokenizer, rng = self.before(settings), np.random.default_rng(0)
        words = len(tokenizer.vocabulary)
        for performance in performances():
            tokens = tokenizer.encode(performance)
            assert ((tokens >= 0) & (tokens < words)).all(), "an id is out of range before learning"
            assert len(tokenizer.decode(tokens)), f"no note of '{performance.name}' is left before learning"
        tokens = rng.integers(words, size=200)
        tokenizer.decode(tokens).check()
        shape = tokenizer.times(tokens).shape
        assert shape == (200,), f"times have shape {shape} for 200 tokens before learning"

    def test_only_load_changes_it(self, settings: Mapping[str, Any]) -> None:
        """Check that ``fit`` returns bytes and changes nothing, and that ``load`` replaces what was loaded before."""
        tokenizer = self.before(settings)
        before = self._written(tokenizer)
        state = tokenizer.fit(performances())
        assert isinstance(state, bytes), f"fit() returned {type(state).__name__}, not bytes"
        assert self._written(tokenizer) == before, "fit() changed the tokenizer; only load() may"
        tokenizer.load(tokenizer.fit(performances()[:2]))
        tokenizer.load(state)
        expected = self._written(self.build(settings))
        assert self._written(tokenizer) == expected, "load() did not replace what was loaded before"

    def test_equal_pieces_teach_the_same(self, settings: Mapping[str, Any]) -> None:
        """Check that the same pieces teach the same again, after anything loaded, and in any process."""
        tokenizer = self.before(settings)
        state = tokenizer.fit(performances())
        tokenizer.load(tokenizer.fit(performances()[:2]))
        assert tokenizer.fit(performances()) == state, "the same pieces taught something else after load()"
        # a process with another seed of hashes orders sets in another way
        assert self._fit_elsewhere(settings, 1) == state, "the same pieces taught something else in another process"

    def test_damage_is_refused(self, settings: Mapping[str, Any]) -> None:
        """Check that ``load`` raises ValueError for other bytes, and for half of the right ones."""
        tokenizer = self.before(settings)
        state = tokenizer.fit(performances())
        for damaged in (b"", b"no such state", state[: len(state) // 2]):
            try:
                tokenizer.load(damaged)
            except ValueError:
                continue
            raise AssertionError(f"load() accepted {len(damaged)} bytes that fit() did not return")

    def _written(self, tokenizer: Any) -> list[Any]:
        """Return everything that can be seen of a tokenizer, on the material."""
        return [tokenizer.vocabulary, tokenizer.unused, *(tokenizer.encode(p).tolist() for p in performances())]

    def _fit_elsewhere(self, settings: Mapping[str, Any], seed: int) -> bytes:
        """Return what a process with another seed of the hashes of strings learns when it fits on the material."""
        material = pickle.dumps(list(sys.path)) + pickle.dumps((self.spec, dict(settings)))
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        command = [sys.executable, "-c", _LEARN]
        done = subprocess.run(command, input=material, capture_output=True, check=False, env=environment)  # noqa: S603
        assert not done.returncode, f"another process cannot learn: {done.stderr.decode()}"
        return done.stdout
