"""Fetch weights from the hub once, then never touch the network again.

What is already in the cache is used without asking the hub whether there is something newer: a live tool has
to start on a train. Only a file that is missing opens a connection, and then a short probe comes first,
because the hub's own client retries for half a minute before it admits that there is no network.

So the first download pins a model: it stays what it was until the cache is emptied. A revision pins it for
good. What arrives is compared with the digest that the hub announced
(:mod:`neuroclip_live.model.download_verification`).
"""

from __future__ import annotations

import logging
import os
import socket
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from neuroclip_live.errors import UserError
from neuroclip_live.model.download_verification import discard_if_altered

Progress = Callable[[str, float | None], None]
"""Called with what is being done and how far it is (0 to 1, or None where nobody can tell)."""

_PROBE_TIMEOUT_S = 5.0


def cache_folder() -> Path:
    """Return the folder of the hub's cache, which need not exist."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def fetch(repository: str, names: Sequence[str], progress: Progress, revision: str | None = None) -> Path:
    """Return the first of ``names`` that a hub repository has, downloading it if it is not cached.

    Parameters
    ----------
    repository : str
        ``organization/name``.
    names : sequence of str
        File names, the preferred first.
    progress : callable
        Told the share downloaded.
    revision : str, optional
        A commit, branch or tag; the newest commit there is if left out.

    Raises
    ------
    UserError
        If the repository, the revision or all its files are unknown, the hub cannot be reached or breaks off,
        or what arrived is not what the hub announced.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    pinned: dict[str, Any] = {} if revision is None else {"revision": revision}
    for name in names:
        try:
            return Path(hf_hub_download(repository, name, local_files_only=True, **pinned))
        except LocalEntryNotFoundError:
            continue
    _probe(repository)
    for name in names:
        progress(f"downloading {repository}", 0.0)
        try:
            with silent():
                path = Path(
                    hf_hub_download(repository, name, tqdm_class=_reporter(repository, progress), **pinned)
                )
            return _checked(path, repository, progress)
        except GatedRepoError as error:
            raise UserError(f"{repository} asks for a login: run `hf auth login`, then try again") from error
        except RepositoryNotFoundError as error:
            raise UserError(f"the hub has no repository {repository}; check the name") from error
        except RevisionNotFoundError as error:
            raise UserError(f"{repository} on the hub has no revision {revision}; check it") from error
        except LocalEntryNotFoundError as error:
            raise _unreachable(repository) from error
        except EntryNotFoundError:
            continue
        except UserError:
            raise
        except OSError as error:
            raise _unreachable(repository) from error
        except (
            Exception
        ) as error:  # a connection that breaks: each of the hub's clients has errors of its own
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise UserError(f"the download of {repository} broke off ({reason}); try again") from error
    raise UserError(f"{repository} on the hub has none of {', '.join(names)}: not an open_clip model")


def _checked(path: Path, repository: str, progress: Progress) -> Path:
    progress(f"checking {path.name} of {repository}", None)
    if discard_if_altered(path):
        raise UserError(
            f"{path.name} of {repository} is not what the hub announced (another digest) and was deleted; "
            "try again, and do not trust this connection if it happens again"
        )
    return path


def fetch_url(url: str, progress: Progress) -> Path:
    """Return a file of open_clip's that lives at a plain address, downloading it if it is not cached.

    Raises
    ------
    UserError
        If it cannot be downloaded.
    """
    from open_clip.pretrained import download_pretrained_from_url

    progress(f"downloading {url}", None)
    try:
        with silent():
            return Path(download_pretrained_from_url(url))
    except (OSError, RuntimeError) as error:
        raise _unreachable(url) from error


@contextmanager
def silent() -> Iterator[None]:
    """Keep open_clip's and the hub's chatter (root logger, warnings) away from the user's terminal."""
    root = logging.getLogger()
    hub = logging.getLogger("huggingface_hub")
    placeholder = logging.NullHandler()
    before = hub.level
    root.addFilter(_not_open_clip)
    # a root logger without handlers gets a default one on the first `logging.warning`; it would outlive us
    root.addHandler(placeholder)
    hub.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.removeFilter(_not_open_clip)
        root.removeHandler(placeholder)
        hub.setLevel(before)


def _not_open_clip(record: logging.LogRecord) -> bool:
    return (
        f"{os.sep}open_clip{os.sep}" not in record.pathname and f"{os.sep}timm{os.sep}" not in record.pathname
    )


def _probe(repository: str) -> None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise _unreachable(repository)
    if urllib.request.getproxies():
        return
    endpoint = urlsplit(constants.ENDPOINT)
    port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
    try:
        socket.create_connection((endpoint.hostname or "", port), timeout=_PROBE_TIMEOUT_S).close()
    except OSError as error:
        raise _unreachable(repository) from error


def _unreachable(what: str) -> UserError:
    return UserError(
        f"cannot download {what}: the hub cannot be reached; connect this machine once (the file is kept in "
        f"{cache_folder()}), or copy a checkpoint here and use --model ARCH --weights FILE"
    )


def _reporter(what: str, progress: Progress) -> type[Any]:
    """Return a tqdm class that reports to ``progress`` and draws nothing."""
    import tqdm  # type: ignore[import-untyped]

    base: Any = tqdm.tqdm

    class Reporter(base):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            with open(os.devnull, "w", encoding="utf-8") as nowhere:
                kwargs["file"] = nowhere
                super().__init__(*args, **kwargs)

        def display(self, *args: Any, **kwargs: Any) -> None:
            return

        def update(self, n: float | None = 1) -> bool | None:
            super().update(n)
            progress(f"downloading {what}", self.n / self.total if self.total else None)
            return None

    return Reporter
