"""Facts about a study of results that ablate did not compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablate.report.data.corpora import corpus_counts, loaded_corpora

if TYPE_CHECKING:
    from ablate.report.data.study import Study

Facts = list[tuple[str, str]]
#: The kinds of sources in words.
KINDS = {
    "table": "table",
    "optuna": "Optuna study",
    "mlflow": "MLflow experiment",
    "wandb": "table exported from W&B",
    "midi": "folder of MIDI files",
}


def top_facts(study: Study) -> Facts:
    """Return the facts below the verdicts, in one line each."""
    judged = study.judged
    pairing = "paired" if judged.get("paired") else "not paired"
    music = [("Reference", "; ".join([study.record.corpus, *corpus_counts(study)]))] if loaded_corpora(study) else []
    return [
        ("Results", f"{KINDS.get(judged['kind'], judged['kind'])} {judged['source']}"),
        ("Design", f"{str(study.spec['design']).replace('_', ' ')}, {len(study.variants)} variants"),
        ("Replicates", f"{_replicates(study)}, {pairing}"),
        ("Runs", f"{sum(run.state == 'done' for run in study.runs)} of {len(study.runs)} with results"),
        *music,
    ]


def facts(study: Study) -> Facts:
    """Return the facts of the appendix: label and text."""
    judged, record = study.judged, study.record
    made, updated = (f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "" for moment in (record.created, record.updated))
    return [
        *top_facts(study),
        *([("SHA-256 of the results", judged["digest"])] if "digest" in judged else []),
        ("First judged", made),
        ("Last judged", updated),
    ]


def _replicates(study: Study) -> str:
    """Return the smallest and the largest number of replicates of a variant, or the only one."""
    done = study.frame.groupby("variant", observed=True)["replicate"].nunique()
    return " to ".join(str(n) for n in dict.fromkeys((done.min(), done.max()))) if len(done) else "0"
