"""The fingerprint of a study file: equal fingerprints mean equal settings, components and code of the stages.

It is the same on every machine: the version of torch, the kind of device and the precision that a processor has are
fixed here. Comments in the file change nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

from ablate.store.parts import SHARDS
from ablate.study.file.as_run import Elsewhere
from ablate.study.file.overrides import Overrides
from ablate.study.file.study_file import read_study
from ablate.study.plan.layout import lay_out
from ablate.study.run.replicates import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.registry import Registry
    from ablate.study.plan.layout import Layout

#: A machine that does not exist.
ANY = Elsewhere(device="cpu", torch="any", precision="fp32")
#: What a stored study contains besides its settings: where it was found, and what was done with it.
NOT_SETTINGS = frozenset({"file", "source", "path", MOST, SHARDS})


def laid_out(study: str, registry: Registry, machine: Elsewhere = ANY) -> Layout:
    """Return the runs of a study with their stages.

    Args:
        study: its name, or the path of its file.
        registry: the components.
        machine: what the fingerprints of stages depend on besides the study.

    Raises:
        StudyFileError: the file is not a study.
    """
    spec = dataclasses.replace(read_study(study, Overrides(), registry), elsewhere=machine)
    return lay_out(spec, registry, machine.device or "cpu")


def fingerprint(study: str, registry: Registry) -> str:
    """Return the fingerprint of a study at its default profile, 16 hexadecimal digits."""
    layout = laid_out(study, registry)
    content = {"settings": settings(layout.plain()), "stages": sorted(layout.stages())}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def settings(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a study as a store returns them."""
    return json.loads(json.dumps({key: value for key, value in plain.items() if key not in NOT_SETTINGS}))
