"""Progress of ``study run`` on stderr: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import collections
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Self

from ablate.cli.echo import echo
from ablate.cli.folding import rewritable_width, shortened
from ablate.cli.output import duration, plural
from ablate.cli.streams import visible
from ablate.errors import first_problems
from ablate.kinds import KINDS, LOAD, PROGRAM, TRAIN
from ablate.music.corpus.short import few_notes_warning
from ablate.names import replicate_name
from ablate.study.run.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.study.plan.layout import Layout
    from ablate.study.plan.plan import Plan
    from ablate.study.work.messages import News, StageFailure, StageResult

#: Seconds between two plain lines about the same job, at least.
INTERVAL = 10.0
#: Seconds after which somebody at a terminal may want to see more of a study.
HINT_AFTER = 60.0
_REST = "the report lists all"
#: A reason for a failure that has more characters is cut where it happens.
_LONGEST_REASON = 240
#: A terminal with fewer columns than this shows short bars and no speeds, so that names have room.
_WIDE = 120
#: A terminal with fewer columns than this shows no bars, only numbers.
_NO_BARS = 72
#: Columns that a bar and the numbers beside it need, in a wide and in a narrow terminal, and those of numbers alone.
_NUMBERS, _FEWER_NUMBERS, _NUMBERS_ALONE = 70, 34, 12
#: Values of TERM for terminals that cannot write a line again.
_DUMB = ("dumb", "unknown")


def make_listener(layout: Layout, *, failures: bool = True, hint: str = "") -> PlainProgress | LiveProgress:
    """Return bars if stderr is a terminal that can show them, else plain lines.

    Args:
        layout: of the study.
        failures: whether to print each failure when it happens.
        hint: a line to print above the bars once, after :data:`HINT_AFTER`.
    """
    if sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in _DUMB:
        return LiveProgress(layout, failures=failures, hint=hint)
    return PlainProgress(layout, failures=failures)


class _Progress(Listener):
    """The counts that both kinds of progress show."""

    def __init__(self, layout: Layout, *, failures: bool = True) -> None:
        self._name, self._failures = layout.spec.name, failures
        self._runs: dict[str, list[tuple[str, str]]] = {}
        self._total: collections.Counter[str] = collections.Counter()
        self._count: collections.Counter[str] = collections.Counter()
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lost(self, plan: Plan) -> None:
        """See :class:`Listener`."""
        self.say(plan.lost_line())

    def begun(self, plan: Plan) -> None:
        """See :class:`Listener`; a search calls this once for each variant that it tries."""
        self._runs, spec = {}, plan.layout.plain()
        for run in plan.layout.current:
            name = replicate_name(spec, run.variant.name, run.replicate)
            for fingerprint in run.stages.fingerprints().values():
                self._runs.setdefault(fingerprint, []).append((run.variant.name, name))
        self._total.update(stage.kind for stage in plan.missing.values())

    def say(self, line: str) -> None:
        """Print a line."""
        echo(line, err=True)

    def done(self, done: StageResult) -> None:
        """See :class:`Listener`."""
        self._count[done.stage.kind] += 1

    def _job(self, news: News, width: int | None = None) -> str:
        """Return what a job does, at most as wide as ``width``."""
        verb = KINDS[news.kind].verb
        if news.together > 1:
            return f"{verb} {news.together} as one"
        return f"{verb} {self._about(news.fingerprint, width and width - len(verb) - 1)}"

    def _about(self, fingerprint: str, width: int | None = None) -> str:
        """Return the runs of a stage: its first variant, how many others, and the replicate if it is the same."""
        runs = self._runs.get(fingerprint, [])
        variants = list(dict.fromkeys(variant for variant, _ in runs))
        replicates = {replicate for _, replicate in runs}
        others = f" and {plural(len(variants) - 1, 'other')}" if len(variants) > 1 else ""
        end = f"{others}, replicate {min(replicates)}" if len(replicates) == 1 else others
        return f"{shortened(visible(variants[0], sys.stderr), width and width - len(end))}{end}" if variants else ""

    def _oddities(self, done: StageResult) -> Iterator[str]:
        """Yield what a stage left out and what is odd in its music or too short, each line once for a kind."""
        kind, summary = KINDS[done.stage.kind], done.result.get("summary", "")
        start = f"{kind.verb} {self._about(done.stage.fingerprint)}".rstrip() if kind.samples else kind.verb
        short = few_notes_warning(done.result["notes"]) if done.stage.kind == LOAD else ""
        problems = first_problems(done.result.get("problems", ()), _REST)
        for line in filter(None, (short, summary, *problems)):
            if (text := f"{start}: {line}") not in self._said:
                self._said.add(text)
                yield text

    def _failure(self, failure: StageFailure) -> str:
        job = f"{KINDS[failure.stage.kind].verb} {self._about(failure.stage.fingerprint)}".rstrip()
        reason = f"{failure.error_class}: {failure.error}"
        if len(reason) > _LONGEST_REASON:  # it is whole at the end, with the runs that failed for it
            reason = f"{reason[:_LONGEST_REASON].rsplit(' ', 1)[0]} …"
        return f"{job}: failed: {reason}"


class PlainProgress(_Progress):
    """Lines: one when a stage ends, and some while it is running."""

    def __init__(self, layout: Layout, *, failures: bool = True) -> None:
        super().__init__(layout, failures=failures)
        self._printed: dict[str, float] = {}

    def begun(self, plan: Plan) -> None:
        """See :class:`Listener`."""
        super().begun(plan)
        counts = collections.Counter(stage.kind for stage in plan.missing.values())
        listing = ", ".join(f"{count} {kind}" for kind, count in counts.items())
        title = f"{self._name}, {plan.layout.only}" if plan.layout.only else self._name
        if listing:
            echo(f"{title}: stages to run: {listing}", err=True)

    def news(self, news: News) -> None:
        """See :class:`Listener`."""
        now = time.monotonic()
        if now - self._printed.setdefault(news.fingerprint, now) < INTERVAL:
            return
        self._printed[news.fingerprint] = now
        loss = f", loss {news.loss:.3f}, {news.tokens_per_second:,.0f} tokens/s" if news.loss is not None else ""
        echo(f"{self._job(news)}: {news.fraction:.0%}{loss}", err=True)

    def done(self, done: StageResult) -> None:
        """See :class:`Listener`."""
        super().done(done)
        kind = done.stage.kind
        for line in self._oddities(done):
            echo(line, err=True)
        if kind in (TRAIN, PROGRAM) or self._count[kind] == self._total[kind]:
            share = f"{self._count[kind]} of {self._total[kind]}"
            about = f" {self._about(done.stage.fingerprint)}" if kind in (TRAIN, PROGRAM) else ""
            echo(f"{KINDS[kind].verb}{about}: {share} done ({duration(done.seconds)})", err=True)

    def failed(self, failure: StageFailure) -> None:
        """See :class:`Listener`."""
        if self._failures:
            echo(self._failure(failure), err=True)


class LiveProgress(_Progress):
    """Bars: one for each kind of stage, and one for each running job."""

    def __init__(self, layout: Layout, *, failures: bool = True, hint: str = "") -> None:
        super().__init__(layout, failures=failures)
        self._hint, self._begin = hint, time.monotonic()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        console = Console(stderr=True, width=rewritable_width(sys.stderr))
        self._is_wide, self._has_bars = console.width >= _WIDE, console.width >= _NO_BARS
        numbers = _NUMBERS if self._is_wide else _FEWER_NUMBERS if self._has_bars else _NUMBERS_ALONE
        self._room = console.width - numbers
        columns = (
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=24 if self._is_wide else 8)] if self._has_bars else []),
            TextColumn("{task.fields[text]}", markup=False),
            *([TimeElapsedColumn()] if self._is_wide else []),
            *([TimeRemainingColumn()] if self._has_bars else []),
        )
        self._bars = Progress(*columns, console=console, transient=True)
        self._kinds: dict[str, Any] = {}
        self._jobs: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self._print(line, soft_wrap=True)

    def _print(self, line: str, *, soft_wrap: bool = False) -> None:
        self._bars.console.print(visible(line, sys.stderr), highlight=False, markup=False, soft_wrap=soft_wrap)

    def begun(self, plan: Plan) -> None:
        """See :class:`Listener`."""
        super().begun(plan)
        title = f"trying {plan.layout.only}" if plan.layout.only else f"study {self._name}"
        self._print(title)
        for kind, total in self._total.items():
            if kind not in self._kinds:
                self._kinds[kind] = self._bars.add_task(KINDS[kind].verb, total=total, text=f"0/{total}")
            self._bars.update(self._kinds[kind], total=total, text=f"{self._count[kind]}/{total}")

    def news(self, news: News) -> None:
        """See :class:`Listener`."""
        if self._hint and time.monotonic() - self._begin >= HINT_AFTER:
            self.say(self._hint)
            self._hint = ""
        if news.fingerprint not in self._jobs:
            job = f"  {shortened(self._job(news, self._room - 2), self._room - 2)}"
            self._jobs[news.fingerprint] = self._bars.add_task(job, total=1.0, text="")
        without_loss = "" if self._has_bars else f"{news.fraction:.0%}"
        text = without_loss if news.loss is None else f"loss {news.loss:.3f}"
        if text and self._is_wide:
            text += f" {news.tokens_per_second:,.0f} tokens/s"
        self._bars.update(self._jobs[news.fingerprint], completed=news.fraction, text=text)

    def done(self, done: StageResult) -> None:
        """See :class:`Listener`."""
        super().done(done)
        stage = done.stage
        for line in self._oddities(done):
            self._print(line)
        if stage.fingerprint in self._jobs:
            self._bars.remove_task(self._jobs.pop(stage.fingerprint))
        share = f"{self._count[stage.kind]}/{self._total[stage.kind]}"
        self._bars.update(self._kinds[stage.kind], completed=self._count[stage.kind], text=share)

    def failed(self, failure: StageFailure) -> None:
        """See :class:`Listener`."""
        if failure.stage.fingerprint in self._jobs:
            self._bars.remove_task(self._jobs.pop(failure.stage.fingerprint))
        if self._failures:
            self._print(self._failure(failure))
