"""``--serve`` and ``--serve-events``: servers beside the run, for as long as the run lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from neuroclip_live.errors import UserError
from neuroclip_live.option_names import about

if TYPE_CHECKING:
    from neuroclip_live.config import Config
    from neuroclip_live.outputs.shared_events import SharedEvents
    from neuroclip_live.recognition.pipeline import Pipeline
    from neuroclip_live.server.web_server import WebServer


def check_serving(config: Config) -> None:
    """Raise UserError for options of a server where none is asked for."""
    served = {
        "serve_token": ("serve",),
        "serve_cert": ("serve", "serve_events"),
        "serve_key": ("serve", "serve_events"),
        "serve_ca": ("serve_events",),
    }
    for name, servers in served.items():
        if getattr(config, name) is not None and not any(getattr(config, each) for each in servers):
            wanted = " or ".join(f"{_option(each)} [HOST:]PORT" for each in servers)
            raise UserError(f"{_option(name)} is for a server: say where it listens with {wanted}")
    if config.serve is None and config.serve_ca is None:  # events are given with TLS to those it can believe
        for name in ("serve_cert", "serve_key"):
            if getattr(config, name) is not None:
                raise UserError(f"{_option(name)} with --serve-events needs --serve-ca: who vouches for them")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def shared_events(config: Config) -> list[SharedEvents]:
    """Return what gives events to others, where that was asked for, as an output of the run; say where.

    Raises
    ------
    UserError
        When the address or a certificate cannot be used.
    """
    if config.serve_events is None:
        return []
    from neuroclip_live.outputs.shared_events import SharedEvents, SharingSettings

    with about("--serve-events"):
        shared = SharedEvents(
            SharingSettings(config.serve_events, config.serve_ca, config.serve_cert, config.serve_key)
        )
    click.echo(f"events at {shared.address}", err=True)
    return [shared]


@contextmanager
def serving(config: Config, pipeline: Callable[[], Pipeline | None]) -> Iterator[WebServer | None]:
    """Serve a run where that was asked for, say where on standard error, and give the server.

    Parameters
    ----------
    config : Config
    pipeline : callable
        Returns the pipeline of now, or None before there is one.

    Raises
    ------
    UserError
        When the address or the certificate cannot be used.
    """
    if config.serve is None:
        yield None
        return
    from neuroclip_live.server.web_server import ServerSettings, serve_pipeline

    settings = ServerSettings(config.serve, config.serve_token, config.serve_cert, config.serve_key)
    with about("--serve"):
        server = serve_pipeline(pipeline, settings)
    server.start()
    click.echo(f"serving {server.url}", err=True)
    try:
        yield server
    finally:
        server.stop()
