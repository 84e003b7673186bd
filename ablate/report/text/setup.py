"""Facts about a study: its corpus, versions and configurations, and the command that runs it again."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.kinds import GENERATE, MEASURE, PRIME, TRAIN
from ablate.names import shell_override
from ablate.report.data.corpora import corpus_counts, loaded_corpora
from ablate.report.statistics.described.summary import NOTHING, distinct
from ablate.report.text import judged, programs
from ablate.report.text.population import split_fact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

#: The packages that decide the numbers; they are among the facts.
#: Packages whose versions a reader needs; older results have the former name of our distribution.
_PINNED = ("ablate-music", "ablate", "torch", "numpy")
_DIGEST = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
#: Options as Python writes them (``PreludeOptions(tempo=1.0, seed=846)``), which some corpora have in their identity.
_OPTIONS = re.compile(r"\b\w*Options\(([^()]*)\)")
Facts = list[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Environment:
    """The environment of some stages."""

    stages: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def axes(study: Study) -> list[tuple[str, list[str], str]]:
    """Return each axis with its levels and the baseline's level, as text."""
    spec = study.record.spec
    baseline = spec.get("baseline") or {}
    return [
        (axis, _levels(levels), _text(baseline[axis]) if axis in baseline else NOTHING)
        for axis, levels in (spec.get("axes") or {}).items()
    ]


def _levels(levels: Any) -> list[str]:
    """Return the levels of an axis, or the range that a search chooses from."""
    if isinstance(levels, list):
        return [_text(level) for level in levels]
    if "low" in levels:
        return [f"{levels['low']} to {levels['high']}{' on a logarithmic scale' if levels.get('log') else ''}"]
    return [_text(level) for level in levels.get("levels", ())]


def named_variants(study: Study) -> Facts:
    """Return each named variant with its changes to the base configuration, as text."""
    variants = study.record.spec.get("variants") or {}
    return [
        (name, "; ".join(f"{path} = {_text(level)}" for path, level in changes.items()))
        for name, changes in variants.items()
    ]


def top_facts(study: Study) -> Facts:
    """Return the facts below the verdicts, in one line each."""
    if study.judged:
        return judged.top_facts(study)
    spec, record = study.spec, study.record
    pruned = sum(run.state == "pruned" for run in study.runs)
    replicates = study.run_frame[study.run_frame["state"] == "done"].groupby("variant", observed=True).size()
    counts = (
        " to ".join(str(n) for n in dict.fromkeys((replicates.min(), replicates.max()))) if len(replicates) else "0"
    )
    return _without_empty(
        ("Design", f"{str(spec.get('design', 'factorial')).replace('_', ' ')}, {len(study.variants)} variants"),
        ("Replicates", ", ".join(filter(None, (counts, programs.samples(study))))),
        ("Runs", f"{_done(study)}{f', {pruned} spared by {_sparing(spec)}' if pruned else ''}"),
        ("Corpus", "; ".join([record.corpus, *corpus_counts(study)])),
        ("Corpus identity", _DIGEST.sub(r"\1…", _corpus_identity(study))),
        ("Split", split_fact(study)),
        ("Profile", record.profile),
        ("Device", ", ".join(distinct([*study.run_frame["device"], *study.run_frame["precision"]]))),
    )


def _sparing(spec: Mapping[str, Any]) -> str:
    return "racing" if spec.get("design") == "path" else "the search"


def facts(study: Study) -> Facts:
    """Return the facts of the appendix: label and text."""
    if study.judged:
        return judged.facts(study)
    record, spec = study.record, study.record.spec
    generation, objective = spec.get("generation") or {}, spec.get("objective") or {}
    environments = [dict(stage.environment) for stage in study.stages.values()]
    packages = [environment.get("packages") or {} for environment in environments]
    return _without_empty(
        ("Study file", _file_name(str(spec.get("source", "")))),
        ("Program", programs.command(spec)),
        ("Profile", record.profile),
        ("Corpus", record.corpus),
        ("Reference", "; ".join(corpus_counts(study))),
        ("Corpus identity", _corpus_identity(study)),
        ("Study seed", str(record.seed)),
        ("Runs", f"{_done(study)} ({len(study.variants)} variants)"),
        ("Replicates", _text(spec.get("replicates", ""))),
        ("Samples in a replicate", _text(generation.get("samples", ""))),
        ("Tokens in a sample", _text(generation.get("tokens", ""))),
        ("Measured", _primer_included(study)),
        ("Compared with", _references(study)),
        ("Objective", " ".join(_text(objective[key]) for key in ("metric", "feature") if objective.get(key))),
        ("Device", ", ".join(distinct(_devices(study)))),
        ("Precision", ", ".join(distinct(study.run_frame["precision"]))),
        ("First executed", _moment(record.created)),
        ("Last executed", _moment(record.updated)),
        ("Versions", ", ".join(_versions(packages))),
        ("Source", ", ".join(distinct(_git(environment.get("git") or {}) for environment in environments))),
    )


