"""The manifest of a bundle: what it is, what made it, and the digest of each file in it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import ablate
from ablate.errors import BundleError
from ablate.store.database.versions import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ablate.study.bundle.archive import Archive

NAME = "manifest.json"
#: Version of the format of bundles; increment it when an older ablate would misread a bundle.
FORMAT = 1
_COMPONENT = ("kind", "name", "version", "distribution", "distribution_version")


@dataclasses.dataclass(frozen=True)
class Manifest:
    """The facts of a bundle.

    Attributes:
        study: the name of the study.
        version: of ablate.
        without: the parts that were left out on purpose.
        packages: versions of the packages that computed the results.
        components: kind, name, version and distribution of each component.
        files: the size and SHA-256 of each file, by its name.
    """

    study: str
    version: str
    without: tuple[str, ...]
    packages: Mapping[str, str]
    components: tuple[Mapping[str, str], ...]
    files: Mapping[str, Mapping[str, Any]]

    def to_bytes(self) -> bytes:
        """Return the manifest as the content of its file."""
        facts = {"format": FORMAT, "schema": newest(), **dataclasses.asdict(self)}
        return json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n"


def read_manifest(archive: Archive) -> Manifest:
    """Return the manifest of a bundle, and check that it lists exactly the files of the archive.

    Raises:
        BundleError: the archive is no bundle, is one of a newer ablate, or has other files than its manifest.
    """
    try:
        data = json.loads(archive.text(NAME))
        _check_version(archive, data)
        manifest = _parsed(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(f"{archive.path}: its {NAME} is damaged, so it is not a bundle of ablate") from error
    actual = {name: size for name, size in archive.sizes.items() if name != NAME}
    listed = {name: facts["bytes"] for name, facts in manifest.files.items()}
    if actual != listed:
        odd = min(name for name in actual.keys() | listed.keys() if actual.get(name) != listed.get(name))
        raise BundleError(
            f"{archive.path}: {odd[:100]} is not as its {NAME} lists it; nothing was unpacked, get it again"
        )
    return manifest


def _parsed(data: Mapping[str, Any]) -> Manifest:
    """Return the manifest in the data; raise ValueError, KeyError or TypeError if there is none."""
    files = {str(name): {"bytes": int(f["bytes"]), "sha256": str(f["sha256"])} for name, f in data["files"].items()}
    components = tuple({key: str(each[key]) for key in _COMPONENT} for each in data["components"])
    packages = {str(name): str(version) for name, version in data["packages"].items()}
    without = tuple(map(str, data["without"]))
    return Manifest(str(data["study"]), str(data["version"]), without, packages, components, files)


def _check_version(archive: Archive, data: Mapping[str, Any]) -> None:
    """Refuse a bundle that this version of ablate would misread."""
    newer = (
        data["format"] > FORMAT
        or str(data["schema"]) > newest()
        or _minor(data["version"]) > _minor(ablate.__version__)
    )
    if newer:
        raise BundleError(
            f"{archive.path}: was made by ablate {data['version']}, which is newer than this one "
            f"({ablate.__version__}); upgrade ablate-music, then unbundle it again"
        )


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(version))[:2])


def verified(archive: Archive, manifest: Manifest, name: str) -> Iterator[bytes]:
    """Yield the content of a file in portions; raise at its end if its digest is not that of the manifest.

    Raises:
        BundleError: the file is damaged or has another digest.
    """
    digest = hashlib.sha256()
    for portion in archive.portions(name):
        digest.update(portion)
        yield portion
    if digest.hexdigest() != manifest.files[name]["sha256"]:
        raise BundleError(
            f"{archive.path}: {name} is not the file that was bundled (its digest differs); nothing was unpacked, "
            "get it again"
        )
