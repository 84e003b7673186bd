"""``.npz`` files that need not fit into memory: written array by array in pieces, and read by mapping.

The files have the format of ``numpy.savez``, an uncompressed archive of ``.npy`` files, and ``numpy.load`` reads them.
An uncompressed member of an archive is a part of the file that can be mapped: only the pages in use are loaded, and
processes that read one file share them.
"""

from __future__ import annotations

import math
import struct
import zipfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ablate.arrays import Array


#: Files smaller than this are read completely, which also checks their checksums.
MAPPED_FROM = 4 * 2**20
_LOCAL_HEADER = struct.Struct("<4s22x2H")
#: The date of every member, so that equal arrays give equal bytes; the first date of the zip format.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


class Writer:
    """Writes the arrays of one file, one after another.

    Args:
        file: open for writing.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)

    def close(self) -> None:
        """Write the archive's directory; the file stays open."""
        self._archive.close()

    def array(self, name: str, array: Array) -> None:
        """Write one array."""
        self.parts(name, [array], len(array), array.dtype, array.shape[1:])

    def parts(self, name: str, parts: Iterable[Array], length: int, dtype: Any, rest: tuple[int, ...] = ()) -> None:
        """Write one array of ``length`` entries of shape ``rest`` from its parts, which may come from a generator."""
        dtype = np.dtype(dtype)
        about = {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": (length, *rest),
        }
        written = 0
        with self._archive.open(zipfile.ZipInfo(f"{name}.npy", _LONG_AGO), "w", force_zip64=True) as member:
            np.lib.format.write_array_header_1_0(member, about)
            for part in parts:
                member.write(np.ascontiguousarray(part, dtype).tobytes())
                written += len(part)
        if written != length:
            raise ValueError(f"{name} has {written} entries, not {length}")


def read(path: Path) -> Mapping[str, Array]:
    """Return the arrays of a file by name; those of a large file are mapped and cannot be changed.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged.
    """
    try:
        if path.stat().st_size < MAPPED_FROM:
            # opened here, because NumPy does not close a file that is no archive
            with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
                return dict(data)
        with zipfile.ZipFile(path) as archive:
            return {info.filename.removesuffix(".npy"): _mapped(path, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, KeyError, TypeError, ValueError, struct.error) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _mapped(path: Path, info: zipfile.ZipInfo) -> Array:
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError("an array is compressed")
    with path.open("rb") as file:
        file.seek(info.header_offset)
        signature, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        if signature != b"PK\3\4":
            raise ValueError("no array where its directory says")
        file.seek(name + extra, 1)
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = readers[version](file)
        if not math.prod(shape):
            return np.empty(shape, dtype)
        # a plain array on the mapping, because slices of a memmap are slower
        return np.asarray(np.memmap(path, dtype, "r", file.tell(), shape))
