"""Build components: whatever goes wrong names the component and its plugin in one line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ablate.blame import blamed, name_component
from ablate.errors import AblateError, PluginError, named_line
from ablate.interfaces import (
    Augmenter,
    Conditioner,
    Corpus,
    Metric,
    Optimizer,
    Sampler,
    Schedule,
    SetMetric,
    Tokenizer,
)
from ablate.interrupts import is_ctrl_c

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ablate.specs import ComponentSpec

_INTERFACES: dict[str, type] = {
    "corpus": Corpus,
    "augmenter": Augmenter,
    "tokenizer": Tokenizer,
    "conditioner": Conditioner,
    "optimizer": Optimizer,
    "schedule": Schedule,
    "sampler": Sampler,
    "metric": Metric,
}
_ATTRIBUTES = {"tokenizer": ("vocabulary", "start_token"), "conditioner": ("labels", "width")}


def build_component(spec: Any, values: Mapping[str, Any]) -> Any:
    """Build a component from the plain values of its options.

    Raises:
        AblateError, ValueError: the component refuses its options.
        PluginError: anything else that its plugin raises, or a component without the methods of its kind.
    """
    options = spec.parse(values)
    return built(spec, lambda: spec.build(options))


def built(spec: ComponentSpec, build: Callable[[], Any]) -> Any:
    """Return what a function of a record builds, checked; raises like :func:`build_component`."""
    try:
        component = build()
    except (AblateError, ValueError):
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise PluginError(f"{spec.about} cannot be built: {named_line(error)}") from error
    problem = _problem(spec, component)
    if problem:
        raise PluginError(f"{spec.about} cannot be used: {problem}")
    name_component(component, spec.about)
    return component


@contextlib.contextmanager
def calling(spec: ComponentSpec, what: str) -> Iterator[None]:
    """Turn whatever a component raises in the block into an error of one line that names it.

    Args:
        spec: its record.
        what: it is asked for, for the message (``"its identity"``).

    Raises:
        AblateError: of the component itself.
        PluginError: anything else that it raises.
    """
    try:
        yield
    except AblateError:
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise PluginError(f"{spec.about} failed ({what}): {named_line(error)}") from error


@contextlib.contextmanager
def in_one_line() -> Iterator[None]:
    """Turn an error that names a component (:mod:`ablate.blame`) into an error of one line; leave all others.

    Raises:
        PluginError: the component and what it raised.
    """
    try:
        yield
    except AblateError:
        raise
    except BaseException as error:
        if is_ctrl_c(error) or not blamed(error):
            raise
        raise PluginError(f"{blamed(error)} failed: {named_line(error)}") from error


def fewest_of(spec: ComponentSpec, values: Mapping[str, Any], field: str = "fewest") -> int:
    """Return how many samples, or with ``fewest_pieces`` pieces, a metric needs with these options: 1, unless it says.

    Raises:
        PluginError: the function of its record fails, or returns no number.
    """
    function = getattr(spec, field, None)
    if function is None:
        return 1
    options = spec.parse(values)
    with calling(spec, field):
        fewest = function(options)
    if not isinstance(fewest, int):
        raise PluginError(f"{spec.about}: {field} must return a whole number, not {type(fewest).__name__}")
    return fewest


def _problem(spec: ComponentSpec, component: Any) -> str:
    """Return what a built component lacks, or an empty string."""
    interface = _INTERFACES.get(spec.kind)
    kind = type(component).__name__
    if interface is None:
        return "" if callable(component) else f"build returned {kind}, which is no network"
    for method in sorted(getattr(interface, "__abstractmethods__", ())):
        if not callable(getattr(component, method, None)):
            return f"build returned {kind}, which has no method {method}; see ablate.{interface.__name__}"
    for attribute in _ATTRIBUTES.get(spec.kind, ()):
        if not hasattr(component, attribute):
            return f"{kind} has no attribute {attribute}; see ablate.{interface.__name__}"
    if getattr(spec, "scope", "sample") != "model" and isinstance(component, SetMetric) != (
        getattr(spec, "scope", "") == "set"
    ):
        return f"{kind} and its record {type(spec).__name__} must agree about what is measured"
    if spec.kind == "tokenizer":
        return _tokenizer_problem(component)
    return _conditioner_problem(component) if spec.kind == "conditioner" else ""


def _tokenizer_problem(tokenizer: Any) -> str:
    words = tokenizer.vocabulary
    if not isinstance(words, tuple | list) or not words or not all(isinstance(word, str) for word in words):
        return "vocabulary must be a tuple of one word for each token id"
    start = tokenizer.start_token
    is_id = hasattr(start, "__index__") and not isinstance(start, bool) and 0 <= start < len(words)
    return "" if is_id else f"start_token must be a token id below {len(words):,}"


def _conditioner_problem(conditioner: Any) -> str:
    if not hasattr(conditioner.labels, "items"):
        return "labels must be a mapping from names to defaults"
    for name, default in conditioner.labels.items():
        if not isinstance(name, str) or not name:
            return "a label must have a name"
        try:
            float(default)
        except (TypeError, ValueError, OverflowError):
            return f"label '{name}' must have a number as its default"
    width = conditioner.width
    is_count = hasattr(width, "__index__") and not isinstance(width, bool) and width > 0
    return "" if is_count else "width must be a whole number above 0"
