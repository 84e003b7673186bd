"""The looks at a study: what each of them may spend of alpha, and whether the study may stop.

Every command that shows verdicts is a look. The store keeps the looks, and the analysis corrects for them, whether the
study file declares them or not. See docs/explanation/statistics/looks.md.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ablate.options import validate
from ablate.report.statistics import roles, verdicts
from ablate.report.statistics.inference import sequential
from ablate.report.statistics.inference.sequential import Look
from ablate.settings import LookSettings
from ablate.store.records import LookRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd

    from ablate.arrays import FloatArray
    from ablate.settings import StatisticsSettings

#: The state of a primary comparison at a look.
State = Literal["different", "equivalent", "given up", "open"]
#: Why a study stops.
Reason = Literal["", "decided", "given up", "most"]
#: Two studies have a comparison in common if they have this number of variants in common.
_A_COMPARISON = 2
_KEY = ["kind", "comparison", "metric", "feature"]


@dataclasses.dataclass(frozen=True)
class Looks:
    """The looks at a study up to now.

    Attributes:
        made: with increasing numbers of replicates; the last one is now.
        settings: those that the study file declares; None with a plain number.
        later: the largest number of replicates that was looked at before, if it is larger than now; otherwise 0.
    """

    made: tuple[Look, ...]
    settings: LookSettings | None
    later: int = 0

    @property
    def now(self) -> Look:
        """The last look."""
        return self.made[-1]

    @property
    def plain(self) -> bool:
        """The case of one look with all of alpha."""
        return len(self.made) == 1 and self.now.share == 1.0


def looks_of(records: Iterable[LookRecord], spec: Mapping[str, Any], now: int, variants: Iterable[str]) -> Looks:
    """Return the looks at a study.

    Args:
        records: the looks that the store keeps, in order.
        spec: the study as plain data.
        now: the number of replicates that the study has now.
        variants: the fingerprints of its variants. A look counts if one of its comparisons is still in the study.
    """
    settings = validate(LookSettings, spec["looks"]) if spec.get("looks") else None
    seen = _of_comparisons(records, variants)
    made: list[Look] = []
    for record in itertools.takewhile(lambda record: not made or made[-1].replicates != now, seen):
        # a look at fewer replicates than one before shows nothing new
        if record.replicates <= now and (not made or record.replicates > made[-1].replicates):
            made.append(Look(record.replicates, math.nan if record.share is None else record.share))
    later = max((record.replicates for record in seen), default=0)
    if not made or made[-1].replicates != now:
        hidden = later > now  # its data are a part of what was seen, so it may spend nothing more
        made.append(Look(now, 0.0 if hidden else _share(settings, now, first=not seen)))
    return Looks(tuple(made), settings, later if later > now else 0)


def single(now: int) -> Looks:
    """Return a single look with all of alpha."""
    return Looks((Look(now, 1.0),), None)


def _of_comparisons(records: Iterable[LookRecord], variants: Iterable[str]) -> list[LookRecord]:
    """Return the looks at comparisons of these variants."""
    compared = set(variants)
    return [record for record in records if len(compared & set(record.variants)) >= _A_COMPARISON]


def _share(settings: LookSettings | None, now: int, *, first: bool) -> float:
    """Return the share of alpha of a new look; NaN if nobody declared it."""
    if settings is None:
        return 1.0 if first else math.nan
    return sequential.spending(now / settings.most, settings.spending) if now <= settings.most else math.nan


def correct(
    frame: pd.DataFrame, looks: Looks, at: Callable[[int], pd.DataFrame], columns: FloatArray, rules: StatisticsSettings
) -> tuple[pd.DataFrame, FloatArray]:
    """Correct judged comparisons for the looks.

    Args:
        frame: from :func:`ablate.report.statistics.effects.judge`, at the last look.
        looks: two or more, or a single one with a part of alpha.
        at: returns such a frame for a smaller number of replicates.
        columns: the number of the replicate that each difference in ``values`` belongs to, [replicates], from 0.
        rules: the study's statistics.

    Returns:
        The frame with other ``p_adjusted``, ``level_now``, ``p_equivalent`` and ``verdict``; and the probability of a
        false claim about the primary quantity up to each look, [looks].
    """
    frame = frame.copy()
    spent: FloatArray = np.zeros(len(looks.made))
    order = np.argsort(columns, kind="stable")
    made = [Look(int((columns < look.replicates).sum()), look.share) for look in looks.made]
    for role in (roles.PRIMARY, roles.SECONDARY):
        part = frame[frame["role"] == role]
        if part.empty:
            continue
        differences = np.stack(part["values"].to_list())[:, order]
        test = sequential.sequential(differences, made, rules.estimate, rules.alpha)
        frame.loc[part.index, "p_adjusted"] = test.adjusted
        frame.loc[part.index, "level_now"] = test.level
        spent = test.spent if role == roles.PRIMARY else spent
    if frame["p_equivalent"].notna().any():
        frame["p_equivalent"] = _equivalent(frame, looks.made, at)
    frame["verdict"] = [verdicts.decide(row, rules.alpha) for row in frame.to_dict("records")]
    return frame, spent


def _equivalent(frame: pd.DataFrame, made: Sequence[Look], at: Callable[[int], pd.DataFrame]) -> FloatArray:
    """Return the p of equivalence over all looks: the smallest one, each relative to the look's own share of alpha."""
    smallest = np.where(frame["p_equivalent"].notna(), 1.0, np.nan)
    before = 0.0
    for look in made:
        share = 0.0 if math.isnan(look.share) else look.share
        own, before = share - before, max(share, before)
        if own > 0:
            known = frame if look is made[-1] else at(look.replicates)
            p = frame[_KEY].merge(known[[*_KEY, "p_equivalent"]], on=_KEY, how="left")["p_equivalent"].to_numpy(float)
            smallest = np.fmin(smallest, p / own)
    return np.asarray(smallest)


