"""``ablate generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.destination import free_place
from ablate.cli.echo import echo
from ablate.cli.locations import check_stored, existing_store, home_option, store_option, stored_study
from ablate.cli.output import json_option, print_json, print_table
from ablate.cli.settings import parse_setting
from ablate.cli.study.planning.reuse import accept_weights, keep_option
from ablate.errors import UsageError, first_problems

if TYPE_CHECKING:
    from ablate.music.performance import Performance
    from ablate.music.write import MidiFile


@click.command("generate")
@click.argument("study")
@click.option("--variant", default="", help="Variant of the study, by name; default: the baseline.")
@click.option(
    "--replicate", type=click.IntRange(min=0), default=0, show_default=True, help="Replicate to use, from 0 on."
)
@click.option(
    "--count", type=click.IntRange(min=1), default=None, help="Number of samples; default: that of the study."
)
@click.option(
    "--tokens", type=click.IntRange(min=1), default=None, help="New tokens in each sample; default: that of the study."
)
@click.option(
    "--first",
    type=click.IntRange(min=0),
    default=0,
    help="Index of the first sample; 0 reproduces the study's own samples (on a GPU up to rounding).",
)
@click.option("--primer", type=click.Path(exists=True, dir_okay=False), help="A MIDI file to continue.")
@click.option(
    "--primer-seconds",
    type=click.FloatRange(min=0),
    help="Length of the primer in seconds, taken from --primer or from the corpus's first piece.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    help="Override a setting, e.g. sampler.temperature.tau=0.9 (repeatable).",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set a conditioning label, e.g. tempo=1.1 (repeatable).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    callback=free_place,
    required=True,
    help="Folder for the MIDI files.",
)
@click.option("--device", default="auto", show_default=True, help="auto (as in training), cpu, cuda or cuda:N.")
@keep_option
@stored_study("study")
@home_option
@store_option
@json_option
def command(  # noqa: PLR0913 - an option each
    *,
    study: str,
    variant: str,
    replicate: int,
    first: int,
    out: Path,
    device: str,
    keep_results: bool,
    home: Path,
    store: str | None,
    as_json: bool,
    **values: Any,
) -> None:
    """Generate MIDI files with a model that a study has trained.

    Example: ablate generate tau_sweep --variant tau=1.0 --count 8 --set sampler.temperature.tau=0.9 --out music
    """
    with existing_store(home, store) as opened:
        check_stored(opened, study, home)  # before torch is imported
        from ablate.registry import get_registry
        from ablate.study.generate import GenerateRequest, generate_samples

        variant = variant or next(each.name for each in opened.variants(study) if each.baseline)
        accept_weights(opened, study, variant, replicate, keep=keep_results)
        request = GenerateRequest(study, variant, replicate, _settings(values), first)
        odd: list[str] = []
        samples = generate_samples(opened, home.resolve(), request, get_registry(), device=device, say=odd.append)
    for line in first_problems(odd, "see: ablate corpus inspect FILE --json"):
        echo(f"note: --primer: {line}", err=True)
    if odd and values["primer"]:
        taken = f"its first {values['primer_seconds']:g} s are the primer"
        echo(f"note: --primer: these counts are of the whole file; {taken}", err=True)
    files = [sample.midi_file() for sample in samples]
    written = _write(samples, files, out, _stem(study, variant, replicate))
    facts = [_facts(path, sample) for path, sample in zip(written, samples, strict=True)]
    for path, file in zip(written, files, strict=True):
        for problem in file.problems:
            echo(f"{path.name}: {problem}", err=True)
    if as_json:
        print_json(facts)
        return
    print_table(list(facts[0]), [[_as_text(value) for value in each.values()] for each in facts], right=4, path=0)


def _settings(values: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    settings = [parse_setting(text) for text in values["settings"]]
    for text in values["labels"]:
        name, value = parse_setting(text, "--label")
        settings.append((f"labels.{name}", value))
    sizes = {"generation.samples": values["count"], "generation.tokens": values["tokens"]}
    settings += [(path, value) for path, value in sizes.items() if value is not None]
    return (*settings, *_primer_settings(values["primer"], values["primer_seconds"]))


def _primer_settings(file: str | None, seconds: float | None) -> list[tuple[str, Any]]:
    """Return the settings of ``--primer`` and ``--primer-seconds``, which replace the study's whole primer."""
    if file and seconds is None:
        raise UsageError("--primer needs --primer-seconds, the length to take from the file")
    if seconds is None:
        return []
    primer = {"tokens": 0, "notes": 0, "seconds": seconds, "file": file or "", "piece": ""}
    return [(f"primer.{option}", value) for option, value in primer.items()]


def _stem(study: str, variant: str, replicate: int) -> str:
    """Return the start of the names of files; its first part is the name of the folder of the study's report."""
    from ablate.files import file_name

    return f"{file_name(study)}-{file_name(variant.replace(', ', ','))}-r{replicate}"


def _write(samples: list[Performance], files: list[MidiFile], out: Path, stem: str) -> list[Path]:
    paths = [out / f"{stem}-{sample.name.removeprefix('sample-')}.mid" for sample in samples]
    existing = [path for path in paths if path.exists()]
    if existing:
        raise UsageError(f"--out {out}: {existing[0].name} exists already; choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.data())
    except OSError as error:
        raise UsageError(f"--out {out}: cannot write ({error.strerror}); choose another folder") from error
    return paths


def _facts(path: Path, sample: Performance) -> dict[str, Any]:
    return {
        "file": str(path),
        "new_notes": len(sample),
        "new_seconds": sample.continuation().seconds,
        "primer_notes": len(sample.primer),
        "primer_seconds": sample.primer_seconds,
    }


def _as_text(value: Any) -> Any:
    return f"{value:.1f}" if isinstance(value, float) else value
