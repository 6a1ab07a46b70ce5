"""Values of options that come from a registry: whatever is in it can be asked for, of other packages too."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from neuroclip_live.errors import UserError

if TYPE_CHECKING:
    from neuroclip_live.registry import Registry


if TYPE_CHECKING:
    Base = click.ParamType[Any]
else:
    Base = click.ParamType


class Named(Base):
    """The name of an entry, looked up when it is given; neither imports nor searches before.

    Parameters
    ----------
    registry : str
        "module:NAME" of a :class:`neuroclip_live.registry.Registry`.
    others : tuple of str
        Words that may be given beside the names: "auto".
    with_argument : bool
        What follows a colon belongs to the entry and is not looked at.
    """

    name = "name"

    def __init__(self, registry: str, others: tuple[str, ...] = (), *, with_argument: bool = False) -> None:
        self._registry, self._others, self._with_argument = registry, others, with_argument

    def _entries(self) -> Registry[Any]:
        module, _, name = self._registry.partition(":")
        registry: Registry[Any] = getattr(importlib.import_module(module), name)
        return registry

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Return what help texts show: all that can be chosen."""
        return f"[{'|'.join((*self._others, *self._entries().names()))}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is not in the registry."""
        if value in self._others:
            return value
        name = value.partition(":")[0] if self._with_argument else value
        try:
            self._entries().find(name)
        except UserError as error:
            self.fail(str(error), param, ctx)
        return value
