"""The metadata of a distribution, and its page on the package index."""

from __future__ import annotations

import email
import html.parser
import tarfile
import zipfile
from typing import TYPE_CHECKING

import readme_renderer.markdown
from packaging.metadata import Metadata

if TYPE_CHECKING:
    from pathlib import Path

    from release.projects import Commit, Project

REPOSITORY = "https://github.com/ablate-music/ablate"
RAW = "https://raw.githubusercontent.com/ablate-music/ablate"
#: Fields without which a reader of the index lacks something.
FIELDS = ("summary", "description", "keywords", "author", "license_expression", "license_files", "requires_python")
LINKS = {"homepage", "documentation", "changelog", "issues"}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def problems(project: Project, commit: Commit, folder: Path) -> list[str]:
    """Return what is wrong with the metadata and the page of the distribution in ``folder``."""
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    top = f"{project.stem}-{commit.version}"
    with zipfile.ZipFile(wheel) as archive:
        raw = archive.read(f"{top}.dist-info/METADATA")
    with tarfile.open(sdist) as tar:
        source = tar.extractfile(f"{top}/PKG-INFO")
        same = source is not None and source.read() == raw
    return [
        *([] if same else [f"{sdist.name} has other metadata than {wheel.name}"]),
        *metadata_problems(raw, commit.version),
        *page_problems(email.message_from_bytes(raw).get_payload(), commit.version, set(commit.files(""))),
    ]


def metadata_problems(raw: bytes, version: str) -> list[str]:
    """Return which fields of a METADATA file are missing or invalid."""
    metadata = Metadata.from_email(raw)  # raises an ExceptionGroup that names each invalid field
    classifiers = set(metadata.classifiers or [])
    return [
        *(f"the metadata has no {name}" for name in FIELDS if not getattr(metadata, name)),
        *(
            f"the metadata has no link '{name}'"
            for name in sorted(LINKS - {name.lower() for name in metadata.project_urls or {}})
        ),
        *(
            f"no classifier of Python {name}"
            for name in PYTHONS
            if f"Programming Language :: Python :: {name}" not in classifiers
        ),
        *([] if str(metadata.version) == version else [f"the version is {metadata.version}, not {version}"]),
        *([] if metadata.description_content_type == "text/markdown" else ["the description is not in Markdown"]),
    ]


class _Addresses(html.parser.HTMLParser):
    """The addresses of all links and images of a page, and the names that links within the page may have."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser passes it
        """Collect the attributes of a tag; the parser calls this."""
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("href", "src") if name in values]
        self.names |= {f"#{value}" for name, value in attrs if name in ("id", "name")}


def page_problems(description: str, version: str, files: set[str]) -> list[str]:
    """Render a description as the index does; return which links would lead nowhere.

    ``files`` are the paths of the repository's files, to which links into the repository are compared.
    """
    rendered = readme_renderer.markdown.render(description)
    if rendered is None:
        return ["the description cannot be rendered; install readme_renderer[md]"]
    page = _Addresses(rendered)
    return [
        f"the link {address} {reason}"
        for address in page.addresses
        if (reason := _reason(address, page, version, files))
    ]


def _reason(address: str, page: _Addresses, version: str, files: set[str]) -> str:
    """Return why an address leads nowhere, or an empty string."""
    if address.startswith("#"):
        return "" if address in page.names else "has no heading"
    if not address.startswith("https://"):
        return "does not work on the index"
    for start in (f"{REPOSITORY}/blob/", f"{RAW}/"):
        if address.startswith(start):
            tag, _, path = address.removeprefix(start).partition("/")
            if tag != f"v{version}":
                return f"leads to {tag} instead of v{version}"
            return "" if path.partition("#")[0] in files else "leads to a file that does not exist"
    return ""
