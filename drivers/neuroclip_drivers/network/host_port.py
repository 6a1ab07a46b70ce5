"""Reading ``HOST:PORT``, the same way wherever it is given."""

from __future__ import annotations

from neuroclip_live.errors import UserError


def parse_host_port(
    text: str, hint: str, *, port_alone: bool = False, any_port: bool = False
) -> tuple[str, int]:
    """Return host and port of ``HOST:PORT``; an IPv6 address stands in brackets.

    Parameters
    ----------
    text : str
    hint : str
        What to say where it is none: what was meant, and how to write it.
    port_alone : bool
        A port without a host will do; the host is then empty.
    any_port : bool
        Port 0 will do: any that is free.

    Raises
    ------
    UserError
        When it is none.
    """
    host, colon, port = text.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1
    lowest = 0 if any_port else 1
    if not lowest <= number <= 65535 or (not host and (colon or not port_alone)):
        raise UserError(hint)
    return host, number
