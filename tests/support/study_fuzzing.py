"""Make study files and overrides at random, to attack the parser with.

The grammar is that of the studies that come with ablate and of the examples in the documentation: their keys, paths and
values are put together anew, as data, and their bytes are changed. Every input follows from a seed and a number.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.options import defaults
from ablate.registry import get_registry
from ablate.settings import GenerationSettings, MeasureSettings, PrimerSettings, SplitSettings, TrainingSettings
from ablate.specs import SPECS
from ablate.study.design import DESIGNS
from ablate.study.file.locate import shipped_folder, shipped_studies
from support.toml_text import toml_text, toml_value

if TYPE_CHECKING:
    from collections.abc import Callable

_FENCED = re.compile(r"```toml\n(.*?)```", re.DOTALL)
_NUMBERS = (0, 1, 2, -1, 3, 0.5, 1.0, -0.0, 1e-300, 1e308, 5000, 5001, 10**6, 10**9, 2**63 - 1, 2**63, 2**128)
_ODD = (True, False, float("nan"), float("inf"), dt.date(2020, 1, 1), dt.time(7), dt.datetime(2020, 1, 1), [], {}, "")  # noqa: DTZ001
# no "/" among them: a corpus is identified by all files below it
_TEXTS = (
    *("none", "lstm", "gru", "tempo", "temperature", "data/x.mid", "~/x", "~nobody/x.mid", "x/", "..", "a.b", "10 %"),
    *("é", "e\u0301", "月", "a\nb", "\x1b[31m", "x\0", "{seed}", "{out}", "{", "a" * 300, " ", "=", "default", "base"),
)
_TOKENS = (
    *(b"=", b"[", b"]", b"[[", b"{", b"}", b".", b'"', b'"""', b"'", b"#", b"\n", b"\r\n", b",", b"nan", b"inf", b"e9"),
    *(b"\\u0000", b"\xff", b"\xef\xbb\xbf", b"\0", b"1979-05-27", b"0x", b"_", b"9" * 30, b"[axes]\n", b"[baseline]\n"),
)
_SECTIONS = (
    *("question", "hypothesis", "seed", "replicates", "design", "budget", "objective", "axes", "variants", "baseline"),
    *("target", "contrasts", "parts", "margins", "reported", "profiles", "labels", "parameters", "program", "search"),
    *("path", "floors", "statistics", "training", "generation", "split", "primer", "measure", *SPECS),
)


class Attack(NamedTuple):
    """One input: the bytes of a study file, and the words of the command line, each option with its value."""

    data: bytes
    settings: tuple[str, ...] = ()
    profile: str = ""
    corpus: str = ""
    seed: int | None = None
    replicates: int | None = None


@functools.cache
def bases() -> tuple[bytes, ...]:
    """Return the texts that are changed: shipped studies, and examples of the documentation."""
    texts = [path.read_text(encoding="utf-8") for path in shipped_studies().values()]
    pages = sorted(path for path in (shipped_folder().parent / "docs").rglob("*.md"))
    texts += [text for page in pages for text in _FENCED.findall(page.read_text(encoding="utf-8"))]
    return tuple(text.encode() for text in texts)


@functools.cache
def data_of_bases() -> tuple[dict[str, Any], ...]:
    """Return the studies among :func:`bases` as data, each with its own tables."""
    found = []
    for text in bases():
        try:
            data = tomllib.loads(text.decode())
        except tomllib.TOMLDecodeError:  # an example with "…"
            continue
        found.append(data)
    return tuple(data for data in found if "corpus" in data)


@functools.cache
def known_values() -> dict[str, Any]:
    """Return the default of every dotted path that a study file can change: options of components and settings."""
    tables: dict[str, Any] = {
        "training": TrainingSettings,
        "generation": GenerationSettings,
        "split": SplitSettings,
        "primer": PrimerSettings,
        "measure": MeasureSettings,
    }
    values: dict[str, Any] = {"labels.tempo": 1.0, "labels.performer": "008", "parameters.lr": 0.1}
    for kind in SPECS:
        values[kind] = get_registry().names(kind)[0]
        for component in get_registry().offered(kind):
            tables[f"{kind}.{component.spec.name}"] = component.spec.options
            values[f"{kind}.{component.spec.name}"] = {}
    for name, table in tables.items():
        values |= {f"{name}.{key}": value for key, value in defaults(table).items()}
    return values


@functools.cache
def known_paths() -> tuple[str, ...]:
    """Return the paths of :func:`known_values`."""
    return tuple(known_values())


