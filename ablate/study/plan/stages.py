r"""Stages and their fingerprints: what a run consists of, and what two runs share.

    load -> prepare -> train -> generate -> measure, resample (each one for each metric)
     | \-> prime (where samples continue a primer) -/
      \-> floor (one for each metric)

What is known before any training happens in the stages of :data:`EARLY`; nothing is trained if one of these fails.

A stage's fingerprint is the SHA-256 of its configuration, which holds the fingerprints of its inputs and everything
else that decides its result: component names, versions and options, settings, derived seeds, kind of device,
precision, and torch's minor version (kernels change with it). Not in it: the study, its name, paths, worker counts.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
from typing import TYPE_CHECKING, Any

from ablate.engine.seeding import Purpose, derive
from ablate.music.corpus import corpus_digest
from ablate.options import validate
from ablate.settings import FloorSettings, PrimerSettings
from ablate.study.stage import FUSION, Stage

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from ablate.interfaces import Corpus
    from ablate.study.file.configuration import Choice, Configuration


@dataclasses.dataclass(frozen=True)
class RunStages:
    """The stages of one run by name (``"train"``, ``"measure distance.pitch"``), inputs before outputs."""

    stages: Mapping[str, Stage]

    def fingerprints(self) -> dict[str, str]:
        """Name to fingerprint."""
        return {name: stage.fingerprint for name, stage in self.stages.items()}


@dataclasses.dataclass(frozen=True)
class Setting:
    """What every run of a run shares.

    Attributes:
        seed: the study's.
        device: its kind.
        torch: its minor version.
        floors: how well the values that need no model are known.
        tokens: what a training sees where its steps follow from that; 0 where they are given.
    """

    seed: int
    device: str
    torch: str
    floors: FloorSettings = dataclasses.field(default_factory=FloorSettings)
    tokens: int = 0

    @classmethod
    def here(cls, seed: int, device: str, floors: FloorSettings | None = None, tokens: int = 0) -> Setting:
        """On this machine; ``device`` is resolved (``cuda:1`` counts as ``cuda``)."""
        minor = ".".join(importlib.metadata.version("torch").split(".")[:2])
        return cls(seed, device.partition(":")[0], minor, floors or FloorSettings(), tokens)


def run_stages(
    configuration: Configuration, corpus: Corpus, replicate: int, setting: Setting, of_models: Container[str] = ()
) -> RunStages:
    """Every stage of one run.

    Args:
        configuration: of the run's variant; ``training.precision`` must be resolved.
        corpus: the configuration's corpus, built, for its identity.
        replicate: from 0.
        setting: see :class:`Setting`.
        of_models: names of the metrics that measure a trained model, not samples.

    Raises:
        CorpusError: the primer's file cannot be read.
    """
    load = _load(configuration.one("corpus"), corpus)
    prepare = _prepare(configuration, load, replicate, setting)
    train = _train(configuration, prepare, replicate, setting)
    prime = _prime(configuration, load)
    generate = _generate(configuration, train, prime, replicate, setting)
    stages = {"load": load, "prepare": prepare, "train": train}
    stages |= {"prime": prime} if prime else {}
    stages |= {"generate": generate}
    whole = {"primer": True} if prime and configuration.settings["measure"]["primer"] else {}
    for metric in configuration.choices["metric"]:
        config = {"metric": metric.plain(), **_split(configuration)}
        if metric.name in of_models:
            stages[f"measure {metric.name}"] = Stage("measure", config, {"weights": train, "reference": load})
            continue
        sources = {"generated": generate, "reference": load}
        stages[f"measure {metric.name}"] = Stage("measure", {**config, **whole}, sources)
        stages[f"floor {metric.name}"] = _floor(configuration, config, load, setting)
        if setting.floors.draws:
            drawn = {"draws": setting.floors.draws, "seed": derive(setting.seed, replicate, "resample")}
            stages[f"resample {metric.name}"] = Stage("resample", {**config, **whole, **drawn}, sources)
    return RunStages(stages)


def _floor(configuration: Configuration, config: Mapping[str, Any], load: Stage, setting: Setting) -> Stage:
    """What a metric says of the reference itself; all replicates share it."""
    seed = derive(setting.seed, 0, "floor")
    counts = {"shuffles": setting.floors.shuffles, "pieces": setting.floors.pieces}
    return Stage(
        "floor",
        {**config, "tokenizer": configuration.one("tokenizer").plain(), "seed": seed, **counts},
        {"reference": load},
    )


def _split(configuration: Configuration) -> dict[str, Any]:
    """The split, where there is one: a study without it shares its stages with those that know of none."""
    split = configuration.settings["split"]
    return {"split": dict(split)} if split["held_out"] or split["pieces"] else {}


def _load(choice: Choice, corpus: Corpus) -> Stage:
    # the identity stands for the options, of which a path says nothing about the music
    config = {"corpus": {"name": choice.name, "version": choice.version, "identity": corpus.identity()}}
    return Stage("load", config, extra={"corpus": choice.plain()})


def _prepare(configuration: Configuration, load: Stage, replicate: int, setting: Setting) -> Stage:
    augmenters = configuration.choices["augmenter"]
    config = {
        "augmenters": _plain(augmenters),
        "tokenizer": configuration.one("tokenizer").plain(),
        "conditioners": _plain(configuration.choices["conditioner"]),
        # without an augmenter nothing is random, and one preparation serves all replicates
        "seed": derive(setting.seed, replicate, "augment") if augmenters else None,
        **_split(configuration),
    }
    return Stage("prepare", config, {"corpus": load})


def _train(configuration: Configuration, prepare: Stage, replicate: int, setting: Setting) -> Stage:
    purposes: tuple[Purpose, ...] = ("init", "windows", "labels", "dropout")
    config = {
        "tokenizer": configuration.one("tokenizer").plain(),
        "conditioners": _plain(configuration.choices["conditioner"]),
        "model": configuration.one("model").plain(),
        "training": _training(configuration, setting),
        "seeds": {purpose: derive(setting.seed, replicate, purpose) for purpose in purposes},
        "device": setting.device,
        "torch": setting.torch,
        **({"fusion": FUSION} if setting.device == "cuda" else {}),
    }
    return Stage("train", config, {"examples": prepare})


def _training(configuration: Configuration, setting: Setting) -> dict[str, Any]:
    """The training's settings; where only the number of examples tells the steps, the tokens instead of them."""
    training = dict(configuration.settings["training"])
    if not setting.tokens or training["batch_counts"] == "step":
        return training
    return {**{key: value for key, value in training.items() if key != "steps"}, "tokens": setting.tokens}


