"""Print how many comparisons of studies are decided: ``python tools/share_decided.py HOME STUDY ...``.

Use it before and after a change of a study's size. A database of an older ablate must be upgraded first (copy
the home, then ``ablate db upgrade --home COPY``); its results are then judged by the present rules.
"""  # noqa: INP001 - a script

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from ablate.errors import AblateError
from ablate.kinds import TRAIN
from ablate.registry import get_registry
from ablate.report.data.study import Study
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.store.store import Store

#: Kinds of comparisons between variants; the others are sums and averages of these.
KINDS = ("variant", "contrast")
UNDECIDED = ("inconclusive", "")


class Decided(NamedTuple):
    """The comparisons of one study's headline quantities.

    Attributes:
        primary: decided ones of the primary quantity.
        of_primary: all of the primary quantity.
        all: decided ones of all headline quantities.
        of_all: all of them.
        trainings: the number of different trainings.
        seconds: of computing, all stages together, each counted once.
    """

    primary: int
    of_primary: int
    all: int
    of_all: int
    trainings: int
    seconds: float


def count_decided(study: Study) -> Decided:
    """Count the decided comparisons of a study: every verdict except "cannot tell"."""
    effects = Analysis(study, get_registry()).all_effects
    headline = effects[effects["kind"].isin(KINDS) & (effects["role"] != "exploratory")]
    decided = ~headline["verdict"].isin(UNDECIDED)
    primary = headline["role"] == "primary"
    return Decided(
        int((decided & primary).sum()),
        int(primary.sum()),
        int(decided.sum()),
        len(headline),
        sum(stage.kind == TRAIN for stage in study.stages.values()),
        sum(stage.seconds for stage in study.stages.values()),
    )


def main(home: str, names: list[str]) -> None:
    """Print one line for each study."""
    for name in names:
        with Store(f"sqlite:///{Path(home) / 'ablate.db'}") as store:
            found = count_decided(Study.read(store, name))
        sys.stdout.write(
            f"{name}: {found.primary} of {found.of_primary} primary and {found.all} of {found.of_all} headline "
            f"comparisons decided ({found.all / max(found.of_all, 1):.0%}); {found.trainings} trainings, "
            f"{found.seconds:,.0f} s of computing\n"
        )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: python tools/share_decided.py HOME STUDY ...")
    try:
        main(sys.argv[1], sys.argv[2:])
    except AblateError as error:
        sys.exit(str(error))
