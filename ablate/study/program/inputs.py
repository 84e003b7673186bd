"""The files that decide a program's result: inputs, the files that its command names, and the modules of a script."""

from __future__ import annotations

import ast
import functools
import glob
import hashlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import StudyFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def matching(pattern: str, folder: Path) -> list[str]:
    """Return the files that a pattern matches, relative to ``folder`` unless the pattern is absolute, sorted.

    A folder stands for all files in it and in its subfolders. Hidden files and ``__pycache__`` count only where the
    pattern names them.
    """
    names: set[str] = set()
    # a pattern may be absolute, which Path.glob refuses
    for name in glob.glob(str(Path(pattern).expanduser()), root_dir=folder, recursive=True):  # noqa: PTH207
        path = folder / name
        names |= {name} if path.is_file() else {f"{name.rstrip('/')}/{inner}" for inner in _files_in(path)}
    return sorted(names)


def _files_in(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        inner = path.relative_to(folder)
        ignored = any(part.startswith(".") or part == "__pycache__" for part in inner.parts)
        if path.is_file() and not ignored:
            yield inner.as_posix()


def command_files(command: Sequence[str], folder: Path) -> list[str]:
    """Return the files that a command names, with the modules that its Python files import from beside them.

    Args:
        command: the program and its arguments, parameters filled in.
        folder: that the program works in.
    """
    found: dict[str, None] = {}
    for before, word in itertools.pairwise(["", *command]):
        program = not before and (os.sep not in word or Path(word).is_absolute())  # python, /usr/bin/python
        if before == "-m":
            found |= dict.fromkeys(_modules(f"{word}.__main__", folder, ""))
        elif not program:
            # --config=a.yaml and config=a.yaml name a file, too
            named = (name for name in (word, word.partition("=")[2]) if name and _is_file(folder / name))
            found |= dict.fromkeys(named)
    todo = [name for name in found if name.endswith(".py")]
    # Python imports from the folder of a script, and with -m from the folder that it works in
    roots = {name: str(Path(name).parent) if name in command else "" for name in todo}
    while todo:
        name = todo.pop()
        for imported in _imports(folder / name, name, folder, roots[name]):
            if imported not in found:
                found[imported] = None
                roots[imported] = roots[name]
                todo.append(imported)
    return sorted(found)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # an argument that is no path at all
        return False


def _imports(path: Path, name: str, folder: Path, root: str) -> Iterator[str]:
    """Yield the local modules that a Python file imports."""
    facts = path.stat()
    for module, level, names in _statements(path, facts.st_ctime_ns, facts.st_size):
        start, parents = root, Path(name).parents
        if level:
            start = str(parents[level - 1]) if level <= len(parents) else root
        yield from _modules(module, folder, start)
        for each in names:
            yield from _modules(f"{module}.{each}".strip("."), folder, start)


@functools.lru_cache(maxsize=65536)
def _statements(path: Path, _changed: int, _size: int) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    """Return module, level and names of each import; nothing for a file that cannot be parsed."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ()
    found: list[tuple[str, int, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level, tuple(alias.name for alias in node.names)))
    return tuple(found)


def _modules(dotted: str, folder: Path, root: str) -> Iterator[str]:
    """Yield the files of a module and of the packages around it, where they are below ``root``."""
    parts = [part for part in dotted.split(".") if part]
    for count in range(1, len(parts) + 1):
        stem = Path(root, *parts[:count])
        for file in (stem / "__init__.py", stem.with_suffix(".py")):
            if _is_file(folder / file):
                yield file.as_posix()


def digests(names: Sequence[str], folder: Path) -> list[list[str]]:
    """Return ``[name, SHA-256]`` of each file.

    Raises:
        StudyFileError: a file cannot be read.
    """
    result = []
    for name in names:
        path = folder / name
        try:
            facts = path.stat()
            result.append([name, _digest(path, facts.st_ctime_ns, facts.st_size)])
        except OSError as error:
            raise StudyFileError(str(path), [f"cannot be read as an input of the program: {error.strerror}"]) from error
    return result


@functools.lru_cache(maxsize=65536)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
