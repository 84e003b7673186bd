"""Decide the use of each piece of a corpus: training, validation or test.

The pieces are in groups (each piece alone, folders, or equal labels), and a group has one use. Groups are in the order
of the SHA-256 of the split's seed and their key, so the order of the corpus plays no part, and a new piece has a place
of its own in the order that moves few others.

- The test groups are taken from the start of the order, and the validation groups from its end: those that fit into
  the share of pieces, and one more if that comes closer to it; at least one.
- With folds, the order is cut into consecutive folds of about equal numbers of pieces. The validation groups are those
  that follow the fold, from the start again after the end.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any, Literal

from ablate.engine.seeding import derive
from ablate.errors import CorpusError, UnknownName
from ablate.options import plain, validate
from ablate.printable import piece_text
from ablate.settings import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Use = Literal["train", "validation", "test"]
#: A group of pieces: its key, and a number that keeps pieces with equal names apart where each piece is a group.
Group = tuple[str, int]


@dataclasses.dataclass(frozen=True)
class Rule:
    """The split of one replicate.

    Attributes:
        settings: of the study; ``seed`` is that of this replicate.
        fold: the fold to test on, where there are folds.
    """

    settings: SplitSettings
    fold: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Rule:
        """Return the rule in a stage's configuration; an empty one holds nothing out."""
        values = dict(config)
        fold = values.pop("fold", 0)
        return cls(validate(SplitSettings, values), fold)


def replicate_split(settings: Mapping[str, Any], seed: int, replicate: int) -> dict[str, Any]:
    """Return the split of one replicate for the configuration of stages; empty if no piece is held out.

    Args:
        settings: section ``[split]``, plain.
        seed: the study's, or that of the block.
        replicate: from 0.
    """
    split = validate(SplitSettings, settings)
    if not split.asked:
        return {}
    data = {key: value for key, value in plain(split).items() if key != "per_replicate"}
    if split.per_replicate:
        # with folds, each piece is tested once before the pieces are dealt again
        number = replicate // split.folds if split.folds else replicate
        data["seed"] = derive(seed, number, "split", split.seed)
    return {**data, "fold": replicate % split.folds} if split.folds else data


