"""Writes the generated pages, or with ``--check`` says which are stale: ``python tools/make.py [--check]``."""  # noqa: INP001 - a script

from __future__ import annotations

import sys

import make_hooks
import make_reference

PAGES = {
    make_hooks.PAGE: make_hooks.render,
    **{make_reference.FOLDER / name: render for name, render in make_reference.PAGES.items()},
}


def main() -> int:
    """Write or check; the number of stale pages is the exit code."""
    stale = [path for path, render in PAGES.items() if not path.exists() or path.read_text("utf-8") != render()]
    if "--check" in sys.argv[1:]:
        for path in stale:
            sys.stderr.write(f"{path} is stale; run: make docs\n")
        return len(stale)
    for path in stale:
        path.write_text(PAGES[path](), encoding="utf-8")
        sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
