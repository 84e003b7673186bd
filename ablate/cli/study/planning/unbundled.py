"""``study run`` and ``study plan`` of a study that came from a bundle, and runs as it was run elsewhere."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.cli.locations import existing_store, has_store, stored_name
from ablate.errors import EmptyStoreError, UnknownName, UsageError

if TYPE_CHECKING:
    from ablate.registry import Registry
    from ablate.study.file.overrides import Overrides
    from ablate.study.file.study_file import StudySpec


def unbundled(values: dict[str, Any], overrides: Overrides, url: str, registry: Registry) -> StudySpec | None:
    """Return the study from a bundle that is asked for; None where a study file is.

    A file in ``./studies`` comes before a study from a bundle, and this before the studies that come with ablate.

    Raises:
        UsageError: the options would change the study.
    """
    asked, home = values["study"], values["home"]
    is_file = asked.endswith(".toml") or "/" in asked or Path(f"studies/{asked}.toml").is_file()
    if is_file or not has_store(home, values["store"]):
        return None
    from ablate.study.file.as_run import UNBUNDLED, Elsewhere
    from ablate.study.file.locate import known_studies
    from ablate.study.file.overrides import Overrides
    from ablate.study.file.study_file import read_stored

    name = asked if "@" in asked else stored_name(asked, overrides.profile)
    with contextlib.ExitStack() as stack:
        try:
            record = stack.enter_context(existing_store(home, url)).study(name)
        except (UnknownName, EmptyStoreError):
            return None
        if "judged" in record.spec and asked not in known_studies():
            source = record.spec["judged"].get("source", "elsewhere")
            raise UsageError(f"study '{name}' holds results from {source}, and no study file; see: ablate judge --help")
        if not record.spec.get("file", {}).get(UNBUNDLED):
            return None
        there = Elsewhere(**record.spec["file"][UNBUNDLED])
    extended = {"replicates": overrides.replicates, "n_variants": overrides.n_variants}
    if overrides != Overrides(profile=overrides.profile, **extended):  # type: ignore[arg-type]
        raise UsageError(
            f"study '{name}' came from a bundle and runs as it was run there; only --replicates and --variants can "
            "differ. For anything else run the study file that is in the bundle"
        )
    return read_stored(record, there, registry, {key: value for key, value in extended.items() if value is not None})


def device_for(spec: StudySpec, asked: str, *, elsewhere: bool = False) -> str:
    """Return the device to run on; of a study from a bundle the kind that it was run on, if there is one here.

    Args:
        spec: the study.
        asked: the value of ``--device``.
        elsewhere: whether an executor chooses the machines.

    Raises:
        UsageError: the device that is asked for does not exist.
    """
    from ablate.engine.devices import resolve_device

    if asked == "auto" and spec.elsewhere and spec.elsewhere.device:
        with contextlib.suppress(UsageError):
            return resolve_device(spec.elsewhere.device)
    return resolve_device(asked, elsewhere=elsewhere)
