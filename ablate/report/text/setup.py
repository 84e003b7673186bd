"""What the page says in words and tables: plain records, made from what the store knows of a study."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.kinds import LOAD, PRIME
from ablate.report.statistics import summary
from ablate.report.statistics.summary import distinct as _distinct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

_PINNED = ("ablate", "torch", "numpy")  # the packages that decide numbers, named among the facts


@dataclasses.dataclass(frozen=True)
class Environment:
    """What some stages ran in."""

    stages: str
    facts: tuple[tuple[str, str], ...]
    packages: tuple[tuple[str, str], ...]


def axes(study: Study) -> list[tuple[str, list[str], str]]:
    """Each axis with its levels and the baseline's level, as text."""
    spec = study.record.spec
    baseline = spec.get("baseline") or {}
    return [
        (axis, _levels(levels), _plain(baseline[axis]) if axis in baseline else summary.NOTHING)
        for axis, levels in (spec.get("axes") or {}).items()
    ]


def _levels(levels: Any) -> list[str]:
    """The levels of an axis, or the range that a search chooses from."""
    if isinstance(levels, list):
        return [_plain(level) for level in levels]
    if "low" in levels:
        return [f"{levels['low']} to {levels['high']}{' by factors' if levels.get('log') else ''}"]
    return [_plain(level) for level in levels.get("levels", ())]


def named(study: Study) -> list[tuple[str, str]]:
    """Each named variant, and what it changes of the base configuration, as text."""
    variants = study.record.spec.get("variants") or {}
    return [
        (name, "; ".join(f"{path} = {_plain(level)}" for path, level in changes.items()))
        for name, changes in variants.items()
    ]


def facts(study: Study) -> list[tuple[str, str]]:
    """What to know before reading numbers: label and text."""
    record, spec = study.record, study.record.spec
    generation, objective = spec.get("generation") or {}, spec.get("objective") or {}
    done = sum(run.state == "done" for run in study.runs)
    environments = [dict(stage.environment) for stage in study.stages.values()]
    packages = [environment.get("packages") or {} for environment in environments]
    found = [
        ("Study file", _plain(spec.get("source", ""))),
        ("Profile", record.profile),
        ("Corpus", record.corpus),
        ("Reference", "; ".join(_distinct(_loaded(stage) for _, stage in study.first(LOAD)))),
        ("Study seed", str(record.seed)),
        ("Runs", f"{done} of {len(study.runs)} done ({len(study.variants)} variants)"),
        ("Replicates", _plain(spec.get("replicates", ""))),
        ("Samples in a replicate", _plain(generation.get("samples", ""))),
        ("Tokens in a sample", _plain(generation.get("tokens", ""))),
        ("Measured", _scored(study)),
        ("Objective", " ".join(_plain(objective[key]) for key in ("metric", "feature") if key in objective)),
        ("Device", ", ".join(_distinct(stage.device for stage in study.stages.values()))),
        ("Precision", ", ".join(_distinct(study.run_frame["precision"]))),
        ("First run", _moment(record.created)),
        ("Last run", _moment(record.updated)),
        ("Versions", ", ".join(_versions(packages))),
        ("Source", ", ".join(_distinct(_git(environment.get("git") or {}) for environment in environments))),
    ]
    return [(label, text) for label, text in found if text]


def environments(study: Study) -> list[Environment]:
    """Every distinct environment that stages of this study ran in."""
    groups: dict[str, list[StageRecord]] = {}
    for stage in study.stages.values():
        groups.setdefault(json.dumps(stage.environment, sort_keys=True), []).append(stage)
    return [
        Environment(
            f"{len(stages)} stages: {', '.join(sorted({stage.kind for stage in stages}))}",
            tuple(
                (key, _git(value) or "not a git checkout" if key == "git" else _plain(value))
                for key, value in stages[0].environment.items()
                if key != "packages"
            ),
            tuple(sorted((stages[0].environment.get("packages") or {}).items())),
        )
        for stages in groups.values()
    ]


