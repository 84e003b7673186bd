"""``ablate judge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import home_option, name_option, store_option
from ablate.cli.output import combine_options, json_option
from ablate.cli.settings import parse_setting
from ablate.cli.study.planning.reuse import reuse_options
from ablate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ablate.study.judge.judge import Request, Source

_FILE = click.Path(path_type=Path)
#: The sources of results, as people write them, with the names of their values.
_SOURCES = {"TABLE": "table", "--optuna": "optuna", "--mlflow": "mlflow", "--wandb-csv": "wandb_csv"}
_SOURCES |= {"--midi": "midi"}
_TABLE_OPTIONS = ("replicate", "sample", "metric_column", "value_column", "encoding")
_columns = combine_options(
    click.option(
        "--variant", "variants", multiple=True, metavar="COLUMN", help="Column of the variants (repeatable: axes)."
    ),
    click.option("--replicate", metavar="COLUMN", default="", help="Column of the replicates, such as seeds."),
    click.option("--sample", metavar="COLUMN", default="", help="Column that tells samples of a replicate apart."),
    click.option("--metric-column", metavar="COLUMN", default="", help="Long table: column of the metrics' names."),
    click.option("--value-column", metavar="COLUMN", default="", help="Long table: column of the numbers."),
    click.option("--encoding", metavar="NAME", default="", help="Encoding of a table of text; default: UTF-8."),
)
_verdicts = combine_options(
    click.option(
        "--baseline",
        multiple=True,
        metavar="NAME",
        help="Variant to compare with: its name or level, or AXIS=LEVEL for each axis; default: the first one.",
    ),
    click.option(
        "--metric",
        "metrics",
        multiple=True,
        metavar="NAME",
        help="Metric to judge, the primary one first (repeatable).",
    ),
    click.option(
        "--direction",
        "directions",
        multiple=True,
        metavar="METRIC=lower|higher",
        help="Which values of a metric are better (repeatable); without it, verdicts are higher and lower.",
    ),
    click.option(
        "--margin",
        "margins",
        multiple=True,
        metavar="METRIC=NUMBER",
        help='Smallest difference that matters, or as a share of the baseline\'s mean: "loss=10 %" (repeatable).',
    ),
    name_option("Name to store the study under; default: that of the source."),
)


_sources = combine_options(
    click.argument("table", required=False, metavar="[TABLE]", type=_FILE),
    click.option(
        "--optuna",
        nargs=2,
        metavar="URL STUDY",
        help="Judge the trials of an Optuna study (sqlite:///mine.db, or a file); parameters are axes.",
    ),
    click.option(
        "--mlflow",
        nargs=2,
        metavar="FOLDER_OR_DB EXPERIMENT",
        help="Judge the runs of an MLflow experiment (mlruns, or sqlite:///mlflow.db); parameters are axes.",
    ),
    click.option(
        "--wandb-csv", metavar="FILE", type=_FILE, help="Judge a table of runs exported from Weights & Biases."
    ),
    click.option(
        "--midi",
        metavar="FOLDER",
        type=_FILE,
        help="Measure and judge MIDI files, FOLDER/VARIANT/REPLICATE/*.mid, with ablate's metrics.",
    ),
)
_music = combine_options(
    click.option(
        "--reference",
        metavar="PATH|NAME",
        default="",
        help="With --midi: the music to compare with, a MIDI file, a folder, or the name of a corpus.",
    ),
    click.option(
        "--tokenizer",
        metavar="NAME",
        default="",
        help="With --midi: measure also the floors of this tokenizer, its round trip and its shuffled tokens.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KIND.NAME.OPTION=VALUE",
        help="With --midi: an option of a metric, of the reference (corpus.midi.instruments=piano, which also applies "
        "to the files) or of the tokenizer, as in a study file (repeatable).",
    ),
    click.option(
        "--skip-bad", is_flag=True, help="With --midi: leave out files that cannot be read or have no notes; list them."
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=None,
        help="With --midi: worker processes; default: one for each core.",
    ),
    reuse_options,
)


@click.command("judge")
@_sources
@_columns
@_verdicts
@_music
@click.option("--report/--no-report", "with_report", default=True, help="Write the report (default), or not.")
@home_option
@store_option
@json_option
def judge(**values: Any) -> int:
    """Judge results that somebody else computed, as a study of this home.

    TABLE is a CSV, JSON Lines or Parquet file with a row for each result. It has a column for each metric, or a column
    of metrics and a column of values. Columns that no option names are guessed, and the guess is printed. Databases of
    Optuna and MLflow are only read. MIDI files are measured first. Afterwards 'ablate study' shows, reports, compares
    and exports the results like those of any study.

    Example: ablate judge results.csv --variant method --replicate seed --baseline ours --direction loss=lower
    """
    given = [option for option, key in _SOURCES.items() if values[key]]
    if len(given) != 1:
        problem = f"{' and '.join(given)} cannot be combined" if given else "nothing to judge"
        raise UsageError(f"{problem}; give one of {', '.join(_SOURCES)}; see: ablate judge --help")
    _check_music(values)
    if values["midi"]:
        from ablate.cli.judge.midi import judge_midi

        return judge_midi(_request(_midi_words(values), values), values)
    from ablate.cli.judge.output import print_study
    from ablate.study.judge.judge import judged_study

    source, words = _source(values)
    print_study(judged_study(source, _request(words, values)), values)
    return 0


def _check_music(values: Mapping[str, Any]) -> None:
    """Check that options fit the kind of source.

    Raises:
        UsageError: an option of music without music, or one of tables with music.
    """
    music = {
        "--reference": "reference",
        "--tokenizer": "tokenizer",
        "--set": "settings",
        "--skip-bad": "skip_bad",
        "--workers": "workers",
    }
    music |= {"--recompute": "recompute", "--keep-results": "keep_results"}
    tables = {"--variant": "variants", **{f"--{key.replace('_', '-')}": key for key in _TABLE_OPTIONS}}
    given = [option for option, key in (tables if values["midi"] else music).items() if values[key]]
    if given:
        need = "is for tables" if values["midi"] else "needs --midi FOLDER"
        raise UsageError(f"{given[0]} {need}; leave it out")
    if values["midi"] and not values["reference"]:
        raise UsageError("--midi needs --reference, the music to compare with: a MIDI file, a folder, or a corpus")


def _midi_words(values: Mapping[str, Any]) -> list[str]:
    """Return the words of the command that name the music."""
    words = ["--midi", str(values["midi"]), "--reference", values["reference"]]
    words += ["--tokenizer", values["tokenizer"]] if values["tokenizer"] else []
    words += [word for setting in values["settings"] for word in ("--set", setting)]
    return words + ["--skip-bad"] * values["skip_bad"]


def _source(values: Mapping[str, Any]) -> tuple[Source, list[str]]:
    """Return the source that these option values name, and the words of the command that name it."""
    encoding = values["encoding"]
    if values["optuna"]:
        from ablate.study.judge.sources.optuna_trials import optuna_source

        return optuna_source(*values["optuna"]), ["--optuna", *values["optuna"]]
    if values["mlflow"]:
        from ablate.study.judge.sources.mlflow_runs import mlflow_source

        return mlflow_source(*values["mlflow"]), ["--mlflow", *values["mlflow"]]
    if values["wandb_csv"]:
        from ablate.study.judge.sources.wandb_table import wandb_source

        path = values["wandb_csv"]
        return wandb_source(path, encoding, values["metrics"]), ["--wandb-csv", str(path)]
    from ablate.study.judge.judge import table_source

    return table_source(values["table"], encoding), [str(values["table"])]


def _request(source: list[str], values: Mapping[str, Any]) -> Request:
    """Return the request that these option values describe; ``source`` is the part of the command that names it."""
    from ablate.study.judge.columns import Wanted
    from ablate.study.judge.judge import Request

    names = ("variants", "replicate", "sample", "metrics", "metric_column", "value_column")
    variants, replicate, sample, metrics, metric, value = (values[name] for name in names)
    return Request(
        wanted=Wanted(tuple(variants), replicate, sample, tuple(metrics), metric, value),
        baseline=values["baseline"],
        directions=[_direction(text) for text in values["directions"]],
        margins=[parse_setting(text, "--margin") for text in values["margins"]],
        name=values["name"],
        command=["ablate", "judge", *source, *_option_words(values)],
    )


def _direction(text: str) -> tuple[str, str]:
    metric, direction = parse_setting(text, "--direction")
    return metric, str(direction)


def _option_words(values: Mapping[str, Any]) -> Iterable[str]:
    """Yield the options of the command that decide the study."""
    repeated = {"variants": "--variant", "baseline": "--baseline", "metrics": "--metric"}
    repeated |= {"directions": "--direction", "margins": "--margin"}
    single = (*_TABLE_OPTIONS, "name")
    options = {name: f"--{name.replace('_', '-')}" for name in single} | repeated
    for name, option in options.items():
        given = values[name]
        for word in (given,) if isinstance(given, str) else given:
            if word:
                yield from (option, word)
