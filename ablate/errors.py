"""Every error that ablate raises on purpose, and helpers for their messages.

The tree of classes::

    AblateError                 a message of one line; the CLI prints it and exits with 1
    ├── UsageError              a wrong command line: an argument, or arguments that do not fit together (exit 2)
    │   └── UnknownName         no component, study or label has that name; with a suggestion
    ├── PluginError             a plugin breaks its contract; names the plugin and its package
    ├── InvalidOptions          options or settings of a wrong type or out of bounds; all problems
    ├── StudyFileError          a study file with problems; all of them
    ├── TableError              results that somebody else computed and that cannot be judged; names the file
    ├── CorpusError             music that cannot be read, or has nothing to train on
    ├── StoreError              a database that cannot be opened, is not ablate's, or has another version
    │   └── EmptyStoreError     a database that does not exist or has no tables, and must not be written
    ├── HomeError               the home folder is not writable, or in use by another command
    │   └── UnsafePath          a path from outside that leads out of the folder it belongs to
    ├── ExecutorError           an executor that cannot be used, or whose workers are not like this process
    ├── BundleError             a bundle that is damaged, not safe to unpack, or does not fit into this home
    └── StageError              one stage of one run failed; the other runs continue
        ├── TrainingDiverged    the loss became NaN or infinite
        ├── NothingGenerated    a sample without a single note: nothing to measure
        ├── ProgramFailed       a program of the study's author failed, or wrote no result that can be used
        ├── NothingMeasured     a metric that refused every sample of a run
        ├── NoTokenPossible     the samplers exclude every token, or the logits are NaN
        ├── PrimerError         a primer that does not fit the piece, the tokenizer or the sample
        ├── LabelClash          two augmenters write the same label
        └── DamagedFile         a file of a finished stage is missing, or is not what was written

Any other exception is a bug and is shown with its traceback.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: The most names that an error lists.
MOST_NAMES = 100
#: Names that a message lists beside a suggestion.
MOST_BESIDE_SUGGESTION = 12
#: The most characters of an error's message on one line.
MOST_CHARACTERS = 2000
#: The longest name that is compared with others for a suggestion, and the most names it is compared with.
LONGEST_NAME, MOST_COMPARED = 200, 10_000
#: The most problems that a message or a command lists.
MOST_PROBLEMS = 10


class AblateError(Exception):
    """Base of all errors with a message for the user: ``str(error)`` is one line (or one line for each problem)."""


class UsageError(AblateError):
    """A command line that has to be changed: a wrong argument, or arguments that do not fit together."""


class UnknownName(UsageError):  # noqa: N818 - reads as the sentence it prints
    """A name that does not exist.

    Args:
        kind: the kind of thing, as a word for the message (``"sampler"``).
        name: the unknown name.
        offered: the names that exist; as a mapping, each with a few words about it, which may be empty. Of several
            such names that begin with ``name`` none is suggested: the words tell them apart.
        hint: another possible reason why it is missing.
        where: the place where it is missing, for the message (``"in this home"``).
    """

    def __init__(
        self, kind: str, name: str, offered: Iterable[str] | Mapping[str, str], hint: str = "", *, where: str = ""
    ) -> None:
        names = sorted(offered)
        begun = [each for each in names if each.startswith(name)] if isinstance(offered, Mapping) else []
        suggestion = "." if len(begun) > 1 else did_you_mean(name, names) or "."
        # the suggestion is probably right, and would be lost in a wall of names
        listing = listed_names(offered, MOST_NAMES if suggestion == "." else MOST_BESIDE_SUGGESTION)
        what = f"unknown {kind} '{name}'{where and f' {where}'}{suggestion}".replace("\n", " ")
        super().__init__(f"{what} Offered: {listing}{hint and f'. {hint}'}")


class PluginError(AblateError):
    """A plugin that breaks its contract, named with its distribution."""


class InvalidOptions(AblateError):  # noqa: N818
    """Options that do not validate.

    Args:
        problems: pairs of (dotted key, message).
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{key}: {problem}" if key else problem for key, problem in problems))


class StudyFileError(AblateError):
    """A study file with problems: one line for each of them."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.source = source
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


class TableError(AblateError):
    """Results of others that cannot be read or judged.

    Args:
        source: the file, database or folder that has the results.
        problem: what is wrong with it, and what to do.
    """

    def __init__(self, source: str, problem: str) -> None:
        self.source = source
        super().__init__(f"{source}: {problem}")


class CorpusError(AblateError):
    """Music that cannot be read, or that has nothing to train on."""


class StoreError(AblateError):
    """A database that cannot be opened, is not ablate's, or has another schema version."""


