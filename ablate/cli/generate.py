"""``ablate generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.cli.locations import existing_store, home_option, store_option
from ablate.cli.output import json_option, print_json, print_table
from ablate.errors import UsageError

if TYPE_CHECKING:
    from ablate.music.performance import Performance


@click.command("generate")
@click.argument("study")
@click.option("--variant", default="", help="One of the study's variants, by name; default: its baseline.")
@click.option("--replicate", type=click.IntRange(min=0), default=0, show_default=True, help="Which training.")
@click.option("--count", type=click.IntRange(min=1), default=None, help="Samples; default: as many as the study has.")
@click.option("--tokens", type=click.IntRange(min=1), default=None, help="New tokens in each; default: the study's.")
@click.option("--first", type=click.IntRange(min=0), default=0, help="Number of the first sample; 0: the study's own.")
@click.option("--primer", type=click.Path(exists=True, dir_okay=False), help="A MIDI file to continue.")
@click.option("--primer-seconds", type=click.FloatRange(min=0), help="How much of it, or of the corpus's first piece.")
@click.option("--set", "settings", multiple=True, metavar="KEY.PATH=VALUE", help="Change a sampler or the like.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="Ask a conditioner for this.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for MIDI files.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:N; auto: as trained.")
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
    home: Path,
    store: str | None,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Write MIDI files with weights that a study has already trained.

    Example: ablate generate tau_sweep --variant tau=1.0 --count 8 --set sampler.temperature.tau=0.9 --out music
    """
    with existing_store(home, store) as opened:
        opened.study(study)  # an unknown name is said before torch is loaded
        from ablate.registry import get_registry
        from ablate.study.generate import GenerateRequest, generate_samples

        variant = variant or next(each.name for each in opened.variants(study) if each.baseline)
        wish = GenerateRequest(study, variant, replicate, _settings(wishes), first)
        samples = generate_samples(opened, home.resolve(), wish, get_registry(), device=device)
    written = _write(samples, out, f"{study}-{variant.replace(', ', ',')}-r{replicate}")
    facts = [_facts(path, sample) for path, sample in zip(written, samples, strict=True)]
    if as_json:
        print_json(facts)
        return
    print_table(list(facts[0]), [[_shown(value) for value in each.values()] for each in facts], right=4)


def _settings(wishes: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    from ablate.cli.study.run import parse_setting

    settings = [parse_setting(text) for text in wishes["settings"]]
    for text in wishes["labels"]:
        name, value = parse_setting(text, "--label")
        settings.append((f"labels.{name}", value))
    given = {"generation.samples": wishes["count"], "generation.tokens": wishes["tokens"]}
    settings += [(path, value) for path, value in given.items() if value is not None]
    return (*settings, *_primer_settings(wishes["primer"], wishes["primer_seconds"]))


def _primer_settings(file: str | None, seconds: float | None) -> list[tuple[str, Any]]:
    """``--primer`` and ``--primer-seconds``; they take the place of the study's own primer as a whole."""
    if file and seconds is None:
        raise UsageError("--primer: say how much of it with --primer-seconds")
    if seconds is None:
        return []
    whole = {"tokens": 0, "notes": 0, "seconds": seconds, "file": file or "", "piece": ""}
    return [(f"primer.{option}", value) for option, value in whole.items()]


def _write(samples: list[Performance], out: Path, stem: str) -> list[Path]:
    from ablate.files import file_name

    paths = [out / f"{file_name(stem)}-{sample.name.removeprefix('sample-')}.mid" for sample in samples]
    there = [path for path in paths if path.exists()]
    if there:
        raise UsageError(f"--out {out}: {there[0].name} is there already; choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for path, sample in zip(paths, samples, strict=True):
            path.write_bytes(sample.midi_bytes())
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be written: {error.strerror}") from error
    return paths


def _facts(path: Path, sample: Performance) -> dict[str, Any]:
    return {
        "file": str(path),
        "new_notes": len(sample),
        "new_seconds": sample.continuation().seconds,
        "primer_notes": len(sample.primer),
        "primer_seconds": sample.primer_seconds,
    }


def _shown(value: Any) -> Any:
    return f"{value:.1f}" if isinstance(value, float) else value
