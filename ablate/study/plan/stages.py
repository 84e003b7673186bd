r"""Stages and their fingerprints: the stages of a run, and which of them two runs share.

    load -> prepare -> train -> generate -> measure, resample (each one for each metric)
     | \-> prime (where samples continue a primer) -/
      \-> floor (one for each metric)

A stage ``fit`` follows ``load`` where the tokenizer is fitted; every stage that encodes or decodes reads its file.

Kinds with ``early`` (:mod:`ablate.kinds`) come before any training; nothing is trained if one of these fails.

A stage's fingerprint is the SHA-256 of its configuration, which holds the fingerprints of its inputs and everything
else that decides its result: component names, versions and options, settings, derived seeds, kind of device,
precision, and torch's minor version (kernels change with it). Not in it: options and settings at their default
(:mod:`ablate.study.plan.identity`), the study, its name, paths, worker counts.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
from typing import TYPE_CHECKING, Any

from ablate import kinds
from ablate.engine.seeding import Purpose, derive
from ablate.kinds import FUSION_CODE, stage_name
from ablate.options import validate
from ablate.settings import FloorSettings, PrimerSettings
from ablate.study.file.configuration import reference_of
from ablate.study.plan.identity import make_stage
from ablate.study.plan.prime import prime_stage
from ablate.study.split import replicate_split
from ablate.study.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ablate.specs import MetricSpec, ModelMetricSpec, SetMetricSpec
    from ablate.study.file.configuration import Choice, Configuration

    AnyMetricSpec = MetricSpec | SetMetricSpec | ModelMetricSpec


@dataclasses.dataclass(frozen=True)
class RunStages:
    """The stages of one run by name (``"train"``, ``"measure distance.pitch"``), inputs before outputs."""

    stages: Mapping[str, Stage]

    def fingerprints(self) -> dict[str, str]:
        """Return the fingerprint of each stage by its name."""
        return {name: stage.fingerprint for name, stage in self.stages.items()}


@dataclasses.dataclass(frozen=True)
class Setting:
    """The settings that all runs of a study share, or all runs of a block.

    Attributes:
        seed: the study's, or that of the block.
        device: the kind of device (``"cpu"``, ``"cuda"``).
        torch: the minor version of torch (``"2.13"``).
        floors: how many draws, shuffles and pieces the floors use.
        tokens: the number of tokens that a training sees, where its steps follow from them; 0 where the steps are set.
        inputs: identities of corpora and files that may be absent here, see :mod:`ablate.study.plan.elsewhere`.
    """

    seed: int
    device: str
    torch: str
    floors: FloorSettings = dataclasses.field(default_factory=FloorSettings)
    tokens: int = 0
    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def here(cls, seed: int, device: str, floors: FloorSettings | None = None, tokens: int = 0) -> Setting:
        """Return the setting of this machine; ``device`` is resolved (``cuda:1`` counts as ``cuda``)."""
        minor = ".".join(importlib.metadata.version("torch").split(".")[:2])
        return cls(seed, device.partition(":")[0], minor, floors or FloorSettings(), tokens)


def run_stages(
    configuration: Configuration, identity: str, replicate: int, setting: Setting, metrics: Mapping[str, AnyMetricSpec]
) -> RunStages:
    """Return every stage of one run.

    Args:
        configuration: of the run's variant; ``training.precision`` must be resolved.
        identity: of the configuration's corpus.
        replicate: from 0.
        setting: see :class:`Setting`.
        metrics: the records of the metrics, by name.

    Raises:
        CorpusError: the primer's file cannot be read.
    """
    load = load_stage(configuration.one("corpus"), identity)
    split = replicate_split(configuration.settings["split"], setting.seed, replicate)
    of_split: dict[str, Any] = {"split": split} if split else {}  # without a split, stages of older versions are shared
    fit = _fit(configuration, load, of_split)
    prepare = _prepare(configuration, {"corpus": load, **fit}, of_split, replicate, setting)
    train = _train(configuration, prepare, replicate, setting)
    prime = prime_stage(configuration, load, fit, of_split, setting.inputs)
    sources = {"weights": train, **({"primer": prime} if prime else {}), **fit}
    generate = _generate(configuration, sources, replicate, setting)
    primed = {kinds.PRIME: prime} if prime else {}
    stages = {kinds.LOAD: load, **fit, kinds.PREPARE: prepare, kinds.TRAIN: train, **primed, kinds.GENERATE: generate}
    for metric in configuration.choices["metric"]:
        config: dict[str, Any] = {"metric": metric.plain(), **of_split}
        record = metrics[metric.name]
        if record.scope == "model":
            sources = {"weights": train, "reference": load, **fit}
            measured = [make_stage(configuration, kinds.MEASURE, config, sources)]
        else:
            reference = reference_of(record, configuration.settings["measure"]["reference"])
            config |= {"reference": reference} if reference != "train" else {}
            config |= {"scope": "set"} if record.scope == "set" else {}
            measured = _of_samples(
                configuration, config, {"generated": generate, "reference": load}, replicate, setting
            )
        stages |= {stage_name(stage.kind, metric.name): stage for stage in measured}
    return RunStages(stages)


def _of_samples(
    configuration: Configuration,
    config: Mapping[str, Any],
    sources: Mapping[str, Stage],
    replicate: int,
    setting: Setting,
) -> list[Stage]:
    """Return the stages of a metric of samples: its measurement and its floors."""
    primed = "primer" in sources["generated"].inputs and configuration.settings["measure"]["primer"]
    whole = {"primer": True} if primed else {}
    fit = {role: stage for role, stage in sources["generated"].inputs.items() if role == kinds.FIT}
    stages = [
        make_stage(configuration, kinds.MEASURE, {**config, **whole}, sources),
        _floor(configuration, config, {"reference": sources["reference"], **fit}, setting),
    ]
    if setting.floors.draws:
        drawn = {"draws": setting.floors.draws, "seed": derive(setting.seed, replicate, "resample")}
        stages.append(make_stage(configuration, kinds.RESAMPLE, {**config, **whole, **drawn}, sources))
    return stages


def _floor(
    configuration: Configuration, config: Mapping[str, Any], sources: Mapping[str, Stage], setting: Setting
) -> Stage:
    """Return the stage of a metric's floors that need no sample; all replicates with one split share it."""
    seed = derive(setting.seed, 0, "floor")
    counts = {"shuffles": setting.floors.shuffles, "pieces": setting.floors.pieces}
    if config.get("scope") == "set":
        # the sets of floors are as large as those of the run
        counts["samples"] = configuration.settings["generation"]["samples"]
    config = {**config, "tokenizer": configuration.one("tokenizer").plain(), "seed": seed, **counts}
    return make_stage(configuration, kinds.FLOOR, config, sources)


