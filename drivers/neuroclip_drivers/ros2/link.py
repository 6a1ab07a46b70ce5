"""A Zenoh session as a ROS 2 node has one: a client of one router, which comes back by itself.

A client listens nowhere, finds nobody by itself and talks to the one address that it was given, so nothing
of it is open to others. Zenoh connects again within seconds when the router is back, and declares everything
anew.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zenoh

from neuroclip_drivers.network.tls import Tls
from neuroclip_drivers.ros2.address import Ros2Address
from neuroclip_drivers.ros2.graph import Node
from neuroclip_live.errors import SourceAway

OPEN_S = 5.0
"""So long a router may take to accept, and again to say that it is one."""
SLOW_S = 0.2
"""So long a message waits for a router that reads too slowly, and is then left out."""
LARGEST_BYTES = 1 << 24
"""Larger messages are dropped by Zenoh, before anything here sees them."""
CLOSE_S = 1.0
_LEASE_MS = 10_000
ROUTER = "ros2 run rmw_zenoh_cpp rmw_zenohd"


class Ros2Link:
    """One session with one node in it.

    Parameters
    ----------
    address : Ros2Address
    namespace, node : str
        Of the node that ROS is shown.

    Attributes
    ----------
    session : zenoh.Session
    node : Node

    Raises
    ------
    SourceAway
        When nobody answers there, or what answers is no router of Zenoh.
    """

    def __init__(self, address: Ros2Address, namespace: str, node: str) -> None:
        self.address = address
        _reach(address)
        try:
            self.session: Any = zenoh.open(_configuration(address))
        except zenoh.ZError:
            hint = ", ca, cert and key" if address.tls is not None else ""
            raise _away(
                address, f"{address.called} does not answer as a router of Zenoh does; check the port{hint}"
            ) from None
        self.node = Node(address.domain, str(self.session.info.zid()), namespace, node)
        self._held: list[Any] = []
        self._endpoints = 0
        self._closed = False
        self.hold(self.node.token())

    @property
    def here(self) -> bool:
        """Whether the router is connected now."""
        return bool(self.session.info.routers_zid() or self.session.info.peers_zid())

    @property
    def trouble(self) -> str:
        """What is wrong with the connection, in a line, or ""."""
        return "" if self.here else f"{self.address.called} is away; trying again"

    def hold(self, token: str) -> None:
        """Show a token for as long as the session lives."""
        self._held.append(self.session.liveliness().declare_token(token))

    def endpoint(self, kind: str, topic: str, type_name: str, type_hash: str, depth: int) -> str:
        """Show a publisher or subscription of the node; return its token."""
        self._endpoints += 1
        token = self.node.endpoint(self._endpoints, kind, topic, type_name, type_hash, depth)
        self.hold(token)
        return token

    def hear(self, key: str, heard: Callable[[Any], None]) -> None:
        """Have ``heard`` called, from Zenoh's own thread, with every message of a key expression."""
        self._held.append(self.session.declare_subscriber(key, _direct(heard)))

    def watch(self, tokens: str, changed: Callable[[Any], None]) -> None:
        """Have ``changed`` called with every token that comes or goes, those there already first."""
        self._held.append(
            self.session.liveliness().declare_subscriber(tokens, _direct(changed), history=True)
        )

    def close(self) -> None:
        """End the session, waiting a second at most; idempotent."""
        if self._closed:
            return
        self._closed = True
        end = threading.Thread(target=self.session.close, name="ros2-end", daemon=True)
        end.start()  # a router that reads nothing keeps it waiting for longer than anybody wants to
        end.join(CLOSE_S)


def _direct(call: Callable[[Any], None]) -> Any:
    """Return a handler that is called at once: the other kind waits in a queue without bounds."""
    return zenoh.handlers.Callback(call, indirect=False)


def _reach(address: Ros2Address) -> None:
    """Look whether anybody answers: Zenoh says only that it could not connect, and may take long to."""
    try:
        socket.create_connection((address.host, address.port), OPEN_S).close()
    except socket.gaierror as error:
        why = f"there is no host called {address.host!r} ({error.strerror}); check the name"
    except UnicodeError:
        why = f"there is no host called {address.host!r} (not a name); check the name"
    except OSError as error:
        said = error.strerror or "no answer"
        why = f"no Zenoh router at {address.called} ({said}): start one first (`{ROUTER}`), or name another"
    else:
        return
    raise _away(address, why)


def _away(address: Ros2Address, message: str) -> SourceAway:
    return SourceAway(message, f"ROS 2 at {address.called}")


def _configuration(address: Ros2Address) -> Any:
    milliseconds, microseconds = int(OPEN_S * 1e3), int(SLOW_S * 1e6)
    settings: dict[str, object] = {
        "mode": "client",
        "connect/endpoints": [address.locator],
        "scouting/multicast/enabled": False,
        "scouting/gossip/enabled": False,
        "transport/unicast/open_timeout": milliseconds,
        "transport/link/tx/lease": _LEASE_MS,
        "transport/link/tx/queue/congestion_control/drop/wait_before_drop": microseconds,
        "transport/link/tx/queue/congestion_control/drop/max_wait_before_drop_fragments": microseconds,
        "transport/link/rx/max_message_size": 2 * LARGEST_BYTES,
        # memory that programs share: a fault of one is a fault of the other
        "transport/shared_memory/enabled": False,
        "low_pass_filter": [
            {
                "flows": ["ingress"],
                "messages": ["put", "delete", "query", "reply"],
                "key_exprs": ["**"],
                "size_limit": LARGEST_BYTES,
            }
        ],
    }
    if address.tls is not None:
        settings.update(_tls(address.tls))
    made = zenoh.Config()
    for key, value in settings.items():
        made.insert_json5(key, json.dumps(value))
    return made


def _tls(tls: Tls) -> dict[str, object]:
    """Return Zenoh's settings for TLS; the server always has to prove who it is."""
    settings: dict[str, object] = {"transport/link/tls/verify_name_on_connect": True}
    if tls.authority is not None:
        settings["transport/link/tls/root_ca_certificate"] = _file(tls.authority)
    if tls.certificate is not None:
        settings["transport/link/tls/enable_mtls"] = True
        settings["transport/link/tls/connect_certificate"] = _file(tls.certificate)
        settings["transport/link/tls/connect_private_key"] = _file(tls.key or tls.certificate)
    return settings


def _file(name: str) -> str:
    return os.path.abspath(Path(name).expanduser())
