"""Commands whose module is imported when they are asked for: it may import all it needs at its top."""

from __future__ import annotations

from importlib import import_module

import click


class LaterCommand(click.Command):
    """Stands for a command in the list of commands until it is asked for.

    Parameters
    ----------
    name : str
    place : str
        ``module:attribute`` of the command itself.
    short_help : str
        Its line in the list of commands: that list imports nothing.
    """

    def __init__(self, name: str, place: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help, help=short_help)
        self._place = place

    def load(self) -> click.Command:
        """Import the command."""
        module, _, attribute = self._place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LaterGroup(click.Group):
    """A group that knows its :class:`LaterCommand` for what they stand for."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for, imported."""
        name, command, rest = super().resolve_command(context, args)
        return name, command.load() if isinstance(command, LaterCommand) else command, rest

    def later(self, name: str, place: str, short_help: str) -> None:
        """Add a command."""
        self.add_command(LaterCommand(name, place, short_help))

    def loaded(self) -> dict[str, click.Command]:
        """Return all commands, imported."""
        return {
            name: command.load() if isinstance(command, LaterCommand) else command
            for name, command in self.commands.items()
        }
