"""Store a judged study, and print its verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablate.cli.echo import echo, echo_sentence
from ablate.cli.output import plural, print_json
from ablate.cli.study.planning.looks import record_look
from ablate.cli.study.running.results import print_analysis
from ablate.cli.study.stored.drawing import Drawn, draw_report, reporting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.study.judge.record import JudgedStudy, Saved


def print_study(study: JudgedStudy, values: Mapping[str, Any]) -> None:
    """Store a judged study, write its report, and print how it was read and its verdicts."""
    from ablate.registry import get_registry
    from ablate.report.data.study import Study
    from ablate.report.statistics.analysis.analysis import Analysis
    from ablate.store.database.address import home_url
    from ablate.store.store import Store
    from ablate.study.judge.record import save
    from ablate.study.run.home import only_command, open_home

    home = open_home(values["home"])
    url = values["store"] or home_url(home)
    registry = get_registry()
    for note in study.notes:
        echo(f"{study.source}: {note}", err=True)
    with only_command(home, url, study.name), Store(url) as store:
        saved = save(store, study)
        drawn, changed = Drawn(), saved != "unchanged"
        with reporting(home, study.name, wanted=values["with_report"], changed=changed):
            analysis = Analysis(Study.read(store, study.name), registry)
            record_look(store, analysis)
            if values["with_report"]:
                drawn = draw_report(store, home, study.name, registry, changed=changed)
    report = str(drawn.page) if drawn.page else None
    if values["as_json"]:
        effects = analysis.all_effects.drop(columns="values").to_dict("records")
        judged = {"name": study.name, "saved": saved, "paired": study.runs.paired, "notes": list(study.notes)}
        print_json({**judged, "report": report, "effects": effects})
        drawn.check()
        return
    print_analysis(study.name, analysis)
    echo_sentence(_account(study, saved))
    if report:
        echo(f"report: {report}")
    drawn.check()


def _account(study: JudgedStudy, saved: Saved) -> str:
    """Return a line about the study in the home."""
    count = sum(bool(run.values) for run in study.runs.runs)
    runs = plural(count, "result")
    if saved == "unchanged":
        return f"study '{study.name}' has these {runs} already; nothing has changed"
    if saved == "replaced":
        return f"study '{study.name}' now has these {runs} instead of the earlier ones"
    return f"study '{study.name}' has {plural(count, 'new result')}"