def _fitting(rng: random.Random, path: str) -> Any:
    """Return a value that may fit a path, mostly."""
    if rng.random() < 0.25:
        return _value(rng)
    value = known_values().get(path, 1)
    if path in SPECS:
        return rng.choice(get_registry().names(path))
    if isinstance(value, bool):
        return rng.random() < 0.5
    if isinstance(value, int):
        return rng.choice((value, value + 1, value * 2, max(value - 1, 1)))
    return rng.choice((value, value * 0.5, 1.0)) if isinstance(value, float) else _copy(value)


def make_attack(seed: int, number: int) -> Attack:
    """Return input ``number`` of a seed."""
    rng = random.Random(f"{seed}/{number}")
    way = rng.random()
    if way < 0.25:
        data = _mutated_bytes(rng, rng.choice(bases()))
    else:
        study = _copy(rng.choice(data_of_bases()))
        for _ in range(rng.choice((0, 1, 1, 1, 1, 2, 3, 6))):
            rng.choice(_CHANGES)(rng, study)
        data = toml_text(study).encode("utf-8", "surrogatepass")
        data = _mutated_bytes(rng, data) if way > 0.9 else data
    settings = tuple(_setting(rng) for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 1, 2, 4))))
    return Attack(
        data,
        settings,
        profile=rng.choice((*[""] * 12, "smoke", "smoke", "default", _text(rng))),
        corpus=rng.choice((*[""] * 30, "bach-prelude", ".", "nowhere.mid", _text(rng), "x" * 5000)),
        seed=rng.choice((None, None, None, 0, 7, 2**63 - 1)),
        replicates=rng.choice((None, None, None, 1, 6, 10_000)),
    )


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _text(rng: random.Random) -> str:
    return rng.choice((*_TEXTS, *known_paths()[:40]))


def _value(rng: random.Random, depth: int = 0) -> Any:
    """Return any value, sometimes one of another study."""
    way = rng.random()
    if way < 0.35:
        return rng.choice(_NUMBERS)
    if way < 0.6:
        return _text(rng)
    if way < 0.7:
        return _copy(rng.choice(_ODD))
    if way < 0.8 or depth > 3:
        return _place(rng, rng.choice(data_of_bases()))[2]
    if way < 0.9:
        return [_value(rng, depth + 1) for _ in range(rng.choice((1, 1, 2, 3, 5)))]
    return {_text(rng): _value(rng, depth + 1) for _ in range(rng.choice((1, 1, 2)))}