class EmptyStoreError(StoreError):
    """A database that does not exist or has no tables, and that must not be written."""


class HomeError(AblateError):
    """A home folder that is not writable, or that another command is using."""


class UnsafePath(HomeError):  # noqa: N818 - reads as the sentence it prints
    """A path from a database, an archive or a file that leads out of the folder it belongs to."""


class ExecutorError(AblateError):
    """An executor that cannot be used, that has failed, or whose workers have other versions of packages."""


class BundleError(AblateError):
    """A bundle that is damaged, is not safe to unpack, or does not fit into this home."""


class StageError(AblateError):
    """A failed stage of a run."""


class TrainingDiverged(StageError):  # noqa: N818
    """A training loss that became NaN or infinite."""


class NothingGenerated(StageError):  # noqa: N818
    """A generated sample without a single note."""


class ProgramFailed(StageError):  # noqa: N818
    """A program of the study's author that failed, or that wrote no result that can be used."""


class NothingMeasured(StageError):  # noqa: N818
    """A metric that refused every sample of a run.

    Args:
        metric: its name.
        count: the number of samples.
        reason: why it refused the first one.
    """

    _TEXT = re.compile(r"metric '(.+?)' could not measure any of the (\d+) samples; the first: (.*)")

    def __init__(self, metric: str, count: int, reason: str) -> None:
        super().__init__(f"metric '{metric}' could not measure any of the {count} samples; the first: {reason}")

    @classmethod
    def parsed(cls, error_class: str, error: str) -> tuple[str, int, str] | None:
        """Return metric, count and reason of a stored error; None for one of another class."""
        match = cls._TEXT.fullmatch(error) if error_class == cls.__name__ else None
        return (match[1], int(match[2]), match[3]) if match else None


class NoTokenPossible(StageError):  # noqa: N818
    """A sampling step without a token to choose: the samplers exclude every token, or the logits are NaN."""


class PrimerError(StageError):
    """A primer that does not fit the piece, the tokenizer's vocabulary, or the length of the sample."""


class LabelClash(StageError):  # noqa: N818
    """Two augmenters that write the same label, so that it describes neither."""


class DamagedFile(StageError):  # noqa: N818
    """A file of a finished stage that is missing, or is not what was written."""


def shortened(text: str, most: int) -> str:
    """Return a text without what is beyond its first ``most`` characters, with ``…`` where that is left out."""
    return text if len(text) <= most else f"{text[:most]}…"


def one_line(error: BaseException) -> str:
    """Return the error's message on one line, its end left out if it is long; an empty string where it has none."""
    try:
        text = " ".join(str(error).split())
    except BaseException:  # noqa: BLE001 - an exception of a plugin may do anything to become text
        return "its message cannot be printed"
    return shortened(text, MOST_CHARACTERS)


def named_line(error: BaseException) -> str:
    """Return an error as one line that begins with the name of its class."""
    return f"{type(error).__name__}: {one_line(error)}".removesuffix(": ")


def first_problems(problems: Sequence[str], rest: str = "") -> list[str]:
    """Return the problems; of more than :data:`MOST_PROBLEMS` the first ones, and the number of the others.

    Args:
        problems: a text for each.
        rest: where the others are listed, for the end of the last text (``"the report lists all"``).
    """
    more = len(problems) - MOST_PROBLEMS
    if more <= 0:
        return list(problems)
    return [*problems[:MOST_PROBLEMS], f"and {more:,} more{rest and f'; {rest}'}"]


def listed_names(names: Iterable[str] | Mapping[str, str], most: int = MOST_NAMES) -> str:
    """Return the first ``most`` names in order, each with the words about it in brackets, for a message."""
    about = names if isinstance(names, Mapping) else dict.fromkeys(names, "")
    texts = (f"{name} ({about[name]})" if about[name] else name for name in sorted(about))
    listed = [text.replace("\n", " ") for text in texts]  # a message has a line for each problem, and not for a name
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more if listed else "none"


def did_you_mean(name: str, offered: Iterable[str]) -> str:
    """Return the suggestion for a misspelt name, with its punctuation, or an empty string."""
    import difflib  # seldom needed

    if len(name) > LONGEST_NAME:
        return ""
    names = {each.lower(): each for each in itertools.islice(offered, MOST_COMPARED) if len(each) <= LONGEST_NAME}
    begun = [lower for lower in names if lower == name.lower()] or [n for n in names if n.startswith(name.lower())]
    close = begun if len(begun) == 1 else difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return f"; did you mean '{names[close[0]]}'?" if close else ""
