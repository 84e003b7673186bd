"""The files and folders that the options of components name, by their content."""

from __future__ import annotations

import hashlib
import os
import typing
from pathlib import Path
from typing import Any

if typing.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class FileDigests:
    """Digests of files and folders; one that is as it was when its digest was recorded is not read again."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}

    def learn(self, recorded: Mapping[str, Mapping[str, str]]) -> None:
        """Take over digests that :meth:`of` gave before."""
        for path, facts in recorded.items():
            self._known[path, facts["stamp"]] = facts["digest"]

    def of(self, path: str) -> dict[str, str] | None:
        """Return the digest of a file's or folder's content, and a stamp of sizes and times; None if it is not there.

        Hidden files and caches of Python do not count.
        """
        try:
            entries = list(_entries(Path(path)))
            stamps = [f"{name} {size} {time}" for name, _, size, time in entries]
            stamp = hashlib.sha256("\n".join(stamps).encode()).hexdigest()[:16]
            if (path, stamp) not in self._known:
                digests = "\n".join(f"{name} {_content(file)}" for name, file, *_ in entries)
                self._known[path, stamp] = hashlib.sha256(digests.encode()).hexdigest()
        except OSError:
            return None
        return {"digest": self._known[path, stamp], "stamp": stamp} if entries else None


def _entries(path: Path) -> Iterator[tuple[str, Path, int, str]]:
    """Yield each file of a folder, or the file itself: its name inside, its path, its size and its times.

    One time comes from the system: whoever copies an old file with the time of its content cannot set it.
    """
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    for file in files:
        inside = file.relative_to(path)
        if not any(part.startswith(".") or part == "__pycache__" for part in inside.parts):
            about = file.stat()
            yield inside.as_posix(), file, about.st_size, f"{about.st_mtime_ns} {about.st_ctime_ns}"


def _content(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def named_paths(options: Mapping[str, Any], declared: type[Any]) -> Iterator[tuple[str, str]]:
    """Yield the name of each option whose value is a path, and the path.

    An option is taken for one if its type has text and its value looks like a path: it has a separator or an ending,
    or there is a file of this name. Relative paths start from the working folder, as they do for the component.

    Args:
        options: a component's, plain.
        declared: their type.
    """
    hints = typing.get_type_hints(declared)
    for name, value in options.items():
        if not _has_text(hints.get(name)):
            continue
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and _is_path(text):
                yield name, text


def _has_text(hint: Any) -> bool:
    return hint is str or any(map(_has_text, typing.get_args(hint)))


def _is_path(text: str) -> bool:
    if not text or len(text) > 4096 or "\0" in text or "\n" in text:
        return False
    path = Path(text)
    if path.name in ("", ".."):  # "/", "." and ".." are separators more often than folders
        return False
    try:
        return path.is_file() or (path.exists() and (os.sep in text or "/" in text or bool(path.suffix)))
    except OSError:
        return False
