"""Observers are chosen by text, and refused in one line before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

import ablate
from ablate.errors import AblateError, PluginError, UnknownName, UsageError
from ablate.registry import get_registry
from ablate.study.observe.choice import build_observers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Options:
    place: str = ablate.option("", doc="Where to write.")
    mode: Literal["quiet", "loud"] = ablate.option("quiet", doc="How.")
    lines: int = ablate.option(3, ge=1, doc="How many.")


class Notes:
    def __init__(self, options: Options, folder: Path) -> None:
        self.options, self.folder = options, folder
        BUILT.append(self)

    @ablate.hookimpl
    def ablate_run_finished(self, event: ablate.RunFinished) -> None:
        pass


BUILT: list[Notes] = []


def fails(error: BaseException) -> Callable[..., Any]:
    def build(options: Any, folder: Path) -> Any:
        raise error

    return build


def spec(name: str, build: Callable[..., Any] = Notes, **facts: Any) -> ablate.ObserverSpec:
    return ablate.ObserverSpec(name=name, summary="Notes.", build=build, **facts)


@pytest.fixture
def choose(offer: Callable[[Any], None], tmp_path: Path) -> Callable[..., Any]:
    offer(spec("notes", options=Options, target="place"))
    offer(spec("plain"))
    offer(spec("broken", fails(OSError("no such disk"))))
    offer(spec("needs", fails(AblateError("needs a library: pip install it"))))
    offer(spec("empty", lambda options, folder: object()))
    BUILT.clear()
    return lambda *texts: build_observers(texts, get_registry(), tmp_path)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("notes", Options()),
        ("notes:", Options()),
        ("notes:runs/of tau=0.8, all", Options(place="runs/of tau=0.8, all")),
        ("notes:sqlite:///a.db?x=1,mode=loud,lines=5", Options("sqlite:///a.db?x=1", "loud", 5)),
        ("notes,place=007", Options(place="007")),
    ],
)
def test_a_text_sets_options(choose: Callable[..., Any], tmp_path: Path, text: str, options: Options) -> None:
    (observer,) = choose(text)
    assert (observer.name, observer.events) == ("notes", {"ablate_run_finished"})
    assert (BUILT[0].options, BUILT[0].folder) == (options, tmp_path / "observers/notes")


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["note"], UnknownName, r"unknown observer 'note'; did you mean 'notes'\?"),
        (["notes,mod=loud"], UsageError, r"'notes' has no option 'mod'; did you mean 'mode'\? Offered: place, mode, l"),
        (["notes,mode=x"], UsageError, '--observe notes,mode=x: mode: must be "quiet" or "loud", not "x"'),
        (["notes,lines=many"], UsageError, 'lines: must be a whole number ≥ 1, not "many"'),
        (["plain:here"], UsageError, "'plain' takes no target; write --observe plain"),
        (["plain", "plain"], UsageError, "'plain' is given twice"),
        (["broken"], PluginError, "observer 'broken' of plugin 'test' .* cannot be built: OSError: no such disk"),
        (["needs"], AblateError, "^needs a library: pip install it$"),
        (["empty"], PluginError, "observer 'empty' of plugin 'test' .* has no hook; mark its methods"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    choose: Callable[..., Any], texts: list[str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        choose(*texts)
    assert "\n" not in str(caught.value)
