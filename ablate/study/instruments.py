"""Music of several instruments and tokenizers that cannot tell them apart: whether two fit, and what to choose if not.

Without a word, such a tokenizer would turn a band into one piano.
"""

from __future__ import annotations

import contextlib
import typing
from typing import TYPE_CHECKING, Any

from ablate.errors import AblateError
from ablate.music.instruments import Chooser, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ablate.interfaces import Tokenizer
    from ablate.registry import Registry

#: The name of the option by which a tokenizer writes instruments, where that depends on an option.
OPTION = "instruments"
#: The most tokenizers that a message names.
MOST_NAMED = 6
_CHOICES = {"piano": "{} notes", "merge": "{} notes, as one piano"}


def fits(tokenizer: Tokenizer, notes_of: Mapping[int, int]) -> bool:
    """Return whether a tokenizer can be given music with these numbers of notes for each instrument."""
    return len(notes_of) < 2 or tokenizer.instruments or tokenizer.merges


def refusal(notes_of: Mapping[int, int], tokenizers: Sequence[str], option: str, registry: Registry) -> str:
    """Return the sentence that refuses music of several instruments, with the choices that a person has.

    Args:
        notes_of: the number of notes of each instrument.
        tokenizers: the names of those that cannot write it.
        option: of the command line that chooses instruments, up to the value; empty where there is none.
        registry: the components.
    """
    names = " and ".join(f"'{name}'" for name in tokenizers)
    write = "tokenizers {} write" if len(tokenizers) > 1 else "tokenizer {} writes"
    music = f"{len(notes_of)} instruments play its {sum(notes_of.values()):,} notes ({listed(notes_of)})"
    choices = [*_choices(notes_of, option), *_other_tokenizers(tokenizers, registry)]
    return f"{music}, but {write.format(names)} them all as one; choose {', or '.join(choices)}"


def _choices(notes_of: Mapping[int, int], option: str) -> Iterator[str]:
    """Yield the choices of instruments that one tokenizer without them can write."""
    if not option:
        return
    for word, about in _CHOICES.items():
        kept = sum(count for number, count in notes_of.items() if number in Chooser(word).numbers)
        if kept:
            yield f"{option}{word} ({about.format(f'{kept:,}')})"
    yield f"{option}NAME for one of them"


def _other_tokenizers(tokenizers: Sequence[str], registry: Registry) -> Iterator[str]:
    """Yield the choice of a tokenizer that writes instruments, those named first; nothing if none is installed."""
    others = [name for name in registry.names("tokenizer") if name not in tokenizers]
    found = list(offered([*tokenizers, *others], registry))
    if found:
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        yield f"a tokenizer that writes instruments: {', '.join(found[:MOST_NAMED])}{more}"


def offered(names: Iterable[str], registry: Registry) -> Iterator[str]:
    """Yield those of the tokenizers that write instruments, each with its option where that decides.

    One that cannot be built here, for example because a library is missing, is left out.
    """
    for name in names:
        spec = registry.spec("tokenizer", name)
        for values in _values(spec):
            with contextlib.suppress(AblateError, ImportError, ValueError):
                if spec.build(spec.parse(values)).instruments:
                    option = "".join(f'.{key}="{value}"' for key, value in values.items())
                    yield f"tokenizer.{name}{option}"
                    break


def _values(spec: Any) -> Iterator[dict[str, str]]:
    """Yield no options, and each value of the option that may decide about instruments."""
    yield {}
    hint = typing.get_type_hints(spec.options).get(OPTION)
    for value in typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ():
        yield {OPTION: value}