def states(frame: pd.DataFrame, looks: Looks, alpha: float) -> dict[str, State]:
    """Return the state of each primary comparison, by its name.

    A comparison is given up if the largest number of replicates would decide it with too small a probability. This
    changes no verdict and no other comparison, so it makes no false claim.
    """
    rows = _primary(frame)
    undecided = sum(row["verdict"] not in (*verdicts.DIFFERENT, "equivalent") for row in rows)
    return {name_of(row): _state(row, looks, alpha / max(undecided, 1)) for row in rows}


def _primary(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame[frame["role"] == roles.PRIMARY].to_dict("records")


def _state(row: Mapping[Any, Any], looks: Looks, level: float) -> State:
    if row["verdict"] in verdicts.DIFFERENT:
        return "different"
    if row["verdict"] == "equivalent":
        return "equivalent"
    settings = looks.settings
    if settings is None or looks.now.replicates >= settings.most:
        return "open"
    values = row["values"][~np.isnan(row["values"])]
    if len(values) < 2:
        return "open"
    sd = float(values.std(ddof=1))
    effect, margin = (values.mean() / sd, row["margin"] / sd) if sd else (values.mean() and math.inf, math.nan)
    # of a study with blocks there are more values than replicates, and some may be missing
    most = round(len(values) * settings.most / looks.now.replicates)
    chance = sequential.conditional_power(float(effect), len(values), most, level, float(margin))
    return "given up" if chance < settings.futility else "open"


def name_of(row: Mapping[Any, Any]) -> str:
    """Return the name under which a comparison is recorded."""
    return f"{row['kind']} {row['comparison']}: {row['metric']} {row['feature']}"


def reason(found: Mapping[str, State], looks: Looks) -> Reason:
    """Return why the study may stop; empty if it continues."""
    if all(state in ("different", "equivalent") for state in found.values()):
        return "decided"
    if looks.settings is not None and looks.now.replicates >= looks.settings.most:
        return "most"
    return "given up" if "open" not in found.values() else ""


def is_recorded(records: Iterable[LookRecord], looks: Looks, variants: Iterable[str]) -> bool:
    """Return whether the last look is one of those that the store keeps."""
    return any(each.replicates == looks.now.replicates for each in _of_comparisons(records, variants))


def record(frame: pd.DataFrame, looks: Looks, found: Mapping[str, State], variants: Sequence[str]) -> LookRecord:
    """Return the record of the last look."""
    rows = _primary(frame)
    p = {name_of(row): None if math.isnan(row["p_adjusted"]) else float(row["p_adjusted"]) for row in rows}
    share = None if math.isnan(looks.now.share) else looks.now.share
    return LookRecord(looks.now.replicates, share, found, p, tuple(variants))