def uses_of(names: Sequence[str], labels: Sequence[Mapping[str, float]], rule: Rule) -> list[Use]:
    """Return the use of each piece.

    Args:
        names: of the pieces, in the order of the corpus.
        labels: of the pieces.
        rule: see :class:`Rule`.

    Raises:
        CorpusError: there are too few groups; pieces have no group; or pieces that are named are not in the corpus or
            stand for no whole group.
    """
    settings = rule.settings
    groups = _groups(names, labels, settings.by)
    members: dict[Group, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    uses: dict[Group, Use] = _named(names, members, settings)
    order = sorted(members.keys() - uses.keys(), key=lambda group: (_rank(group, settings.seed), group))
    _check_number(len(order), len(members), settings)
    sizes = {group: len(indices) for group, indices in members.items()}
    if settings.folds:
        tested = _fold(order, sizes, rule)
        place = order.index(tested[-1]) + 1
        out = set(tested)
        order = [group for group in (*order[place:], *order[:place]) if group not in out]
    else:
        more = len(settings.shares)
        tested = _closest(order, sizes, settings.shares.get("test", 0.0) * len(names), len(order) - more)
        out = set(tested)
        order = [group for group in reversed(order) if group not in out]
    share = settings.shares.get("validation", 0.0)
    uses |= dict.fromkeys(tested, "test")
    uses |= dict.fromkeys(_closest(order, sizes, share * len(names), len(order) - 1), "validation")
    return [uses.get(group, "train") for group in groups]


def _groups(names: Sequence[str], labels: Sequence[Mapping[str, float]], by: str) -> list[Group]:
    """Return the group of each piece."""
    if by == "piece":
        seen: collections.Counter[str] = collections.Counter()
        groups = []
        for name in names:
            groups.append((name, seen[name]))
            seen[name] += 1
        return groups
    if by == "folder":
        return [(name.rpartition("/")[0], 0) for name in names]
    if by == "top-folder":
        return [(name.partition("/")[0] if "/" in name else "", 0) for name in names]
    for name, own in zip(names, labels, strict=True):
        if by not in own:
            known = f"its labels: {', '.join(own)}" if own else "it has no labels"
            raise CorpusError(
                f"split.by = '{by}': the piece '{name}' has no such label ({known}); "
                "give each piece the label, or split by piece, folder or top-folder"
            )
    return [(repr(float(own[by])), 0) for own in labels]


def _rank(group: Group, seed: int) -> str:
    key, number = group
    return hashlib.sha256(f"{seed}/{key}{f'/{number}' if number else ''}".encode()).hexdigest()


def _named(names: Sequence[str], members: Mapping[Group, Sequence[int]], settings: SplitSettings) -> dict[Group, Use]:
    """Return the use of each group that the settings name, by its pieces or by a folder that contains them."""
    uses: dict[Group, Use] = {}
    for use, listed in settings.names.items():
        chosen = {index for name in listed for index in _pieces_named(piece_text(name), names, use)}
        for group, indices in members.items():
            inside = [names[index] for index in indices if index in chosen]
            rest = [names[index] for index in indices if index not in chosen]
            if inside and (rest or group in uses):
                reason = (
                    f"belongs to one group with '{rest[0]}' (split.by = '{settings.by}'); name all pieces of a group"
                    if rest
                    else f"is in split.{uses[group]} too; name each piece in one of them"
                )
                raise CorpusError(f"split.{use}: '{inside[0]}' {reason}")
            if inside:
                uses[group] = use
    return uses


def _pieces_named(name: str, names: Sequence[str], use: Use) -> list[int]:
    """Return the indices of the piece with this name, or of all pieces in the folder with this name."""
    if names.count(name) > 1:
        raise CorpusError(f"split.{use}: {names.count(name)} pieces of the corpus are named '{name}'; split by share")
    if name in names:
        return [names.index(name)]
    inside = [index for index, piece in enumerate(names) if piece.startswith(f"{name}/")]
    if not inside:
        folders = {piece.rpartition("/")[0] for piece in names} - {""}
        raise CorpusError(str(UnknownName("piece", name, [*names, *sorted(folders)], where=f"in split.{use}")))
    return inside


def _check_number(free: int, total: int, settings: SplitSettings) -> None:
    """Check that the groups that are not named are enough for every fold, or share, and for training."""
    words = {"piece": "pieces", "folder": "folders", "top-folder": "top folders"}
    groups = words.get(settings.by, f"values of the label '{settings.by}'")
    named = f", of which {total - free} are named" if total > free else ""
    needed = settings.folds * _fewest(settings) if settings.folds else len(settings.shares) + 1
    if not free:
        raise CorpusError("split: validation and test name every piece; leave some to train on")
    if free < needed:
        raise CorpusError(f"split: needs {needed} {groups} or more to hold some out; the corpus has {total}{named}")


def _fewest(settings: SplitSettings) -> int:
    """Return the smallest number of groups of a fold: those of the other folds are validated and trained on."""
    return 2 if settings.folds == 2 and settings.shares else 1


def _closest(order: Sequence[Group], sizes: Mapping[Group, int], target: float, most: int) -> list[Group]:
    """Return groups with about ``target`` pieces: those that fit, in order, and one more if that comes closer.

    At least one where the target is above 0, and at most ``most``.
    """
    taken: list[Group] = []
    total = 0
    for group in order:
        if len(taken) < most and total + sizes[group] <= target:
            taken.append(group)
            total += sizes[group]
    chosen = set(taken)
    rest = [group for group in order if group not in chosen]
    if target > 0 and rest and len(taken) < most:
        last = min(rest, key=lambda group: abs(total + sizes[group] - target))
        if not taken or abs(total + sizes[last] - target) < abs(total - target):
            taken.append(last)
    return taken


def _fold(order: Sequence[Group], sizes: Mapping[Group, int], rule: Rule) -> list[Group]:
    """Return the groups of one fold: consecutive ones, with about the same number of pieces in each fold."""
    rest, folds, fewest = list(order), rule.settings.folds, _fewest(rule.settings)
    for number in range(rule.fold + 1):
        after = folds - number - 1
        target = sum(sizes[group] for group in rest) / (after + 1)
        taken = total = 0
        while taken < len(rest) - after * fewest:
            size = sizes[rest[taken]]
            if after and taken >= fewest and abs(total + size - target) >= abs(total - target):
                break
            taken, total = taken + 1, total + size
        tested, rest = rest[:taken], rest[taken:]
    return tested
