"""``--serve``: a web server beside the run, for as long as the run lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_live.config import Config
    from neuroclip_live.recognition.pipeline import Pipeline


def check_serving(config: Config) -> None:
    """Raise UserError for options of a server where none is asked for."""
    for name in ("serve_token", "serve_cert", "serve_key"):
        if config.serve is None and getattr(config, name) is not None:
            option = "--" + name.replace("_", "-")
            raise UserError(f"{option} is for a server: say where it listens with --serve [HOST:]PORT")


@contextmanager
def serving(config: Config, pipeline: Callable[[], Pipeline | None]) -> Iterator[None]:
    """Serve a run where that was asked for, and say where on standard error.

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
        yield
        return
    from neuroclip_live.server.live_run import LiveRun
    from neuroclip_live.server.web_server import ServerSettings, WebServer

    settings = ServerSettings(config.serve, config.serve_token, config.serve_cert, config.serve_key)
    server = WebServer(LiveRun(pipeline), settings)
    server.start()
    click.echo(f"serving {server.url}", err=True)
    try:
        yield
    finally:
        server.stop()