def _place(rng: random.Random, study: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return a place in a study: its table or list, its key or index, and its value."""
    table: Any = study
    while True:
        keys = list(table) if isinstance(table, dict) else list(range(len(table)))
        key = rng.choice(keys)
        value = table[key]
        if not isinstance(value, dict | list) or not value or rng.random() < 0.35:
            return table, key, _copy(value)
        table = value


def _replace(rng: random.Random, study: dict[str, Any]) -> None:
    if study:
        table, key, _ = _place(rng, study)
        table[key] = _value(rng)


def _remove(rng: random.Random, study: dict[str, Any]) -> None:
    if study:
        table, key, _ = _place(rng, study)
        del table[key]


def _rename(rng: random.Random, study: dict[str, Any]) -> None:
    if study:
        table, key, value = _place(rng, study)
        if isinstance(table, dict):
            del table[key]
            table[rng.choice((_text(rng), f"{key}x", f"{key} ", key[:-1]))] = value


def _repeat(rng: random.Random, study: dict[str, Any]) -> None:
    if not study:
        return
    table, key, value = _place(rng, study)
    times = rng.choice((2, 3, 10, 100, 6000 if rng.random() < 0.05 else 5))
    if isinstance(table, list):
        table[:] = [*table, *[value] * times]
    else:
        table |= {f"{key}{index}": value for index in range(times)}


def _take(rng: random.Random, study: dict[str, Any]) -> None:
    """Take a section of another study."""
    other = rng.choice(data_of_bases())
    key = rng.choice(list(other))
    study[key] = _copy(other[key])


def _nest(rng: random.Random, study: dict[str, Any]) -> None:
    if study:
        table, key, value = _place(rng, study)
        for _ in range(rng.choice((1, 2, 40))):
            value = rng.choice(([value], {"a": value}))
        table[key] = value


def _axis(rng: random.Random, study: dict[str, Any]) -> None:
    path = rng.choice(known_paths())
    low, high = rng.choice(_NUMBERS), rng.choice(_NUMBERS)
    axis = rng.choice(
        (
            [_value(rng) for _ in range(rng.choice((0, 1, 2, 2, 3)))],
            [_fitting(rng, path), _fitting(rng, path)],
            [_fitting(rng, path), _fitting(rng, path), _fitting(rng, path)],
            {"low": low, "high": high},
            {"low": low, "high": high, "levels": rng.choice(_NUMBERS)},
            {"low": low, "high": high, "log": True, "step": rng.choice(_NUMBERS)},
            {"levels": [_fitting(rng, path), _fitting(rng, path)], "block": rng.choice((True, True, 1))},
            {"levels": [_fitting(rng, path), _fitting(rng, path)], "when": _conditions(rng, study)},
            [rng.choice(get_registry().names(path)) if path in SPECS else 1, "none"],
        )
    )
    _table(study, "axes")[path] = axis
    if rng.random() < 0.5:
        _table(study, rng.choice(("baseline", "target")))[path] = axis[0] if isinstance(axis, list) and axis else low


def _conditions(rng: random.Random, study: dict[str, Any]) -> dict[str, Any]:
    axes = list(_table(study, "axes")) or ["model"]
    path = rng.choice((rng.choice(axes), rng.choice(known_paths())))
    return {path: _fitting(rng, path)}


def _variant(rng: random.Random, study: dict[str, Any]) -> None:
    chosen = [rng.choice(known_paths()) for _ in range(rng.choice((0, 1, 1, 2)))]
    changes = {path: _fitting(rng, path) for path in chosen}
    variants = _table(study, "variants")
    variants |= {_text(rng): changes, **({"plain": {}} if rng.random() < 0.7 else {})}
    if rng.random() < 0.3:
        study["axes"], study["baseline"] = {}, {}


def _component(rng: random.Random, study: dict[str, Any]) -> None:
    kind = rng.choice(list(SPECS))
    names = get_registry().names(kind)
    path = rng.choice([path for path in known_paths() if path.startswith(f"{kind}.")] or [kind])
    options = {path.rpartition(".")[2]: _fitting(rng, path)} if rng.random() < 0.5 else {}
    study[kind] = rng.choice(
        (rng.choice(names), [rng.choice(names), rng.choice(names)], {rng.choice(names): options}, _table(study, kind))
    )


def _section(rng: random.Random, study: dict[str, Any]) -> None:
    section = rng.choice(_SECTIONS)
    if rng.random() < 0.3:
        study[section] = rng.choice((*DESIGNS, *_NUMBERS, {"first": 2, "most": 4, "looks": [2, 4]}, _value(rng)))
        return
    names = [path.partition(".")[2] for path in known_paths() if path.startswith(f"{section}.")]
    name = rng.choice(names or list(_TEXTS))
    _table(study, section)[name] = _fitting(rng, f"{section}.{name}")


def _profile(rng: random.Random, study: dict[str, Any]) -> None:
    profile = _table(_table(study, "profiles"), rng.choice(("smoke", "original", _text(rng))))
    profile[rng.choice(_SECTIONS)] = _value(rng)


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(table.get(key), dict):
        table[key] = {}
    inner: dict[str, Any] = table[key]
    return inner


_CHANGES: tuple[Callable[[random.Random, dict[str, Any]], None], ...] = (
    *(_replace, _replace, _replace, _remove, _rename, _repeat, _take, _nest),
    *(_axis, _axis, _axis, _variant, _variant, _component, _component, _section, _section, _profile),
)


def _setting(rng: random.Random) -> str:
    """Return a value of ``--set``."""
    path = rng.choice((*known_paths(), *_SECTIONS, *_SECTIONS))
    path = (
        rng.choice(("", "", "", "", "axes.", "baseline.", "target.", "variants.", "variants.plain.", "labels.")) + path
    )
    text = f"{path}={toml_value(_fitting(rng, path)) if rng.random() < 0.8 else _text(rng)}"
    if rng.random() < 0.15:
        text = _mutated_bytes(rng, text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogateescape")
    return text[:100_000]


def _mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place = rng.randrange(len(changed) + 1)
        end = min(place + rng.choice((0, 0, 1, 2, 10, 100)), len(changed))
        way = rng.random()
        if way < 0.3:
            changed[place:end] = rng.choice(_TOKENS)
        elif way < 0.45 and place < len(changed):
            changed[place] ^= 1 << rng.randrange(8)
        elif way < 0.6:
            del changed[place:end]
        elif way < 0.8:
            changed[place:place] = changed[place:end] * rng.choice((1, 2, 50, 2000 if rng.random() < 0.1 else 3))
        else:
            other = rng.choice(bases())
            start = rng.randrange(len(other))
            changed[place:end] = other[start : start + rng.choice((1, 10, 100, 1000))]
    return bytes(changed[: 2**20 + 1])
