"""The results of a study in Python and in notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from ablate.errors import HomeError, UnknownName
from ablate.home import DATABASE, home_path
from ablate.registry import get_registry
from ablate.report.data.artifacts import Artifacts
from ablate.report.data.curves import validation_frame
from ablate.report.data.frames import with_labels
from ablate.report.data.run_files import Losses, RunFiles
from ablate.report.data.study import Study
from ablate.report.figures.gallery import FIGURES
from ablate.report.formats.latex.options import TableOptions
from ablate.report.formats.latex.table import latex_table
from ablate.report.statistics.analysis.analysis import Analysis
from ablate.report.text.sentences import Answer, answer
from ablate.store.database.address import home_url
from ablate.store.store import Store

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure

    from ablate.arrays import IntArray
    from ablate.music.performance import Performance
    from ablate.registry import Registry


def load_results(name: str, home: str | os.PathLike[str] | None = None, store: str | None = None) -> StudyResults:
    """Load the results of a study that has been run.

    Args:
        name: as in ``ablate study list`` (``"tau_sweep"``, ``"tau_sweep@smoke"``).
        home: the folder with the results; default ``$ABLATE_HOME``, or else ``.ablate``.
        store: the SQLAlchemy URL of a database other than the home's.

    Raises:
        HomeError: the home has no results.
        UnknownName: no such study in it, with a suggestion.
        StoreError: the database cannot be opened.
    """
    folder = home_path(home).resolve()
    if store is None and not (folder / DATABASE).is_file():
        raise HomeError(f"no studies have been run in {folder}; run one, or give another home")
    with Store(store or home_url(folder), writing=False) as database:
        return StudyResults(Study.read(database, name), folder, get_registry())


class StudyResults:
    """The results of a study; read once, so later executions of the study do not change them.

    In Jupyter it is displayed as its question and verdicts. Its methods return the rest::

        results = ablate.load_results("tau_sweep")
        results.frame()             # one row for each measurement
        results.effects()           # one row for each comparison, with interval, p and verdict
        results.figure("forest")    # a matplotlib figure
        results.samples("tau=1.0")  # the samples of a run, as performances
    """

    def __init__(self, study: Study, home: Path, registry: Registry) -> None:
        self._study, self._home = study, home
        self._analysis = Analysis(study, registry)
        self._files = RunFiles(study, home)

    @property
    def name(self) -> str:
        """The name of the study."""
        return self._study.record.name

    @property
    def variants(self) -> list[str]:
        """The names of the variants, in order."""
        return self._study.names

    def frame(self) -> pd.DataFrame:
        """Return every measurement, tidy: one row for each sample, metric and feature.

        Columns: ``study``, ``variant``, one for each axis, ``baseline``, ``replicate``, ``sample``, ``metric``,
        ``feature``, ``value``, ``unit``, ``direction``, ``n``. Judged results also have
        ``replicate_label``, the name of the replicate in the results, such as its seed.
        """
        return with_labels(self._study.frame, self._study.spec)

    def estimates(self) -> pd.DataFrame:
        """Return the mean of every variant over replicates with its 95 % interval, for each metric and feature.

        Columns: ``variant``, ``baseline``, ``metric``, ``feature``, ``unit``, ``direction``; ``mean``, ``sd``, ``min``
        and ``max`` over the ``n`` replicates, and their ``samples`` in all; the ``estimate`` that the study asks for
        (mean or interquartile mean) with its interval ``low`` to ``high``, and the ``method`` of the interval.
        """
        return self._analysis.estimates.copy()

    def effects(self) -> pd.DataFrame:
        """Return every comparison with its difference, interval, p and verdict.

        Columns: ``kind``, ``comparison``, ``versus``, ``alias``; the quantity: ``metric``, ``feature``, ``unit``,
        ``direction``, ``role``; ``n`` replicates, the ``difference``, its 95 % interval ``low`` to ``high``, the
        standardised ``effect``; ``p`` of this comparison alone, ``p_adjusted`` in its family of ``family`` comparisons,
        the ``level`` of one comparison that is still open, in a study with one look, and ``level_now``, that of this
        look; ``margin``, ``margin_of``, ``p_equivalent``, ``withheld``;
        ``p_better`` with ``p_better_low`` and ``p_better_high``; ``doubts``; and the ``verdict``:
        ``better``, ``worse``, ``higher``, ``lower``, ``equivalent``, ``alike``, ``inconclusive``, or empty where the
        report claims nothing.
        """
        return self._analysis.all_effects.drop(columns="values")

    def block_effects(self) -> pd.DataFrame:
        """Return every comparison in every block, without a verdict.

        Columns: those of :meth:`effects` that name the comparison and the quantity; ``block``, ``n``, ``difference``,
        its 95 % interval ``low`` to ``high``, and ``p``. In a study without blocks, the block has an empty name.
        """
        return self._analysis.block_effects.copy()

    def replicability(self) -> pd.DataFrame:
        """Return how comparisons vary between blocks, and in how many blocks they hold, without exploratory quantities.

        Columns: those of :meth:`effects` that name the comparison and the quantity; the number of ``blocks``; the
        number in which the difference holds, ``holds_in``, with ``p_holds``; the standard deviation between blocks,
        ``sd_between``, with its 95 % interval ``sd_low`` to ``sd_high``, and ``p_heterogeneity``.
        """
        return self._analysis.replicability.copy()

    def floors(self) -> pd.DataFrame:
        """Return the floors, which are values without a model, by variant, metric, feature and floor.

        Columns: ``variant``, ``metric``, ``feature``, ``floor``; the ``mean`` of the ``n`` pieces, shuffles or draws,
        and the range of 95 % of them, ``low`` to ``high``.
        """
        return self._analysis.floors.copy()

    def variance(self) -> pd.DataFrame:
        """Return the variance components of each comparison: sampling within a training, and training.

        Columns: ``kind``, ``comparison``, ``versus``, quantity, ``n``, ``samples``; the variances ``sampling`` and
        ``training``, the ``share`` of sampling noise and the ``optimal`` number of samples, each with its interval;
        ``training_seconds`` and ``sample_seconds``.
        """
        return self._analysis.variance.copy()

    def runs(self) -> pd.DataFrame:
        """Return every run: its state, training, costs and samples.

        Columns: ``variant``, ``replicate``, ``state`` (``done``, ``failed``, ...), ``error``; ``training``, the
        fingerprint of the training, which runs may share; ``loss`` and ``validation_loss`` (nats per token), ``steps``,
        ``kept_step``, ``stopped_early``, ``tokens_seen``, ``parameters``, ``tokens_per_second``, ``steps_per_epoch``;
        ``together``, the models that were trained as one; ``notes_kept``, the share of notes that the tokenizer keeps;
        ``train_seconds``, ``train_joules``, ``generate_seconds``; ``sample_notes`` and ``sample_seconds``, the means of
        a sample; ``device`` and ``precision``.
        """
        return with_labels(self._study.run_frame, self._study.spec)

    def splits(self) -> pd.DataFrame:
        """Return the pieces of every run by their use; empty for a study that holds no piece out.

        Columns: ``variant``, ``replicate``, ``use`` (``train``, ``validation`` or ``test``), ``piece``, ``notes``,
        ``seconds``.
        """
        return self._study.splits.frame(self._study.names)

    def validation(self) -> pd.DataFrame:
        """Return the validation losses of every run over its steps; empty for a study without validation.

        Columns: ``variant``, ``replicate``, ``training``, ``step``, ``loss`` (nats per token), ``kept`` (whether the
        measured weights are those of this step).
        """
        return validation_frame(self._study, Artifacts(self._home))

    def losses(self, variant: str = "", replicate: int = 0) -> Losses:
        """Return the losses of one training in nats per token: ``training`` of every step, and ``validation``.

        This and the next methods read the files of one run.

        Args:
            variant: its name; default the baseline.
            replicate: from 0.

        Returns:
            ``training``, float32 [steps], and ``validation``, float64 [evaluations, 2] of steps done and loss.

        Raises:
            UnknownName: no such variant.
            UsageError: no such replicate.
            AblateError: the run has no such result: it failed, or its results are from elsewhere.
            HomeError: the file is gone or damaged.
        """
        return self._files.losses(variant, replicate)

    def samples(self, variant: str = "", replicate: int = 0) -> list[Performance]:
        """Return the samples of one run; in Jupyter, each is displayed as a piano roll.

        Args:
            variant: its name; default the baseline.
            replicate: from 0.

        Raises:
            UnknownName, UsageError, AblateError, HomeError: as :meth:`losses`.
        """
        return self._files.samples(variant, replicate)

    def references(self) -> dict[str, Performance]:
        """Return the first piece that samples are compared with, by its title; one for each corpus of the study.

        It is empty if the home no longer has the music.
        """
        return Artifacts(self._home).references(self._study)

    def tokens(self, variant: str = "", replicate: int = 0) -> IntArray:
        """Return the generated tokens of one run, int64 [samples, time], without primers.

        Args:
            variant: its name; default the baseline.
            replicate: from 0.

        Raises:
            UnknownName, UsageError, AblateError, HomeError: as :meth:`losses`.
        """
        return self._files.tokens(variant, replicate)

    def weights(self, variant: str = "", replicate: int = 0) -> Path:
        """Return the path of the weights of one run, a file of safetensors.

        Args:
            variant: its name; default the baseline.
            replicate: from 0.

        Raises:
            UnknownName, UsageError, AblateError, HomeError: as :meth:`losses`.
        """
        return self._files.weights(variant, replicate)

    def outputs(self, variant: str = "", replicate: int = 0) -> Path:
        """Return the folder with everything that the program of one run wrote.

        Args:
            variant: its name; default the baseline.
            replicate: from 0.

        Raises:
            UnknownName, UsageError, AblateError, HomeError: as :meth:`losses`.
        """
        return self._files.outputs(variant, replicate)

    def verdicts(self) -> Answer:
        """Return the top of the report: the hypothesis, sentences with verdicts, warnings, what was left out."""
        return answer(self._analysis)

    def figure(self, kind: str = "forest") -> Figure:
        """Return a figure of the report, to show, change or save.

        Args:
            kind: one of :data:`ablate.report.figures.gallery.FIGURES`.

        Raises:
            UnknownName: no such figure, or this study has none of that kind.
        """
        if kind not in FIGURES:
            raise UnknownName("figure", kind, FIGURES)
        artifacts = Artifacts(self._home)
        drawing = FIGURES[kind](self._analysis, artifacts)
        if drawing is None:
            names = [name for name, draw in FIGURES.items() if draw(self._analysis, artifacts)]
            raise UnknownName("figure", kind, names, where="of this study")
        return drawing.figure

    def latex(self, **options: Any) -> str:
        """Return a table for a paper, in LaTeX with booktabs, no wider than the paper's text.

        Args:
            options: of :class:`ablate.report.formats.latex.options.TableOptions`, such as ``quantities``, ``labels``,
                ``intervals="pm"`` or ``columns=2``.

        Raises:
            UnknownName: no such quantity or variant.
            UsageError: options that are not possible, or a width that is too narrow.
        """
        return latex_table(self._analysis, TableOptions(**options)).tex

    def __repr__(self) -> str:
        done = sum(run.state == "done" for run in self._study.runs)
        return f"<results of {self.name}: {len(self.variants)} variants, {done} of {len(self._study.runs)} runs done>"

    def _repr_html_(self) -> str:
        """Return the HTML for Jupyter: the question, the verdicts, the warnings and what was left out."""
        summary, question = self.verdicts(), html.escape(str(self._study.spec.get("question", "")))
        parts = [f"<h3>{html.escape(self.name)}</h3><p>{question}</p>"]
        blocks = [summary.hypothesis, *summary.blocks] if summary.hypothesis else summary.blocks
        parts += [_html_list(block.heading, (line.text for line in block.lines)) for block in blocks]
        if summary.promise:
            parts.append(f"<p><small>{html.escape(summary.promise)}</small></p>")
        if summary.population:
            parts.append(f"<p><small>{html.escape(summary.population)}</small></p>")
        if summary.warnings:
            parts.append(_html_list("Before you trust a difference", summary.warnings))
        if summary.left_out:
            parts.append(_html_list("Left out", summary.left_out))
        if summary.problems:
            parts.append(f"<p>{len(summary.problems)} problems with files: see verdicts().problems</p>")
        return "".join(parts)


def _html_list(heading: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<p><strong>{html.escape(heading)}</strong></p><ul>{items}</ul>"
