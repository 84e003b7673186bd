"""Music of several instruments and tokenizers that cannot tell them apart: whether two fit, and what to choose if not.

Without a word, such a tokenizer would turn a band into one piano.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing
from typing import TYPE_CHECKING, Any

from ablate.building import build_component
from ablate.errors import AblateError
from ablate.music.instruments import Chooser, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ablate.interfaces import Tokenizer
    from ablate.registry import Registry

#: The name of the option by which a tokenizer writes instruments, where that depends on an option.
OPTION = "instruments"
#: The most tokenizers that a message names.
MOST_NAMED = 4
_CHOICES = {"piano": "{} notes", "merge": "{} notes, as one piano"}


def fits(tokenizer: Tokenizer, notes_of: Mapping[int, int]) -> bool:
    """Return whether a tokenizer can be given music with these numbers of notes for each instrument."""
    return len(notes_of) < 2 or tokenizer.instruments or tokenizer.merges


@dataclasses.dataclass(frozen=True)
class Words:
    """The words of a command line that make the choices.

    Attributes:
        instruments: the option that chooses instruments, up to the value; empty where there is none.
        tokenizer: returns the options that choose a tokenizer, from its name, its options and whether the command
            has it already.
        advice: added at the end; may be empty.
    """

    instruments: str
    tokenizer: Callable[[str, Mapping[str, str], bool], str]
    advice: str = ""


def study_words(instruments: str, choose: str) -> Words:
    """Return the words of ``ablate study run`` and ``ablate judge``.

    Args:
        instruments: the key of the corpus's option in a study file.
        choose: the option that chooses a tokenizer, up to its name (``"--set tokenizer="``).
    """

    def tokenizer(name: str, options: Mapping[str, str], known: bool) -> str:  # noqa: FBT001 - a plain fact
        named = [] if known else [f"{choose}{name}"]
        return " ".join([*named, *(f"--set tokenizer.{name}.{key}={value}" for key, value in options.items())])

    advice = "; the study then has a name of its own: choose it with --name"
    return Words(f"--set {instruments}=" if instruments else "", tokenizer, advice)


def refusal(notes_of: Mapping[int, int], tokenizers: Sequence[str], words: Words, registry: Registry) -> str:
    """Return the sentence that refuses music of several instruments, with the choices that a person has.

    Args:
        notes_of: the number of notes of each instrument.
        tokenizers: the names of those that cannot write it.
        words: of the command.
        registry: the components.
    """
    names = " and ".join(f"'{name}'" for name in tokenizers)
    write = "tokenizers {} write" if len(tokenizers) > 1 else "tokenizer {} writes"
    music = f"{len(notes_of)} instruments play its {sum(notes_of.values()):,} notes ({listed(notes_of)})"
    choices = [*_choices(notes_of, words.instruments), *_other_tokenizers(tokenizers, words, registry)]
    todo = f"choose {', or '.join(choices)}" if choices else "choose music of one instrument"
    return f"{music}, but {write.format(names)} them all as one; {todo}{words.advice if choices else ''}"


def _choices(notes_of: Mapping[int, int], option: str) -> Iterator[str]:
    """Yield the choices of instruments that one tokenizer without them can write."""
    if not option:
        return
    for word, about in _CHOICES.items():
        kept = sum(count for number, count in notes_of.items() if number in Chooser(word).numbers)
        if kept:
            yield f"{option}{word} ({about.format(f'{kept:,}')})"
    yield f"{option}NAME for one of them"


def _other_tokenizers(tokenizers: Sequence[str], words: Words, registry: Registry) -> Iterator[str]:
    """Yield the choice of a tokenizer that writes instruments, or merges them where the corpus cannot.

    Those named come first; nothing is yielded if none is installed.
    """
    others = [name for name in registry.names("tokenizer") if name not in tokenizers]
    ways = {"a tokenizer that writes instruments": "instruments"}
    if not words.instruments:
        ways["one that merges them and leaves out drums"] = "merges"
    for way, attribute in ways.items():
        names = [*tokenizers, *others]
        found = [words.tokenizer(name, o, name in tokenizers) for name, o in offered(names, registry, attribute)]
        if found:
            more = f", or {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
            yield f"{way}: {', or '.join(found[:MOST_NAMED])}{more}"


def offered(
    names: Iterable[str], registry: Registry, attribute: str = "instruments"
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield those of the tokenizers that have the attribute, each with the option that decides it, if one does.

    One that cannot be built here, for example because a library is missing, is left out.
    """
    for name in names:
        spec = registry.spec("tokenizer", name)
        for values in _values(spec):
            with contextlib.suppress(AblateError, ValueError):
                if getattr(build_component(spec, values), attribute):
                    yield name, values
                    break


def _values(spec: Any) -> Iterator[dict[str, str]]:
    """Yield no options, and each value of the option that may decide about instruments."""
    yield {}
    hint = typing.get_type_hints(spec.options).get(OPTION)
    for value in typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ():
        yield {OPTION: value}