def _devices(study: Study) -> list[str]:
    """Return the devices that networks ran on: beside a GPU, cores do the rest. Without networks, return all."""
    stages = study.stages.values()
    return [stage.device for stage in stages if stage.kind in (TRAIN, GENERATE)] or [stage.device for stage in stages]


def environments(study: Study) -> list[Environment]:
    """Return every distinct environment of this study's stages."""
    groups: dict[str, list[StageRecord]] = {}
    for stage in study.stages.values():
        groups.setdefault(json.dumps(stage.environment, sort_keys=True), []).append(stage)
    return [_environment(stages) for stages in groups.values()]


def _environment(stages: list[StageRecord]) -> Environment:
    environment = stages[0].environment
    kinds = ", ".join(sorted({stage.kind for stage in stages}))
    return Environment(
        f"{len(stages)} stages: {kinds}",
        tuple(
            (key, _git(value) or "not a git checkout" if key == "git" else _text(value))
            for key, value in environment.items()
            if key != "packages"
        ),
        tuple(sorted((environment.get("packages") or {}).items())),
    )


def configurations(study: Study) -> Facts:
    """Return the resolved configuration of each variant as JSON: in full for the baseline, else the differences."""
    configs = study.configs()
    reference = configs.get(study.baseline, {})
    texts = []
    for name in study.names:
        config = configs.get(name, {})
        if name != study.baseline:
            config = {key: value for key, value in config.items() if value != reference.get(key)}
        text = json.dumps(config, indent=2, ensure_ascii=False, default=str)
        texts.append((f"{name} (baseline, in full)" if name == study.baseline else f"{name} (differences)", text))
    return texts


def command(study: Study) -> str:
    """Return the command that runs the study again, or that judges the results again."""
    spec = study.spec
    if study.judged:
        return shlex.join(study.judged["command"])
    source = str(spec.get("source") or study.record.name)
    words = [
        "ablate",
        "study",
        "run",
        shlex.quote(_shipped_name(source)),
        *map(shell_override, spec.get("overrides") or ()),
    ]
    replicates = spec.get("replicates")
    words += ["--replicates", str(replicates)] if replicates else []
    words += ["--name", shlex.quote(study.record.name)] if _needs_name(study) else []
    return " ".join(words)


def _needs_name(study: Study) -> bool:
    """Check whether the name of the study differs from the one that its file and overrides would give."""
    stem = study.record.name.partition("@")[0]
    return not str(study.spec.get("source", "")).endswith(f"{stem}.toml")


def _file_name(source: str) -> str:
    """Return a study file's path as a reader elsewhere can use it: of ``studies/NAME.toml`` only these two parts.

    The rest of that path is the place of one installation, or of one checkout.
    """
    path = Path(source)
    return f"studies/{path.name}" if path.is_absolute() and path.parent.name == "studies" else source


def _shipped_name(source: str) -> str:
    path = Path(source)
    return path.stem if path.parent.name == "studies" else source


def _done(study: Study) -> str:
    return f"{sum(run.state == 'done' for run in study.runs)} of {len(study.runs)} done"


def _corpus_identity(study: Study) -> str:
    """Return the identity of the corpus; with several corpora each, with its name."""
    corpora = {_OPTIONS.sub(r"\1", each.identity): each for each in loaded_corpora(study) if each.identity}
    if len(corpora) < 2:
        return "".join(corpora)
    return "; ".join(f"{corpus.name}: {identity}" for identity, corpus in corpora.items())


def _primer_included(study: Study) -> str:
    """Return whether samples that continue a primer are measured with it; empty without primers."""
    configs = [run.config for run in study.runs if PRIME in run.stages]
    values = {bool(config.get("measure", {}).get("primer")) for config in configs}
    return " and ".join("with the primer" if value else "without the primer" for value in sorted(values))


def _references(study: Study) -> str:
    """Return the pieces that the metrics compare samples with; empty if these are the training pieces for all."""
    parts: dict[str, list[str]] = {}
    for run in study.runs[:1]:
        for name in run.stages:
            stage = study.stage(run, name)
            if stage and stage.kind == MEASURE and "generated" in stage.config.get("inputs", ()):
                parts.setdefault(stage.config.get("reference", "train"), []).append(name.partition(" ")[2])
    if set(parts) <= {"train"}:
        return ""
    words = {"train": "training pieces", "validation": "validation pieces", "test": "test pieces"}
    return "; ".join(f"{words[part]}: {', '.join(metrics)}" for part, metrics in parts.items())


def _without_empty(*pairs: tuple[str, str]) -> Facts:
    return [(label, text) for label, text in pairs if text]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _git(state: Mapping[str, Any]) -> str:
    commit = str(state.get("commit") or "")[:12]
    return f"{commit} with uncommitted changes" if commit and state.get("dirty") else commit


def _versions(packages: Iterable[Mapping[str, Any]]) -> list[str]:
    return distinct(f"{name} {versions[name]}" for versions in packages for name in _PINNED if name in versions)
