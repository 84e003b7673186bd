"""A plugin on disk that tests edit: a package of its own, found like an installed one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ablate.registry import get_registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

FILES = {
    "mine/__init__.py": '''
"""A plugin."""

import ablate
from mine.options import CountOptions, ModelOptions, TokenOptions


def _model(options, vocabulary, conditioners):
    from mine.network import Network

    return Network(options, vocabulary)


def _tokenizer(options):
    from mine.tokens import Tokens

    return Tokens(options)


def _count(options):
    from mine.count import Count

    return Count(options)


@ablate.hookimpl
def ablate_models():
    yield ablate.ModelSpec(name="mine", summary="A model.", options=ModelOptions, build=_model)


@ablate.hookimpl
def ablate_tokenizers():
    yield ablate.TokenizerSpec(name="mine-tokens", summary="Tokens.", options=TokenOptions, build=_tokenizer)


@ablate.hookimpl
def ablate_metrics():
    yield ablate.MetricSpec(name="mine.count", summary="Notes.", options=CountOptions, build=_count)
''',
    "mine/options.py": '''
from dataclasses import dataclass

import ablate


@dataclass(frozen=True)
class ModelOptions:
    """Options of the model."""

    hidden: int = ablate.option(8, ge=1, doc="Width.")


@dataclass(frozen=True)
class TokenOptions:
    vocabulary: str = ablate.option(doc="A file.")


@dataclass(frozen=True)
class CountOptions:
    scale: float = ablate.option(1.0, doc="A factor.")
''',
    "mine/network.py": '''
import torch
from torch import nn


class Network(nn.Module):
    """A model of one layer."""

    def __init__(self, options, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, options.hidden)
        self.output = nn.Linear(options.hidden, vocabulary)

    def forward(self, tokens, conditions, state=None):
        # one token at a time
        return self.output(self.embedding(tokens)), torch.zeros(1, len(tokens), 1)
''',
    "mine/tokens.py": """
from pathlib import Path

from ablate_midilike.classic import ClassicTokenizer
from ablate_midilike.options import ClassicOptions


class Tokens(ClassicTokenizer):
    def __init__(self, options):
        Path(options.vocabulary).read_text()
        super().__init__(ClassicOptions())
""",
    "mine/count.py": """
import ablate
from mine.helper import scaled


class Count(ablate.Metric):
    def __init__(self, options):
        self.scale = options.scale

    def measure(self, performance, reference):
        number = self.scale * scaled(len(performance))
        return ablate.Measurements((ablate.Value(number, feature="count", unit="notes", direction="lower", n=1),))
""",
    "mine/helper.py": '''
def scaled(number):
    """Return the number."""
    return 1.0 * number


def unused(number):
    return number
''',
    "mine-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n",
    "mine-1.0.dist-info/entry_points.txt": "[ablate]\nmine = mine\n",
}


class OwnPlugin:
    """The plugin's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def edit(self, name: str, before: str, after: str) -> None:
        """Replace a text in a file, and load the plugin again, as the next command would."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
        unload()


def unload() -> None:
    """Forget the plugin's modules and the registry."""
    get_registry.cache_clear()
    sys.path_importer_cache.clear()
    for name in [name for name in sys.modules if name.startswith("mine")]:
        del sys.modules[name]


def own_plugin(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnPlugin]:
    """Install the plugin for one test."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two edits within a second
    monkeypatch.syspath_prepend(folder)
    plugin = OwnPlugin(folder)
    unload()
    yield plugin
    unload()
