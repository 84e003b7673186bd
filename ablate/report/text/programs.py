"""Facts about the programs that a study runs in place of a model, and about samples in general."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ablate.report.data.study import Study


def command(spec: Mapping[str, Any]) -> str:
    """Return the command of a study of programs, with its placeholders; empty for other studies."""
    return shlex.join((spec.get("program") or {}).get("command") or ())


def samples(study: Study) -> str:
    """Return the number of samples in a replicate; empty where programs write numbers only."""
    generation = study.spec.get("generation") or {}
    if not study.spec.get("program"):
        return f"{generation.get('samples', '?')} samples in each"
    counts = sorted({stage.result["samples"] for run in study.runs if (stage := study.samples(run))})
    return f"{' to '.join(map(str, dict.fromkeys((counts[0], counts[-1]))))} samples in each" if counts else ""
