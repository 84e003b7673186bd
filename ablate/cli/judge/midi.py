"""Measure MIDI files that somebody else generated, and judge them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ablate.cli.echo import echo
from ablate.cli.settings import parse_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.judge.judge import Request


def judge_midi(request: Request, values: Mapping[str, Any]) -> int:
    """Measure the files, store the numbers as a study, and print its verdicts; return the exit code."""
    from ablate.registry import get_registry
    from ablate.study.judge.midi import MidiRequest, midi_layout
    from ablate.study.run.executor.start import start_early

    begun = time.monotonic()
    start_early(1)  # nothing is trained
    settings = [parse_setting(text) for text in values["settings"]]
    asked = MidiRequest(values["midi"], values["reference"], values["tokenizer"], values["skip_bad"], request, settings)
    layout = midi_layout(asked, get_registry())
    for note in layout.plain()["judged"]["notes"]:
        echo(f"{layout.spec.source}: {note}", err=True)

    from ablate.cli.study.planning.request import StudyRequest
    from ablate.cli.study.planning.reuse import decide_reuse, forget_results
    from ablate.cli.study.running.interrupt import stop_on_signals
    from ablate.cli.study.running.progress import make_listener
    from ablate.cli.study.running.results import exit_code, print_results
    from ablate.engine.devices import cores
    from ablate.store.database.address import home_url
    from ablate.store.store import Store
    from ablate.study.run.executor.protocol import Working
    from ablate.study.run.home import only_command, open_home
    from ablate.study.run.runner import StudyRunner

    home = open_home(values["home"])
    url = values["store"] or home_url(home)
    study = StudyRequest(layout, home, url, "cpu", values["workers"] or cores())
    name = layout.spec.name
    with only_command(home, url, name), Store(url) as store:
        recompute = decide_reuse(study, store, values)
        forget_results(study, store, recompute)
        with make_listener(layout, failures=False) as listener:  # at the end, equal reasons are one line
            working = Working(isolated=True)
            runner = StudyRunner(layout, store, home, workers=study.workers, listener=listener, working=working)
            with stop_on_signals(runner):
                result = runner.run()
        wanted = {"with_report": values["with_report"], "as_json": values["as_json"]}
        _, drawn = print_results(study, store, result, begun, **wanted)
    return exit_code(result, layout.plain(), drawn)
