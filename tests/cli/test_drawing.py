"""A report that cannot be drawn: everything else is printed, and one line says why."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from support.small_study import SMALL

from ablate.report.figures import gallery
from ablate.report.place import OUTDATED

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from support.commands import Command

COMMAND = ["study", "run", "tau_sweep", "--profile", "smoke", "--workers", "1"]


def test_the_table_is_printed_without_a_report(ran: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports, logs = tmp_path / ".ablate/reports", tmp_path / ".ablate/logs"
    reports.write_text("a file where a folder should be")
    failed = ran(*COMMAND)
    assert failed.code == 1
    assert "tau_sweep@smoke: mean ± standard deviation over replicates" in failed.out
    parts = ["memorization.", "before you trust a difference", "Each p is ", ", against tau=1.0", "\nHypothesis "]
    assert sorted(map(failed.out.index, parts)) == [failed.out.index(part) for part in parts]  # the answer is last
    for line in (  # both have a column for a share
        "memorization.covered: Share of the sample's notes in long copied passages.",
        "memorization.longest: The longest passage of successive notes copied from one reference piece.",
    ):
        assert f"\n{line}\n" in failed.out
    assert failed.out.rstrip().splitlines()[-1].startswith("nothing to run: ")
    (line,) = [each for each in failed.err.splitlines() if each.startswith("error: ")]
    assert line.startswith("error: the report cannot be written to ")
    assert line.endswith("; the results are stored")

    reports.unlink()
    folder = reports / "tau_sweep@smoke"
    folder.mkdir(parents=True)
    monkeypatch.setattr(gallery.forest, "baseline_forest", lambda _: next(iter(())))
    for earlier in ("", "a page"):  # the page of a report that could not be drawn again is not shown as if it were new
        broken = ran(*COMMAND, "--json")
        assert broken.code == 1
        assert json.loads(broken.out)["report"] is None
        log = logs / "report-tau_sweep@smoke.txt"
        assert f"error: the report cannot be drawn: StopIteration (traceback: {log}); the" in broken.err, earlier
        assert log.read_text().startswith("Traceback")
        assert (folder / OUTDATED).is_file()
        (folder / "index.html").write_text("an earlier page")


def test_a_command_prints_that_it_writes_a_report(ablate: Command, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    command = ["study", "run", "small.toml", "--workers", "1"]
    assert "writing the report" in ablate(*command).err.splitlines()
    again = ablate(*command)
    assert "writing the report" not in again.err, "it is there, and nothing has changed"
    more = ablate(*command, "--replicates", "3")
    assert "writing the report" in more.err.splitlines()
    account = re.search(r"^ran .* in (\S+ \S+) \((\S+ \S+) with start-up and report\); reused", more.out, re.MULTILINE)
    assert account, more.out
    without = ablate(*command, "--replicates", "4", "--no-report")
    assert re.search(r"^ran .* in \S+ \S+ \(\S+ \S+ with start-up\); reused", without.out, re.MULTILINE), without.out
