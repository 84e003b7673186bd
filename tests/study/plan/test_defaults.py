"""A default that changes comes with a new version: fingerprints leave out values at their default.

Otherwise results with the old default would be reused, and the gallery would show them. After a new option or version,
``make golden`` writes the file again.
"""

from __future__ import annotations

import json
import os
from typing import Any

from support.checkout import ROOT

from ablate.kinds import KINDS
from ablate.options import defaults
from ablate.registry import get_registry
from ablate.study.file.configuration import SETTINGS
from ablate.study.plan.identity import COMPONENTS

FILE = ROOT / "tests/data/defaults.json"
#: The first kind of stage whose result a section of settings decides.
FIRST = {"split": "prepare", "training": "train", "generation": "generate"}


def found() -> dict[str, dict[str, Any]]:
    """Return the defaults of each component of ours and of each section, by name and version."""
    components = [one for one in get_registry().components if one.plugin.distribution == "ablate-music"]
    tables = {
        f"{one.kind} {one.spec.name}, version {one.spec.version}": dict(defaults(one.spec.options))
        for one in components
        if one.kind in COMPONENTS.values()
    }
    for section, kind in FIRST.items():
        tables[f"[{section}], code {KINDS[kind].code} of {kind}"] = dict(defaults(SETTINGS[section]))
    return json.loads(json.dumps(tables, sort_keys=True))


def test_a_changed_default_has_a_new_version() -> None:
    now, stored = found(), json.loads(FILE.read_text(encoding="utf-8"))
    same = {name: options for name, options in stored.items() if name in now}
    changed = [f"{name}: {key}" for name in same for key, value in same[name].items() if now[name].get(key) != value]
    assert changed == [], "these defaults are others than before: raise the version of the component or of the stage"
    if os.environ.get("ABLATE_RENEW_GOLDEN"):
        FILE.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    else:
        assert now == stored, f"options or versions are new; to write {FILE.name} again: make golden"
