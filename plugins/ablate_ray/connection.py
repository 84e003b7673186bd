"""Connect to a cluster, or start Ray on this machine; nothing else imports Ray before."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.errors import ExecutorError, one_line
from ablate.processes import process_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ablate_ray.options import RayOptions

#: HOST:PORT; an IPv6 address has brackets.
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}")
#: What a Ray of this machine alone needs: only processes of this machine reach it, and only those that know a secret;
#: it sends no statistics. Ray's first setting is named after the systems where clusters are off in any case.
_ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
#: The names of folders with the files of a Ray that is started here begin so.
_FOLDER = "ablate-ray-"
#: Bytes of memory for contents on a Ray that is started here; Ray writes to the disk what is beyond.
_STORE = 2**30
#: Seconds for the head of a cluster to accept a connection.
_ANSWER = 10.0


def check_address(address: str) -> None:
    """Check the form of an address.

    Raises:
        ExecutorError: it is none of those that can be used.
    """
    if address in ("", "auto") or _ADDRESS.fullmatch(address):
        return
    known = '"auto", or HOST:PORT of the head (6379 is the usual port)'
    if address.startswith("ray://"):
        raise ExecutorError(
            f"executor.ray.address: Ray's client ('{address}') brings no results back as they come; run the command on "
            f"a machine of the cluster, with {known}"
        )
    raise ExecutorError(f"executor.ray.address: '{address}' is no address; give {known}")


@contextlib.contextmanager
def connected(options: RayOptions, workers: int) -> Iterator[None]:
    """Connect this process to the cluster of the options inside the block.

    Args:
        options: of the executor.
        workers: the number of tasks at once on a Ray that is started here.

    Raises:
        ExecutorError: there is none.
    """
    # the driver reports workers that die in its own words
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "error")
    with _cluster(options, workers):
        import ray

        try:
            yield
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _cluster(options: RayOptions, workers: int) -> Iterator[None]:
    if options.address:
        _join(options)
        yield
        return
    with process_folder(_FOLDER) as folder:
        os.environ.update(_ALONE, RAY_AUTH_TOKEN=secrets.token_hex(32))
        import ray

        ray.init(
            "local",
            num_cpus=(options.tasks or workers) * options.cores,
            include_dashboard=False,
            object_store_memory=_STORE,
            _temp_dir=str(folder),
            log_to_driver=False,
            logging_level=logging.ERROR,
            namespace=options.namespace or None,
        )
        yield


def _join(options: RayOptions) -> None:
    address = options.address
    if address == "auto" and _has_token():
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # Ray does it after the first question only
    import ray

    try:
        _check_entry(_found(address), address)
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, namespace=options.namespace or None)
    except (OSError, RuntimeError, ValueError) as error:
        reason = "none runs on this machine" if address == "auto" else one_line(error)
        raise ExecutorError(
            f"cannot use the Ray cluster at '{address}': {reason}; this machine must be a node of it "
            "(ray start --address=HOST:PORT --num-cpus=0 joins without lending cores)"
        ) from error


def _has_token() -> bool:
    """Return whether Ray has a token for clusters of this machine."""
    named = any(os.environ.get(name) for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"))
    return named or (Path.home() / ".ray" / "auth_token").exists()


def _found(address: str) -> str:
    """Return the address of the head.

    Raises:
        ConnectionError: Ray finds no cluster of this machine.
    """
    if address != "auto":
        return address
    from ray._private.services import get_ray_address_from_environment

    found: str = get_ray_address_from_environment("auto", None)
    return found


def _check_entry(head: str, address: str) -> None:
    """Check that a cluster answers, and lets this process in: Ray would try for minutes.

    Args:
        head: its address.
        address: that of the options.

    Raises:
        ExecutorError: none does.
    """
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled
    from ray.exceptions import AuthenticationError, RpcError

    host, _, port = head.rpartition(":")
    where = f"'{address}'" if address == head else f"'{address}' ({head})"
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER).close()
        GcsClient(head)
    except AuthenticationError as error:
        raise ExecutorError(
            f"the Ray cluster at {where} asks for a token that is not given here: set RAY_AUTH_MODE=token, and "
            "RAY_AUTH_TOKEN to what `ray get-auth-token` prints on its head, for ray start and for ablate"
        ) from error
    except (OSError, OverflowError, RpcError) as error:
        raise ExecutorError(f"no Ray cluster answers at {where}: {one_line(error)}") from error
