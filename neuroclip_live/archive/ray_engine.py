"""Encoding pieces by Ray's tasks, on this machine's cores or on many machines.

A piece is a task. It writes its part into the store itself, so nothing but a line about it comes back, and
what a part holds follows from its name: a task that Ray runs again after its worker died, or twice, leaves
what one run leaves. Scheduling, placement and retries are Ray's.
"""

from __future__ import annotations

import contextlib
import os
import platform
import socket
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from neuroclip_live.archive import settings
from neuroclip_live.archive.background import Background
from neuroclip_live.archive.encode import Stopped
from neuroclip_live.archive.settings import ModelRecord
from neuroclip_live.archive.store import Store
from neuroclip_live.archive.work import At, Done, Engine, Work, do
from neuroclip_live.errors import UserError
from neuroclip_live.extras import need
from neuroclip_live.model.backbone import Backbone, load_backbone

TRIES = 10
"""So often a piece is begun anew when its worker dies; more, and the recording itself is what kills it."""
REACH_S = 5.0
"""So long a cluster has to answer that it is there."""
_LOOK_S = 0.5
LOCAL = "local"
"""An address: processes of this machine only, for this run only."""


def on_ray(address: str = "", cpus: int | None = None) -> Engine:
    """Return what has Ray's tasks do the pieces, each on one core.

    Parameters
    ----------
    address : str
        Of a cluster, as ``ray.init`` takes it: ``HOST:6379``, ``ray://HOST:10001``, ``auto``. Empty: the one
        that ``RAY_ADDRESS`` names or that runs on this machine, else as :data:`LOCAL`.
    cpus : int, optional
        How many pieces are encoded at once with :data:`LOCAL`; the cores of the machine if left out.

    Raises
    ------
    UserError
        When Ray is not installed.
    """
    need("--ray", "ray")

    def outcomes(
        todo: Sequence[Work], store: Store, record: ModelRecord, at: At
    ) -> Iterator[tuple[Work, Done]]:
        import ray

        place = str(store.folder or store.place)
        with _connected(address, cpus):
            task = ray.remote(num_cpus=1, max_retries=TRIES)(encode)
            pending = {task.remote(place, record.key, work): work for work in todo}
            while pending:
                ready, _ = ray.wait(list(pending), timeout=_LOOK_S)
                if not ready and not at(next(iter(pending.values())), 0.0):
                    raise Stopped
                for reference in ready:
                    yield pending.pop(reference), _outcome(reference)

    return outcomes


@contextlib.contextmanager
def _connected(address: str, cpus: int | None) -> Iterator[None]:
    import ray

    if ray.is_initialized():  # by who calls this from Python, to whom it belongs
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing goes out that nobody asked for
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"include_dashboard": False, "num_cpus": cpus}
    _reach(address)
    try:
        ray.init(address or None, **options)
    except (OSError, RuntimeError, ValueError) as error:
        told = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"--ray {address}: no Ray cluster answers there ({told}); start one with: ray start --head"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()  # tasks still at work end with it


def _reach(address: str) -> None:
    """Raise UserError unless something answers at a cluster's address: Ray itself tries for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # a name like ``auto``: Ray knows where that is
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACH_S).close()
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise UserError(
            f"--ray {address}: no Ray cluster answers there ({told}); start one with: ray start --head"
        ) from error


def _outcome(reference: Any) -> Done:
    import ray

    try:
        return ray.get(reference)  # type: ignore[no-any-return]
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
        return Done(
            error=f"the process that read it died {TRIES + 1} times; is memory short, or the file bad?"
        )
    except ray.exceptions.RayError as error:
        told = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"Ray gave up: {told}; run index again, what is done is kept") from error


def encode(place: str, key: str, work: Work) -> Done:
    """Do one piece in a worker of Ray, with the model that the index at ``place`` keeps as ``key``.

    Raises
    ------
    UserError
        When the machine has not the model, or cannot reach the index.
    """
    store, record, backbone, background = _tools(place, key)
    if not Path(work.path).exists():
        return Done(error=f"it is not at this path on {platform.node()}; every machine needs it at the same")
    return do(work, store, backbone, background, record)


@cache
def _tools(place: str, key: str) -> tuple[Store, ModelRecord, Backbone, Background]:
    """Load once in each worker what all its pieces need."""
    store = Store(place)
    record = settings.read_record(store, key)
    backbone = load_backbone(**record.options, threads=1)
    if not settings.is_record_of(record, backbone):
        raise UserError(
            f"{platform.node()} has another {record.name} than the machine that asked; "
            "install the same version of neuroclip-live on all"
        )
    return store, record, backbone, Background(backbone)