def load_stage(choice: Choice, identity: str) -> Stage:
    """Return the stage that loads a corpus."""
    # the identity replaces the options: two equal paths need not hold the same music
    config = {"corpus": {"name": choice.name, "version": choice.version, "identity": identity}}
    return Stage(kinds.LOAD, config, extra={"corpus": choice.plain()})


def _fit(configuration: Configuration, load: Stage, of_split: Mapping[str, Any]) -> dict[str, Stage]:
    """Return the stage in which the tokenizer learns, as an input of other stages; nothing if it does not learn."""
    tokenizer = configuration.one("tokenizer")
    if not tokenizer.fitted:
        return {}
    config = {"tokenizer": tokenizer.plain(), **of_split}
    return {kinds.FIT: make_stage(configuration, kinds.FIT, config, {"corpus": load})}


def _prepare(
    configuration: Configuration,
    sources: Mapping[str, Stage],
    split: Mapping[str, Any],
    replicate: int,
    setting: Setting,
) -> Stage:
    augmenters = configuration.choices["augmenter"]
    config = {
        "augmenters": _plain(augmenters),
        "tokenizer": configuration.one("tokenizer").plain(),
        "conditioners": _plain(configuration.choices["conditioner"]),
        # without an augmenter nothing is random, and one preparation serves all replicates with one split
        "seed": derive(setting.seed, replicate, "augment") if augmenters else None,
        **split,
    }
    return make_stage(configuration, kinds.PREPARE, config, sources)


def _train(configuration: Configuration, prepare: Stage, replicate: int, setting: Setting) -> Stage:
    purposes: tuple[Purpose, ...] = ("init", "windows", "labels", "dropout")
    config = {
        "tokenizer": configuration.one("tokenizer").plain(),
        "conditioners": _plain(configuration.choices["conditioner"]),
        "model": configuration.one("model").plain(),
        "optimizer": configuration.one("optimizer").plain(),
        "schedule": configuration.one("schedule").plain(),
        "training": _training(configuration, setting),
        "seeds": {purpose: derive(setting.seed, replicate, purpose) for purpose in purposes},
        "device": setting.device,
        "torch": setting.torch,
        # the key keeps an older name: another one would change every fingerprint of a GPU
        **({"stacks": FUSION_CODE} if setting.device == "cuda" else {}),
    }
    return make_stage(configuration, kinds.TRAIN, config, {"examples": prepare})


def _training(configuration: Configuration, setting: Setting) -> dict[str, Any]:
    """Return the training's settings; with the tokens instead of the steps where these depend on the examples."""
    training = dict(configuration.settings["training"])
    if setting.tokens and training["batch_counts"] == "example":
        del training["steps"]
        training["tokens"] = setting.tokens
    return training


def _generate(configuration: Configuration, sources: Mapping[str, Stage], replicate: int, setting: Setting) -> Stage:
    samples = range(configuration.settings["generation"]["samples"])
    seeds = [derive(setting.seed, replicate, "sample", sample) for sample in samples]
    return make_stage(configuration, kinds.GENERATE, generation_config(configuration, seeds), sources)


def generation_config(configuration: Configuration, seeds: Sequence[int]) -> dict[str, Any]:
    """Return what decides a generation beside weights and primer; ``seeds`` has one for each sample."""
    primer = validate(PrimerSettings, configuration.settings["primer"])
    return {
        "samplers": _plain(configuration.choices["sampler"]),
        "generation": dict(configuration.settings["generation"]),
        "labels": dict(configuration.labels),
        "seeds": list(seeds),
        **({"repeat_last": primer.repeat_last} if primer.asked else {}),
    }


def _plain(choices: Sequence[Choice]) -> list[dict[str, Any]]:
    return [choice.plain() for choice in choices]
