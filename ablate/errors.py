"""Every error that ablate raises on purpose.

    AblateError                 one line for a person; the CLI prints it and exits with 1
    ├── UsageError              a command's arguments do not fit together (exit 2)
    ├── UnknownName             no component, study or label of that name; carries a suggestion
    ├── PluginError             a plugin broke its contract: which one, whose, how
    ├── InvalidOptions          component options or settings out of type or bounds, all of them at once
    ├── StudyFileError          a study file that cannot be used, with every problem found in it
    ├── CorpusError             music that cannot be read, or holds nothing to learn from
    ├── StoreError              the database cannot be opened, is not ours, or is of another version
    ├── HomeError               the home folder is not writable, or in use by another run
    └── StageError              one stage of one run failed; the other runs go on
        ├── TrainingDiverged    the loss became NaN or infinite
        ├── NothingGenerated    a sample without a single note: nothing to measure
        ├── NoTokenPossible     samplers forbid every token, or logits are not numbers
        ├── PrimerError         a primer that the piece, the tokenizer or the sample's length does not allow
        └── LabelClash          two augmenters write one label

Whatever else is raised is a bug and shows its traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AblateError(Exception):
    """Base of all errors meant for people: ``str(error)`` is one line (or one line a problem)."""


class UsageError(AblateError):
    """Arguments of a command that do not fit together."""


class UnknownName(AblateError):  # noqa: N818 - reads as the sentence it prints
    """A name that nothing answers to.

    Args:
        kind: what was looked for, as a word for the message (``"sampler"``).
        name: the name as given.
        offered: the names that exist.
        hint: what else could explain that it is missing.
        where: the place where it is missing, for the message (``"in this home"``).
    """

    def __init__(self, kind: str, name: str, offered: Iterable[str], hint: str = "", *, where: str = "") -> None:
        names = sorted(offered)
        suggestion = did_you_mean(name, names) or "."
        listing = ", ".join(names) if names else "none"
        what = f"unknown {kind} '{name}'{where and f' {where}'}"
        super().__init__(f"{what}{suggestion} Offered: {listing}{hint and f'. {hint}'}")


class PluginError(AblateError):
    """A plugin that broke its contract, named with its distribution."""


class InvalidOptions(AblateError):  # noqa: N818
    """Options that do not validate.

    Args:
        problems: pairs of (dotted key, what is wrong with it).
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{key}: {problem}" if key else problem for key, problem in problems))


class StudyFileError(AblateError):
    """A study file with problems: one line for each, all of them at once."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


class CorpusError(AblateError):
    """Music that cannot be read, or that holds nothing to learn from."""


class StoreError(AblateError):
    """The database cannot be opened, is not ours, or has another schema version."""


class HomeError(AblateError):
    """The home folder cannot be written, or another run is using it."""


class StageError(AblateError):
    """One stage of one run failed."""


class TrainingDiverged(StageError):  # noqa: N818
    """The training loss became NaN or infinite."""


class NothingGenerated(StageError):  # noqa: N818
    """A generated sample without a single note."""


class NoTokenPossible(StageError):  # noqa: N818
    """Nothing is left to draw from: samplers forbid every token, or logits are not numbers."""


class PrimerError(StageError):
    """A primer that the piece, the tokenizer's vocabulary, or the sample's length does not allow."""


class LabelClash(StageError):  # noqa: N818
    """Two augmenters write one label, so that it describes neither."""


def did_you_mean(name: str, offered: Iterable[str]) -> str:
    """The suggestion for a misspelt name, with its punctuation, or an empty string."""
    import difflib  # seldom needed

    close = difflib.get_close_matches(name, list(offered), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
