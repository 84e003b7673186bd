"""Name the executor whose code has failed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ablate.errors import AblateError, ExecutorError, named_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate.specs import ExecutorSpec


@contextlib.contextmanager
def blamed(spec: ExecutorSpec) -> Iterator[None]:
    """Name an executor in the exceptions of its code.

    Raises:
        AblateError: one of those that an executor raises on purpose, as it is.
        ExecutorError: any other exception.
    """
    try:
        yield
    except AblateError:
        raise
    except Exception as error:
        raise ExecutorError(f"{spec.about} has failed: {named_line(error)}") from error
