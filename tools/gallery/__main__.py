"""Run the shipped studies, and write the gallery in docs/gallery: ``python tools/gallery [STUDY ...]``.

Results that a home has are reused, so only what is missing runs. ``--no-run`` runs nothing, and writes the pages of
the studies that are finished. ``--check`` writes nothing, and lists the pages that are stale.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ablate.errors import AblateError
from ablate.home import home_path
from ablate.study.file.locate import shipped_studies
from gallery.gallery import Gallery


def main() -> int:
    """Write or check the gallery; return 1 if a study failed, or if a page is stale."""
    parser = argparse.ArgumentParser(prog="gallery", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all")
    parser.add_argument("--home", type=Path, help="folder with the results; default: $ABLATE_HOME, or else .ablate")
    parser.add_argument("--no-run", action="store_true", help="run nothing; write the pages of what is finished")
    parser.add_argument("--check", action="store_true", help="write nothing; list what is stale")
    parser.add_argument("--machine", default="", help="what the studies ran on, for people")
    options = parser.parse_args()
    files = shipped_studies()
    if unknown := set(options.studies) - set(files):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(files)}")
    gallery = Gallery(files)
    if options.check:
        return report_stale(gallery)
    home, failed = home_path(options.home).resolve(), 0
    for name in options.studies or files:
        try:
            gallery.renew(name, home, options.machine, run=not options.no_run)
            print(f"wrote {name}", flush=True)  # noqa: T201
        except AblateError as error:
            failed += 1
            print(f"no page: {error}", file=sys.stderr, flush=True)  # noqa: T201
    gallery.write()
    return int(bool(failed) and not options.no_run)


def report_stale(gallery: Gallery) -> int:
    """Print what is stale, and the commands that renew it; return 1 if anything is."""
    missing, stale, unwritten = gallery.missing(), gallery.stale(), gallery.unwritten()
    if missing:
        print(f"gallery: studies without a page ({len(missing)}): {', '.join(missing)}")  # noqa: T201
    problems = [f"{name} is stale: {reason}" for name, reason in stale.items()]
    if stale:
        problems.append(f"to run what is stale again: make gallery STUDIES='{' '.join(stale)}'")
    if unwritten:
        problems.append(f"these pages are not as they are written: {', '.join(unwritten)}")
        problems.append("to write the pages again: make gallery-pages")
    for problem in problems:
        print(f"gallery: {problem}", file=sys.stderr)  # noqa: T201
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
