"""Shapes of the JSON in the database: what readers rely on, as tables of keys.

A shape returns an empty text for data that fit, or what is wrong, beginning with the path inside the data. Keys that
a table does not name may hold anything, and every key may be missing unless it is required: files of older versions
lack some. Only what some command reads is listed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ablate.kinds import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Shape = Callable[[Any], str]


def _of_type(noun: str, *kinds: type) -> Shape:
    return lambda value: "" if type(value) in kinds else f" is {_named(value)}, not {noun}"


def _named(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), f"the number {str(value)[:20]}")


anything: Shape = lambda _: ""  # noqa: E731 - a shape like the others
text = _of_type("a text", str)
flag = _of_type("true or false", bool)
_number = _of_type("a number", int, float)
_whole = _of_type("a whole number", int)


def number(value: Any) -> str:
    """Check that a value is a finite number."""
    problem = _number(value)
    if not problem and not (isinstance(value, int) and abs(value) < 2**1000) and not math.isfinite(_float(value)):
        return " is no finite number"
    return problem


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def count(value: Any) -> str:
    """Check that a value is a whole number from 0 on that a database can store."""
    return _whole(value) or ("" if 0 <= value < 2**63 else f" is {str(value)[:20]}, not a number from 0 on")


def digits(value: Any) -> str:
    """Check that a value is a text of digits, as JSON has a number that is a key."""
    return text(value) or ("" if value.isascii() and value.isdigit() and len(value) < 10 else " is no number")


def maybe(shape: Shape) -> Shape:
    """Return the shape of a value that may be null."""
    return lambda value: "" if value is None else shape(value)


def either(*shapes: Shape) -> Shape:
    """Return the shape of a value that fits one of several; the last one states what is wrong."""

    def check(value: Any) -> str:
        problem = ""
        for shape in shapes:
            problem = shape(value)
            if not problem:
                break
        return problem

    return check


def items(shape: Shape, least: int = 0) -> Shape:
    """Return the shape of a list with a least number of items."""

    def check(value: Any) -> str:
        if type(value) is not list:
            return f" is {_named(value)}, not a list"
        if len(value) < least:
            return f" has {len(value)} items, not {least}"
        return next((f"[{index}]{problem}" for index, each in enumerate(value) if (problem := shape(each))), "")

    return check


def row(*shapes: Shape) -> Shape:
    """Return the shape of a list with one item for each shape."""

    def check(value: Any) -> str:
        if type(value) is not list or len(value) != len(shapes):
            return f" is not a list of {len(shapes)}"
        found = ((index, shape(each)) for index, (shape, each) in enumerate(zip(shapes, value, strict=True)))
        return next((f"[{index}]{problem}" for index, problem in found if problem), "")

    return check


def mapping(shape: Shape, keys: Shape = anything) -> Shape:
    """Return the shape of a table whose keys are names."""

    def check(value: Any) -> str:
        if type(value) is not dict:
            return f" is {_named(value)}, not a table"
        wrong = next((f": the key '{key}'{problem}" for key in value if (problem := keys(key))), "")
        return wrong or next((f".{key}{problem}" for key, each in value.items() if (problem := shape(each))), "")

    return check


def table(known: Mapping[str, Shape], required: Collection[str] = ()) -> Shape:
    """Return the shape of a table with known keys; those that are ``required`` have to be there."""

    def check(value: Any) -> str:
        if type(value) is not dict:
            return f" is {_named(value)}, not a table"
        for key in required:
            if key not in value:
                return f" has no '{key}'"
        found = ((key, known[key](each)) for key, each in value.items() if key in known)
        return next((f".{key}{problem}" for key, problem in found if problem), "")

    return check


_names = items(text)
_component = table({"name": text, "version": text, "options": mapping(anything)}, ("name", "version", "options"))
_components = items(_component)
_section = mapping(anything)
_objective = table({"metric": text, "feature": text, "direction": text})
_prediction = table(dict.fromkeys(("best", "trend", "metric", "feature", "direction", "comparison"), text))
_overrides = table(
    {"profile": text, "corpus": text, "seed": maybe(_whole), "settings": items(row(text, anything)), "skip_bad": flag},
    ("profile", "corpus", "seed", "settings", "skip_bad"),
)
_unbundled = table({"inputs": _section, **dict.fromkeys(("device", "torch", "precision"), text)})
_search = table({"n_variants": count, "prune_after": count, "prune_p": number, "objectives": items(_objective)})
_judged = table(
    {
        "kind": text, "source": text, "identity": text, "digest": text, "paired": flag, "notes": _names,
        "command": _names, "earlier_metrics": _names, "replicates": mapping(items(anything)),
    },
    ("source", "paired"),
)  # fmt: skip
#: ``ablate_studies.spec``: the study file with its profile and overrides.
SPEC = table(
    {
        "question": text, "hypothesis": text, "source": text, "profile": text, "seed": _whole, "replicates": count,
        "design": text, "budget": text, "objective": maybe(_objective),
        "axes": mapping(either(items(anything), _section)),
        "variants": maybe(mapping(_section)), "baseline": maybe(_section), "floors": _section,
        "statistics": maybe(table({"alpha": number, "estimate": text, "power": number})),
        "margins": maybe(mapping(either(number, mapping(either(number, text)), text))),
        "contrasts": maybe(mapping(mapping(number))),
        "parts": maybe(mapping(anything)), "predictions": maybe(items(_prediction)), "copying": maybe(_names),
        "aliases": maybe(mapping(text)), "overrides": maybe(_names), "looks": maybe(_section),
        "shards": maybe(_names),
        "reported": maybe(table({"source": text, "pieces": _names, "values": mapping(mapping(mapping(number)))})),
        "file": table(
            {"text": text, "folder": text, "overrides": _overrides, "unbundled": _unbundled}, ("text", "overrides")
        ),
        "judged": maybe(_judged),
        "search": maybe(_search),
        "path": maybe(table({"taken": _names})), "program": maybe(table({"command": _names})),
        "metric": either(text, _names, _section), "generation": maybe(_section),
    }
)  # fmt: skip
#: ``ablate_runs.config``: the resolved configuration of a run.
RUN_CONFIG = table(
    {
        **dict.fromkeys(
            (
                *("corpus", "augmenter", "tokenizer", "conditioner", "model", "optimizer", "schedule", "sampler"),
                "metric",
            ),
            _components,
        ),
        **dict.fromkeys(("split", "training", "primer", "generation", "measure", "labels", "level"), _section),
    }
)
#: ``ablate_stages.config``: the data of a stage's fingerprint.
STAGE_CONFIG = table(
    {"stage": text, "inputs": mapping(text), "seeds": either(_section, items(_whole)), "reference": text}
)
_piece = row(text, count, number)
_refusal = table({"refused": count, "reason": text})
#: ``ablate_stages.result``: what the work of a stage returned.
RESULT = table(
    {
        **dict.fromkeys(
            (
                *("loss", "validation_loss", "kept_step", "tokens_seen", "parameters", "tokens_per_second"),
                *("steps_per_epoch", "together", "notes_kept", "joules", "product_rate", "flops_per_token", "seconds"),
                "steps",
            ),
            maybe(number),
        ),
        **dict.fromkeys(("samples", "notes", "performances", "tokens_made", "examples", "tokens"), count),
        "refused": either(count, mapping(_refusal)),
        "skipped": mapping(text), "summary": text, "precision": text, "reason": text, "problems": maybe(_names),
        "written": maybe(_names), "pieces": maybe(either(count, _names)), "details": _names, "within_tokenizer": _names,
        "shares": _names,
        "metrics": either(_names, mapping(anything)), "left_out": maybe(mapping(count)),
        "unchosen": maybe(mapping(count, digits)), "instruments": maybe(mapping(count, digits)),
        "split": maybe(table(dict.fromkeys(("train", "validation", "test"), items(_piece)))),
        "stopped_early": flag,
    }
)  # fmt: skip
#: ``ablate_looks``.
STATES, P_VALUES, FINGERPRINTS = mapping(text), mapping(maybe(number)), _names
#: ``ablate_environments.facts`` and ``ablate_sources.facts``.
ENVIRONMENT = table({"packages": mapping(text), "python": text, "platform": text, "git": _section})
_source = table({"source": _section, "defaults": _section, "unknown": _names}, ("source", "defaults"))
_file = table(dict.fromkeys(("digest", "stamp", "option"), text), ("digest", "stamp", "option"))
SOURCES = table({"components": mapping(_source), "files": mapping(_file)}, ("components", "files"))


def result_of(kind: str, result: Any) -> str:
    """Return what is wrong with the result of a stage of a kind as a whole; empty if nothing is."""
    if kind in SAMPLES and result.get("samples"):
        return table({}, ("notes", "seconds"))(result)
    return ""