def top_facts(study: Study) -> list[tuple[str, str]]:
    """What to know before reading verdicts, in one line each."""
    spec, record = study.spec, study.record
    done = sum(run.state == "done" for run in study.runs)
    pruned = sum(run.state == "pruned" for run in study.runs)
    replicates = study.run_frame[study.run_frame["state"] == "done"].groupby("variant", observed=True).size()
    counts = (
        " to ".join(str(n) for n in dict.fromkeys((replicates.min(), replicates.max()))) if len(replicates) else "0"
    )
    found = [
        ("Design", f"{str(spec.get('design', 'factorial')).replace('_', ' ')}, {len(study.variants)} variants"),
        ("Replicates", f"{counts}, {_plain((spec.get('generation') or {}).get('samples', '?'))} samples in each"),
        ("Runs", f"{done} of {len(study.runs)} done{f', {pruned} given up by the search' if pruned else ''}"),
        ("Corpus", "; ".join([record.corpus, *_distinct(_loaded(stage) for _, stage in study.first(LOAD))])),
        ("Corpus SHA-256", ", ".join(_distinct(corpus_hash(stage)[:12] for _, stage in study.first(LOAD)))),
        ("Profile", record.profile),
        ("Device", ", ".join(_distinct([*study.run_frame["device"], *study.run_frame["precision"]]))),
    ]
    return [(label, text) for label, text in found if text]


def corpus_hash(load: StageRecord) -> str:
    """SHA-256 of what a corpus holds: the fingerprint that every result derives from."""
    return load.fingerprint


def configurations(study: Study) -> list[tuple[str, str]]:
    """The resolved configuration of each variant as JSON: the baseline's whole, of the others what differs."""
    configs = study.configs()
    reference = configs.get(study.baseline, {})
    found = []
    for name in study.names:
        config = configs.get(name, {})
        if name != study.baseline:
            config = {key: value for key, value in config.items() if value != reference.get(key)}
        text = json.dumps(config, indent=2, ensure_ascii=False, default=str)
        found.append((f"{name} (baseline, whole)" if name == study.baseline else f"{name} (what differs)", text))
    return found


def command(study: Study) -> str:
    """What to type to run the study again."""
    spec = study.spec
    source = str(spec.get("source") or study.record.name)
    words = [
        "ablate",
        "study",
        "run",
        _shell(_stem_of_shipped(source)),
        *map(_shell_words, spec.get("overrides") or ()),
    ]
    replicates = spec.get("replicates")
    words += ["--replicates", str(replicates)] if replicates else []
    words += ["--name", _shell(study.record.name)] if _needs_name(study) else []
    return " ".join(words)


def _needs_name(study: Study) -> bool:
    """Whether the study has a name that its file and what was overridden would not give it."""
    stem = study.record.name.partition("@")[0]
    return not str(study.spec.get("source", "")).endswith(f"{stem}.toml")


def _stem_of_shipped(source: str) -> str:
    path = Path(source)
    return path.stem if path.parent.name == "studies" else source


def _shell(text: str) -> str:
    return shlex.quote(text)


def _shell_words(words: str) -> str:
    """An override as it is stored (``--corpus some path``), fit for a shell."""
    option, _, value = words.partition(" ")
    return f"{option} {_shell(value)}" if value else option


def _loaded(load: StageRecord) -> str:
    """What a corpus turned out to hold."""
    facts = load.result
    counts = {key: facts[key] for key in ("performances", "notes", "seconds") if key in facts}
    counts |= {"files skipped": len(facts["skipped"])} if facts.get("skipped") else {}
    return ", ".join(f"{key}: {count:,.0f}" for key, count in counts.items())


def _scored(study: Study) -> str:
    """Whether samples that continue a primer are measured with it; nothing where none does."""
    primed = [run.config for run in study.runs if PRIME in run.stages]
    if not primed:
        return ""
    whole = {bool(config.get("measure", {}).get("primer")) for config in primed}
    return " and ".join("with the primer" if each else "without the primer" for each in sorted(whole))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""


def _git(state: Mapping[str, Any]) -> str:
    commit = str(state.get("commit") or "")[:12]
    return f"{commit} with uncommitted changes" if commit and state.get("dirty") else commit


def _versions(packages: Iterable[Mapping[str, Any]]) -> list[str]:
    return _distinct(f"{name} {found[name]}" for found in packages for name in _PINNED if name in found)
