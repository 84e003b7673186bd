"""Results that come from several versions of the source of a component, or of a file that its options name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ablate.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ablate.report.data.study import Study
    from ablate.store.records import StageRecord

#: The runs, as (variant, replicate), that have a stage in common.
Users = set[tuple[str, int]]


def warnings(study: Study) -> list[str]:
    """Return a sentence for each component of which the results come from several versions under one number.

    Floors do not count: they belong to no replicate.
    """
    sentences = []
    for component, versions in _versions(_stages(study)).items():
        if len(versions) > 1:
            kind, _, name = component.partition(".")
            places = "; ".join(f"one in {_places(study, users)}" for users in versions.values())
            sentences.append(
                f"Results come from {len(versions)} versions of the source of {kind} '{name}' "
                f"({_differing(list(versions))}): {places}. A difference between them is no effect of what this study "
                f"varies. To compute them again: study run with --recompute {name}."
            )
    return sentences


def _stages(study: Study) -> list[tuple[StageRecord, Users]]:
    """Return the finished stages with their runs, the first ones first."""
    users: dict[str, Users] = {}
    for run in study.runs:
        for fingerprint in run.stages.values():
            users.setdefault(fingerprint, set()).add((run.variant, run.replicate))
    known = [(stage, users[f]) for f, stage in study.stages.items() if f in users and stage.sources]
    required = [each for each in known if each[0].kind in KINDS and KINDS[each[0].kind].required]
    return sorted(required, key=lambda each: str(each[0].finished))


def _versions(stages: Iterable[tuple[StageRecord, Users]]) -> dict[str, dict[str, dict[str, Users]]]:
    """Return, for each component, its versions as text, each with the runs by kind of stage."""
    found: dict[str, dict[str, dict[str, Users]]] = {}
    options = _shared_options(stages := list(stages))
    for stage, users in stages:
        for component, facts in stage.sources["components"].items():
            defaults = {f"default of {name}": facts["defaults"][name] for name in options[component]}
            files = {
                path: file["digest"]
                for path, file in stage.sources["files"].items()
                if file["option"].rpartition(".")[0] == component
            }
            version = json.dumps({**facts["source"], **defaults, **files}, sort_keys=True)
            by_kind = found.setdefault(component, {}).setdefault(version, {})
            by_kind.setdefault(stage.kind, set()).update(users)
    return found


def _shared_options(stages: Iterable[tuple[StageRecord, Users]]) -> dict[str, set[str]]:
    """Return the options of each component that all its versions have: one that was added changes nothing."""
    options: dict[str, set[str]] = {}
    for stage, _ in stages:
        for component, facts in stage.sources["components"].items():
            options[component] = options.get(component, set(facts["defaults"])) & facts["defaults"].keys()
    return options


def _differing(versions: Sequence[str]) -> str:
    """Return the files and defaults in which versions differ."""
    read: list[Mapping[str, Any]] = [json.loads(version) for version in versions]
    names = sorted({name for version in read for name in version})
    return ", ".join(name for name in names if len({json.dumps(version.get(name)) for version in read}) > 1)


def _places(study: Study, users: Mapping[str, Users]) -> str:
    """Return where a version was used, by kinds of stages."""
    kinds: dict[str, list[str]] = {}
    for kind in sorted(users, key=list(KINDS).index):
        kinds.setdefault(_runs(study, users[kind]), []).append(kind)
    return ", ".join(f"{' and '.join(names)} of {runs}" for runs, names in kinds.items())


def _runs(study: Study, users: Users) -> str:
    numbers = sorted({replicate for _, replicate in users})
    texts = [str(number) for number in numbers]
    consecutive = len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1
    which = f"{texts[0]} to {texts[-1]}" if consecutive else ", ".join(texts)
    variants = [name for name in study.names if any(variant == name for variant, _ in users)]
    some = f" of {'; '.join(variants)}" if len(variants) < len(study.names) else ""
    return f"replicate{'s' if len(numbers) > 1 else ''} {which}{some}"
