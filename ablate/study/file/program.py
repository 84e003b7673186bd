"""Check the sections ``[program]`` and ``[parameters]``: the command, its placeholders, and the files that it needs."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.building import fewest_of
from ablate.errors import InvalidOptions, did_you_mean
from ablate.files import anchored
from ablate.options import abridged, validate
from ablate.settings import ProgramSettings
from ablate.specs import SetMetricSpec
from ablate.study.file.paths import join
from ablate.study.program.inputs import matching
from ablate.study.program.placeholders import OF_RUN, OF_START, RESERVED, filled, is_value, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ablate.specs import ComponentSpec
    from ablate.study.file.paths import FileShape, Problem

#: What a variant may change in ``[program]``: the keys that decide the result.
VARIED = ("command", "inputs", "environment")
#: Sections that the program itself stands for.
_REPLACED = (
    *("tokenizer", "augmenter", "conditioner", "model", "optimizer", "schedule", "sampler"),
    *("training", "generation", "primer", "labels"),
)
#: Sections that would change what MIDI files are compared with.
_NO_SPLIT = ("split", "measure")


def flat_parameters(raw: FileShape) -> FileShape:
    """Return a study file in which tables inside ``[parameters]`` are dotted names: ``model.width`` of one table."""
    if isinstance(raw.get("parameters"), dict):
        raw = {**raw, "parameters": _flat(raw["parameters"])}
    for section in ("variants", "profiles"):
        tables = raw.get(section)
        if isinstance(tables, dict):
            flat = {
                name: flat_parameters(table) if isinstance(table, dict) else table for name, table in tables.items()
            }
            raw = {**raw, section: flat}
    return raw


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = join(prefix, key)
        flat |= _flat(value, name) if isinstance(value, dict) and value else {name: value}
    return flat


def anchored_program(raw: FileShape, folder: Path) -> FileShape:
    """Return a study file in which the folder of the program is an absolute path."""
    program = raw.get("program")
    if not isinstance(program, dict) or not isinstance(program.get("folder", "."), str):
        return raw
    own = anchored(program.get("folder", "."), folder)
    return {**raw, "program": {**program, "folder": own}}


def program_settings(table: Mapping[str, Any], problems: list[Problem]) -> ProgramSettings | None:
    """Return the settings of ``[program]``; None if they do not fit."""
    try:
        return validate(ProgramSettings, table)
    except InvalidOptions as error:
        problems += [(join("program", key), text) for key, text in error.problems]
        return None


def fewest_samples(metric: ComponentSpec, options: Mapping[str, Any]) -> int:
    """Return the samples that a metric needs at least; 0 for a metric of single samples."""
    return fewest_of(metric, options) if isinstance(metric, SetMetricSpec) else 0


def program_problems(
    config: FileShape, program: ProgramSettings, scopes: Mapping[str, str], fewest: Mapping[str, int]
) -> Iterator[Problem]:
    """Find what is wrong with the program of a variant.

    Args:
        config: of the variant, in file shape.
        program: its section ``[program]``.
        scopes: what each component that is chosen as a metric measures.
        fewest: the samples that metrics of sets need.
    """
    if os.name == "nt":
        yield (
            "program",
            "programs of your own run on Linux and macOS only: Windows has no process groups to end them by",
        )
    yield from _section_problems(config, program)
    yield from _midi_problems(config, program, scopes, fewest)
    parameters = config.get("parameters", {})
    wrong = list(_parameter_problems(parameters))
    yield from wrong
    if not wrong:
        yield from _placeholder_problems(program, parameters)
        yield from _file_problems(program, parameters)


def _section_problems(config: FileShape, program: ProgramSettings) -> Iterator[Problem]:
    for section in _REPLACED:
        if section in config:
            yield section, "the program takes the place of this section; remove it, or remove [program]"
    for section in _NO_SPLIT:
        if section in config:
            text = "the program divides its pieces itself; remove this section, and name in [corpus] the pieces to "
            yield section, f"{text}compare its MIDI files with"
    for key in ("metrics", "midi"):
        path = Path(getattr(program, key))
        if path.is_absolute() or ".." in path.parts:
            yield f"program.{key}", f"must be a path below {{out}}, not {abridged(str(path))}"


def _midi_problems(
    config: FileShape, program: ProgramSettings, scopes: Mapping[str, str], fewest: Mapping[str, int]
) -> Iterator[Problem]:
    """Find what does not fit together: MIDI files, the corpus that they are compared with, and metrics of them."""
    if not program.midi:
        for section in ("corpus", *(f"metric.{name}" for name in scopes)):
            if section != "corpus" or section in config:
                yield section, "is used for MIDI files only; set program.midi to their pattern, or remove it"
        return
    if "corpus" not in config:
        yield "corpus", "is needed: the pieces that the MIDI files are compared with"
    if not scopes and not program.declared:
        yield "metric", "a study needs a metric of its MIDI files, or program.metrics"
    for name, scope in scopes.items():
        if scope == "model":
            yield f"metric.{name}", "measures a model of ablate, and a program has none"
        elif name in program.declared:
            yield f"program.directions.{name}", "is also a metric of the MIDI files; give it another name"
        elif program.samples < fewest.get(name, 0):
            text = f"needs {fewest[name]} samples or more: set program.samples to the number that each run writes"
            yield f"metric.{name}", text


def _parameter_problems(parameters: Mapping[str, Any]) -> Iterator[Problem]:
    for name, value in parameters.items():
        if name in RESERVED:
            yield f"parameters.{name}", f"{{{name}}} stands for something else already; choose another name"
        elif not is_value(value):
            wanted = "must be text, a number, true or false, or a list of these"
            yield f"parameters.{name}", f"{wanted}, not {abridged(value)}"


def _texts(program: ProgramSettings) -> Iterator[tuple[str, str]]:
    """Yield every text that placeholders may be in, with its key."""
    yield from ((f"program.command[{index}]", word) for index, word in enumerate(program.command))
    yield from ((f"program.environment.{name}", text) for name, text in (program.environment or {}).items())
    yield from ((f"program.inputs[{index}]", text) for index, text in enumerate(program.inputs))


def _placeholder_problems(program: ProgramSettings, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    used: set[str] = set()
    known = (*parameters, *RESERVED)
    for key, text in _texts(program):
        for name in names_in(text):
            used.add(name)
            if name not in known:
                listing = f"parameters: {', '.join(parameters) or 'none'}; also {', '.join(RESERVED)}"
                yield key, f"{{{name}}} stands for nothing{did_you_mean(name, known)} ({listing})"
            elif name in OF_START and key.startswith("program.inputs"):
                yield key, f"{{{name}}} is known only when the program starts, so it cannot be in an input"
    if "out" not in used:
        yield "program.command", "does not contain {out}, the folder that the program must write its results to"
    if not used & {"seed", "replicate"}:
        yield "program.command", "contains neither {seed} nor {replicate}, so all replicates would be the same run"
    for name in parameters:
        if name not in used:
            hint = did_you_mean(name, used - set(RESERVED))
            yield f"parameters.{name}", f"is not used: the command has no {{{name}}}{hint}"


def _file_problems(program: ProgramSettings, parameters: Mapping[str, Any]) -> Iterator[Problem]:
    folder = Path(program.folder)
    if not folder.is_dir():
        yield "program.folder", f"{folder} is no folder"
        return
    word = filled(program.command[0], parameters)
    if not any(names_in(word)):
        yield from _start_problems(word, folder, program.environment or {})
    for index, pattern in enumerate(program.inputs):
        text = filled(pattern, parameters)
        if not any(name in OF_RUN for name in names_in(text)) and not matching(text, folder):
            yield f"program.inputs[{index}]", f"no file matches {abridged(text)} in {folder}{_similar(text, folder)}"


def _start_problems(word: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Problem]:
    """Find out why a program cannot be started."""
    key = "program.command[0]"
    if os.sep in word:
        path = folder / word
        if not path.is_file():
            yield key, f"no program {word} in {folder}{_similar(word, folder)}"
        elif not os.access(path, os.X_OK):
            yield key, f"{word} is not executable; make it so (chmod +x), or start it with its interpreter"
        return
    path_variable = environment.get("PATH", os.environ.get("PATH", ""))
    if not shutil.which(word, path=path_variable):
        hint = did_you_mean(word, _programs(path_variable)) or "; give its path"
        yield key, f"no program '{word}' in PATH{hint}"


def _programs(path_variable: str) -> Sequence[str]:
    folders = [Path(folder) for folder in path_variable.split(os.pathsep) if folder]
    return sorted({path.name for folder in folders if folder.is_dir() for path in folder.iterdir()})


def _similar(name: str, folder: Path) -> str:
    """Return the suggestion for a misspelt file."""
    parent, last = (folder / name).parent, Path(name).name
    others = [path.name for path in parent.iterdir()] if parent.is_dir() else []
    return did_you_mean(last, others) or ""


def program_path_problem(section: str, option: str, config: FileShape) -> str:
    """Return why the value at ``section.option`` cannot be changed; an empty string if it can."""
    if "program" not in config:
        return f"[{section}] belongs to a study that runs a program; this study has no [program]"
    if not option:
        return f"name a {'parameter' if section == 'parameters' else 'setting'}: {section}.NAME"
    if section == "program":
        known = [field.name for field in dataclasses.fields(ProgramSettings)]
        name = option.partition(".")[0]
        return "" if name in known else f"[program] has no setting '{option}'{did_you_mean(option, known)}"
    parameters = list(config.get("parameters", {}))
    if option in parameters:
        return ""
    hint = did_you_mean(option, parameters) or f" (it has: {', '.join(parameters) or 'none'}); set its value there"
    return f"[parameters] has no parameter '{option}'{hint}"


def varied_problem(path: str) -> str:
    """Return why variants cannot differ in a key of ``[program]``; an empty string if they can."""
    section, _, option = path.partition(".")
    if section != "program" or option in VARIED:
        return ""
    return f"variants differ in parameters.NAME, or in program.{', program.'.join(VARIED)}; this is for the whole study"
