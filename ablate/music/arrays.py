"""``.npz`` files that need not fit into memory: written array by array in pieces, and read by mapping.

The files are what ``numpy.savez`` writes, an uncompressed archive of ``.npy`` files, and ``numpy.load`` reads them.
An uncompressed member of an archive is a stretch of the file, which can be mapped: then only what is looked at is
loaded, and processes that read one file share it.
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


#: Files smaller than this are read whole, which also checks their sums.
MAPPED_FROM = 4 * 2**20
_LOCAL_HEADER = struct.Struct("<4s22x2H")
#: The date of every member, so that the same arrays give the same bytes; zip knows none before it.
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
        """One array, as a whole."""
        self.parts(name, [array], len(array), array.dtype, array.shape[1:])

    def parts(self, name: str, parts: Iterable[Array], length: int, dtype: Any, rest: tuple[int, ...] = ()) -> None:
        """One array of ``length`` entries of shape ``rest`` from its parts in order, which may be made one by one."""
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
    """The arrays of a file by name; those of a large one mapped, which must not be written to.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is damaged.
    """
    try:
        if path.stat().st_size < MAPPED_FROM:
            # opened here, for NumPy leaves a file open in which it finds no archive
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
        # a plain array over the mapping: the class of mappings makes every slice slower
        return np.asarray(np.memmap(path, dtype, "r", file.tell(), shape))
