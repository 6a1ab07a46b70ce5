"""The command line. Heavy imports stay inside the commands that need them: ``--help`` answers at once."""

from __future__ import annotations

import atexit
import errno
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from neuroclip_live import __version__, interrupts
from neuroclip_live.cli.later_command import LaterGroup
from neuroclip_live.cli.options import current_name, given_of, run_options, several_files, with_playlist
from neuroclip_live.config import Config
from neuroclip_live.errors import UserError
from neuroclip_live.extras import explained
from neuroclip_live.option_names import refuse_no_file
from neuroclip_live.plain_output import SPELLED

_SINK_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
"""Why standard output cannot be written, of an error that names no file."""


class _Commands(LaterGroup):
    """The commands; one whose reader has seen enough (``| head``) ends quietly."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(context, several_files(args, self.commands))

    def invoke(self, context: click.Context) -> Any:
        try:
            result = super().invoke(context)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            # say nothing at exit either
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 110,
        "token_normalize_func": current_name,
    },
)
@click.version_option(__version__, prog_name="neuroclip-live")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens to standard error.")
@run_options
@click.pass_context
def cli(context: click.Context, /, verbose: bool, **values: Any) -> None:
    """Point an event camera, type any words, and see live which of them the camera sees.

    Without arguments it opens a window on a demo recording that ships with it.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="%(asctime)s %(name)s: %(message)s"
    )
    if context.invoked_subcommand is None:
        from neuroclip_live.cli.run_command import run

        context.exit(run(Config(**with_playlist(values), given=given_of(context, values))))


@cli.command()
def doctor() -> None:
    """Check this machine: versions, devices, model, display, cameras and permissions."""
    from neuroclip_live.cli.reports import print_doctor

    sys.exit(print_doctor())


@cli.command()
def models() -> None:
    """List the models at hand, bundled and cached, and what each needs."""
    from neuroclip_live.cli.reports import print_models

    print_models()


@cli.command()
@click.argument("file")
@click.option("--out", metavar="FILE", help="The new file; FILE.repaired.aedat4 by default.")
def repair(file: str, out: str | None) -> None:
    """Write what is left of a damaged recording into a new file that every reader opens."""
    from neuroclip_live.recording.repair import repair as mend

    refuse_no_file("--out", out)
    # half a repair is taken away again
    with interrupts.handled(signal.default_int_handler, signal.SIGINT):
        click.echo(str(mend(file, out)))


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="IN... OUT")
@click.option("--start", type=float, metavar="S", help="From this second of each input on.")
@click.option("--end", type=float, metavar="S", help="Up to this second of each input.")
@click.option("--stream", metavar="NAME|ID", help="This event stream, where an input has several.")
@click.option("--sensor", metavar="WxH", help="The sensor's size, where an input does not tell it.")
@click.option(
    "--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Of inputs that do not tell it."
)
def convert(
    files: tuple[str, ...],
    start: float | None,
    end: float | None,
    stream: str | None,
    sensor: str | None,
    time_unit: str | None,
) -> None:
    """Write recordings of any format, one after the other, into an .aedat4 that is checked on close."""
    from neuroclip_live.cli.convert_command import convert_files

    convert_files(files, start=start, end=end, stream=stream, sensor=sensor, time_unit=time_unit)


for _name, _module, _help in (
    ("evaluate", "few_shot_commands", "Measure recognition on a data set, all methods side by side."),
    ("train", "few_shot_commands", "Train the spiking adapter on a few shots and save it for --adapter."),
    ("teach", "few_shot_commands", "Learn labels from recordings, for --taught."),
    ("actions", "actions_commands", "Try a file of actions before it acts."),
    ("index", "archive_commands", "Encode every recording in folders once, for search."),
    ("search", "archive_commands", "Find the moments of an archive in which something is seen."),
    ("label", "label_command", "Label recordings with words, for training."),
):
    cli.later(_name, f"neuroclip_live.cli.{_module}:{_name}", _help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 with one line on standard error.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of the process's own.
    """
    try:
        result = cli.main(arguments, prog_name="neuroclip-live", standalone_mode=False)
    except UserError as error:
        return _refuse(str(error))
    except ImportError as error:
        missed = explained(error)
        if missed is None:
            raise
        return _refuse(str(missed))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        return _refuse(f"{error.format_message()} (neuroclip-live --help lists all options)")
    except click.ClickException as error:
        return _refuse(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        return 130
    except SystemExit as left:
        if type(sys.stdout).__name__.endswith(
            "PacifyFlushWrapper"
        ):  # click met a closed pipe, as with --help
            return 0
        return left.code if isinstance(left.code, int) else 1
    except OSError as error:
        if error.filename is not None:
            # a path that the system refuses: too long a name, a loop of links
            logging.getLogger(__name__).info("refused by the system", exc_info=True)
            name = (
                os.fsdecode(error.filename)
                if isinstance(error.filename, str | bytes)
                else str(error.filename)
            )
            name = name if len(name) <= 120 else f"{name[:60]}...{name[-40:]}"
            return _refuse(f"{name}: {error.strerror}; check this path or give another")
        if error.errno not in _SINK_FULL:
            raise
        return _refuse(f"cannot write: {error.strerror}; free some space or write to another place")
    return result if isinstance(result, int) else 0


def _refuse(message: str) -> int:
    click.echo(f"neuroclip-live: {' '.join(message.split())}", err=True)
    return 2


def program() -> None:
    """Run the command line and leave the process at once.

    What Python does after the last exit handler, taking modules and their machine code apart, takes seconds
    on a busy machine with OpenVINO, Numba and Qt loaded, and nothing is left to be done then.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character gets another
            stream.reconfigure(errors=SPELLED)
    status = interrupts.status(main())
    atexit._run_exitfuncs()
    logging.shutdown()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # whoever read has seen enough
        pass
    except OSError:
        status = status or 1
    os._exit(status)


if __name__ == "__main__":
    program()
