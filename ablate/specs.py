"""The records that plugins hand over, one type a hook point.

A record names a component, says in one line what it does, declares its options, and knows how to build it.
Handing one over builds nothing and imports nothing heavy: ``build`` does, when it is called.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ablate.options import option, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ablate.interfaces import Augmenter, Conditioner, Corpus, LanguageModel, Metric, ModelMetric, Sampler, Tokenizer

_NAME = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """For a component without options."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """What every record carries.

    Attributes:
        name: lower case, unique at its hook point (``"midilike-classic"``, ``"distance.pitch"``).
        summary: one line for ``ablate plugin list``.
        version: of the component's behaviour. It is part of every fingerprint:
            raise it when the same options would give another result, and only then.
        options: a frozen dataclass whose fields are declared with ``ablate.option``.
        cite: BibTeX entries of the sources that the component implements, each a text of its own;
            a report collects those of all that a study uses.
    """

    kind: ClassVar[str]
    kinds: ClassVar[str]

    name: str
    summary: str
    version: str = "1"
    options: type[Any] = NoOptions
    cite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.kind} name {self.name!r} is not lower-case words joined by '-', '.' or '_'")
        if not (dataclasses.is_dataclass(self.options) and isinstance(self.options, type)):
            raise TypeError(f"options of {self.kind} '{self.name}' must be a dataclass")

    def parse(self, values: Mapping[str, Any]) -> Any:
        """The options from plain values; raises :class:`ablate.errors.InvalidOptions`."""
        return validate(self.options, values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenizerSpec(ComponentSpec):
    """Hook point ``ablate_tokenizers``."""

    kind: ClassVar[str] = "tokenizer"
    kinds: ClassVar[str] = "tokenizers"
    build: Callable[[Any], Tokenizer]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmenterSpec(ComponentSpec):
    """Hook point ``ablate_augmenters``."""

    kind: ClassVar[str] = "augmenter"
    kinds: ClassVar[str] = "augmenters"
    build: Callable[[Any], Augmenter]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionerSpec(ComponentSpec):
    """Hook point ``ablate_conditioners``."""

    kind: ClassVar[str] = "conditioner"
    kinds: ClassVar[str] = "conditioners"
    build: Callable[[Any], Conditioner]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplerSpec(ComponentSpec):
    """Hook point ``ablate_samplers``.

    ``build(options, tokenizer)`` gets the options of every row, in the order of rows, because rows of different
    variants are generated in one batch: a temperature sweep is one call with a vector of temperatures.
    """

    kind: ClassVar[str] = "sampler"
    kinds: ClassVar[str] = "samplers"
    build: Callable[[Sequence[Any], Tokenizer], Sampler]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricSpec(ComponentSpec):
    """Hook point ``ablate_metrics``.

    Attributes:
        of: what is measured: each generated ``sample`` (``build`` gives a :class:`ablate.Metric`), or the trained
            ``model`` itself (an :class:`ablate.ModelMetric`).
        copying: whether its first value is the share, 0 to 1, of a sample that is copied from the training data;
            reports set what is close to the reference against it, and mark what is better by copying more.
    """

    kind: ClassVar[str] = "metric"
    kinds: ClassVar[str] = "metrics"
    build: Callable[[Any], Metric | ModelMetric]
    of: Literal["sample", "model"] = "sample"
    copying: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSpec(ComponentSpec):
    """Hook point ``ablate_models``.

    ``build(options, vocabulary, conditioners)`` returns a ``torch.nn.Module`` with the ``forward`` of
    :class:`ablate.interfaces.LanguageModel`, with weights drawn from torch's global stream, which the engine seeds.
    ``vocabulary`` is the number of token ids.
    """

    kind: ClassVar[str] = "model"
    kinds: ClassVar[str] = "models"
    build: Callable[[Any, int, Sequence[Conditioner]], LanguageModel]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusSpec(ComponentSpec):
    """Hook point ``ablate_corpora``.

    Attributes:
        path_option: the option that takes a file or folder, if this corpus reads one:
            ``--corpus some/folder`` then means this corpus with that option set.
    """

    kind: ClassVar[str] = "corpus"
    kinds: ClassVar[str] = "corpora"
    build: Callable[[Any], Corpus]
    path_option: str = ""


#: Every record type by kind, in the order in which music passes through them.
SPECS: dict[str, type[ComponentSpec]] = {
    spec.kind: spec
    for spec in (
        CorpusSpec,
        AugmenterSpec,
        TokenizerSpec,
        ConditionerSpec,
        ModelSpec,
        SamplerSpec,
        MetricSpec,
    )
}

__all__ = ["SPECS", "ComponentSpec", "NoOptions", "option"]
__all__ += [spec.__name__ for spec in SPECS.values()]
