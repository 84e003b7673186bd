"""Compare ablate's reader of MIDI files with an independent one: ``python tools/compare_readers.py FOLDER ...``.

Every MIDI file of the folders is read by ``ablate.music.midi`` and by ``tests/support/mido_reader.py``. Run it after a
change of the reader, on as many real files as you have: the test files of MIDI libraries, for instance. The table has a
row for each source: a folder directly in one of the folders given, or that folder itself. ``different`` must be 0, and
each refusal must have a good reason; both are listed below the table. Notes are equal if all their fields are, times to
0.1 ms.
"""  # noqa: INP001 - a script

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.comparing import BOTH_REFUSE, DIFFERENT, EQUAL, NO_NOTES, REFUSED, UNREADABLE, Verdict, compare

KINDS = (EQUAL, DIFFERENT, REFUSED, UNREADABLE, NO_NOTES, BOTH_REFUSE, "crash")
#: Files of each reason that are named.
EXAMPLES = 3


def find_files(folder: Path) -> dict[str, list[Path]]:
    """Return the MIDI files below a folder, by content, each once; the key is their source."""
    sources: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _is_midi(path):
            inside = path.relative_to(folder)
            source = inside.parts[0] if len(inside.parts) > 1 else folder.name
            sources.setdefault(source, []).append(path)
    return sources


def _is_midi(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(12)
    return head[:4] == b"MThd" or (head[:4], head[8:]) == (b"RIFF", b"RMID") or path.suffix in {".mid", ".midi"}


def compare_file(path: Path) -> Verdict:
    """Compare the two readings of a file; an exception that is no refusal is a crash."""
    try:
        return compare(path.read_bytes(), path.name)
    except Exception as error:  # noqa: BLE001 - a fault of ablate's reader: it is what this tool looks for
        return Verdict("crash", f"{type(error).__name__}: {error}")


def main(folders: list[str]) -> int:
    """Print the table and the reasons; return 1 if a file is read differently or crashes a reader."""
    total: Counter[str] = Counter()
    reasons: dict[tuple[str, str], list[Path]] = {}
    helped: Counter[str] = Counter()
    _say(f"{'source':32} {'files':>6} " + " ".join(f"{kind:>12}" for kind in KINDS))
    for folder in map(Path, folders):
        for source, paths in find_files(folder).items():
            kinds: Counter[str] = Counter()
            for path in paths:
                verdict = compare_file(path)
                kinds[verdict.kind] += 1
                helped[verdict.helped.split(":")[0]] += 1
                if verdict.kind != EQUAL:
                    reasons.setdefault((verdict.kind, verdict.reason), []).append(path)
            _say(_row(source, kinds))
            total += kinds
    _say(_row("all", total))
    for (kind, reason), paths in sorted(reasons.items()):
        named = ", ".join(map(str, paths[:EXAMPLES])) + (", ..." if len(paths) > EXAMPLES else "")
        _say(f"\n{kind} ({len(paths)}): {reason}\n    {named}")
    needed = {reason: count for reason, count in helped.items() if reason}
    _say(f"\nread by mido only after a part that holds no notes was removed: {needed or 'none'}")
    return int(bool(total[DIFFERENT] or total["crash"]))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _row(source: str, kinds: Counter[str]) -> str:
    return f"{source[:32]:32} {kinds.total():6} " + " ".join(f"{kinds[kind]:12}" for kind in KINDS)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python tools/compare_readers.py FOLDER ...")
    sys.exit(main(sys.argv[1:]))