def _prime(configuration: Configuration, load: Stage) -> Stage | None:
    options = validate(PrimerSettings, configuration.settings["primer"])
    if not options.asked:
        return None
    config: dict[str, Any] = {
        "tokenizer": configuration.one("tokenizer").plain(),
        "take": options.take,
        "at_most": configuration.settings["generation"]["tokens"],
    }
    if options.file:
        # like a corpus, a file is known by its contents
        return Stage("prime", {**config, "file": corpus_digest(options.file)}, extra={"file": options.file})
    return Stage("prime", {**config, "piece": options.piece, **_split(configuration)}, {"corpus": load})


def _generate(
    configuration: Configuration, train: Stage, prime: Stage | None, replicate: int, setting: Setting
) -> Stage:
    samples = range(configuration.settings["generation"]["samples"])
    seeds = [derive(setting.seed, replicate, "sample", sample) for sample in samples]
    config = generation_config(configuration, seeds)
    return Stage("generate", config, {"weights": train, **({"primer": prime} if prime else {})})


def generation_config(configuration: Configuration, seeds: Sequence[int]) -> dict[str, Any]:
    """What decides a generation beside weights and primer; ``seeds`` has one for each sample."""
    primer = validate(PrimerSettings, configuration.settings["primer"])
    return {
        "samplers": _plain(configuration.choices["sampler"]),
        "generation": dict(configuration.settings["generation"]),
        "labels": dict(configuration.labels),
        "seeds": list(seeds),
        **({"repeat_last": primer.repeat_last} if primer.asked else {}),
    }


def _plain(chosen: Sequence[Choice]) -> list[dict[str, Any]]:
    return [choice.plain() for choice in chosen]
