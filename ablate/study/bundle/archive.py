"""Zip archives: written as a stream with fixed times, and read without trust in who made them."""

from __future__ import annotations

import contextlib
import hashlib
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Self

from ablate.errors import BundleError
from ablate.files import check_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

#: The date of every member, so that equal contents give equal bytes; the first date of the zip format.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
#: Files whose bytes are random or compressed already.
_STORED = (".safetensors", ".mp3", ".png")
_PORTION = 2**20
#: An archive may unpack to this many times its size, and to :data:`ALWAYS` more: a real bundle to a tenth of it.
RATIO = 200
#: Bytes that an archive may unpack to, whatever its size.
ALWAYS = 2**26
#: Most bytes of a member of an archive that is read as a whole.
MOST_TEXT = 2**26
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class ArchiveWriter:
    """Writes an archive, one member after another; no member is ever in memory as a whole.

    Args:
        file: open for writing.
        compress: whether members are compressed, except those that are compressed already.

    Attributes:
        digests: of each member, its size in bytes and the SHA-256 of its content.
    """

    def __init__(self, file: IO[bytes], *, compress: bool = True) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED)
        self.digests: dict[str, dict[str, int | str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def add(self, name: str, portions: Iterable[bytes]) -> None:
        """Write a member from its bytes, portion by portion."""
        info = zipfile.ZipInfo(name, _LONG_AGO)
        info.compress_type = zipfile.ZIP_STORED if name.endswith(_STORED) else self._archive.compression
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.create_system = 3  # Unix on every system, so that equal contents give equal bytes
        size, digest = 0, hashlib.sha256()
        with self._archive.open(info, "w", force_zip64=True) as member:
            for portion in portions:
                member.write(portion)
                digest.update(portion)
                size += len(portion)
        self.digests[name] = {"bytes": size, "sha256": digest.hexdigest()}

    def add_file(self, name: str, path: Path) -> None:
        """Write a member with the content of a file."""
        with path.open("rb") as file:
            self.add(name, iter(lambda: file.read(_PORTION), b""))


class Archive:
    """An archive from anybody, open for reading; its members have been checked, their contents have not.

    Args:
        path: of the file.

    Attributes:
        sizes: the declared size of each member in bytes, by its name.

    Raises:
        BundleError: it is no archive, is damaged, has a member with an unsafe name, two of one name, a link, an
            encrypted member, or declares to be far larger than its file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._damage():
            check_file(path)
            self._archive = zipfile.ZipFile(path)
        try:
            self.sizes = self._checked_sizes()
        except BaseException:
            self._archive.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def _checked_sizes(self) -> dict[str, int]:
        """Return the declared size of each member, after all of them have been checked."""
        members = self._archive.infolist()
        for member in members:
            self._check(member)
        files = [member for member in members if not member.is_dir()]
        sizes = {member.filename: member.file_size for member in files}
        if len(sizes) < len(files):
            raise BundleError(f"{self.path}: two files in it have the same name; nothing was unpacked")
        total = sum(sizes.values())
        if not within_limit(total, self.path.stat().st_size):
            raise BundleError(
                f"{self.path}: would unpack to {total:,} bytes, far more than its own size allows; nothing was unpacked"
            )
        return sizes

    def _check(self, member: zipfile.ZipInfo) -> None:
        # zipfile shortens a name at a zero byte and turns backslashes round; what is in the file counts
        problem = name_problem(member.orig_filename)
        mode = stat.S_IFMT(member.external_attr >> 16)
        if not problem and mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a device"
        if not problem and member.flag_bits & 0x1:
            problem = "is encrypted"
        if not problem and member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "is compressed in a way that bundles do not use"
        if problem:
            raise BundleError(
                f"{self.path}: the file {member.orig_filename[:80]!r} in it {problem}; nothing was unpacked"
            )

    def portions(self, name: str) -> Iterator[bytes]:
        """Yield the content of a member in portions, never more bytes than it declares.

        Raises:
            BundleError: it is damaged, or longer than declared.
        """
        size = 0
        with self._damage(), self._archive.open(name) as member:
            while portion := member.read(_PORTION):
                size += len(portion)
                if size > self.sizes[name]:
                    raise BundleError(f"{self.path}: {name} is longer than declared; nothing was unpacked")
                yield portion

    def text(self, name: str) -> bytes:
        """Return the content of a small member.

        Raises:
            BundleError: there is none of that name, it is large, or it is damaged.
        """
        if self.sizes.get(name, MOST_TEXT + 1) > MOST_TEXT:
            raise BundleError(f"{self.path}: has no usable {name}, so it is not a bundle of ablate")
        return b"".join(self.portions(name))

    @contextlib.contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise BundleError(f"{self.path}: no such file") from None
        except _DAMAGED as error:
            reason = getattr(error, "strerror", None) or error
            raise BundleError(f"{self.path}: not a zip file, or damaged ({reason}); get it again") from error


def within_limit(unpacked: int, packed: int) -> bool:
    """Return whether an archive of ``packed`` bytes may unpack to ``unpacked`` bytes."""
    return unpacked <= RATIO * packed + ALWAYS


def name_problem(name: str) -> str:
    """Return why a member with this name is not unpacked; empty if it is a plain relative path."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return "has an absolute path"
    if "\\" in name or "\0" in name or ":" in name:
        return "has a name with a backslash, a colon or a zero byte"
    if not parts or ".." in parts or "/".join(parts) != name.removesuffix("/"):
        return "has a path that leads out of its folder, or in a roundabout way into it"
    return ""
