"""Corpora, augmenters, tokenizers and conditioners that misbehave."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

import ablate
from support.misbehaving.common import FEW, RAISING, Unprintable, disturb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The tokens of a sample in the study that uses these components.
GENERATED = 40
NOTES = [(60 + i % 12, 64, 0.25 * i, 0.25 * i + 0.2) for i in range(60)]


def piece(**changes: Any) -> ablate.Performance:
    return ablate.Performance.from_notes(NOTES).replace(**changes)


def _with_note(**fields: Any) -> ablate.Performance:
    notes = piece().notes.copy()
    for field, number in fields.items():
        notes[field][3] = number
    return piece(notes=notes)


#: What a corpus or an augmenter returns in place of performances, by name.
PERFORMANCES: dict[str, Callable[[], Any]] = {
    **RAISING,
    "returns-none": lambda: None,
    "returns-a-number": lambda: 3,
    "returns-text": lambda: "abc",
    "returns-nothing": list,
    "returns-numbers": lambda: [1, 2],
    "one-performance": piece,
    "name-none": lambda: [piece(name=None)],
    "notes-none": lambda: [piece(notes=None)],
    "notes-plain": lambda: [piece(notes=np.zeros((3, 4)))],
    "labels-none": lambda: [piece(labels=None)],
    "label-nan": lambda: [piece(labels={"x": float("nan")})],
    "label-text": lambda: [piece(labels={"x": "1"})],
    "label-huge": lambda: [piece(labels={"x": 10**400})],
    "label-control": lambda: [piece(labels={"a\nb": 1.0})],
    "label-unprintable": lambda: [piece(labels={"x": Unprintable()})],
    "note-nan": lambda: [_with_note(start=float("nan"))],
    "note-negative": lambda: [_with_note(start=-1.0)],
    "note-high": lambda: [_with_note(pitch=200)],
}


class Corpus(ablate.Corpus):
    def __init__(self, load: Callable[[], Any], **attributes: Any) -> None:
        self._load = load
        vars(self).update(attributes)

    def identity(self) -> str:
        return "wild"

    def load(self) -> Any:
        return self._load()


#: What a corpus reports about itself, by name.
ODD: dict[str, dict[str, Any]] = {
    "problems-none": {"problems": None},
    "problems-numbers": {"problems": (1,)},
    "left-out-none": {"left_out": None},
    "left-out-huge": {"left_out": {"files": 10**30}},
    "left-out-text": {"left_out": {"notes": "3"}},
}


def corpora() -> Iterator[Any]:
    for name, load in PERFORMANCES.items():
        yield ablate.CorpusSpec(name=f"wild-{name}", summary=name, build=lambda options, r=load: Corpus(r))
    for name, work in FEW.items():
        yield ablate.CorpusSpec(name=f"wild-build-{name}", summary=name, build=lambda options, w=work: w())
        build = lambda options, w=work: Corpus(list, identity=w)  # noqa: E731
        yield ablate.CorpusSpec(name=f"wild-identity-{name}", summary=name, build=build)
    none = lambda options: Corpus(list, identity=lambda: None)  # noqa: E731
    yield ablate.CorpusSpec(name="wild-identity-none", summary="None.", build=none)
    for name, attributes in ODD.items():
        build = lambda options, a=attributes: Corpus(lambda: [piece()], **a)  # noqa: E731
        yield ablate.CorpusSpec(name=f"wild-{name}", summary=name, build=build)


class Augmenter(ablate.Augmenter):
    def __init__(self, returns: Callable[[], Any]) -> None:
        self._returns = returns

    def augment(self, performance: Any, rng: Any) -> Any:
        del performance, rng
        return self._returns()


def _disturbed() -> list[ablate.Performance]:
    disturb()
    return [piece(name="prelude")]


def augmenters() -> Iterator[Any]:
    for name, returns in {**PERFORMANCES, "disturbing": _disturbed}.items():
        yield ablate.AugmenterSpec(name=f"wild-{name}", summary=name, build=lambda options, r=returns: Augmenter(r))
    for name, returns in FEW.items():
        yield ablate.AugmenterSpec(name=f"wild-build-{name}", summary=name, build=lambda options, r=returns: r())


class Tokenizer(ablate.Tokenizer):
    vocabulary = tuple(f"pitch {p}" for p in range(128))
    start_token = 60

    def __init__(self, **methods: Any) -> None:
        vars(self).update(methods)

    def encode(self, performance: Any) -> Any:
        return performance.canonical().notes["pitch"].astype(np.int64)

    def decode(self, tokens: Any) -> Any:
        return ablate.Performance.from_notes([(int(p), 64, 0.25 * i, 0.25 * i + 0.2) for i, p in enumerate(tokens)])

    def times(self, tokens: Any) -> Any:
        return 0.25 * np.arange(len(tokens))


def _always(work: Callable[[], Any]) -> Callable[..., Any]:
    return lambda *_: work()


def _late(work: Callable[[], Any]) -> Callable[..., Any]:
    """Return a method that decodes pieces of the corpus, and does something else with what was generated."""
    return lambda tokens: work() if len(tokens) == GENERATED else Tokenizer().decode(tokens)


#: Methods of a tokenizer that are wrong before training, and after it, by name.
ENCODING: dict[str, dict[str, Any]] = {
    **{f"encode-{name}": {"encode": _always(work)} for name, work in RAISING.items()},
    "encode-none": {"encode": _always(lambda: None)},
    "encode-floats": {"encode": _always(lambda: np.ones(30))},
    "encode-text": {"encode": _always(lambda: "abc")},
    "encode-2d": {"encode": _always(lambda: np.ones((3, 3), np.int64))},
    "encode-high": {"encode": _always(lambda: np.full(30, 128))},
    "encode-negative": {"encode": _always(lambda: np.full(30, -1))},
}
DECODING: dict[str, dict[str, Any]] = {
    **{f"decode-{name}": {"decode": _late(work)} for name, work in FEW.items()},
    "decode-none": {"decode": _late(lambda: None)},
    "decode-number": {"decode": _late(lambda: 3)},
    "decode-nan": {"decode": _late(lambda: _with_note(end=float("nan")))},
}
#: Attributes of a tokenizer that cannot be built, by name.
UNBUILT: dict[str, dict[str, Any]] = {
    "vocabulary-none": {"vocabulary": None},
    "vocabulary-empty": {"vocabulary": ()},
    "vocabulary-numbers": {"vocabulary": (1, 2)},
    "start-none": {"start_token": None},
    "start-high": {"start_token": 128},
}


def tokenizers() -> Iterator[Any]:
    for name, wrong in {**ENCODING, **DECODING, **UNBUILT}.items():
        yield ablate.TokenizerSpec(name=f"wild-{name}", summary=name, build=lambda options, w=wrong: Tokenizer(**w))
    for name, work in FEW.items():
        yield ablate.TokenizerSpec(name=f"wild-build-{name}", summary=name, build=lambda options, w=work: w())
    lonely = SimpleNamespace(vocabulary=("a",), start_token=0)
    yield ablate.TokenizerSpec(name="wild-no-methods", summary=".", build=lambda options: lonely)  # type: ignore[arg-type, return-value]


class Conditioner(ablate.Conditioner):
    labels = {"wildness": 0.5}  # noqa: RUF012 - as in the examples

    def __init__(self, **methods: Any) -> None:
        vars(self).update(methods)

    def from_performance(self, performance: Any, times: Any) -> Any:
        del performance
        return np.zeros((len(times), 1), np.float32)

    def from_labels(self, labels: Any, times: Any) -> Any:
        del labels
        return np.zeros((len(times), 1), np.float32)

    def module(self, width: int) -> Any:
        import torch

        return torch.nn.Linear(1, width)


#: Methods of a conditioner that are wrong before training, and after it, by name.
OBSERVING: dict[str, dict[str, Any]] = {
    **{f"observe-{name}": {"from_performance": _always(work)} for name, work in RAISING.items()},
    **{f"examples-{name}": {"check_examples": _always(work)} for name, work in FEW.items()},
    "observe-none": {"from_performance": _always(lambda: None)},
    "observe-wide": {"from_performance": lambda performance, times: np.zeros((len(times), 2))},
    "observe-short": {"from_performance": lambda performance, times: np.zeros((3, 1))},
    "observe-nan": {"from_performance": lambda performance, times: np.full((len(times), 1), np.nan)},
}
ASKED: dict[str, dict[str, Any]] = {
    **{f"ask-{name}": {"from_labels": _always(work)} for name, work in FEW.items()},
    "ask-none": {"from_labels": _always(lambda: None)},
    "ask-wide": {"from_labels": lambda labels, times: np.zeros((len(times), 2))},
}


def conditioners() -> Iterator[Any]:
    for name, wrong in {**OBSERVING, **ASKED}.items():
        yield ablate.ConditionerSpec(name=f"wild-{name}", summary=name, build=lambda options, w=wrong: Conditioner(**w))
    for name, labels in {"labels-none": None, "label-text": {"x": "y"}, "label-number": {3: 1.0}}.items():
        build = lambda options, given=labels: Conditioner(labels=given)  # noqa: E731
        yield ablate.ConditionerSpec(name=f"wild-{name}", summary=name, build=build)
    for name, work in FEW.items():
        yield ablate.ConditionerSpec(name=f"wild-build-{name}", summary=name, build=lambda options, w=work: w())
        build = lambda options, w=work: Conditioner(check_labels=_always(w))  # noqa: E731
        yield ablate.ConditionerSpec(name=f"wild-labels-{name}", summary=name, build=build)
