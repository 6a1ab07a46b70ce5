"""Things of one kind, by name: what this program brings, and what other packages add through entry points.

One shape for all kinds (sources, outputs, runtimes, representations, file formats): an entry says in a line
what it is and names what makes it, which is imported when it is asked for and not before. Command line, menus
and ``doctor`` list the entries; nothing else has to know how many there are.

Another package adds an entry in its ``pyproject.toml``::

    [project.entry-points."neuroclip_live.outputs"]
    dmx = "my_package.dmx:DmxOutput"

What is named there is an :class:`Entry`, or what makes one thing, whose documentation's first line then is
the help.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Generic, TypeVar

from neuroclip_live.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """One thing that can be asked for.

    Attributes
    ----------
    name : str
        What to ask for it by, on the command line and in settings.
    help : str
        What it is, in a line.
    factory : str or callable
        What makes it; ``"module:name"`` is imported when it is needed.
    argument : str
        How to write what it is given, for help texts: ``FILE|-``; empty where it takes nothing.
    requires : tuple of str
        Modules it needs beside those that are installed with the program.
    install : str
        What to give ``pip install`` where one of them is missing.
    capabilities : frozenset of str
        What it can do beyond what all of its kind can; each kind says which words there are.
    """

    name: str
    help: str
    factory: str | Callable[..., Any]
    argument: str = ""
    requires: tuple[str, ...] = ()
    install: str = ""
    capabilities: frozenset[str] = frozenset()

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules that are needed and not installed."""
        return tuple(module for module in self.requires if importlib.util.find_spec(module) is None)

    def load(self) -> Callable[..., Any]:
        """Return what makes it.

        Raises
        ------
        UserError
            When a module it needs is not installed, or it cannot be imported.
        """
        if self.missing:
            wanted = " and ".join(self.missing)
            install = self.install or " ".join(self.missing)
            raise UserError(f'{self.name} needs {wanted}, not installed here: pip install "{install}"')
        if not isinstance(self.factory, str):
            return self.factory
        module, _, name = self.factory.partition(":")
        try:
            made: Callable[..., Any] = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise UserError(f"{self.name} cannot be used: {error}") from error
        return made


E = TypeVar("E", bound=Entry)


class Registry(Generic[E]):
    """The entries of one kind.

    Parameters
    ----------
    what : str
        The kind, in the singular, for messages: "output".
    group : str
        Name of the entry points other packages add theirs with.
    built_in : iterable of Entry
        In the order in which they are listed.
    kind : type
        Of the entries: :class:`Entry` or one with further fields.
    others_first : bool
        List the entries of other packages before the program's own, where the first that fits is taken.

    Attributes
    ----------
    built_in : tuple of Entry
        The program's own entries.
    """

    def __init__(
        self, what: str, group: str, built_in: Iterable[E], kind: type[E], *, others_first: bool = False
    ) -> None:
        self.what, self.group = what, group
        self.built_in = tuple(built_in)
        self._kind = kind
        self._others_first = others_first
        self._added: tuple[E, ...] | None = None
        self._failures: list[str] = []

    def entries(self) -> tuple[E, ...]:
        """Return all entries, the program's own and those of other packages."""
        return (*self.added(), *self.built_in) if self._others_first else (*self.built_in, *self.added())

    def added(self) -> tuple[E, ...]:
        """Return the entries of other packages; one that cannot be loaded is logged and left out."""
        if self._added is None:
            found: list[E] = []
            taken = {entry.name for entry in self.built_in}
            for point in entry_points(group=self.group):
                entry = self._loaded(point)
                if entry is None:
                    continue
                if entry.name in taken:
                    self._fail(f"{self.what} {entry.name} of {point.value} is left out: there is one")
                    continue
                taken.add(entry.name)
                found.append(entry)
            self._added = tuple(found)
        return self._added

    def _loaded(self, point: Any) -> E | None:
        try:
            thing = point.load()
        except Exception as error:  # noqa: BLE001 - another package's fault must not keep the program from starting
            self._fail(f"{self.what} {point.name} cannot be loaded: {error}")
            return None
        if isinstance(thing, self._kind):
            return thing
        if not callable(thing):
            self._fail(f"{self.what} {point.name} is neither an entry nor a factory")
            return None
        lines = (thing.__doc__ or "").strip().splitlines()
        try:
            return self._kind(point.name, lines[0] if lines else point.value, thing)
        except TypeError:  # entries of this kind need more than a name
            self._fail(f"{self.what} {point.name} has to be a {self._kind.__name__}")
            return None

    def _fail(self, text: str) -> None:
        log.warning("%s", text)
        self._failures.append(text)

    def failures(self) -> tuple[str, ...]:
        """Return what is wrong with the entries of other packages that are left out, a line each."""
        self.added()
        return tuple(self._failures)

    def names(self) -> tuple[str, ...]:
        """Return what can be asked for."""
        return tuple(entry.name for entry in self.entries())

    def find(self, name: str) -> E:
        """Return the entry of a name.

        Raises
        ------
        UserError
            When there is none.
        """
        for entry in self.built_in:  # others are asked only where this is not enough: it takes a while
            if entry.name == name:
                return entry
        for entry in self.added():
            if entry.name == name:
                return entry
        raise UserError(f"no {self.what} is called {name!r}; choose {', '.join(self.names())}")

    def make(self, name: str, *given: Any) -> Any:
        """Return what the factory of a name makes of what it is given.

        Raises
        ------
        UserError
            When there is none, it cannot be had, or another package's raises anything at all.
        """
        entry = self.find(name)
        factory = entry.load()
        if entry in self.built_in:
            return factory(*given)
        try:
            return factory(*given)
        except UserError:
            raise
        except Exception as error:
            raise UserError(f"the {self.what} {name} cannot be used: {fault_of(error)}") from error


def fault_of(error: BaseException) -> str:
    """Say in a line what another package raised, and where in its files."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _is_ours(file: str) -> bool:
    return not {"neuroclip_live", "neuroclip_drivers", "neuroclip_gui"}.isdisjoint(Path(file).parts)


def lacking(thing: object, protocol: type) -> str:
    """Name the attributes and methods of a protocol that a thing lacks, separated by commas; or ""."""
    methods = [name for name in vars(protocol) if not name.startswith("_")]
    wanted = [*vars(protocol).get("__annotations__", ()), *methods]
    return ", ".join(name for name in wanted if not hasattr(thing, name))
