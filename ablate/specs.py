"""The records that the hooks of plugins return.

A record contains the name of a component, a summary in one line, the type of its options, and a function that builds
it. Creating a record builds nothing and imports nothing heavy; only its function does.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ablate.options import option, validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ablate.interfaces import (
        Augmenter,
        Conditioner,
        Corpus,
        Executor,
        LanguageModel,
        Metric,
        ModelMetric,
        Optimizer,
        Sampler,
        Schedule,
        SetMetric,
        Tokenizer,
    )
    from ablate.interfaces.executor import Setup

_NAME = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")

#: The object of a measurement: each sample of a run, all samples of a run together, or a trained model.
Scope = Literal["sample", "set", "model"]
#: The part of the split whose pieces a metric compares with.
Reference = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class NoOptions:
    """The options of a component without options."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """The record of a component: the part that the records of all kinds share.

    Attributes:
        name: lower case, unique at its hook point (``"midilike-classic"``, ``"distance.pitch"``).
        summary: one line for ``ablate plugin list``.
        version: of the component's behaviour. It is part of every fingerprint:
            increase it when the same options would give another result, and only then.
        options: a frozen dataclass whose fields are declared with ``ablate.option``.
        cite: BibTeX entries of the sources that the component implements, one text for each;
            a report collects those of all components of a study.
        modules: top-level modules of libraries that it needs and that may not be installed (``("ray",)``).
        install: the command that installs them; ``ablate plugin list`` prints it where one is missing.
        plugin: the name of the plugin that offers it, set when it is loaded.
    """

    kind: ClassVar[str]
    kinds: ClassVar[str]

    name: str
    summary: str
    version: str = "1"
    options: type[Any] = NoOptions
    cite: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    install: str = ""
    plugin: str = dataclasses.field(default="", init=False, repr=False, compare=False)

    @property
    def about(self) -> str:
        """The component with its plugin, as in ``"metric 'distance.pitch' of plugin 'distances'"``, for messages."""
        return f"{self.kind} '{self.name}'" + (f" of plugin '{self.plugin}'" if self.plugin else "")

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.kind} name {self.name!r} is not lower-case words joined by '-', '.' or '_'")
        if not (dataclasses.is_dataclass(self.options) and isinstance(self.options, type)):
            raise TypeError(f"options of {self.kind} '{self.name}' must be a dataclass")

    def parse(self, values: Mapping[str, Any]) -> Any:
        """Return the options from plain values.

        Args:
            values: of the options by name, as a study file has them; an option that is missing has its default.

        Raises:
            InvalidOptions: an option is unknown, has the wrong type, or is out of its range.
        """
        return validate(self.options, values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TokenizerSpec(ComponentSpec):
    """The record of a tokenizer, for the hook ``ablate_tokenizers``.

    Attributes:
        build: a function from the options to the tokenizer.
        fitted: True if ``build`` returns an :class:`ablate.interfaces.FittedTokenizer`. A study then has a stage
            ``fit``, which fits it on the training pieces before they are encoded.
    """

    kind: ClassVar[str] = "tokenizer"
    kinds: ClassVar[str] = "tokenizers"
    build: Callable[[Any], Tokenizer]
    fitted: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class AugmenterSpec(ComponentSpec):
    """The record of an augmenter, for the hook ``ablate_augmenters``.

    Attributes:
        build: a function from the options to the augmenter.
    """

    kind: ClassVar[str] = "augmenter"
    kinds: ClassVar[str] = "augmenters"
    build: Callable[[Any], Augmenter]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConditionerSpec(ComponentSpec):
    """The record of a conditioner, for the hook ``ablate_conditioners``.

    Attributes:
        build: a function from the options to the conditioner.
    """

    kind: ClassVar[str] = "conditioner"
    kinds: ClassVar[str] = "conditioners"
    build: Callable[[Any], Conditioner]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SamplerSpec(ComponentSpec):
    """The record of a sampler, for the hook ``ablate_samplers``.

    Attributes:
        build_rows: a function from the options of each row, in the order of rows, to the sampler. Rows of different
            variants are generated in one batch: a temperature sweep is one call with a vector of temperatures.
    """

    kind: ClassVar[str] = "sampler"
    kinds: ClassVar[str] = "samplers"
    build_rows: Callable[[Sequence[Any]], Sampler]

    def build(self, rows: Sequence[Any], tokenizer: Tokenizer) -> Sampler:
        """Build the sampler of rows with these options, and prepare it for the tokenizer."""
        sampler = self.build_rows(rows)
        sampler.prepare(tokenizer)
        return sampler


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnyMetricSpec(ComponentSpec):
    """The record of a metric: the part that the records of all metrics share.

    Attributes:
        features: one sentence for each feature that the metric returns, by the name of the feature, for the glossary of
            a report and for ``ablate plugin show``. A feature without one is shown with its unit only.
    """

    kind: ClassVar[str] = "metric"
    kinds: ClassVar[str] = "metrics"
    scope: ClassVar[Scope]
    features: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricSpec(AnyMetricSpec):
    """The record of a metric of single samples, for the hook ``ablate_metrics``.

    :class:`SetMetricSpec` is for metrics of all samples of a run together, and :class:`ModelMetricSpec` for metrics of
    trained models.

    Attributes:
        build: a function from the options to the metric.
        copied_share: the feature that is the share, 0 to 1, of a sample that is copied from the training pieces, if
            there is one. Reports compare it with the closeness to the reference, and mark variants that are closer by
            copying more.
        reference: the pieces that this metric always compares with (``"train"`` for one that searches copies of what a
            model was trained on); None for those that the study chooses, ``measure.reference``. With a copied share it
            is ``"train"``.
    """

    scope: ClassVar[Scope] = "sample"
    build: Callable[[Any], Metric]
    copied_share: str = ""
    reference: Reference | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.copied_share:
            if self.reference not in (None, "train"):
                raise ValueError(f"metric '{self.name}' has a copied_share, so its reference can only be \"train\"")
            object.__setattr__(self, "reference", "train")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SetMetricSpec(AnyMetricSpec):
    """The record of a metric of all samples of a run as one set, for the hook ``ablate_metrics``.

    Attributes:
        build: a function from the options to the metric.
        reference: as in :class:`MetricSpec`.
        fewest: a function from the options to the smallest number of samples that the metric can measure; a study with
            fewer is refused before anything is trained.
        fewest_pieces: the same for the pieces that samples are compared with.
    """

    scope: ClassVar[Scope] = "set"
    build: Callable[[Any], SetMetric]
    reference: Reference | None = None
    fewest: Callable[[Any], int] = lambda options: 1
    fewest_pieces: Callable[[Any], int] = lambda options: 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelMetricSpec(AnyMetricSpec):
    """The record of a metric of trained models, for the hook ``ablate_metrics``.

    Attributes:
        build: a function from the options to the metric.
        main: for parts of the split, in order of preference, the feature that stands for the metric where the split has
            pieces of that part. It is the objective of a study that names only the metric, and such a metric is the
            objective by default only where the split has a main feature. A search or a path takes that of the test
            pieces last. Empty: the first feature, whatever the split.
    """

    scope: ClassVar[Scope] = "model"
    build: Callable[[Any], ModelMetric]
    main: Mapping[Reference, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSpec(ComponentSpec):
    """The record of a model, for the hook ``ablate_models``.

    Attributes:
        build: ``build(options, vocabulary, conditioners)`` returns a ``torch.nn.Module`` with the ``forward`` of
            :class:`ablate.interfaces.LanguageModel`. ``vocabulary`` is the number of token ids. Draw the initial
            weights from torch's global stream, which the engine seeds.
    """

    kind: ClassVar[str] = "model"
    kinds: ClassVar[str] = "models"
    build: Callable[[Any, int, Sequence[Conditioner]], LanguageModel]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerSpec(ComponentSpec):
    """The record of an optimizer, for the hook ``ablate_optimizers``.

    Attributes:
        build: a function from the options to the optimizer.
        default: whether a study that names no optimizer uses this one, with its default options. At most one installed
            optimizer is the default.
    """

    kind: ClassVar[str] = "optimizer"
    kinds: ClassVar[str] = "optimizers"
    build: Callable[[Any], Optimizer]
    default: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class ScheduleSpec(ComponentSpec):
    """The record of a schedule, for the hook ``ablate_schedules``.

    Attributes:
        build: a function from the options to the schedule.
        default: whether a study that names no schedule uses this one, with its default options. At most one installed
            schedule is the default.
    """

    kind: ClassVar[str] = "schedule"
    kinds: ClassVar[str] = "schedules"
    build: Callable[[Any], Schedule]
    default: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusSpec(ComponentSpec):
    """The record of a corpus, for the hook ``ablate_corpora``.

    Attributes:
        build: a function from the options to the corpus.
        path_option: the option that takes a file or folder, if this corpus reads one:
            ``--corpus some/folder`` then chooses this corpus and sets that option.
        instruments_option: the option that chooses instruments, if there is one; its values are those of
            :class:`ablate.music.instruments.Chooser`. The choice then also applies to a primer from a file, and it is
            named where a tokenizer cannot tell the instruments of the music apart.
        pause_option: the option with the longest pause in a file, in seconds, if there is one. It then also applies to
            a primer from a file, and to files that are compared with the corpus.
    """

    kind: ClassVar[str] = "corpus"
    kinds: ClassVar[str] = "corpora"
    build: Callable[[Any], Corpus]
    path_option: str = ""
    instruments_option: str = ""
    pause_option: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObserverSpec(ComponentSpec):
    """The record of an observer, for the hook ``ablate_observers``.

    An observer is no part of a study: a person chooses it with ``--observe NAME``, and no result depends on it.

    Attributes:
        build: ``build(options, folder)`` returns an object with any of the hooks of events as methods, each marked with
            ``@ablate.hookimpl``. ``folder`` is the place for its files inside the home folder, which it may create.
            It runs before anything is trained; if it raises :class:`ablate.errors.AblateError`, the message is printed
            and the command ends.
        target: the option that ``--observe NAME:TARGET`` sets; empty if the observer takes no target.
    """

    kind: ClassVar[str] = "observer"
    kinds: ClassVar[str] = "observers"
    build: Callable[[Any, Path], object]
    target: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecutorSpec(ComponentSpec):
    """The record of an executor, for the hook ``ablate_executors``.

    An executor is no part of a study: a person chooses it with ``--executor NAME``, and no result depends on it.

    Attributes:
        build: ``build(options, setup)`` returns an :class:`ablate.interfaces.Executor`; ``setup`` is an
            :class:`ablate.interfaces.executor.Setup`. It connects to nothing before the executor is entered.
    """

    kind: ClassVar[str] = "executor"
    kinds: ClassVar[str] = "executors"
    build: Callable[[Any, Setup], Executor]


#: Every type of record of a study's components, in the order of the data flow.
SPEC_TYPES: tuple[type[ComponentSpec], ...] = (
    CorpusSpec,
    AugmenterSpec,
    TokenizerSpec,
    ConditionerSpec,
    ModelSpec,
    OptimizerSpec,
    ScheduleSpec,
    SamplerSpec,
    MetricSpec,
    SetMetricSpec,
    ModelMetricSpec,
)
#: Kinds of which a study needs no component, because the record of one of them says ``default``.
DEFAULTED = ("optimizer", "schedule")
#: The first type of record of each kind; for metrics the one for single samples.
SPECS: dict[str, type[ComponentSpec]] = {}
for _spec in SPEC_TYPES:
    SPECS.setdefault(_spec.kind, _spec)

#: Those of all hook points: the kinds of a study's components, observers and executors.
ALL_SPEC_TYPES: tuple[type[ComponentSpec], ...] = (*SPEC_TYPES, ObserverSpec, ExecutorSpec)
ALL_SPECS: dict[str, type[ComponentSpec]] = {**SPECS, **{each.kind: each for each in (ObserverSpec, ExecutorSpec)}}

__all__ = [
    "ALL_SPECS",
    "ALL_SPEC_TYPES",
    "DEFAULTED",
    "SPECS",
    "SPEC_TYPES",
    "ComponentSpec",
    "ExecutorSpec",
    "NoOptions",
    "ObserverSpec",
    "option",
]
__all__ += [spec.__name__ for spec in SPEC_TYPES]
